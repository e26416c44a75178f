import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openPostgresState } from '../../../connectors/postgres/state/postgres-route-state.ts';
import { stateVersion } from '../../../connectors/postgres/state/state-schema.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import type { LeaseHolder, RouteStateStore } from '../../../src/core/route-state-store.ts';
import type { RouteStatus } from '../../../src/core/route-status.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

const status: RouteStatus = {
  state: 'running',
  reason: null,
  health: 'ok',
  sourcePosition: '0/2',
  targetPosition: '0/1',
  lagMs: 5,
  transactions: 1,
  rows: 2,
  collisions: 0,
  parked: 0,
  restarts: 0,
  retainedBytes: null,
  load: null,
};

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

function engine(supervisor: string): LeaseHolder {
  return { supervisor, host: 'here', pid: process.pid };
}

async function open(node: NodeDefinition, routeKey = 'test/one'): Promise<RouteStateStore & AsyncDisposable> {
  const store = await openPostgresState({ node, routeKey, logger: silentLogger });
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

async function registered(node: NodeDefinition, routeKey?: string): Promise<RouteStateStore & AsyncDisposable> {
  const store = await open(node, routeKey);
  await store.migrate();
  await store.register();
  return store;
}

async function routeId(db: TestDatabase, key = 'test/one'): Promise<number> {
  const [row] = await db.query('select id from tidelock.routes where key = $1', [key]);
  return Number(row?.id);
}

async function granted(attempt: ReturnType<RouteStateStore['acquireLease']>): Promise<bigint> {
  const result = await attempt;
  if (!result.granted) throw new Error('the lease was not granted');
  return result.epoch;
}

const expire = (db: TestDatabase): Promise<unknown> =>
  db.query(`update tidelock.leases set expires_at = clock_timestamp() - interval '1 ms'`);

const asked = { pausedUntil: null, restart: 0, reason: null, askedBy: null, pending: null, leftover: null };

describe('schema', () => {
  test('many engines migrate at once and one schema is there', async () => {
    const db = await server.createDatabase();
    await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        await using store = await open(db.node, `test/route-${i}`);
        await store.migrate();
        await store.register();
      }),
    );
    expect(await db.query('select count(*)::int as routes from tidelock.routes')).toEqual([{ routes: 8 }]);
    expect(await db.query('select version from tidelock.meta')).toEqual([{ version: stateVersion }]);
  });

  test('state that a newer engine made is refused by every call', async () => {
    const db = await server.createDatabase();
    await using store = await registered(db.node);
    await db.query('update tidelock.meta set version = 1000, compatible = 1000');
    await expect(store.migrate()).rejects.toMatchObject({ code: 'TL-4005', recovery: 'halt' });
    await using other = await open(db.node);
    await expect(other.read()).rejects.toMatchObject({ code: 'TL-4005' });
    await expect(other.setWanted('stopped')).rejects.toMatchObject({ code: 'TL-4005' });
    await expect(other.drop()).rejects.toMatchObject({ code: 'TL-4005' });
  });

  test('state that a newer engine made is worked with where that one says so, and is left as it is', async () => {
    const db = await server.createDatabase();
    await using store = await registered(db.node);
    // What a migration of the next version may do: it adds.
    await db.query(`alter table tidelock.requests add column later int not null default 7;
      create table tidelock.later (route_id int references tidelock.routes on delete cascade);
      update tidelock.meta set version = ${stateVersion + 1}, compatible = ${stateVersion}`);
    await using other = await open(db.node);
    await other.migrate();
    await other.register();
    expect(await db.query('select version from tidelock.meta')).toEqual([{ version: stateVersion + 1 }]);
    await granted(other.acquireLease(engine('a'), false));
    expect(await store.setWanted('stopped')).toMatchObject({ state: 'stopped' });
    expect((await other.read())?.wanted.state).toBe('stopped');
    await other.drop();
    expect(await db.query('select count(*)::int as routes from tidelock.routes')).toEqual([{ routes: 0 }]);
    expect(await db.query('select version from tidelock.meta')).toEqual([{ version: stateVersion + 1 }]);
  });

  test('a migration that meets a lock lets others through again and again, and ends when it can', async () => {
    const db = await server.createDatabase();
    await (await registered(db.node)).close();
    // As a version before left it, with a large transaction that holds the route's row.
    await db.query(`drop table tidelock.loads, tidelock.repaired, tidelock.job_steps, tidelock.jobs, tidelock.actions; alter table tidelock.routes drop column fingerprint, drop column applied, drop column pending, drop column leftover, drop column leftover_at;
      alter table tidelock.requests drop column paused_until, drop column restart, drop column reason, drop column asked_by;
      alter table tidelock.tables drop column owns;
      update tidelock.meta set version = 3; alter table tidelock.meta drop column compatible, drop column digest_key`);
    const holder = await db.client();
    await holder.query('begin; select from tidelock.routes for share');
    await using newer = await open(db.node);
    const migrated = newer.migrate();
    const waits = `select from pg_locks where not granted and relation = 'tidelock.routes'::regclass`;
    await until('a migration that waits', async () => (await db.query(waits)).length > 0);
    await until('one that has let go', async () => (await db.query(waits)).length === 0);
    await holder.query('commit');
    await holder.end();
    await migrated;
    expect(await db.query('select version, compatible from tidelock.meta')).toEqual([
      { version: stateVersion, compatible: 4 },
    ]);
  });

  test('a role needs only CREATE on the database, or a schema that was granted to it', async () => {
    const db = await server.createDatabase();
    const role = `state_${db.name}`;
    await db.query(`create role ${role} login`);
    const node: NodeDefinition = {
      ...db.node,
      connection: () => ({ ...db.node.connection(), user: role }),
    };
    await db.query(`revoke create on database ${db.name} from public`);
    await using refused = await open(node);
    await expect(refused.migrate()).rejects.toMatchObject({ code: 'TL-5004' });

    await db.query('create schema tidelock');
    await db.query(`grant usage, create on schema tidelock to ${role}`);
    await using store = await registered(node);
    await granted(store.acquireLease(engine('a'), false));
    await store.drop();
    expect(await db.query(`select relname from pg_class where relnamespace = 'tidelock'::regnamespace`)).toEqual([]);

    await db.query('drop schema tidelock');
    await db.query(`grant create on database ${db.name} to ${role}`);
    await using again = await registered(node);
    await granted(again.acquireLease(engine('a'), false));
    await again.drop();
    expect(await db.query(`select to_regnamespace('tidelock') as there`)).toEqual([{ there: null }]);
  });

  test('the schema goes with the last route, and comes back for the next', async () => {
    const db = await server.createDatabase();
    await using one = await registered(db.node);
    await using two = await registered(db.node, 'test/two');
    await expect(one.drop()).rejects.toMatchObject({ code: 'TL-4001' });
    for (const store of [one, two]) await granted(store.acquireLease(engine('a'), false));
    await one.drop();
    expect(await one.read()).toBeNull();
    expect(await two.read()).not.toBeNull();
    await two.drop();
    await two.drop();
    expect(await db.query(`select to_regnamespace('tidelock') as there`)).toEqual([{ there: null }]);
    expect(await one.read()).toBeNull();
    await expect(one.wanted()).rejects.toMatchObject({ code: 'TL-4002' });
    await one.register();
    expect((await one.read())?.wanted).toEqual({
      state: 'running',
      request: 0,
      acceptSchemaChangesTo: null,
      parkingAsked: false,
      ...asked,
    });
  });
});

