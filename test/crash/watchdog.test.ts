import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import type { RouteStatus } from '../../src/core/route-status.ts';
import { Supervisor } from '../../src/supervisor/supervisor.ts';
import { contents } from '../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';
import { RouteFile } from '../support/route.ts';
import { until } from '../support/until.ts';

let here: PostgresServer;
let there: PostgresServer;

beforeAll(async () => {
  [here, there] = await Promise.all([startPostgres(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([here, there].map((server) => server[Symbol.asyncDispose]()));
});

const route = 'here-to-there';
const standStillMs = 8_000;

/** A route in a Supervisor of this process, which loses its patience early. */
class Watched implements AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly supervisor: Supervisor;
  readonly heard: RouteStatus[] = [];
  readonly file: RouteFile;

  constructor(
    source: TestDatabase,
    target: TestDatabase,
    options: { lines: string; name: string; worker?: string; files?: Readonly<Record<string, string>> },
  ) {
    this.source = source;
    this.target = target;
    this.file = new RouteFile({ source, target, name: options.name, route: `tables: [public.t]\n${options.lines}` });
    this.file.write(options.files ?? {});
    this.supervisor = new Supervisor({
      file: join(this.file.folder, 'tidelock.yaml'),
      routes: [route],
      logger: silentLogger,
      patience: { standStillMs, crashes: { crashes: 3, windowMs: 600_000 } },
      ...(options.worker !== undefined && { workerModule: new URL(options.worker, import.meta.url) }),
    });
    this.supervisor.onStatus((_, status) => this.heard.push(status));
    this.supervisor.start();
  }

  /** The worker's own status, since the Supervisor's comes only with a change of state. */
  async stored(): Promise<RouteStatus | null> {
    const rows = await this.target.query('SELECT status FROM tidelock.leases').catch(() => []);
    return (rows[0]?.status ?? null) as RouteStatus | null;
  }

  async running(): Promise<number> {
    return await until('a running route', () => {
      const pid = this.supervisor.workerOf(route)?.pid ?? null;
      return this.supervisor.statusOf(route)?.state === 'running' ? pid : null;
    });
  }

  async equal(): Promise<void> {
    const expected = await contents(this.source, ['t']);
    await until('equal tables', async () => {
      const found = await contents(this.target, ['t']);
      return JSON.stringify(found) === JSON.stringify(expected);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.supervisor.stop();
    this.file[Symbol.dispose]();
  }
}

async function pair(): Promise<readonly [TestDatabase, TestDatabase]> {
  const pair = await Promise.all([here.createDatabase(), there.createDatabase()]);
  for (const db of pair) await db.query('CREATE TABLE t (id int PRIMARY KEY, n int)');
  return pair;
}

describe.concurrent('a route that does not move', () => {
  test('gets another worker, which goes on, and the reason is kept', async () => {
    const [source, target] = await pair();
    await using watched = new Watched(source, target, {
      lines: '',
      name: 'w1',
      worker: './supervisor/standing-worker.ts',
    });
    const first = await watched.running();
    await source.query('INSERT INTO t VALUES (1, 1)');
    await until('a restart', () => watched.supervisor.workerOf(route)?.restarted);
    expect(watched.heard).toContainEqual(
      expect.objectContaining({ state: 'retrying', reason: expect.objectContaining({ code: 'TL-4304' }) }),
    );
    await watched.equal();
    expect(await watched.running()).not.toBe(first);
    expect(watched.supervisor.statusOf(route)).toMatchObject({
      restarts: 1,
      restarted: { reason: { code: 'TL-4304' } },
    });
  }, 90_000);

  test('in its load gets another worker, which loads', async () => {
    const [source, target] = await pair();
    await source.query('INSERT INTO t SELECT n, n FROM generate_series(1, 1000) n');
    await using watched = new Watched(source, target, {
      lines: '',
      name: 'w0',
      worker: './supervisor/standing-worker.ts',
      files: { hangs: '' },
    });
    await until('a restart', () => watched.supervisor.workerOf(route)?.restarted);
    expect(watched.heard).toContainEqual(
      expect.objectContaining({ state: 'retrying', reason: expect.objectContaining({ code: 'TL-4304' }) }),
    );
    await watched.running();
    await watched.equal();
  }, 90_000);

  test('since another session holds a lock is left alone, and the session is named', async () => {
    const [source, target] = await pair();
    await using watched = new Watched(source, target, {
      lines: 'limits: { lag: { warn: 4s, critical: 14s } }',
      name: 'w2',
    });
    const pid = await watched.running();
    const blocker = await target.client();
    const { rows } = await blocker.query(
      `SELECT pg_backend_pid() AS pid, set_config('application_name', 'nightly report', false)`,
    );
    await blocker.query('BEGIN; LOCK TABLE t');
    await source.query('INSERT INTO t VALUES (1, 1)');
    const concern = async (level: string) =>
      await until(`a concern: ${level}`, async () =>
        (await watched.stored())?.concerns?.find((each) => each.code === 'TL-4303' && each.level === level),
      );
    expect((await concern('warning')).message).toMatch(
      new RegExp(
        `\\(lock on relation\\), held up by session ${rows[0].pid} \\(user \\w+, "nightly report", open for \\d+ s\\)`,
      ),
    );
    const { since } = await concern('critical');
    expect(await watched.stored()).toMatchObject({ state: 'running', health: 'critical', restarts: 0 });
    // Longer than it takes to lose patience.
    await until('longer than the patience', () => Date.now() - Date.parse(since) > 1.5 * standStillMs);
    expect(watched.supervisor.workerOf(route)?.pid).toBe(pid);
    await blocker.query('COMMIT');
    await blocker.end();
    await watched.equal();
    await until('a route that is well', async () => (await watched.stored())?.health === 'ok');
    expect(watched.supervisor.workerOf(route)).toMatchObject({ pid, restarts: 0 });
  }, 90_000);

  test('since a statement takes long is left alone', async () => {
    const [source, target] = await pair();
    await target.query(`
      CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(20); RETURN NEW; END';
      CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION slow();
      ALTER TABLE t ENABLE ALWAYS TRIGGER slow`);
    await using watched = new Watched(source, target, { lines: 'allow: [targetTriggers]', name: 'w3' });
    const pid = await watched.running();
    await source.query('INSERT INTO t VALUES (1, 1)');
    await watched.equal();
    expect(watched.supervisor.workerOf(route)).toMatchObject({ pid, restarts: 0 });
    expect((await watched.stored())?.concerns?.map(({ code }) => code)).not.toContain('TL-4303');
  }, 90_000);

  test('since its worker dies of it again and again has failed, until somebody starts it', async () => {
    const [source, target] = await pair();
    await using watched = new Watched(source, target, {
      lines: '',
      name: 'w4',
      worker: './supervisor/standing-worker.ts',
    });
    watched.file.write({ poison: '' });
    await watched.running();
    await source.query('INSERT INTO t VALUES (1, 1)');
    // Stored by the worker that holds the lease, so that every command tells it.
    const failed = await until('a failure that is stored', async () => {
      const status = await watched.stored();
      return status?.state === 'failed' ? status : null;
    });
    expect(failed).toMatchObject({ health: 'critical', restarts: 3, reason: { code: 'TL-4311' } });
    expect(failed.reason?.message).toContain('died 3 times within 10 minutes, the last time: exit code 9');
    const holder = watched.supervisor.workerOf(route)?.pid;
    rmSync(join(watched.file.folder, 'poison'));
    expect((await watched.file.tidelock('start', route)).code).toBe(0);
    await watched.equal();
    expect(watched.supervisor.workerOf(route)).toMatchObject({ pid: holder, restarts: 3 });
    await until('a running route', () => watched.supervisor.statusOf(route)?.state === 'running');
  }, 90_000);

  test('too much memory gets it another worker once, and then only a warning', async () => {
    const [source, target] = await pair();
    await using watched = new Watched(source, target, { lines: 'limits: { memory: 10MB }', name: 'w5' });
    const first = watched.supervisor.workers()[0];
    await until('a restart', () => watched.supervisor.workerOf(route)?.restarted?.reason.code === 'TL-4305', 60_000);
    const second = await until('another worker', () => {
      const { pid, vitals } = watched.supervisor.workerOf(route) ?? {};
      return pid && pid !== first && vitals ? pid : null;
    });
    let looks = 0;
    let last: object | null = null;
    await until('as many looks as led to a restart, and more', () => {
      const { vitals = null } = watched.supervisor.workerOf(route) ?? {};
      if (vitals !== null && vitals !== last) looks++;
      last = vitals;
      return looks > 5;
    });
    expect(watched.supervisor.workerOf(route)).toMatchObject({ pid: second, restarts: 1 });
    await source.query('INSERT INTO t VALUES (1, 1)');
    await watched.equal();
    expect((await watched.stored())?.concerns?.map(({ code }) => code)).toContain('TL-4305');
  }, 90_000);
});
