import { beforeAll, expect, test } from 'vitest';
import type { Change } from '../../../src/core/change.ts';
import type { Consumer } from '../../../src/core/consumer.ts';
import type { ParkingOutcome } from '../../../src/core/parked.ts';
import type { Position } from '../../../src/core/position.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { contents } from '../../support/compare.ts';
import { twoServers } from '../../support/two-servers.ts';
import { cut, type Stage, type StageOptions, stage } from './harness.ts';

const servers = twoServers();

beforeAll(async () => {
  await servers.there.database('postgres').query('CREATE ROLE applier LOGIN');
});

const signal = new AbortController().signal;
const apply = {
  groupRows: 5_000,
  groupTimeMs: 0,
  lanes: 1,
  onError: 'park' as const,
  maxRowBytes: 1e8,
  memoryBytes: 1e8,
};

const refusing = (table = 't'): string => `ALTER TABLE ${table} ADD CONSTRAINT refuses CHECK (note <> 'bad') NOT VALID`;
const mended = (table = 't'): string => `ALTER TABLE ${table} DROP CONSTRAINT refuses`;

interface Parked {
  readonly on: Stage;
  readonly consumer: Consumer;
  /** Runs statements at the source, each a transaction, and applies them. */
  run(...statements: string[]): Promise<void>;
  /** Causes of what is parked, in order. */
  causes(): Promise<string[]>;
  retry(ids?: readonly number[], withEarlier?: boolean): Promise<ParkingOutcome>;
  discard(ids: readonly number[]): Promise<ParkingOutcome>;
}

async function parking(options: StageOptions): Promise<Parked & AsyncDisposable> {
  const on = await stage(servers.here, servers.there, { ...options, route: { apply, ...options.route } });
  const consumer = await on.consumer();
  const { parked } = on.store;
  const ask = async (action: 'retry' | 'discard', ids: readonly number[] | null, withEarlier: boolean) => {
    const request = await parked.ask({ action, ids, withEarlier, reason: 'a test', askedBy: 'test' });
    await consumer.carryOut(signal);
    const outcome = await parked.outcome(request);
    if (outcome === null) throw new Error('the request was not carried out');
    return outcome;
  };
  return {
    on,
    consumer,
    run: async (...statements) => {
      for (const statement of statements) await on.source.query(statement);
      await consumer.apply(await on.capture(), signal);
    },
    causes: async () => (await parked.list()).map(({ cause }) => cause),
    retry: (ids, withEarlier = false) => ask('retry', ids ?? null, withEarlier),
    discard: (ids) => ask('discard', ids, false),
    [Symbol.asyncDispose]: () => on[Symbol.asyncDispose](),
  };
}

const plain = 'CREATE TABLE t (id int PRIMARY KEY, note text);';

test('every kind of cell comes back from the store as it was', async () => {
  const schema = `
    CREATE TABLE t (id int PRIMARY KEY, note text, b bytea, n numeric, j jsonb, a text[], big text, d date);
    ALTER TABLE t ALTER COLUMN big SET STORAGE EXTERNAL;`;
  await using the = await parking({ schema });
  await the.run(
    `INSERT INTO t VALUES (1, 'ok', '\\x00ff', 1.10, '{"a": [1, null]}', '{a,NULL,"x y"}', repeat('long', 3000), NULL)`,
  );
  await the.on.target.query(refusing());
  await the.run(
    `INSERT INTO t VALUES (2, 'bad', '\\x', 'NaN', 'null', '{}', 'ü€\u{1F600}', 'infinity')`,
    // The large value is not logged again.
    `BEGIN; UPDATE t SET note = 'bad', n = 7 WHERE id = 1; UPDATE t SET note = 'good' WHERE id = 1; COMMIT`,
    `UPDATE t SET id = 3, note = E'tab\\t "quoted" \\\\ back' WHERE id = 2`,
    `DELETE FROM t WHERE id = 1`,
    `INSERT INTO t (id, note) VALUES (1, '')`,
  );
  // The second ends well: its net effect breaks nothing.
  expect(await the.causes()).toEqual(['error', 'behind']);
  await the.on.target.query(mended());
  expect(await the.retry()).toMatchObject({ failed: [], waiting: [] });
  expect(await contents(the.on.target, ['t'])).toEqual(await contents(the.on.source, ['t']));
});

interface Dependence {
  readonly name: string;
  readonly schema: string;
  readonly before?: string;
  /** Is refused. */
  readonly parked: string;
  /** Depends on it. */
  readonly behind: readonly string[];
  /** Does not. */
  readonly free: readonly string[];
}