test('what was done is kept for as long, and as much, as is configured; what was not carried out stays', async () => {
  const db = await server.createDatabase();
  await using store = await registered(db.node);
  await db.query(`insert into tidelock.actions (route_key, at, action, asked_by, via, result)
      select key, now() - n * interval '1 hour', 'stop', 'a', 'cli', 'done' from unnest(array['test/one', 'test/gone', 'other/one']) key, generate_series(300, 1, -1) n;
    insert into tidelock.parking_requests (route_id, action, with_earlier, asked_by) select id, 'retry', false, 'a' from tidelock.routes;
    insert into tidelock.journal (route_id, at, action, transaction_id, request_id)
      select r.id, now() - n * interval '1 hour', 'parked', '1', case when n = 300 then q.id end
      from tidelock.routes r, tidelock.parking_requests q, generate_series(300, 1, -1) n`);
  await store.prune({ keepMs: 200 * 3_600_000 + 1000, entries: 100 });
  const kept = await db.query(
    `select route_key as key, count(*)::int as n, min(at) < now() - interval '200 hours' as old from tidelock.actions group by 1 order by 1`,
  );
  expect(kept).toEqual([
    { key: 'other/one', n: 300, old: true },
    { key: 'test/gone', n: 200, old: true },
    { key: 'test/one', n: 100, old: false },
  ]);
  expect(await db.query('select count(*)::int as n, count(request_id)::int as asked from tidelock.journal')).toEqual([
    { n: 101, asked: 1 },
  ]);
});

