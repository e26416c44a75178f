import { afterAll, expect, test, vi } from 'vitest';
import { Batch } from '../../../connectors/postgres/target/batch.ts';
import { LaneKeys } from '../../../connectors/postgres/target/lanes/lane-keys.ts';
import { Lanes } from '../../../connectors/postgres/target/lanes/lanes.ts';
import { TouchedKeys } from '../../../connectors/postgres/target/lanes/touched-keys.ts';
import { LoadApply } from '../../../connectors/postgres/target/load-apply.ts';
import type { Consumer, PartFeed } from '../../../src/core/consumer.ts';
import { armFailpoints } from '../../../src/core/failpoint.ts';
import type { TransactionPart, Urgency } from '../../../src/core/transaction.ts';
import { contents } from '../../support/compare.ts';
import { startPostgres } from '../../support/postgres.ts';
import { randomNumbers, seeds } from '../../support/seed.ts';
import { twoServers } from '../../support/two-servers.ts';
import { cut, stage } from './harness.ts';

const servers = twoServers();

afterAll(() => armFailpoints(undefined));

const signal = new AbortController().signal;
// A column that grows with each change that is applied: twice is seen.
const schema = 'CREATE TABLE t (id int PRIMARY KEY, n int); CREATE TABLE history (id int, n int);';
const tables = ['t', 'history'];

function smallGroups(groupRows: number, lanes = 1) {
  return { groupRows, groupTimeMs: 0, lanes, onError: 'halt' as const, maxRowBytes: 1e8, memoryBytes: 1e8 };
}

/** One session, and several that carry out groups beside each other. */
const laneCounts = [1, 4];

async function work(query: (sql: string) => Promise<unknown>, from: number): Promise<void> {
  for (let i = from; i < from + 5; i++) {
    await query(`BEGIN; INSERT INTO t VALUES (${i}, 0); INSERT INTO history VALUES (${i}, ${i}); COMMIT`);
    await query(`UPDATE t SET n = n + 1`);
  }
}

test('a second engine with a higher epoch: the first writes nothing from then on, on none of its sessions', async () => {
  await using on = await stage(servers.here, servers.there, {
    schema: `${schema} ALTER TABLE history REPLICA IDENTITY FULL;`,
    route: { apply: smallGroups(5_000, 4) },
  });
  const sessions = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidelock % apply %'`;
  const first = await on.consumer();
  await work((sql) => on.source.query(sql), 0);
  await first.apply(await on.capture(), signal);
  expect(await on.target.query(sessions)).toHaveLength(4);
  const other = await on.targetEnd.state();
  const lease = await other.acquireLease({ supervisor: 'other', host: 'there', pid: 1 }, true);
  if (!lease.granted) throw new Error('not granted');
  expect(await on.target.query(sessions)).toEqual([]);
  const before = [await contents(on.target, tables), await on.position()];
  await on.source.query('UPDATE t SET n = 100');
  const parts = await on.capture();
  // Its session was ended with the takeover; one that the engine opens anew is told by the epoch.
  await expect(first.apply(parts, signal)).rejects.toMatchObject({ recovery: 'retry' });
  const again = await on.consumer();
  await expect(again.apply(parts, signal)).rejects.toMatchObject({ code: 'TL-4001' });
  await again.close();
  expect([await contents(on.target, tables), await on.position()]).toEqual(before);
  const second = await on.consumer(lease.epoch);
  await second.apply(parts, signal);
  expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
  await other.close();
});

test('an epoch that rises while a transaction is open in parts: nothing of it is committed', async () => {
  await using on = await stage(servers.here, servers.there, { schema });
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO t SELECT i, 0 FROM generate_series(1, 100) i');
  const pieces = cut(await on.capture(), 10);
  await consumer.apply(pieces.slice(0, 5), signal);
  // Raising waits for the open transaction, unless its session is ended first, as an engine that takes over does.
  const [raised] = await Promise.all([
    on.target.query('UPDATE tidelock.routes SET epoch = epoch + 1 RETURNING epoch::text'),
    on.target.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidelock % apply %'`,
    ),
  ]);
  expect(raised).toHaveLength(1);
  await expect(consumer.apply(pieces.slice(5), signal)).rejects.toMatchObject({ recovery: 'retry' });
  expect(await contents(on.target, ['t'])).toEqual({ t: [] });
});