const family = `
  CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE, note text);
  CREATE TABLE t (id int PRIMARY KEY, parent int REFERENCES parent, note text);
  INSERT INTO parent VALUES (1, 'one', ''), (2, 'two', ''), (3, 'three', '');
  INSERT INTO t VALUES (10, 1, ''), (20, 2, '');`;

const dependences: readonly Dependence[] = [
  {
    name: 'the same row, by its old and its new key',
    schema: plain,
    before: `INSERT INTO t VALUES (1, ''), (5, '')`,
    parked: `UPDATE t SET id = 2, note = 'bad' WHERE id = 1`,
    behind: [`INSERT INTO t VALUES (1, 'again')`, `UPDATE t SET note = 'x' WHERE id = 2`],
    free: [`UPDATE t SET note = 'free' WHERE id = 5`, `INSERT INTO t VALUES (6, '')`],
  },
  {
    name: 'keys that are equal and not written alike',
    schema: 'CREATE TABLE t (id numeric PRIMARY KEY, note text);',
    parked: `INSERT INTO t VALUES (1.0, 'bad')`,
    behind: [`UPDATE t SET note = 'x' WHERE id = 1`, `DELETE FROM t WHERE id = 1`, `INSERT INTO t VALUES (1.000, '')`],
    free: [`INSERT INTO t VALUES (10, '')`],
  },
  {
    name: 'a unique value that was taken, and one that was given up and is not in the log',
    // Of types whose values are cast to text otherwise than they are written.
    schema: `CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, note text, flag bool UNIQUE, address inet UNIQUE);`,
    before: `INSERT INTO t VALUES (1, 'a', '', true, '10.0.0.1'), (5, 'e', '', NULL, NULL)`,
    parked: `UPDATE t SET code = 'b', note = 'bad', flag = NULL, address = NULL WHERE id = 1`,
    behind: [
      `INSERT INTO t VALUES (2, 'a', '')`,
      `INSERT INTO t VALUES (6, NULL, '', true)`,
      `INSERT INTO t VALUES (7, NULL, '', NULL, '10.0.0.1')`,
      `DELETE FROM t WHERE id = 1`,
      `UPDATE t SET code = 'b' WHERE id = 5`,
    ],
    free: [`INSERT INTO t VALUES (3, NULL, '')`, `INSERT INTO t VALUES (4, NULL, '')`],
  },
  {
    name: 'children of a parked parent',
    schema: `
      CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, note text);
      CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES t, note text);
      INSERT INTO t VALUES (1, 'one', ''), (2, 'two', '');
      INSERT INTO child VALUES (10, 1, ''), (20, 2, '');`,
    parked: `INSERT INTO t VALUES (9, 'nine', 'bad')`,
    behind: [`INSERT INTO child VALUES (90, 9, '')`, `UPDATE child SET parent = 9 WHERE id = 10`],
    free: [
      `INSERT INTO child VALUES (30, 1, '')`,
      `UPDATE t SET note = 'x' WHERE id = 2`,
      `DELETE FROM child WHERE id = 20`,
    ],
  },
  {
    name: 'the end of a parent that a parked child has left, or points to',
    schema: family,
    parked: `UPDATE t SET parent = 3, note = 'bad' WHERE id = 10`,
    behind: [
      `DELETE FROM parent WHERE id = 1`,
      `BEGIN; DELETE FROM t WHERE id = 10; DELETE FROM parent WHERE id = 3; COMMIT`,
    ],
    free: [
      `UPDATE parent SET note = 'x' WHERE id = 3`,
      `INSERT INTO t VALUES (40, 2, '')`,
      `INSERT INTO parent VALUES (7, 'g', '')`,
    ],
  },
  {
    name: 'a reference to a key that is not the identity',
    schema: `
      CREATE TABLE parent (id int PRIMARY KEY, code numeric UNIQUE, note text);
      CREATE TABLE t (id int PRIMARY KEY, parent int, note text);
      INSERT INTO parent VALUES (1, 100, ''), (2, 200, '');
      INSERT INTO t VALUES (10, 100, '');
      ALTER TABLE t ALTER parent TYPE numeric, ADD FOREIGN KEY (parent) REFERENCES parent (code);`,
    parked: `UPDATE t SET note = 'bad' WHERE id = 10`,
    behind: [`BEGIN; DELETE FROM t WHERE id = 10; DELETE FROM parent WHERE id = 1; COMMIT`],
    free: [`INSERT INTO t VALUES (20, 200.0, '')`, `INSERT INTO parent VALUES (3, 300, '')`],
  },
  {
    name: 'truncate of a table with a parked row, and what comes after it',
    schema: `${plain} CREATE TABLE other (id int PRIMARY KEY);`,
    parked: `INSERT INTO t VALUES (1, 'bad')`,
    behind: [`TRUNCATE t`, `INSERT INTO t VALUES (50, '')`],
    free: [`TRUNCATE other`],
  },
  {
    name: 'rows that nothing tells apart: the whole table',
    schema: `CREATE TABLE t (v int, note text); ALTER TABLE t REPLICA IDENTITY FULL; CREATE TABLE other (id int PRIMARY KEY);`,
    before: `INSERT INTO t VALUES (1, ''), (2, '')`,
    parked: `UPDATE t SET note = 'bad' WHERE v = 1`,
    behind: [`INSERT INTO t VALUES (3, '')`, `DELETE FROM t WHERE v = 2`],
    free: [`INSERT INTO other VALUES (1)`],
  },
  {
    name: 'keys whose equality is not known here: the whole table',
    schema: `CREATE EXTENSION citext; CREATE TABLE t (id citext PRIMARY KEY, note text); CREATE TABLE other (id int PRIMARY KEY);`,
    parked: `INSERT INTO t VALUES ('a', 'bad')`,
    behind: [`UPDATE t SET note = 'x' WHERE id = 'A'`, `INSERT INTO t VALUES ('b', '')`],
    free: [`INSERT INTO other VALUES (1)`],
  },
  {
    name: 'an exclusion constraint: every row that comes',
    schema: `CREATE TABLE t (id int PRIMARY KEY, during int4range, note text, EXCLUDE USING gist (during WITH &&));`,
    before: `INSERT INTO t VALUES (7, '[70,80)', '')`,
    parked: `INSERT INTO t VALUES (1, '[1,5)', 'bad')`,
    behind: [`INSERT INTO t VALUES (2, '[6,9)', '')`],
    free: [`DELETE FROM t WHERE id = 7`],
  },
];

