import { expect, test } from 'vitest';
import { ConfigurationFiles } from '../support/configuration-files.ts';

const database = { pg: '/db', my: '', maria: '' };
const types = { pg: 'postgres', my: 'mysql', maria: 'mariadb' };

function route(from: keyof typeof types, to: keyof typeof types, settings: string): string {
  return `version: 1
name: prod
nodes:
  a: { type: ${types[from]}, url: "${types[from]}://u:p@localhost${database[from]}" }
  b: { type: ${types[to]}, url: "${types[to]}://u:p@localhost${database[to]}" }
routes:
  r: { from: a, to: b, tables: [shop.t]${settings} }
`;
}

// What a binlog can't give, or its target does not do yet, must not be taken and left out.
test.for([
  ['maria', '', null],
  ['maria', ', collisions: { default: { oldValues: ignore } }', null],
  ['maria', ', collisions: { default: { oldValues: check } }', /collisions\.default\.oldValues/],
  ['maria', ', collisions: { tables: { shop.t: { oldValues: check } } }', /collisions\.tables/],
  ['maria', ', apply: { lanes: 4 }', /lanes/],
  ['maria', ', slot: s', /slot/],
  ['maria', ', apply: { onError: park }', null],
  ['maria', ', ddl: replicate', /ddl/],
  ['maria', ', schemaChanges: evolve', null],
  ['maria', ', schemaChanges: ignore', null],
  ['maria', ', convert: { nul: remove }', /convert/],
  ['pg', '', null],
  ['pg', ', convert: { nul: remove, zone: "+02:00" }', null],
  ['pg', ', convert: { nul: drop }', /nul/],
  ['pg', ', convert: { zone: Berlin }', /zone/],
  ['pg', ', apply: { lanes: 4 }', null],
  ['pg', ', apply: { onError: park }', null],
  ['pg', ', schemaChanges: evolve', /schemaChanges/],
] as const)('from MySQL to %s with "%s"', ([to, settings, place]) => {
  using files = new ConfigurationFiles();
  const asked = (): unknown => files.load(route('my', to, settings)).routes.demand('r', 'route');
  if (place === null) return expect(asked).not.toThrow();
  const problems = files.problems(route('my', to, settings), (configuration) =>
    configuration.routes.demand('r', 'route'),
  );
  expect(problems.map(({ path }) => path).join()).toMatch(place);
});