test.for(laneCounts)(
  'an epoch that rises between two groups: what was begun behind the last COMMIT is not committed, %s lanes',
  async (lanes) => {
    await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(5, lanes) } });
    // At any time some group is being carried out.
    await on.target.query('ALTER TABLE t ADD CHECK (pg_sleep(0.005)::text IS NOT NULL)');
    const consumer = await on.consumer();
    await on.source.query(
      `DO $$ BEGIN FOR i IN 1..2000 LOOP INSERT INTO t VALUES (i, 0); INSERT INTO history VALUES (i, i); COMMIT; END LOOP; END $$`,
    );
    const parts = (await on.capture()).filter(({ rows }) => rows > 0);
    let groups = 0;
    let raised: Promise<unknown> = Promise.resolve();
    const applied = () =>
      on.target.query('SELECT (SELECT count(*) FROM t) AS t, (SELECT count(*) FROM history) AS history');
    on.meter.onDone = () => {
      if (++groups !== 20) return;
      raised = on.target.query('UPDATE tidelock.routes SET epoch = epoch + 1').then(applied);
    };
    await expect(consumer.apply(parts, signal)).rejects.toMatchObject({ code: 'TL-4001' });
    const position = await on.position();
    const transactions = String(parts.findIndex(({ commit }) => commit?.position === position) + 1);
    // It does not wait for the end of what is to be done.
    expect(Number(transactions)).toBeLessThan(parts.length / 2);
    expect(await raised).toEqual([{ t: transactions, history: transactions }]);
    expect(await applied()).toEqual(await raised);
  },
);

test('COMMIT whose answer is lost: after reconnecting nothing twice and nothing lost', async () => {
  await using on = await stage(servers.here, servers.there, {
    schema: schema.replace('history (id int,', 'history (id int PRIMARY KEY,'),
  });
  const first = await on.consumer();
  await work((sql) => on.source.query(sql), 0);
  const parts = await on.capture();
  armFailpoints('commit.answerLost=1:throw');
  await expect(first.apply(parts, signal)).rejects.toMatchObject({ recovery: 'retry' });
  armFailpoints(undefined);
  // It was committed. What the first engine would try again meets its own checkpoint and leaves no trace.
  expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
  const stored = await on.position();
  const second = await on.consumer();
  expect(second.start.position).toBe(stored);
  await on.source.query('UPDATE t SET n = -n');
  await second.apply(await on.capture(), signal);
  expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
});

test('two sessions of one epoch: the checkpoint that is there already rolls the other back', async () => {
  await using on = await stage(servers.here, servers.there, { schema });
  await on.source.query('ALTER TABLE history REPLICA IDENTITY FULL');
  const [one, two] = [await on.consumer(), await on.consumer()];
  await on.source.query('INSERT INTO history VALUES (1, 1)');
  const parts = await on.capture();
  await one.apply(parts, signal);
  // A table without a key would take the row twice.
  await expect(two.apply(parts, signal)).rejects.toMatchObject({ code: 'TL-2205' });
  expect(await contents(on.target, ['history'])).toEqual({ history: ['(1,1)'] });
});

/** Parts that come a few at a time, sooner or later. Takes them out of the list. */
function inPieces(waiting: TransactionPart[], random: () => number): PartFeed {
  const take = () => waiting.splice(0, Math.floor(random() * 8));
  let onMore: (() => void) | null = null;
  return {
    take,
    gather: async () => take(),
    onMore: (listener) => {
      onMore = listener;
      if (listener !== null && random() < 0.5) setImmediate(() => onMore?.());
    },
    done() {},
  };
}

test('what comes while a group is applied goes on in the same call, behind its COMMIT, and is told as done in its order', async () => {
  await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(100) } });
  const consumer = await on.consumer();
  for (let round = 0; round < 4; round++) await work((sql) => on.source.query(sql), round * 5);
  // An idle advance among them makes no group: it rides with the next one.
  const waiting = (await on.capture()).filter(({ rows }) => rows > 0);
  const all = waiting.length;
  let done = 0;
  const groups: number[] = [];
  on.meter.onDone = ({ transactions = 0 }) => groups.push(transactions);
  await consumer.apply(waiting.splice(0, 1), signal, {
    take: () => waiting.splice(0, 3),
    gather: async () => [],
    onMore() {},
    done: (parts) => {
      done += parts;
      expect(groups.length).toBeGreaterThan(0);
    },
  });
  expect(done).toBe(all);
  expect(groups.length).toBeGreaterThan(3);
  expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
});

