import { describe, expect, test } from 'vitest';
import type { RouteDefinition } from '../../src/core/route.ts';
import { ConfigurationFiles, caught, withRoute } from '../support/configuration-files.ts';

function route(keys: string): RouteDefinition {
  using files = new ConfigurationFiles();
  return files.load(withRoute(keys)).routes.demand('r', 'route');
}

describe('table selection', () => {
  test('a name beats a glob and an excluding glob', () => {
    const { tables } = route(
      'tables: [{ name: public.tmp_a, to: crm.a }, { name: "public.*", to: "crm.{schema}_{table}" }]\nexclude: ["public.tmp_*"]',
    );
    expect(tables.select('public', 'tmp_a')?.target).toEqual({ schema: 'crm', name: 'a' });
    expect(tables.select('public', 'tmp_b')).toBeNull();
    expect(tables.select('public', 'b')?.target).toEqual({ schema: 'crm', name: 'public_b' });
    expect(tables.select('other', 'b')).toBeNull();
    expect(tables.exact).toEqual([{ schema: 'public', name: 'tmp_a' }]);
  });

  test('two globs for one table are an error that names both', () => {
    const { tables } = route("tables: ['public.a*', 'public.*b']");
    expect(tables.select('public', 'ax')).not.toBeNull();
    const error = caught(() => tables.select('public', 'ab'));
    expect(error.code).toBe('TL-1007');
    expect(error.message).toMatch(/public\.ab.*public\.a\*.*public\.\*b/);
  });

  test('two tables with one target are an error, also where a glob brought them', () => {
    const { tables } = route('tables: [{ name: "*.t", to: "crm.{table}" }]');
    expect(tables.select('a', 't')).not.toBeNull();
    expect(tables.select('a', 't')).not.toBeNull();
    expect(caught(() => tables.select('b', 't')).code).toBe('TL-1008');
  });

  test('names with dots, capitals and quotes are written in quotes', () => {
    const { tables } = route(`tables: [{ name: '"My.Schema"."T""x"', to: '"CRM"."{table}"' }, 'public."Tmp_"*']`);
    expect(tables.exact).toEqual([{ schema: 'My.Schema', name: 'T"x' }]);
    expect(tables.select('My.Schema', 'T"x')?.target).toEqual({ schema: 'CRM', name: 'T"x' });
    expect(tables.select('public', 'Tmp_1')).not.toBeNull();
    expect(tables.select('public', 'tmp_1')).toBeNull();
  });

  test('a star does not cross the dot', () => {
    const { tables } = route("tables: ['a*.b']");
    expect(tables.select('ax', 'b')).not.toBeNull();
    expect(tables.select('a', 'x.b')).toBeNull();
  });

  test('columns are excluded and renamed', () => {
    const { tables } = route(
      'tables: [{ name: public.t, columns: { exclude: [Ssn], rename: { fname: first_name } } }]',
    );
    expect(tables.select('public', 't')).toMatchObject({
      excludedColumns: ['Ssn'],
      renamedColumns: new Map([['fname', 'first_name']]),
    });
  });
});

test('collision rules: a name beats a glob, a glob the default', () => {
  const { collisions } = route(
    'tables: ["public.*"]\ncollisions: { default: { resolve: source }, tables: { "public.s*": { resolve: halt }, public.stock: { resolve: source } } }',
  );
  expect(collisions.forTable('public', 'stock')).toBe('source');
  expect(collisions.forTable('public', 'sales')).toBe('halt');
  expect(collisions.forTable('public', 'other')).toBe('source');
});