describe('lease', () => {
  test('of several engines that race for a free, an expired or a taken lease exactly one has it at the end', async () => {
    const db = await server.createDatabase();
    await using first = await registered(db.node);
    const stores = [first, await open(db.node), await open(db.node), await open(db.node)];
    for (let round = 0; round < 40; round++) {
      const takeover = round % 4 === 3;
      await db.query(`update tidelock.leases set expires_at = 'epoch'`);
      // The losers of a takeover are ended in the middle of what they do: their connections are replaced.
      const attempts = await Promise.allSettled(
        stores.map((store, i) => store.acquireLease(engine(`${round}-${i}`), takeover)),
      );
      const renewals = await Promise.allSettled(stores.map((store) => store.renewLease(status)));
      const winners = renewals.flatMap((result, i) => (result.status === 'fulfilled' ? [i] : []));
      expect(winners).toHaveLength(1);
      const [winner = -1] = winners;
      const won = attempts[winner];
      const [stored] = await db.query('select epoch::text from tidelock.routes');
      expect(won).toMatchObject({
        status: 'fulfilled',
        value: { granted: true, epoch: BigInt(String(stored?.epoch)) },
      });
      if (!takeover) {
        expect(attempts.filter((a) => a.status === 'fulfilled' && a.value.granted)).toHaveLength(1);
        expect(attempts.filter((a) => a.status === 'rejected')).toHaveLength(0);
      }
      // Its session is then nobody's old one, that the next round's winner would end.
      await stores[winner]?.releaseLease();
      for (const [i, result] of renewals.entries()) {
        if (result.status === 'rejected' && result.reason.code !== 'TL-4001') {
          await stores[i]?.close();
          stores[i] = await open(db.node);
        }
      }
    }
    await Promise.all(stores.map((store) => store.close()));
  }, 60_000);

  test('the lease expires by the clock of the target, and an expired one that nobody took is renewed', async () => {
    const db = await server.createDatabase();
    await using one = await registered(db.node);
    await using two = await open(db.node);
    const epoch = await granted(one.acquireLease(engine('one'), false));
    const refused = await two.acquireLease(engine('two'), false);
    expect(refused).toMatchObject({ granted: false, holder: engine('one') });
    if (!refused.granted) expect(refused.expiresInMs).toBeGreaterThan(5_000);
    await expire(db);
    await one.renewLease(status);
    expect((await two.acquireLease(engine('two'), false)).granted).toBe(false);
    await expire(db);
    expect(await granted(two.acquireLease(engine('two'), false))).toBe(epoch + 1n);
    await expect(one.renewLease(status)).rejects.toMatchObject({ recovery: expect.stringMatching(/fenced|retry/) });
  });

  test('a restarted worker of the same Supervisor goes on at once and ends what the one before has left', async () => {
    const db = await server.createDatabase();
    await using one = await registered(db.node);
    const epoch = await granted(one.acquireLease(engine('same'), false));
    const left = await applySession(db, epoch);
    await using two = await open(db.node);
    expect(await granted(two.acquireLease(engine('same'), false))).toBe(epoch);
    await expect(left.client.query('commit')).rejects.toThrow();
    await expect(one.renewLease(status)).rejects.toMatchObject({ recovery: 'retry' });
  });

  test('a frozen engine with an open transaction is ended by a takeover and commits nothing', async () => {
    const db = await server.createDatabase();
    await db.query('create table written (by text)');
    await using one = await registered(db.node);
    const epoch = await granted(one.acquireLease(engine('one'), false));
    const frozen = await applySession(db, epoch);
    await frozen.client.query(`insert into written values ('frozen')`);
    await using two = await open(db.node);
    expect(await granted(two.acquireLease(engine('two'), true))).toBe(epoch + 1n);
    await expect(frozen.client.query('commit')).rejects.toThrow();
    expect(await db.query('select * from written')).toEqual([]);
    const late = await db.client();
    const { rows } = await late.query('select epoch::text from tidelock.routes where id = $1 for share', [
      await routeId(db),
    ]);
    expect(rows).toEqual([{ epoch: (epoch + 1n).toString() }]);
    await late.end();
  });

  test('a transaction that cannot be ended keeps the epoch, and the takeover goes on when it has ended', async () => {
    const db = await server.createDatabase();
    await using one = await registered(db.node);
    const epoch = await granted(one.acquireLease(engine('one'), false));
    // No session of the route by its name: it is not found and not ended.
    const blocker = await db.client();
    await blocker.query('begin');
    await blocker.query('select from tidelock.routes for share');
    await using two = await open(db.node);
    let settled = false;
    const attempt = two.acquireLease(engine('two'), true).finally(() => {
      settled = true;
    });
    await waitFor(async () => (await db.query(`select supervisor from tidelock.leases`))[0]?.supervisor === 'two');
    expect(await db.query('select epoch::text, raised from tidelock.routes, tidelock.leases')).toEqual([
      { epoch: epoch.toString(), raised: false },
    ]);
    expect(settled).toBe(false);
    await blocker.query('commit');
    await blocker.end();
    expect(await granted(attempt)).toBe(epoch + 1n);
  });

  test('a restarted worker waits for a transaction of the one before that cannot be ended', async () => {
    const db = await server.createDatabase();
    await using one = await registered(db.node);
    const epoch = await granted(one.acquireLease(engine('one'), false));
    const { client } = await applySession(db, epoch);
    const [frozen] = (await client.query('select pg_backend_pid() as pid')).rows;
    process.kill(Number(frozen?.pid), 'SIGSTOP');
    await using again = await open(db.node);
    let settled = false;
    const attempt = again.acquireLease(engine('one'), false).finally(() => {
      settled = true;
    });
    await waitFor(async () => settled || (await db.query('select from pg_locks where not granted')).length > 0);
    expect(settled).toBe(false);
    process.kill(Number(frozen?.pid), 'SIGCONT');
    expect(await granted(attempt)).toBe(epoch);
    await client.end().catch(() => {});
  });

  test("a restarted worker waits for another user's session of the route, which may have sent several transactions", async () => {
    const db = await server.createDatabase();
    const role = `worker_${db.name}`;
    await db.query(`create role ${role} login; grant create on database ${db.name} to ${role}`);
    const node: NodeDefinition = { ...db.node, connection: () => ({ ...db.node.connection(), user: role }) };
    await using one = await registered(node);
    const epoch = await granted(one.acquireLease(engine('one'), false));
    const left = await db.client();
    await left.query(`set application_name = 'tidelock ${await routeId(db)} apply test/one'`);
    await using again = await open(node);
    let settled = false;
    const attempt = again.acquireLease(engine('one'), false).finally(() => {
      settled = true;
    });
    const looked = `select from pg_stat_activity where usename = $1 and state = 'idle' and query like '%for no key update of r'`;
    await waitFor(async () => settled || (await db.query(looked, [role])).length > 0);
    await db.query('select');
    expect(settled).toBe(false);
    await left.end();
    expect(await granted(attempt)).toBe(epoch);
  });

  test('an engine that dies between claim and raise leaves a lease that either can go on from', async () => {
    const db = await server.createDatabase();
    await using one = await registered(db.node);
    const epoch = await granted(one.acquireLease(engine('one'), false));
    await db.query(`update tidelock.leases set supervisor = 'two', claim = claim + 1, raised = false`);
    await using two = await open(db.node);
    expect(await granted(two.acquireLease(engine('two'), false))).toBe(epoch + 1n);
    await db.query(`update tidelock.leases set supervisor = 'dead', claim = claim + 1, raised = false`);
    await expire(db);
    await using three = await open(db.node);
    expect(await granted(three.acquireLease(engine('one'), false))).toBe(epoch + 2n);
  });

  test('who was replaced can neither renew nor change the state', async () => {
    const db = await server.createDatabase();
    await using one = await registered(db.node);
    await granted(one.acquireLease(engine('one'), false));
    await db.query(`update tidelock.leases set supervisor = 'two', claim = claim + 1`);
    await expect(one.renewLease(status)).rejects.toMatchObject({ code: 'TL-4001', recovery: 'fenced' });
    await db.query(`update tidelock.routes set epoch = epoch + 1`);
    await expect(one.setReady({ system: '1' }, '0/1' as Position)).rejects.toMatchObject({ code: 'TL-4001' });
    await expect(one.setCreating({ system: '1' })).rejects.toMatchObject({ code: 'TL-4001' });
    expect((await one.read())?.checkpoint).toBeNull();
  });

  test('a released lease is free at once', async () => {
    const db = await server.createDatabase();
    await using one = await registered(db.node);
    await granted(one.acquireLease(engine('one'), false));
    await one.renewLease({ ...status, state: 'stopped' });
    await one.releaseLease();
    expect(await one.read()).toMatchObject({ holder: null, status: { state: 'stopped' } });
    await using two = await open(db.node);
    await granted(two.acquireLease(engine('two'), false));
    await one.releaseLease();
    expect(await two.renewLease(status)).toMatchObject({ state: 'running' });
  });

  async function applySession(db: TestDatabase, epoch: bigint) {
    const id = await routeId(db);
    const client = await db.client();
    client.on('error', () => {});
    await client.query(`select set_config('application_name', $1, false)`, [`tidelock ${id} apply test/one`]);
    await client.query('begin');
    const { rows } = await client.query('select epoch::text from tidelock.routes where id = $1 for share', [id]);
    expect(rows).toEqual([{ epoch: epoch.toString() }]);
    return { client };
  }
});