test.for(seeds())('sessions ended at random moments, seed %i: every change exactly once', async (seed) => {
  const random = randomNumbers(seed);
  // Small groups, several under way at once.
  const route = { apply: smallGroups(1 + Math.floor(random() * 8), seed % 2 === 0 ? 1 : 4) };
  await using on = await stage(servers.here, servers.there, { schema, route });
  const killer = await on.target.client();
  // Null where the session was ended before the Consumer was made, or while.
  let consumer: Consumer | null = null;
  try {
    for (let round = 0; round < 15; round++) {
      await work((sql) => on.source.query(sql), round * 5);
      const parts = cut(await on.capture(), 1 + Math.floor(random() * 6));
      let isApplied = false;
      const applying = (async () => {
        for (let tries = 0; !isApplied; tries++) {
          const reached = await on.position();
          const from = parts.findIndex(({ commit }) => commit?.position === reached) + 1;
          try {
            consumer ??= await on.consumer();
            // Some are there at once, the others come while these are applied.
            const waiting = parts.slice(from);
            while (waiting.length > 0)
              await consumer.apply(waiting.splice(0, 1 + Math.floor(random() * 4)), signal, inPieces(waiting, random));
            await consumer.flushIdle();
            isApplied = true;
          } catch (error) {
            if (tries > 50) throw error;
            expect(error).toMatchObject({ recovery: 'retry' });
            await consumer?.close();
            consumer = null;
          }
        }
      })();
      for (let kills = Math.floor(random() * 4); kills > 0; kills--) {
        // As many questions as come back before the next kill: moments spread over the apply without a clock.
        for (let asks = random() * 30; asks > 0; asks--) await killer.query('SELECT');
        await killer.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidelock % apply %'`,
        );
      }
      await applying;
      expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
    }
  } finally {
    await killer.end();
  }
});

test('what is applied is reported as durable a moment later', async () => {
  await using on = await stage(servers.here, servers.there, { schema });
  const consumer = await on.consumer();
  await work((sql) => on.source.query(sql), 0);
  await consumer.apply(await on.capture(), signal);
  await consumer.flushIdle();
  const position = await on.position();
  for await (const { applied, durable } of consumer.progress()) {
    expect(applied).toBe(position);
    if (durable === applied) break;
  }
});

test('a target that commits asynchronously by its own setting is not taken for one that has flushed', async () => {
  // Named standbys are a reason to leave the server's setting as it is.
  const settings = { synchronous_standby_names: 'nobody', synchronous_commit: 'off', wal_writer_delay: '10s' };
  await using lazy = await startPostgres({ settings });
  await using on = await stage(servers.here, lazy, { schema });
  const consumer = await on.consumer();
  const before = await on.position();
  const captured = async (urgency: Urgency) => (await on.capture()).map((part) => Object.assign(part, { urgency }));
  await work((sql) => on.source.query(sql), 0);
  await consumer.apply(await captured('ride'), signal);
  const { value } = await consumer.progress()[Symbol.asyncIterator]().next();
  expect(value.applied).not.toBe(before);
  expect(value.durable).toBe(null);
  // What somebody waits for is not left to the server's log writer, which rests for ten seconds here: neither rows, nor an advance without changes, for
  // which a COMMIT waits that the route carries nothing of.
  const demandFlushed = async (parts: readonly TransactionPart[]): Promise<void> => {
    const [before] = await on.target.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
    await consumer.apply(parts, signal);
    const { value: then } = await consumer.progress()[Symbol.asyncIterator]().next();
    expect(then).toEqual({ applied: await on.position(), durable: await on.position() });
    expect(await on.target.query(`SELECT WHERE pg_current_wal_flush_lsn() > '${before?.lsn}'`)).toHaveLength(1);
  };
  await work((sql) => on.source.query(sql), 5);
  await demandFlushed(await captured('now'));
  await demandFlushed(await captured('now'));
  // Others write behind the COMMIT, and do not flush: that is not waited for.
  const other = await on.target.client();
  const { rows } = await other.query('SELECT pg_backend_pid() AS pid');
  const writing = other
    .query(
      `SELECT count(pg_logical_emit_message(false, 'other', '')) FROM (SELECT generate_series(1, 1000000000)) AS s`,
    )
    .catch((error: unknown) => error);
  try {
    for (const from of [10, 15, 20]) {
      await work((sql) => on.source.query(sql), from);
      await demandFlushed(await captured('now'));
    }
  } finally {
    await on.target.query(`SELECT pg_cancel_backend(${rows[0]?.pid})`);
    expect(await writing).toMatchObject({ code: '57014' });
    await other.end();
  }
  // Nor is what another session has committed a moment ago, where the next one goes on from it.
  await work((sql) => on.source.query(sql), 30);
  await consumer.apply(await captured('ride'), signal);
  const again = await on.consumer();
  await work((sql) => on.source.query(sql), 35);
  await again.apply(await captured('ride'), signal);
  const { value: first } = await again.progress()[Symbol.asyncIterator]().next();
  expect(first.applied).toBe(await on.position());
  expect([null, first.applied]).toContain(first.durable);
});

