import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openMysqlState } from '../../../connectors/mysql/state/mysql-route-state.ts';
import { stateVersion } from '../../../connectors/mysql/state/state-schema.ts';
import type { Action } from '../../../src/core/action.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import type { LeaseHolder, RouteStateStore } from '../../../src/core/route-state-store.ts';
import { type MysqlServer, startMysql } from '../../support/mysql.ts';
import { mysqlVendors } from '../../support/mysql-binaries.ts';

const asked = { pausedUntil: null, restart: 0, reason: null, askedBy: null, pending: null, leftover: null };
const source = { vendor: 'mysql', server: 'one' };
const at = (text: string): Position => text as Position;
const engine = (supervisor: string): LeaseHolder => ({ supervisor, host: 'here', pid: process.pid });

describe.each(mysqlVendors)('on %s', (vendor) => {
  let server: MysqlServer;
  let routes = 0;

  beforeAll(async () => {
    server = await startMysql({ vendor });
  }, 90_000);
  afterAll(() => server[Symbol.asyncDispose]());

  async function open(routeKey: string): Promise<RouteStateStore & AsyncDisposable> {
    const store = await openMysqlState({ node: server.node, routeKey, logger: silentLogger });
    return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
  }

  async function registered(routeKey = `test/s${++routes}`): Promise<RouteStateStore & AsyncDisposable> {
    const store = await open(routeKey);
    await store.migrate();
    await store.register();
    return store;
  }

  const expire = (key: string): Promise<unknown> =>
    server.query(
      `UPDATE tidelock.leases l JOIN tidelock.routes r ON r.id = l.route_id SET l.expires_at_ms = 1 WHERE r.route_key = '${key}'`,
    );

  test('many engines make the state at once, one is there, and it goes with the last route', async () => {
    const stores = await Promise.all([1, 2, 3, 4].map((n) => open(`make/r${n}`)));
    await Promise.all(stores.map((store) => store.migrate()));
    await Promise.all(stores.map((store) => store.register()));
    expect(await server.query('SELECT version FROM tidelock.meta')).toEqual([{ version: String(stateVersion) }]);
    for (const store of stores) {
      await store.acquireLease(engine('a'), false);
      await store.drop();
      expect(await store.read()).toBeNull();
      await store.close();
    }
    const tables = await server.query(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'tidelock'`,
    );
    // It may be a source, too.
    expect(tables).toEqual([{ name: 'signals' }]);
  });

  test('a server of the other vendor is refused by its name', async () => {
    const type = vendor === 'mysql' ? 'mariadb' : 'mysql';
    const node = { ...server.node, type } as const;
    await expect(openMysqlState({ node, routeKey: 'test/other', logger: silentLogger })).rejects.toMatchObject({
      code: 'TL-5009',
      remedy: expect.stringContaining(`the type of the node to ${vendor}`),
    });
  });

  test('state that a newer engine made is refused, or worked with where that one says so', async () => {
    await using store = await registered();
    await server.query(`UPDATE tidelock.meta SET version = ${stateVersion + 1}`);
    await expect(store.read()).resolves.toMatchObject({ epoch: 1n });
    await server.query(`UPDATE tidelock.meta SET compatible = ${stateVersion + 1}`);
    await expect(store.read()).rejects.toMatchObject({ code: 'TL-4005' });
    await server.query(`UPDATE tidelock.meta SET version = ${stateVersion}, compatible = 1`);
  });

  test('of several engines that race for a lease exactly one has it; a restarted worker of the same goes on under its epoch', async () => {
    const key = `test/s${++routes}`;
    const stores = [await registered(key), ...(await Promise.all([open(key), open(key), open(key)]))];
    const attempts = await Promise.all(stores.map((store, n) => store.acquireLease(engine(`e${n}`), false)));
    const winners = attempts.flatMap(({ granted }, n) => (granted ? [n] : []));
    expect(winners).toHaveLength(1);
    const [winner = 0] = winners;
    const again = stores[(winner + 1) % stores.length];
    expect(await again?.acquireLease(engine(`e${winner}`), false)).toMatchObject({ granted: true, epoch: 2n });
    for (const store of stores) await store.close();
  });

  test('a lease expires by the clock of the target; one that nobody took is renewed, and who was replaced is fenced', async () => {
    const key = `test/s${++routes}`;
    await using a = await registered(key);
    await using b = await open(key);
    await a.acquireLease(engine('a'), false);
    expect(await b.acquireLease(engine('b'), false)).toMatchObject({ granted: false, holder: { supervisor: 'a' } });
    await expire(key);
    expect(await a.renewLease(null)).toMatchObject({ state: 'running', request: 0 });
    await expire(key);
    expect(await b.acquireLease(engine('b'), false)).toMatchObject({ granted: true, epoch: 3n });
    // Its session was ended with its lease.
    await expect(a.renewLease(null)).rejects.toThrow();
    await using late = await open(key);
    await expect(late.renewLease(null)).rejects.toMatchObject({ recovery: 'fenced' });
    await b.releaseLease();
    expect(await late.acquireLease(engine('c'), false)).toMatchObject({ granted: true, epoch: 4n });
  });

  test('a transaction whose session cannot be ended keeps the epoch from being raised until it is over', async () => {
    const key = `test/s${++routes}`;
    await using a = await registered(key);
    await using b = await open(key);
    await a.acquireLease(engine('a'), false);
    const held = await server.connect();
    await held.query(`BEGIN; SELECT epoch FROM tidelock.routes WHERE route_key = '${key}' LOCK IN SHARE MODE`);
    const taken = b.acquireLease(engine('b'), true);
    await held.query('DO SLEEP(0.5)');
    const [before] = await server.query(`SELECT epoch FROM tidelock.routes WHERE route_key = '${key}'`);
    expect(before).toEqual({ epoch: '2' });
    await held.query('COMMIT');
    expect(await taken).toMatchObject({ granted: true, epoch: 3n });
    await held.end();
  });

  test('what is stored is read back: phases, checkpoint, tables and their owner, requests, pauses', async () => {
    await using one = await registered();
    await using two = await registered();
    expect((await one.read())?.checkpoint).toBeNull();
    await one.setCreating(source);
    expect((await one.read())?.checkpoint).toEqual({ phase: 'creating', source });
    await one.setReady(source, at('a:1-5'));
    expect((await one.read())?.checkpoint).toEqual({
      phase: 'ready',
      source,
      position: 'a:1-5',
      sequence: 1n,
      lastCommit: null,
    });
    const table = { source: 's.t', target: `d.t${routes}`, fingerprint: 'f', definition: null, loadedTo: null };
    await one.setTables([table]);
    expect(await one.tables()).toEqual([table]);
    await expect(two.setTables([table])).rejects.toMatchObject({ code: 'TL-4004' });
    expect(await two.tables()).toEqual([]);
    // A share of a target goes beside those that are proven to be apart from it, until one of them is registered no more.
    const shared = { ...table, source: 's.u', target: `d.u${routes}` };
    const owning = (text: string, apart: string) => ({ text, isApartFrom: (other: string) => other === apart });
    await one.setTables([table, { ...shared, owns: owning('site = 1', 'site = 2') }]);
    expect(await one.tables()).toEqual([table, shared]);
    await expect(two.setTables([shared])).rejects.toMatchObject({ code: 'TL-4004' });
    await expect(two.setTables([{ ...shared, owns: owning('site > 0', 'site = 2') }])).rejects.toMatchObject({
      code: 'TL-4014',
    });
    await expect(two.demandApart([{ ...shared, target: `d.v, ${shared.target}` }])).rejects.toMatchObject({
      code: 'TL-4004',
    });
    await two.setTables([{ ...shared, owns: owning('site = 2', 'site = 1') }]);
    expect(await two.tables()).toEqual([shared]);
    await one.setTables([table]);
    await two.setTables([shared]);
    expect(await one.wanted()).toMatchObject({ ...asked, state: 'running', request: 0 });
    expect(await one.setWanted('paused', { forMs: 60_000, reason: 'maintenance', askedBy: 'ann' })).toMatchObject({
      state: 'paused',
      request: 1,
      reason: 'maintenance',
      pausedUntil: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(await one.setWanted('stopped', { instead: ['running'] })).toBeNull();
    expect(await one.setWanted('running', { instead: ['paused'], restart: true })).toMatchObject({
      state: 'running',
      request: 2,
      restart: 2,
    });
    await one.setWanted('paused', { forMs: -1 });
    expect(await one.wanted()).toMatchObject({ state: 'running', request: 3, pausedUntil: null });
  });

  test('actions are journalled with what asked for them, jobs count only under the epoch', async () => {
    const key = `test/s${++routes}`;
    await using store = await registered(key);
    const action: Action = {
      action: 'stop',
      by: 'ann',
      via: 'cli',
      reason: null,
      details: {},
      result: 'done',
      code: null,
      message: null,
    };
    await store.setWanted('stopped', { entry: (outcome = {}) => ({ ...action, details: outcome }) });
    const id = await store.actions.write({ ...action, action: 'drop', result: 'begun' });
    await store.actions.finish(id ?? 0, { details: { a: 1 }, result: 'failed', code: 'TL-1', message: 'no' });
    const page = { deployment: false, before: null, limit: 10 };
    const entries = await store.actions.read(page);
    expect(entries.map(({ action: what, details, result }) => [what, details, result])).toEqual([
      ['drop', { a: 1 }, 'failed'],
      ['stop', { request: 1 }, 'done'],
    ]);
    expect(await store.actions.read({ ...page, before: entries[0]?.at ?? '' })).toHaveLength(1);
    await store.acquireLease(engine('a'), false);
    const job = await store.jobs.add({ kind: 'compare', options: { tables: ['t'] }, askedBy: 'ann' });
    expect((await store.renewLease(null)).jobsDue).toBe(true);
    await store.jobs.begin(job.number);
    await store.jobs.storeSteps(job.number, { a: { n: 1 }, b: { n: 2 } });
    await store.jobs.storeSteps(job.number, { a: null, b: { n: 3 } });
    expect([...(await store.jobs.steps(job.number))]).toEqual([['b', { n: 3 }]]);
    expect(await store.jobs.ask(job.number, 'pause')).toMatchObject({ state: 'running', wish: 'pause' });
    const changed = { wish: 'run', options: { tables: ['t'], maxLoad: 0.5 } };
    expect(await store.jobs.ask(job.number, 'run', { options: { maxLoad: 0.5 } })).toMatchObject(changed);
    await server.query(`UPDATE tidelock.routes SET epoch = epoch + 1 WHERE route_key = '${key}'`);
    await expect(store.jobs.end(job.number, { state: 'done' })).rejects.toMatchObject({ recovery: 'fenced' });
    expect(await store.jobs.read(job.number)).toMatchObject({
      state: 'running',
      attempts: 1,
      options: { tables: ['t'], maxLoad: 0.5 },
    });
  });
});