// As a superuser foreign keys are not checked at the target: what is applied too early would be taken.
test.for(
  dependences.flatMap((one) => (['postgres', 'applier'] as const).map((user) => [one.name, user, one] as const)),
)('parks behind it: %s, as %s', async ([, user, { schema, before, parked, behind, free }]) => {
  await using the = await parking({ schema, ...(user === 'applier' && { targetUser: user }) });
  if (before !== undefined) await the.run(before);
  await the.on.target.query(refusing());
  await the.run(parked);
  expect(await the.causes()).toEqual(['error']);
  for (const statement of free) {
    await the.run(statement);
    expect([statement, await the.causes()]).toEqual([statement, ['error']]);
  }
  for (const [at, statement] of behind.entries()) {
    await the.run(statement);
    expect([statement, await the.causes()]).toEqual([
      statement,
      ['error', ...behind.slice(0, at + 1).map(() => 'behind')],
    ]);
  }
  await the.on.target.query(mended());
  expect(await the.retry()).toMatchObject({ failed: [], waiting: [] });
  const tables = ['t', ...(/CREATE TABLE (parent|child|other)/.exec(schema)?.slice(1) ?? [])];
  expect(await contents(the.on.target, tables)).toEqual(await contents(the.on.source, tables));
});

test('a transaction with one change that is blocked parks whole, also one that was applied in part', async () => {
  await using the = await parking({
    schema: `${plain} CREATE TABLE many (id int PRIMARY KEY, note text);`,
    route: { apply: { ...apply, groupRows: 1_000 } },
  });
  await the.on.target.query(refusing());
  await the.run(`INSERT INTO t VALUES (1, 'bad')`);
  await the.on.source.query(
    `BEGIN; INSERT INTO many SELECT i, 'x' FROM generate_series(1, 3000) i; UPDATE t SET note = 'y' WHERE id = 1; COMMIT`,
  );
  await the.on.source.query(`INSERT INTO many VALUES (5000, 'after')`);
  const parts = cut(await the.on.capture(), 500);
  const consumer = await again(the, parts, { code: 'TL-2402' });
  expect(await contents(the.on.target, ['many'])).toEqual({ many: ['(5000,after)'] });
  const [, large] = await the.on.store.parked.list();
  expect(large).toMatchObject({ cause: 'behind', rows: 3001 });
  await the.on.target.query(mended());
  const { parked } = the.on.store;
  const request = await parked.ask({ action: 'retry', ids: null, withEarlier: false, reason: null, askedBy: 'test' });
  await consumer.carryOut(signal);
  expect(await parked.outcome(request)).toMatchObject({ applied: [expect.any(Number), large?.id] });
  expect(await contents(the.on.target, ['t', 'many'])).toEqual(await contents(the.on.source, ['t', 'many']));
});