test('groups of a single large row are sent one behind the other, too', async () => {
  const apply = { ...smallGroups(5_000), memoryBytes: 8_000_000 };
  await using on = await stage(servers.here, servers.there, {
    schema: 'CREATE TABLE big (id int PRIMARY KEY, t text)',
    route: { apply },
  });
  const consumer = await on.consumer();
  for (let i = 0; i < 6; i++) await on.source.query(`INSERT INTO big VALUES (${i}, repeat(md5('${i}'), 10000))`);
  const parts = await on.capture();
  const sent = vi.spyOn(Batch.prototype, 'send');
  await consumer.apply(parts, signal);
  const behind = sent.mock.calls.filter(([query]) => typeof query !== 'string' && query.name === 'tl_behind');
  sent.mockRestore();
  expect(behind.length).toBeGreaterThan(2);
  expect(await contents(on.target, ['big'])).toEqual(await contents(on.source, ['big']));
});

/** Ten groups and more, of which several are under way at once. */
const many = 'DO $$ BEGIN FOR i IN 1..200 LOOP INSERT INTO t VALUES (i, i); COMMIT; END LOOP; END $$';

test.for(laneCounts)(
  'a count that is off: of the groups that were sent behind with their COMMITs none is committed, %i lanes',
  async (lanes) => {
    await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(5, lanes) } });
    const consumer = await on.consumer();
    await on.source.query(many);
    await consumer.apply(await on.capture(), signal);
    await on.target.query('DELETE FROM t WHERE id = 50');
    await on.source.query(
      'DO $$ BEGIN FOR i IN 1..200 LOOP UPDATE t SET n = 1000 + i WHERE id = i; COMMIT; END LOOP; END $$',
    );
    const parts = (await on.capture()).filter(({ rows }) => rows > 0);
    await expect(consumer.apply(parts, signal)).rejects.toMatchObject({ recovery: 'halt' });
    const found =
      'SELECT count(*) FILTER (WHERE n > 1000)::int AS updated, max(id) FILTER (WHERE n > 1000) AS last FROM t';
    expect(await on.target.query(found)).toEqual([{ updated: 49, last: 49 }]);
    expect(await on.position()).toBe(parts[48]?.commit?.position);
  },
);

test('a COMMIT that is refused: of the groups that were sent behind it none is committed', async () => {
  const targetSchema = `${schema} ALTER TABLE t ADD UNIQUE (n) DEFERRABLE INITIALLY DEFERRED; INSERT INTO t VALUES (-1, 50)`;
  const route = { apply: smallGroups(5) };
  await using on = await stage(servers.here, servers.there, { sourceSchema: schema, targetSchema, route });
  const consumer = await on.consumer();
  await on.source.query(many);
  const parts = (await on.capture()).filter(({ rows }) => rows > 0);
  await expect(consumer.apply(parts, signal)).rejects.toMatchObject({ recovery: 'halt' });
  expect(await on.target.query('SELECT count(*)::int AS n, max(id) AS last FROM t')).toEqual([{ n: 50, last: 49 }]);
  expect(await on.position()).toBe(parts[48]?.commit?.position);
});

