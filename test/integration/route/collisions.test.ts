import { describe, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

const schema = `
  CREATE TABLE item (id int PRIMARY KEY, code text UNIQUE, note text);
  CREATE TABLE other (id int PRIMARY KEY);
`;

const secret = 'a-value-nobody-may-read';

interface Case {
  readonly name: string;
  /** What somebody else did at the target. */
  readonly there: string;
  readonly here: string;
}

const cases: readonly Case[] = [
  {
    name: 'an insert finds the row',
    there: `INSERT INTO item VALUES (5, '${secret}', 'theirs')`,
    here: `INSERT INTO item VALUES (5, 'mine', '${secret}')`,
  },
  {
    name: 'an update finds no row',
    there: `DELETE FROM item WHERE id = 1`,
    here: `UPDATE item SET note = '${secret}' WHERE id = 1`,
  },
  {
    name: 'an update of a key finds no row',
    there: `DELETE FROM item WHERE id = 1`,
    here: `UPDATE item SET id = 50, note = '${secret}' WHERE id = 1`,
  },
  { name: 'a delete finds no row', there: `DELETE FROM item WHERE id = 2`, here: `DELETE FROM item WHERE id = 2` },
];

async function collide(rule: string, { there: theirs, here: ours }: Case) {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query(schema);
  await source.query(`INSERT INTO item VALUES (1, 'a', 'x'), (2, 'b', 'y')`);
  const file = new RouteFile({
    source,
    target,
    route: `tables: ["public.*"]\ncollisions: { default: { resolve: halt }, tables: { public.item: { resolve: ${rule} } } }`,
  });
  const route = file.run();
  await route.state('running');
  await target.query(theirs);
  const before = await contents(target, ['item', 'other']);
  // Read together, so that they are one group.
  const worker = await route.workerPid();
  process.kill(worker, 'SIGSTOP');
  await source.query(`INSERT INTO other VALUES (1)`);
  await source.query(ours);
  await source.query(`INSERT INTO other VALUES (2)`);
  process.kill(worker, 'SIGCONT');
  return { source, target, file, route, before };
}

describe.for(cases)('$name', (the) => {
  test('halt: what came before is there, nothing of the transaction, and no value is told', async () => {
    const { target, file, route, before } = await collide('halt', the);
    await using _route = route;
    using _file = file;
    const { reason } = await route.state('failed');
    expect(reason).toMatchObject({
      code: 'TL-2201',
      message: expect.stringMatching(/public\.item.*[0-9A-F]+\/[0-9A-F]+/),
    });
    expect(await contents(target, ['item', 'other'])).toEqual({ ...before, other: ['(1)'] });
    expect(route.log + JSON.stringify(await file.status())).not.toContain(secret);
  });

  test('source: the target row becomes what the source says', async () => {
    const { source, target, file, route } = await collide('source', the);
    await using _route = route;
    using _file = file;
    await route.caughtUp();
    expect(await contents(target, ['item', 'other'])).toEqual(await contents(source, ['item', 'other']));
    // The status is stored with the next renewal of the lease.
    await until('the count', async () => (await file.status()).collisions === 1);
    expect(route.log).not.toContain(secret);
  });
});

test('another row with the same unique value halts under every rule', async () => {
  for (const rule of ['halt', 'source']) {
    const { target, file, route, before } = await collide(rule, {
      name: '',
      there: `INSERT INTO item VALUES (9, '${secret}', 'theirs')`,
      here: `INSERT INTO item VALUES (5, '${secret}', 'mine')`,
    });
    await using _route = route;
    using _file = file;
    expect((await route.state('failed')).reason?.code).toBe('TL-2201');
    expect((await contents(target, ['item'])).item).toEqual(before.item);
    expect(route.log).not.toContain(secret);
  }
});

test('an insert that finds the row under a key that is checked at commit only', async () => {
  const table = (more: string): string => `CREATE TABLE item (id int PRIMARY KEY ${more}, code text, note text);`;
  for (const rule of ['halt', 'source']) {
    const { source, target } = await servers.pair();
    await source.query(table(''));
    await target.query(table('DEFERRABLE INITIALLY DEFERRED'));
    await using file = new RouteFile({
      source,
      target,
      route: `tables: ["public.*"]\ncollisions: { default: { resolve: ${rule} } }`,
    });
    await using route = file.run();
    await route.state('running');
    await target.query(`INSERT INTO item VALUES (5, 'theirs', '${secret}')`);
    await source.query(`INSERT INTO item VALUES (5, 'mine', 'x')`);
    if (rule === 'halt') {
      expect((await route.state('failed')).reason?.code).toBe('TL-2201');
      expect(await contents(target, ['item'])).toEqual({ item: [`(5,theirs,${secret})`] });
    } else {
      await route.caughtUp();
      expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
    }
  }
});

const whole = `CREATE TABLE item (id int PRIMARY KEY, code text UNIQUE, note text);
  ALTER TABLE item REPLICA IDENTITY FULL`;

describe.for([
  { name: 'an update', here: `UPDATE item SET code = 'c' WHERE id = 1` },
  { name: 'an update of the key', here: `UPDATE item SET id = 7 WHERE id = 1` },
  { name: 'a delete', here: 'DELETE FROM item WHERE id = 1' },
])('$name that finds other values, where old values are checked', ({ here }) => {
  test.for(['halt', 'source'])('%s', async (rule) => {
    const { source, target } = await servers.pair(whole);
    await source.query(`INSERT INTO item VALUES (1, 'a', 'x'), (2, 'b', NULL)`);
    using file = new RouteFile({
      source,
      target,
      route: `tables: ["public.*"]\ncollisions: { default: { resolve: ${rule}, oldValues: check } }`,
    });
    await using route = file.run();
    await route.state('running');
    // Of a row that nobody else has touched nothing is a collision, and of several changes in one group only the first value counts.
    await source.query(`UPDATE item SET note = 'z' WHERE id = 2; UPDATE item SET note = NULL WHERE id = 2`);
    await route.caughtUp();
    await target.query(`UPDATE item SET note = '${secret}' WHERE id = 1`);
    await source.query(here);
    if (rule === 'halt') {
      const { reason } = await route.state('failed');
      expect(reason).toMatchObject({ code: 'TL-2201', message: expect.stringContaining('other values') });
      expect(await contents(target, ['item'])).toEqual({ item: [`(1,a,${secret})`, '(2,b,)'] });
    } else {
      await route.caughtUp();
      expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
      await until('the count', async () => (await file.status()).collisions === 1);
    }
    expect(route.log).not.toContain(secret);
  });
});

test.for(['halt', 'source'])('a row that stood aside for a swap is looked at, too: %s', async (rule) => {
  const { source, target } = await servers.pair(whole.replace('UNIQUE', 'UNIQUE DEFERRABLE'), whole);
  await source.query(`INSERT INTO item VALUES (1, 'a', 'x'), (2, 'b', 'y')`);
  using file = new RouteFile({
    source,
    target,
    route: `tables: ["public.*"]\ncollisions: { default: { resolve: ${rule}, oldValues: check } }`,
  });
  await using route = file.run();
  await route.state('running');
  const swap = `UPDATE item SET code = CASE code WHEN 'a' THEN 'b' ELSE 'a' END`;
  await source.query(swap);
  await route.caughtUp();
  await target.query(`UPDATE item SET note = '${secret}' WHERE id = 2`);
  await source.query(swap);
  if (rule === 'halt') {
    const { reason } = await route.state('failed');
    expect(reason).toMatchObject({ code: 'TL-2201', message: expect.stringContaining('other values') });
    expect(await contents(target, ['item'])).toEqual({ item: ['(1,b,x)', `(2,a,${secret})`] });
  } else {
    await route.caughtUp();
    expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
    await until('the count', async () => (await file.status()).collisions === 1);
  }
  expect(route.log).not.toContain(secret);
});

test('old values that the target shows otherwise are no other values; without a key they find their rows, too', async () => {
  const tables = (scale: number, precision: number): string => `
    CREATE TABLE kept (id int PRIMARY KEY, n numeric(${precision},${scale}), j json, big text, f float8, p char(5), at timestamptz);
    ALTER TABLE kept REPLICA IDENTITY FULL; ALTER TABLE kept ALTER big SET STORAGE EXTERNAL;
    CREATE TABLE loose (n numeric(${precision},${scale}));
    ALTER TABLE loose REPLICA IDENTITY FULL`;
  const { source, target } = await servers.pair(tables(2, 10), tables(4, 14));
  const row = `1.5, '{"a": 1.0}', repeat('x', 9000), '-0', 'ab', '2026-01-01 00:00:00.5+02'`;
  await source.query(`INSERT INTO kept VALUES (1, ${row}), (2, ${row}), (3, ${row}); INSERT INTO kept (id) VALUES (4);
    INSERT INTO loose VALUES (1.5), (1.5), (NULL)`);
  using file = new RouteFile({
    source,
    target,
    route: `tables: ["public.*"]\ncollisions: { default: { resolve: halt, oldValues: check } }`,
  });
  await using route = file.run();
  await route.state('running');
  await source.query(`UPDATE kept SET f = f + 1; UPDATE kept SET n = 2.75 WHERE id < 3; UPDATE kept SET id = 30 WHERE id = 3;
    DELETE FROM kept WHERE id = 1; UPDATE loose SET n = 3.25 WHERE ctid = '(0,1)'; DELETE FROM loose WHERE n IS NULL`);
  await route.caughtUp();
  const read = async (db: typeof source): Promise<unknown> => [
    await db.query('SELECT id, n::float8, j::text, big, f, p, at FROM kept ORDER BY id'),
    await db.query('SELECT n::float8 FROM loose ORDER BY n'),
  ];
  expect(await read(target)).toEqual(await read(source));
  expect(await file.status()).toMatchObject({ state: 'running', collisions: 0 });
});

test('old values that are not logged can not be checked', async () => {
  const { source, target } = await servers.pair(schema);
  using file = new RouteFile({
    source,
    target,
    route: `tables: ["public.item"]\ncollisions: { default: { resolve: halt, oldValues: check } }`,
  });
  const { code, out } = await file.tidelock('check');
  expect([code, out]).toEqual([1, expect.stringContaining('TL-2120')]);
  const [statement] = /ALTER TABLE \S+ REPLICA IDENTITY FULL;/.exec(out) ?? [''];
  await source.query(statement);
  expect((await file.tidelock('check')).code).toBe(0);
});