test('a large transaction that is refused at its end parks whole', async () => {
  await using the = await parking({ schema: plain, route: { apply: { ...apply, groupRows: 100 } } });
  await the.on.target.query(refusing());
  await the.on.source.query(
    `INSERT INTO t SELECT i, CASE i WHEN 950 THEN 'bad' ELSE 'ok' END FROM generate_series(1, 1000) i`,
  );
  await the.on.source.query(`INSERT INTO t VALUES (2000, 'free')`);
  await the.on.source.query(`UPDATE t SET note = 'behind' WHERE id = 3`);
  const consumer = await again(the, cut(await the.on.capture(), 60), { code: 'TL-2402' });
  expect(await the.causes()).toEqual(['error', 'behind']);
  expect(await contents(the.on.target, ['t'])).toEqual({ t: ['(2000,free)'] });
  expect(consumer.parked().count).toBe(2);
});

/** Applies until the expected error, and on from the checkpoint with another Consumer. */
async function again(the: Parked, parts: readonly TransactionPart[], expected: object): Promise<Consumer> {
  const error = await the.consumer.apply(parts, signal).catch((caught: unknown) => caught);
  expect(error).toMatchObject(expected);
  await the.consumer.close();
  const consumer = await the.on.consumer();
  const at = parts.findLastIndex(({ commit }) => commit?.position === consumer.start.position);
  await consumer.apply(parts.slice(at + 1), signal);
  return consumer;
}

test('with onError: halt the route halts, names the transaction, and goes on when that is skipped; only that', async () => {
  await using the = await parking({ schema: plain, route: { apply: { ...apply, onError: 'halt' } } });
  await the.on.target.query(refusing());
  await the.on.source.query(`INSERT INTO t VALUES (1, 'ok')`);
  await the.on.source.query(`INSERT INTO t VALUES (2, 'bad')`);
  await the.on.source.query(`UPDATE t SET note = 'behind' WHERE id = 2`);
  await the.on.source.query(`INSERT INTO t VALUES (3, 'free')`);
  const parts = await the.on.capture();
  // By themselves: together with the third they would have no effect that is refused.
  const isBad = (change: Change): boolean => change.kind === 'insert' && change.after.includes('bad');
  const second = 1 + parts.findIndex(({ changes }) => changes.some(isBad));
  const error = await the.consumer.apply(parts.slice(0, second), signal).catch((caught: unknown) => caught);
  expect(error).toMatchObject({ code: 'TL-2203', remedy: expect.stringContaining('tidelock skip') });
  const { transaction } = (error as { place: { transaction: { id: string; position: Position } } }).place;
  expect(transaction.position).toBe(parts.filter(({ rows }) => rows > 0)[1]?.commit?.position);
  const why = { code: 'TL-2203', message: 'refused', remedy: 'mend it', reason: 'for a test', askedBy: 'me' };
  const rest = async (consumer: Consumer) => {
    const at = parts.findLastIndex(({ commit }) => commit?.position === consumer.start.position);
    const next = await consumer.apply(parts.slice(at + 1, second), signal).catch((caught: unknown) => caught);
    return next ?? (await consumer.apply(parts.slice(second), signal));
  };
  // Another transaction of the same id, as after a restore: nothing is skipped.
  await the.on.store.parked.skip({ ...why, transaction: transaction.id, position: '0/1' as Position });
  expect(await rest(await the.on.consumer())).toMatchObject({ code: 'TL-2203' });
  // Also where that is only known with its last part: what was asked is void then.
  await the.on.store.parked.skip({ ...why, transaction: transaction.id, position: 'F/1' as Position });
  const consumer = await the.on.consumer();
  const at = parts.findLastIndex(({ commit }) => commit?.position === consumer.start.position);
  const bad = parts[second - 1];
  if (bad === undefined) throw new Error('no part is refused');
  await consumer.apply([...parts.slice(at + 1, second - 1), { ...bad, commit: null }], signal);
  await expect(consumer.apply([{ ...bad, changes: [], rows: 0 }], signal)).rejects.toMatchObject({
    code: 'TL-2403',
    recovery: 'retry',
  });
  expect(await the.on.target.query(`SELECT action FROM tidelock.journal WHERE action = 'skip void'`)).toHaveLength(2);
  expect(await rest(await the.on.consumer())).toMatchObject({ code: 'TL-2203' });
  await the.on.store.parked.skip({ ...why, transaction: '1', position: null });
  expect(await rest(await the.on.consumer())).toMatchObject({ code: 'TL-2203' });
  await the.on.store.parked.skip({ ...why, transaction: transaction.id, position: transaction.position });
  expect(await rest(await the.on.consumer())).toBe(undefined);
  expect(await the.on.store.parked.list()).toMatchObject([
    { cause: 'skip', reason: 'for a test', askedBy: 'me', transaction: transaction.id, position: transaction.position },
    { cause: 'behind' },
  ]);
  expect(await contents(the.on.target, ['t'])).toEqual({ t: ['(1,ok)', '(3,free)'] });
  expect(await the.on.target.query('SELECT * FROM tidelock.skips')).toEqual([]);
  expect(await the.on.target.query(`SELECT action, reason, asked_by FROM tidelock.journal ORDER BY id`)).toContainEqual(
    {
      action: 'skipped',
      reason: 'for a test',
      asked_by: 'me',
    },
  );
});