test('a session that is told to stop brings to an end what was sent with its COMMIT, and begins nothing', async () => {
  await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(1) } });
  const consumer = await on.consumer();
  await work((sql) => on.source.query(sql), 0);
  const parts = await on.capture();
  const stop = new AbortController();
  let groups = 0;
  let applied = 0;
  on.meter.onDone = ({ transactions = 0 }) => {
    applied += transactions;
    if (++groups === 4) stop.abort();
  };
  await consumer.apply(parts, stop.signal);
  expect(groups).toBeGreaterThanOrEqual(4);
  expect(groups).toBeLessThanOrEqual(8);
  const position = await on.position();
  const reached = parts.slice(0, parts.findIndex(({ commit }) => commit?.position === position) + 1);
  expect(reached.filter(({ rows }) => rows > 0)).toHaveLength(applied);
  const open = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidelock % apply %' AND xact_start IS NOT NULL`;
  await vi.waitFor(async () => expect(await on.target.query(open)).toEqual([]));
});

/** Keeps rows away without an error, from a moment on when the plan of the table is made already. */
const swallowing = `CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF new.n % 70 = 7 THEN RETURN NULL; END IF; RETURN new; END';
  CREATE TRIGGER swallow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION swallow(); ALTER TABLE t ENABLE ALWAYS TRIGGER swallow`;

test.for([
  ['COPY', 60],
  ['INSERT', 20],
] as const)(
  'a trigger that the plan does not know keeps rows of a %s away: nothing behind it is committed',
  async ([, rows]) => {
    await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(rows) } });
    const consumer = await on.consumer();
    await on.source.query('INSERT INTO t VALUES (0, 0)');
    await consumer.apply(await on.capture(), signal);
    await on.target.query(swallowing);
    await on.source.query(
      `DO $$ BEGIN FOR i IN 0..9 LOOP INSERT INTO t SELECT n, n FROM generate_series(1 + i * ${rows}, (i + 1) * ${rows}) n; COMMIT; END LOOP; END $$`,
    );
    const parts = (await on.capture()).filter((part) => part.rows > 0);
    const position = await on.position();
    await expect(consumer.apply(parts, signal)).rejects.toMatchObject({ code: 'TL-2201' });
    expect(await on.target.query('SELECT count(*)::int AS n, max(id) AS last FROM t')).toEqual([{ n: 1, last: 0 }]);
    expect(await on.position()).toBe(position);
  },
);

test.for(laneCounts)(
  'a group of several flights whose BEGIN fails: nothing of it is stored, and nothing behind it, %i lanes',
  async (lanes) => {
    await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(20_000, lanes) } });
    const consumer = await on.consumer();
    await on.source.query('INSERT INTO t VALUES (0, 0)');
    await consumer.apply(await on.capture(), signal);
    const position = await on.position();
    // Of two tables, each more than a flight.
    await on.source.query(
      `DO $$ BEGIN FOR i IN 0..3 LOOP
       INSERT INTO t SELECT n, n FROM generate_series(1 + i * 8000, 8000 + i * 8000) n;
       INSERT INTO history SELECT n, n FROM generate_series(1, 8000) n; COMMIT;
     END LOOP; END $$`,
    );
    const parts = (await on.capture()).filter((part) => part.rows > 0);
    const send = Batch.prototype.send;
    let isFirst = true;
    const spy = vi.spyOn(Batch.prototype, 'send').mockImplementation(function (this: Batch, query, check, refusal) {
      const isBegin = isFirst && query === 'begin';
      if (isBegin) isFirst = false;
      send.call(this, isBegin ? `do 'begin raise sqlstate ''57014''; end'` : query, check, refusal);
    });
    try {
      await expect(consumer.apply(parts, signal)).rejects.toMatchObject({ recovery: 'retry' });
    } finally {
      spy.mockRestore();
    }
    expect(isFirst).toBe(false);
    expect(await contents(on.target, ['history'])).toEqual({ history: [] });
    expect(await on.target.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 1 }]);
    expect(await on.position()).toBe(position);
    await consumer.close();
    const next = await on.consumer();
    await next.apply(parts, signal);
    expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
  },
);

