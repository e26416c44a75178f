import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile, type RunningRoute } from '../../support/route.ts';
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
  /** Makes the target what it was before. */
  readonly undo: string;
}

const cases: readonly Case[] = [
  {
    name: 'an insert finds the row',
    there: `INSERT INTO item VALUES (5, '${secret}', 'theirs')`,
    here: `INSERT INTO item VALUES (5, 'mine', '${secret}')`,
    undo: 'DELETE FROM item WHERE id = 5',
  },
  {
    name: 'an update finds no row',
    there: `DELETE FROM item WHERE id = 1`,
    here: `UPDATE item SET note = '${secret}' WHERE id = 1`,
    undo: `INSERT INTO item VALUES (1, 'a', 'x')`,
  },
  {
    name: 'an update of a key finds no row',
    there: `DELETE FROM item WHERE id = 2`,
    here: `UPDATE item SET id = 50, note = '${secret}' WHERE id = 2`,
    undo: `INSERT INTO item VALUES (2, 'b', 'y')`,
  },
  {
    name: 'a delete finds no row',
    there: `DELETE FROM item WHERE id = 3`,
    here: `DELETE FROM item WHERE id = 3`,
    undo: `INSERT INTO item VALUES (3, 'c', 'z')`,
  },
];

const rule = (resolve: string): string =>
  `tables: ["public.*"]\ncollisions: { default: { resolve: halt }, tables: { public.item: { resolve: ${resolve} } } }`;

async function filled(): Promise<{ source: TestDatabase; target: TestDatabase }> {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query(schema);
  await source.query(`INSERT INTO item VALUES (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')`);
  return { source, target };
}

interface Collision {
  readonly route: RunningRoute;
  readonly theirs: string;
  readonly ours: string;
  /** Of the rows around it, not used before. */
  readonly at: number;
}

/** What the target held in between. */
async function collide({ route, theirs, ours, at }: Collision): Promise<Record<string, string[]>> {
  const { source, target } = route.file.options as { source: TestDatabase; target: TestDatabase };
  await target.query(theirs);
  const before = await contents(target, ['item', 'other']);
  // Read together, so that they are one group.
  const worker = await route.workerPid();
  process.kill(worker, 'SIGSTOP');
  await source.query(`INSERT INTO other VALUES (${at})`);
  await source.query(ours);
  await source.query(`INSERT INTO other VALUES (${at + 1})`);
  process.kill(worker, 'SIGCONT');
  return before;
}

test('halt: what came before is there, nothing of the transaction, and no value is told; it goes on once the target is mended', async () => {
  const { source, target } = await filled();
  using file = new RouteFile({ source, target, route: rule('halt') });
  await using route = file.run();
  await route.state('running');
  for (const [number, { name, there: theirs, here: ours, undo }] of cases.entries()) {
    const at = 10 * (number + 1);
    const before = await collide({ route, theirs, ours, at });
    const { reason } = await route.state('failed');
    expect([name, reason]).toEqual([
      name,
      expect.objectContaining({
        code: 'TL-2201',
        message: expect.stringMatching(/public\.item.*[0-9A-F]+\/[0-9A-F]+/),
      }),
    ]);
    expect(await contents(target, ['item', 'other'])).toEqual({
      ...before,
      other: [...(before.other ?? []), `(${at})`],
    });
    expect(route.log + JSON.stringify(await file.status())).not.toContain(secret);
    await target.query(undo);
    expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
    await route.caughtUp();
    expect(await contents(target, ['item', 'other'])).toEqual(await contents(source, ['item', 'other']));
    await route.state('running');
  }
});

test('source: the target row becomes what the source says', async () => {
  const { source, target } = await filled();
  using file = new RouteFile({ source, target, route: rule('source') });
  await using route = file.run();
  await route.state('running');
  for (const [number, { name, there: theirs, here: ours }] of cases.entries()) {
    await collide({ route, theirs, ours, at: 10 * (number + 1) });
    await route.caughtUp();
    expect([name, await contents(target, ['item', 'other'])]).toEqual([
      name,
      await contents(source, ['item', 'other']),
    ]);
  }
  // The status is stored with the next renewal of the lease.
  await until('the count', async () => (await file.status()).collisions === cases.length);
  expect(route.log).not.toContain(secret);
});

test('another row with the same unique value halts under every rule', async () => {
  for (const resolve of ['halt', 'source']) {
    const { source, target } = await filled();
    using file = new RouteFile({ source, target, route: rule(resolve) });
    await using route = file.run();
    await route.state('running');
    const theirs = `INSERT INTO item VALUES (9, '${secret}', 'theirs')`;
    const before = await collide({ route, theirs, ours: `INSERT INTO item VALUES (5, '${secret}', 'mine')`, at: 1 });
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

const changes = [
  { name: 'an update', at: 1, here: `UPDATE item SET code = 'd' WHERE id = 1` },
  { name: 'an update of the key', at: 3, here: `UPDATE item SET id = 7 WHERE id = 3` },
  { name: 'a delete', at: 4, here: 'DELETE FROM item WHERE id = 4' },
] as const;

test.for(['halt', 'source'])('a row that has other values, where old values are checked: %s', async (resolve) => {
  const { source, target } = await servers.pair(whole);
  await source.query(`INSERT INTO item VALUES (1, 'a', 'x'), (2, 'b', NULL), (3, 'c', 'x'), (4, 'e', 'x')`);
  using file = new RouteFile({
    source,
    target,
    route: `tables: ["public.*"]\ncollisions: { default: { resolve: ${resolve}, oldValues: check } }`,
  });
  await using route = file.run();
  await route.state('running');
  // Of a row that nobody else has touched nothing is a collision, and of several changes in one group only the first value counts.
  await source.query(`UPDATE item SET note = 'z' WHERE id = 2; UPDATE item SET note = NULL WHERE id = 2`);
  await route.caughtUp();
  for (const { name, at, here } of changes) {
    await target.query(`UPDATE item SET note = '${secret}' WHERE id = ${at}`);
    const before = await contents(target, ['item']);
    await source.query(here);
    if (resolve === 'halt') {
      const { reason } = await route.halts();
      expect([name, reason?.code, reason?.message]).toEqual([name, 'TL-2201', expect.stringContaining('other values')]);
      expect(await contents(target, ['item'])).toEqual(before);
      await target.query(`UPDATE item SET note = 'x' WHERE id = ${at}`);
      expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
      await route.state('running');
    }
    await route.caughtUp();
    expect([name, await contents(target, ['item'])]).toEqual([name, await contents(source, ['item'])]);
  }
  if (resolve === 'source') await until('the count', async () => (await file.status()).collisions === changes.length);
  expect(route.log).not.toContain(secret);
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