test('what is wrong with the target and not with rows is never parked', async () => {
  for (const [wrong, code] of [
    ['REVOKE INSERT ON t FROM applier', 'TL-2203'],
    ['ALTER TABLE t DROP COLUMN note', 'TL-2102'],
    ['DROP TABLE t', 'TL-2101'],
    ['UPDATE tidelock.routes SET epoch = epoch + 1', 'TL-4001'],
  ] as const) {
    await using the = await parking({ schema: plain, targetUser: 'applier' });
    await the.on.target.query(wrong);
    await the.on.source.query(`INSERT INTO t VALUES (1, 'a')`);
    const error = await the.consumer.apply(await the.on.capture(), signal).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code });
    expect(await the.causes()).toEqual([]);
  }
});

test('a collision parks as one, in a group with others that do not', async () => {
  await using the = await parking({ schema: plain });
  await the.on.target.query(`INSERT INTO t VALUES (2, 'theirs')`);
  await the.run(`INSERT INTO t VALUES (1, 'a')`, `INSERT INTO t VALUES (2, 'ours')`, `INSERT INTO t VALUES (3, 'c')`);
  expect(await the.on.store.parked.list()).toMatchObject([{ cause: 'collision', code: 'TL-2201' }]);
  expect(await contents(the.on.target, ['t'])).toEqual({ t: ['(1,a)', '(2,theirs)', '(3,c)'] });
  await the.on.target.query(`DELETE FROM t WHERE id = 2`);
  await the.retry();
  expect(await contents(the.on.target, ['t'])).toEqual(await contents(the.on.source, ['t']));
});

test('one of several is retried: what it waits for comes along where that is wanted, and nothing else', async () => {
  await using the = await parking({ schema: plain });
  await the.on.target.query(refusing());
  await the.run(
    `INSERT INTO t VALUES (1, 'bad')`,
    `INSERT INTO t VALUES (2, 'bad')`,
    `UPDATE t SET note = 'later' WHERE id = 1`,
  );
  const [first = 0, second = 0, third = 0] = (await the.on.store.parked.list()).map(({ id }) => id);
  expect((await the.on.store.parked.list()).map(({ behind }) => behind)).toEqual([null, null, first]);
  expect(await the.on.store.parked.earlier([third])).toEqual([first]);
  expect(await the.retry([third])).toEqual({ applied: [], failed: [], waiting: [third], discarded: [] });
  expect(await the.retry([third], true)).toMatchObject({ failed: [{ id: first, code: 'TL-2203' }], waiting: [third] });
  expect((await the.on.store.parked.list()).map(({ attempts }) => attempts)).toEqual([1, 0, 0]);
  await the.on.target.query(mended());
  expect(await the.retry([third], true)).toMatchObject({ applied: [first, third], failed: [] });
  expect(await contents(the.on.target, ['t'])).toEqual({ t: ['(1,later)'] });
  expect(await the.discard([second])).toMatchObject({ discarded: [second] });
  expect(await the.causes()).toEqual([]);
  expect(the.consumer.parked()).toEqual({ count: 0, since: null });
  await the.run(`INSERT INTO t VALUES (4, 'free')`);
  expect(await contents(the.on.target, ['t'])).toEqual({ t: ['(1,later)', '(4,free)'] });
  expect(
    await the.on.target.query(
      `SELECT action, parked_id::int AS id, asked_by, reason FROM tidelock.journal ORDER BY journal.id DESC LIMIT 1`,
    ),
  ).toEqual([{ action: 'discarded', id: second, asked_by: 'test', reason: 'a test' }]);
});