test('a stop while a group fails: it is not done again by itself', async () => {
  await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(20) } });
  const consumer = await on.consumer();
  await on.source.query(many);
  await consumer.apply(await on.capture(), signal);
  await on.target.query('DELETE FROM t WHERE id = 1');
  await on.source.query('UPDATE t SET n = -1 WHERE id < 10');
  const parts = (await on.capture()).filter((part) => part.rows > 0);
  const position = await on.position();
  const stop = new AbortController();
  const applying = consumer.apply(parts, stop.signal, {
    take: () => {
      // Looked for as the group is sent.
      queueMicrotask(() => stop.abort());
      return [];
    },
    gather: async () => [],
    onMore() {},
    done() {},
  });
  await applying;
  expect(await on.position()).toBe(position);
});

test('a COMMIT of what is off that went through all the same: it halts, and nothing is applied twice', async () => {
  await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(120) } });
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO t VALUES (0, 0)');
  await consumer.apply(await on.capture(), signal);
  await on.target.query(swallowing);
  await on.source.query(
    `DO $$ BEGIN FOR i IN 0..9 LOOP
       INSERT INTO t SELECT n, n FROM generate_series(1 + i * 60, (i + 1) * 60) n;
       INSERT INTO history SELECT n, n FROM generate_series(1 + i * 60, (i + 1) * 60) n; COMMIT;
     END LOOP; END $$`,
  );
  const parts = (await on.capture()).filter((part) => part.rows > 0);
  const send = Batch.prototype.sendGuarded;
  const spy = vi.spyOn(Batch.prototype, 'sendGuarded').mockImplementation(function (this: Batch, query, ...rest) {
    if (query.name !== 'tl_copied') send.call(this, query, ...rest);
  });
  try {
    await expect(consumer.apply(parts, signal)).rejects.toMatchObject({ code: 'TL-2207', recovery: 'halt' });
  } finally {
    spy.mockRestore();
  }
  const position = await on.position();
  const committed = parts.findIndex(({ commit }) => commit?.position === position) + 1;
  expect(committed).toBeGreaterThan(0);
  const found = 'SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM history';
  expect(await on.target.query(found)).toEqual([{ n: committed * 60, ids: committed * 60 }]);
});

test('lanes: an opening that fails leaves no session behind', async () => {
  await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(5, 4) } });
  const opening = vi.spyOn(Lanes.prototype, 'open');
  const loads = vi.spyOn(LoadApply.prototype, 'open').mockRejectedValueOnce(new Error('not read'));
  try {
    await expect(on.consumer()).rejects.toThrow();
    await opening.mock.results[0]?.value;
    const sessions = `SELECT application_name FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidelock % apply %'`;
    await vi.waitFor(async () => expect(await on.target.query(sessions)).toEqual([]));
  } finally {
    opening.mockRestore();
    loads.mockRestore();
  }
});

/** Groups of five rows each, of which no two touch the same. */
const apart = (from: number, count: number): string =>
  `DO $$ BEGIN FOR i IN ${from}..${from + count - 1} LOOP INSERT INTO t VALUES (i, 0); INSERT INTO history VALUES (i, i); COMMIT; END LOOP; END $$`;

test('lanes: what touches other keys is carried out beside a group that waits, and is committed behind it', async () => {
  await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(5, 4) } });
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO t SELECT i, 0 FROM generate_series(1, 100) i');
  await consumer.apply(await on.capture(), signal);
  const before = await on.position();
  const holder = await on.target.client();
  const looked = vi.spyOn(LaneKeys.prototype, 'of');
  try {
    await holder.query('BEGIN; SELECT FROM t WHERE id = 3 FOR UPDATE');
    await on.source.query(
      'DO $$ BEGIN FOR i IN 1..100 LOOP UPDATE t SET n = n + 1 WHERE id = i; COMMIT; END LOOP; END $$',
    );
    const parts = (await on.capture()).filter(({ rows }) => rows > 0);
    const applying = consumer.apply(parts, signal);
    // The first waits for the row, three for their turn.
    const waiting = `SELECT wait_event AS what, count(*)::int AS n FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'tidelock % apply %' AND wait_event_type = 'Lock' GROUP BY 1 ORDER BY 1`;
    await vi.waitFor(async () =>
      expect(await on.target.query(waiting)).toEqual([
        { what: 'advisory', n: 3 },
        { what: 'transactionid', n: 1 },
      ]),
    );
    expect(await on.store.applyActivity()).toMatchObject({
      doing: 'waiting',
      what: 'lock on transactionid',
      holders: [{ application: expect.not.stringContaining('apply') }],
    });
    expect(await on.position()).toBe(before);
    expect(await on.target.query('SELECT FROM t WHERE n > 0')).toEqual([]);
    await holder.query('COMMIT');
    await applying;
    // Once at each group, also while its lane does not take it.
    const groups = looked.mock.calls.map(([{ parts: of }]) => `${of[0]?.commit?.position} ${of.length}`);
    expect(groups).toEqual([...new Set(groups)]);
  } finally {
    looked.mockRestore();
    await holder.end();
  }
  expect(consumer.counts().replays).toBe(0);
  expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
});

