import { expect, test } from 'vitest';
import { describedSchema, type JsonSchema } from '../../src/config/json-schema.ts';
import { fingerprintOf, type RouteDescription } from '../../src/core/route-description.ts';
import { tableLabel } from '../../src/core/table.ts';
import { needsConsent, type PlanFacts, planRoute, without } from '../../src/operations/plan-route.ts';
import { planLines } from '../../src/operations/plan-text.ts';
import { quantities } from '../../src/operations/setting-text.ts';
import { ConfigurationFiles, withRoute } from '../support/configuration-files.ts';

function described(route: string, env: Record<string, string> = {}) {
  using folder = new ConfigurationFiles();
  // As stored in the database and read again.
  const definition = folder.load(withRoute(route), env).routes.demand('r', 'route');
  return JSON.parse(JSON.stringify(definition.describe())) as RouteDescription;
}

/** A route over tables a to d of schema public, of which a, b and c were there when it was loaded. */
function planned(before: string, after: string, more: Partial<PlanFacts> = {}) {
  const [applied, wanted] = [described(before), described(after)];
  return planRoute({
    applied,
    wanted,
    stored: ['a', 'b', 'c'].map((name) => ({ source: `public.${name}`, target: `public.${name}` })),
    present: ['a', 'b', 'c'].map((name) => ({ table: { schema: 'public', name }, target: `public.${name}` })),
    isSameSource: true,
    keepRows: [],
    ...more,
  });
}

const all = 'tables: ["public.*"]';

test('nothing changes where only the text does', () => {
  const after = `exclude: [other.x]
tables:
  - public.a
  - { name: "public.*", columns: { exclude: [], rename: {} } }`;
  expect(planned(all, after)).toEqual({ tables: [], settings: [], refused: [] });
});

test('what concerns only later rows is a setting', () => {
  const plan = planned(
    all,
    `${all}
apply: { groupRows: 7, memory: 128000001B }
newTables: load
collisions: { tables: { public.a: { resolve: source } } }
limits: { lag: { warn: 90s, critical: 2h }, retained: { warn: 1500MB } }`,
  );
  expect(plan.tables).toEqual([]);
  expect(plan.settings).toMatchObject([
    { name: 'apply.groupRows', before: 5000, after: 7 },
    { name: 'apply.memory', before: 128_000_000, after: 128_000_001 },
    { name: 'collisions.tables.public.a.oldValues', before: null, after: 'ignore' },
    { name: 'collisions.tables.public.a.resolve', before: null, after: 'source' },
    { name: 'limits.lag.critical', before: 60_000, after: 7_200_000 },
    { name: 'limits.lag.warn', before: 10_000, after: 90_000 },
    { name: 'limits.retained.warn', before: 5e9, after: 1.5e9 },
    { name: 'newTables', before: 'halt', after: 'load' },
  ]);
  expect(planLines(plan)).toEqual([
    '  apply.groupRows: 5000 -> 7',
    '  apply.memory: 128MB -> 128000001B',
    '  collisions.tables.public.a.oldValues: not set -> ignore',
    '  collisions.tables.public.a.resolve: not set -> source',
    '  limits.lag.critical: 1m -> 2h',
    '  limits.lag.warn: 10s -> 90s',
    '  limits.retained.warn: 5GB -> 1500MB',
    '  newTables: halt -> load',
  ]);
  expect(needsConsent(plan)).toBe(false);
});

test('each setting that is a duration or a size is told with its unit', () => {
  const found: Record<string, string> = {};
  const look = (schema: JsonSchema, path: string): void => {
    const type = schema['x-type'];
    if (type === 'duration' || type === 'size') found[path] = type;
    for (const [key, inner] of Object.entries(schema.properties ?? {}))
      look(inner, path === '' ? key : `${path}.${key}`);
  };
  const routes = describedSchema().properties?.routes?.additionalProperties;
  if (typeof routes !== 'object') throw new Error('routes are described otherwise');
  look(routes, '');
  // What describe-route.ts leaves out, since it is nothing that a route does.
  const told = Object.entries(found).filter(([name]) => !/^(journal|compare|load)\./.test(name));
  expect(Object.fromEntries(told)).toEqual(quantities);
});

test.for([
  ['where', '{ name: public.a, where: "x > 1" }', ['where']],
  ['the key', '{ name: public.a, key: [id, x] }', ['key']],
  ['columns', '{ name: public.a, columns: { exclude: [x] } }', ['columns']],
  ['a column’s name', '{ name: public.a, columns: { rename: { x: y } } }', ['columns']],
  ['transforms', '{ name: public.a, transforms: [{ set: { x: "1" } }] }', ['transforms']],
] as const)('a table is loaded again for %s', ([, entry, changed]) => {
  const after = `tables: ["public.*", ${entry}]`;
  const step = { source: 'public.a', target: 'public.a' };
  const plan = planned(all, after);
  expect(plan.tables).toEqual([{ action: 'reload', ...step, changed, replaced: ['public.a'] }]);
  expect(needsConsent(plan)).toBe(true);
  const kept = planned(all, after, { keepRows: ['public.a'] });
  expect(kept.tables).toEqual([{ action: 'remap', ...step, before: 'public.a', changed }]);
  expect(needsConsent(kept)).toBe(true);
});