test('what was not at the target when it was parked is known by its old values once it has come', async () => {
  await using the = await parking({ schema: 'CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, note text);' });
  await the.on.target.query(refusing());
  await the.run(`INSERT INTO t VALUES (1, 'a', 'bad')`, `UPDATE t SET code = 'b' WHERE id = 1`);
  const [first = 0] = (await the.on.store.parked.list()).map(({ id }) => id);
  await the.on.target.query(mended());
  expect(await the.retry([first])).toMatchObject({ applied: [first] });
  // Its row has 'a' at the target, and nothing but that has told so.
  await the.run(`INSERT INTO t VALUES (2, 'a', '')`);
  expect(await the.causes()).toEqual(['behind', 'behind']);
  await the.retry();
  expect(await contents(the.on.target, ['t'])).toEqual(await contents(the.on.source, ['t']));
});

test('what is parked is known to the next Consumer', async () => {
  await using the = await parking({ schema: plain });
  await the.on.target.query(refusing());
  await the.run(`INSERT INTO t VALUES (1, 'bad')`, `INSERT INTO t VALUES (2, 'ok')`);
  await the.on.source.query(`UPDATE t SET note = 'x' WHERE id = 1`);
  const parts = await the.on.capture();
  await the.consumer.close();
  const consumer = await the.on.consumer();
  expect(consumer.parked()).toMatchObject({ count: 1, since: expect.stringMatching(/^[0-9A-F]+\//) });
  await consumer.apply(parts, signal);
  expect(await the.causes()).toEqual(['error', 'behind']);
});

test('a request waits for the end of a transaction that is being applied in parts', async () => {
  await using the = await parking({ schema: `${plain} CREATE TABLE many (id int PRIMARY KEY);` });
  await the.on.target.query(refusing());
  await the.run(`INSERT INTO t VALUES (1, 'bad')`);
  await the.on.target.query(mended());
  await the.on.source.query(`INSERT INTO many SELECT generate_series(1, 100)`);
  const parts = cut(await the.on.capture(), 40);
  // An idle advance may come before it.
  const first = 1 + parts.findIndex(({ rows }) => rows > 0);
  await the.consumer.apply(parts.slice(0, first), signal);
  const { parked } = the.on.store;
  const request = await parked.ask({ action: 'retry', ids: null, withEarlier: false, reason: null, askedBy: 'test' });
  const carried = the.consumer.carryOut(signal);
  await the.consumer.apply(parts.slice(first, first + 1), signal);
  expect(await parked.outcome(request)).toBeNull();
  await the.consumer.apply(parts.slice(first + 1), signal);
  await carried;
  expect(await parked.outcome(request)).toMatchObject({ failed: [], waiting: [] });
  expect(await contents(the.on.target, ['t', 'many'])).toEqual(await contents(the.on.source, ['t', 'many']));
});

test('a row that stayed when the source deleted it frees its unique value only with the parked insert that replaces it', async () => {
  await using the = await parking({
    schema: 'CREATE TABLE t (id int PRIMARY KEY, code text UNIQUE, note text);',
    targetSchema: `INSERT INTO t VALUES (1, 'old', 'stayed')`,
  });
  await the.on.target.query(refusing());
  const kept = { kept: { mark: null } };
  const run = async (statement: string) => {
    await the.on.source.query(statement);
    const parts = await the.on.capture();
    for (const { changes } of parts)
      for (const change of changes) if (change.kind === 'insert') change.table = { ...change.table, ...kept };
    await the.consumer.apply(parts, signal);
  };
  await run(`INSERT INTO t VALUES (1, 'new', 'bad')`);
  await run(`INSERT INTO t VALUES (2, 'old', '')`);
  expect(await the.causes()).toEqual(['error', 'behind']);
  await the.on.target.query(mended());
  expect(await the.retry()).toMatchObject({ failed: [], waiting: [] });
  expect(await contents(the.on.target, ['t'])).toEqual(await contents(the.on.source, ['t']));
});