test('lanes: a group that waits for a later one, which nobody could tell before, is begun again behind it or before it', async () => {
  const keyed = schema.replace('history (id int,', 'history (id int PRIMARY KEY,');
  await using on = await stage(servers.here, servers.there, { schema: keyed, route: { apply: smallGroups(2, 2) } });
  await on.target.query(`ALTER DATABASE ${on.target.name} SET deadlock_timeout = '50ms'`);
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO t SELECT i, 0 FROM generate_series(1, 10) i; INSERT INTO history VALUES (0, 0)');
  await consumer.apply(await on.capture(), signal);
  const holder = await on.target.client();
  const spy = vi.spyOn(TouchedKeys.prototype, 'meets').mockReturnValue(false);
  try {
    await holder.query('BEGIN; SELECT FROM t WHERE id = 1 FOR UPDATE');
    await on.source.query('BEGIN; UPDATE t SET n = 1 WHERE id = 1; UPDATE history SET n = 1; COMMIT');
    await on.source.query('BEGIN; UPDATE history SET n = 2; INSERT INTO t VALUES (11, 2); COMMIT');
    const parts = (await on.capture()).filter(({ rows }) => rows > 0);
    const applying = consumer.apply(parts, signal);
    // The second has the row of history that the first is about to want.
    const turn = `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'`;
    await vi.waitFor(async () => expect(await on.target.query(turn)).toHaveLength(1));
    await holder.query('COMMIT');
    await applying;
  } finally {
    spy.mockRestore();
    await holder.end();
  }
  expect(await on.target.query('SELECT n FROM history')).toEqual([{ n: 2 }]);
  expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
});

test('lanes: what a change frees and the log does not tell is refused to the one that takes it sooner, which is begun again', async () => {
  const unique = `${schema} CREATE TABLE place (id int PRIMARY KEY, at int UNIQUE)`;
  await using on = await stage(servers.here, servers.there, { schema: unique, route: { apply: smallGroups(1, 4) } });
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO place SELECT i, i FROM generate_series(1, 20) i');
  await consumer.apply(await on.capture(), signal);
  // Each takes what the one before has left.
  await on.source.query(
    'DO $$ BEGIN FOR i IN 1..20 LOOP UPDATE place SET at = i - 1 WHERE id = i; COMMIT; END LOOP; END $$',
  );
  await consumer.apply(
    (await on.capture()).filter(({ rows }) => rows > 0),
    signal,
  );
  expect(await contents(on.target, ['place'])).toEqual(await contents(on.source, ['place']));
  expect(consumer.counts()).toMatchObject({ replays: 0, collisions: 0 });
});

test('lanes: of those beside one that has failed none is committed, and all are carried out behind it', async () => {
  await using on = await stage(servers.here, servers.there, { schema, route: { apply: smallGroups(5, 4) } });
  const consumer = await on.consumer();
  await on.source.query(apart(1, 20));
  await consumer.apply(await on.capture(), signal);
  // Found by whoever replays with care.
  await on.target.query('DELETE FROM t WHERE id = 12');
  await on.source.query('DO $$ BEGIN FOR i IN 1..20 LOOP DELETE FROM t WHERE id = i; COMMIT; END LOOP; END $$');
  const parts = (await on.capture()).filter(({ rows }) => rows > 0);
  await expect(consumer.apply(parts, signal)).rejects.toMatchObject({ code: 'TL-2201' });
  expect(await on.target.query('SELECT min(id) AS first, count(*)::int AS n FROM t')).toEqual([{ first: 13, n: 8 }]);
  expect(await on.position()).toBe(parts[10]?.commit?.position);
});