describe('requests', () => {
  test('a request does not wait for an apply transaction, is announced and comes with a renewal', async () => {
    const db = await server.createDatabase();
    await using engineStore = await registered(db.node);
    await granted(engineStore.acquireLease(engine('one'), false));
    const announced = new Promise<void>((resolve) => engineStore.onRequest(resolve));
    const applying = await db.client();
    await applying.query('begin');
    await applying.query('select from tidelock.routes for share');
    await using command = await open(db.node);
    expect(await command.setWanted('stopped')).toEqual({
      state: 'stopped',
      request: 1,
      acceptSchemaChangesTo: null,
      parkingAsked: false,
      ...asked,
    });
    await announced;
    expect(await engineStore.renewLease(status)).toMatchObject({ state: 'stopped', request: 1 });
    expect(await command.setWanted('running', { acceptSchemaChangesTo: '0/16B3748' as Position })).toMatchObject({
      acceptSchemaChangesTo: '0/16B3748',
    });
    expect(await engineStore.wanted()).toEqual({
      state: 'running',
      request: 2,
      acceptSchemaChangesTo: '0/16B3748',
      parkingAsked: false,
      ...asked,
    });
    await applying.query('rollback');
    await applying.end();
  });
});

describe('checkpoint and tables', () => {
  test('creating, ready and a changed identity are read back as stored', async () => {
    const db = await server.createDatabase();
    await using store = await registered(db.node);
    expect((await store.read())?.checkpoint).toBeNull();
    await store.setCreating({ system: '1' });
    expect((await store.read())?.checkpoint).toEqual({ phase: 'creating', source: { system: '1' } });
    await store.setReady({ system: '1' }, '0/10' as Position);
    await store.setReady({ system: '1' }, '0/20' as Position);
    await store.setSource({ system: '1', timeline: '2' });
    expect((await store.read())?.checkpoint).toEqual({
      phase: 'ready',
      source: { system: '1', timeline: '2' },
      position: '0/20',
      sequence: 2n,
      lastCommit: null,
    });
    await db.query('delete from tidelock.checkpoints');
    await expect(store.read()).rejects.toMatchObject({ code: 'TL-4006' });
  });

  test('a target table has one owner', async () => {
    const db = await server.createDatabase();
    await using one = await registered(db.node);
    await using two = await registered(db.node, 'test/two');
    const tables = [{ source: 'public.a', target: 'public.t', fingerprint: 'x', definition: null }];
    await one.setTables(tables);
    await one.setTables(tables);
    await expect(two.setTables(tables)).rejects.toMatchObject({ code: 'TL-4004', place: { owner: 'test/one' } });
    expect(await two.tables()).toEqual([]);
    expect(await one.tables()).toMatchObject(tables);
  });
});

async function waitFor(condition: () => Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) throw new Error('the condition was not met in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('whether a name is free is answered behind a rename whose COMMIT is under way', async () => {
  const db = await server.createDatabase();
  await using store = await registered(db.node);
  const renaming = await db.client();
  await renaming.query(`begin; update tidelock.routes set key = 'test/two' where key = 'test/one'`);
  let isAnswered = false;
  const free = store.isFree('two').finally(() => {
    isAnswered = true;
  });
  await until('the question to wait', async () => {
    const waits = await db.query(
      `select from pg_stat_activity where wait_event_type = 'Lock' and query like '%for share%'`,
    );
    return waits.length > 0;
  });
  expect(isAnswered).toBe(false);
  await renaming.query('commit');
  await renaming.end();
  expect(await free).toBe(false);
  expect(await store.isFree('one')).toBe(true);
});