test('tables come and go by name and by glob', () => {
  const table = (name: string) => ({ table: { schema: 'public', name }, target: `public.${name}` });
  const named = planned('tables: [public.a, public.b]', 'tables: [public.b, public.d]', {
    stored: ['a', 'b'].map((name) => ({ source: `public.${name}`, target: `public.${name}` })),
    present: [table('b'), table('d')],
  });
  expect(named.tables).toEqual([
    { action: 'drop', source: 'public.a', target: 'public.a' },
    { action: 'add', source: 'public.d', target: 'public.d', loads: true, replaced: [] },
  ]);
  const excluded = planned(all, `${all}\nexclude: [public.b]`, { present: [table('a'), table('c')] });
  expect(excluded.tables).toEqual([{ action: 'drop', source: 'public.b', target: 'public.b' }]);
  // Gone from the source, and still meant.
  expect(planned(all, all, { present: [table('a'), table('c')] }).tables).toEqual([]);
});

test('a table that a glob has always meant is left to newTables, one that is named now is added', () => {
  const present = ['a', 'b', 'c', 'd'].map((name) => ({ table: { schema: 'public', name }, target: `public.${name}` }));
  expect(planned(all, `${all}\nnewTables: load`, { present }).tables).toEqual([]);
  expect(planned(all, 'tables: ["public.*", public.d]', { present }).tables).toEqual([
    { action: 'add', source: 'public.d', target: 'public.d', loads: true, replaced: [] },
  ]);
});

test('another target is loaded anew, and the one before stays', () => {
  const present = [
    { table: { schema: 'public', name: 'a' }, target: 'crm.a' },
    { table: { schema: 'public', name: 'b' }, target: 'public.c' },
  ];
  const plan = planned(all, 'tables: [{ name: public.a, to: crm.a }, { name: public.b, to: public.c }]', { present });
  expect(plan.tables).toEqual([
    { action: 'move', source: 'public.a', target: 'crm.a', before: 'public.a', replaced: [] },
    { action: 'move', source: 'public.b', target: 'public.c', before: 'public.b', replaced: ['public.c'] },
    { action: 'drop', source: 'public.c', target: 'public.c' },
  ]);
  const kept = planned(all, 'tables: ["public.*", { name: public.a, to: crm.a }]', {
    present: [...present.slice(0, 1)],
    keepRows: ['public.a'],
  });
  expect(kept.tables).toEqual([
    { action: 'remap', source: 'public.a', target: 'crm.a', before: 'public.a', changed: [] },
  ]);
});

test('names that need quotes are the same table in labels and in patterns', () => {
  const odd = { schema: 'public', name: 'Odd.name "x"' };
  const stored = [{ source: tableLabel(odd), target: tableLabel(odd) }];
  const text = `tables: ['public."Odd.name ""x"""']`;
  expect(planned(text, text, { stored, present: [] }).tables).toEqual([]);
  expect(planned(text, 'tables: [public.a]', { stored, present: [] }).tables).toMatchObject([{ action: 'drop' }]);
});

test('a route keeps its source and its queue', () => {
  expect(planned(all, `${all}\nslot: theirs\npublication: theirs`).refused).toEqual(['slot', 'publication']);
  expect(planned(all, all, { isSameSource: false }).refused).toEqual(['source']);
});

test('another key of a mask is another transform, and the key is not stored', () => {
  const masked = 'tables: [{ name: public.a, transforms: [{ mask: { columns: [x], method: hmac, key: "${K}" } }] }]';
  const [one, again, other] = ['secret-1', 'secret-1', 'secret-2'].map((K) => described(masked, { K }));
  expect(JSON.stringify(one)).not.toContain('secret-1');
  expect(fingerprintOf(one as RouteDescription)).toBe(fingerprintOf(again as RouteDescription));
  expect(fingerprintOf(one as RouteDescription)).not.toBe(fingerprintOf(other as RouteDescription));
});

test('the plan in words', () => {
  const present = [{ table: { schema: 'public', name: 'a' }, target: 'public.a' }];
  const plan = planned(all, 'tables: [{ name: public.a, where: "x > 1" }]\napply: { groupRows: 7 }', { present });
  expect(planLines(plan)).toEqual([
    '~ public.a  where: loaded again, the rows of public.a are replaced',
    '- public.b  no longer followed; the rows of public.b stay',
    '- public.c  no longer followed; the rows of public.c stay',
    '  apply.groupRows: 5000 -> 7',
  ]);
});

test('a description without the tables that come leaves exactly these to be planned', () => {
  const before = 'tables: [public.a]';
  const names = ['a', 'b', 'c', 'D', 'e'];
  const present = names.map((name) => ({ table: { schema: 'public', name }, target: `t.${name}` }));
  const stored = [{ source: 'public.a', target: 't.a' }];
  const wanted = described('tables: ["public.?", \'public."D"\', public.e, "other.*"]');
  const facts = { applied: described(before), wanted, stored, present, isSameSource: true, keepRows: [] };
  const added = planRoute(facts).tables.map(({ action, source }) => `${action} ${source}`);
  expect(added).toEqual(['add public.D', 'add public.b', 'add public.c', 'add public.e']);
  const half = { ...facts, applied: without(wanted, ['public.b', 'public.c', 'public.D', 'public.e']) };
  expect(planRoute(half).tables).toEqual(planRoute(facts).tables);
  expect(planRoute(half).settings).toEqual([]);
});
