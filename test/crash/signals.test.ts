import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { contents } from '../support/compare.ts';
import { engineProgram } from '../support/engine.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { childrenOf, isAlive } from '../support/process-tree.ts';
import { RouteFile } from '../support/route.ts';
import { forgetPid, notePid } from '../support/run-directory.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';

const servers = twoServers();

async function pair(): Promise<{ source: TestDatabase; target: TestDatabase; file: RouteFile }> {
  const { source, target } = await servers.pair();
  for (const db of [source, target]) await db.query('CREATE TABLE item (id int PRIMARY KEY, n int)');
  return { source, target, file: new RouteFile({ source, target }) };
}

const sessions = (database: TestDatabase): Promise<unknown[]> =>
  database.query(
    `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'tidelock%'`,
  );

test('SIGTERM under load drains: exit 0, no session left, and the next run goes on', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  {
    await using route = file.run();
    await route.state('running');
    await source.query('INSERT INTO item SELECT i, 0 FROM generate_series(1, 200000) i');
    const beganMs = performance.now();
    expect(await route.stop()).toBe(0);
    expect(performance.now() - beganMs).toBeLessThan(10_000);
  }
  await until(
    'the end of the sessions',
    async () => (await sessions(source)).length + (await sessions(target)).length === 0,
  );
  await source.query('UPDATE item SET n = 1 WHERE id < 1000');
  await using route = file.run();
  await route.caughtUp();
  expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
});

test('a drain confirms to the source what it has applied, so that nothing is read twice', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  await source.query('INSERT INTO item SELECT i, 0 FROM generate_series(1, 1000) i');
  await until('the rows', async () => (await target.query('SELECT FROM item LIMIT 1')).length > 0);
  expect(await route.stop()).toBe(0);
  const [slot] = await source.query(
    'SELECT confirmed_flush_lsn AS position FROM pg_replication_slots WHERE database = current_database()',
  );
  const [stored] = await target.query('SELECT max(position::pg_lsn) AS position FROM tidelock.checkpoints');
  expect(slot).toEqual(stored);
});

test('a drain does not wait for a target that is blocked', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  const blocker = await target.client();
  await blocker.query('BEGIN');
  await blocker.query('LOCK TABLE item IN ACCESS EXCLUSIVE MODE');
  await source.query('INSERT INTO item VALUES (1, 1)');
  await until(
    'an apply that waits',
    async () => (await target.query('SELECT FROM pg_locks WHERE NOT granted')).length > 0,
  );
  const beganMs = performance.now();
  await route.stop();
  // 10 seconds, and what a busy machine adds: without a bound it would be for ever.
  expect(performance.now() - beganMs).toBeLessThan(20_000);
  await blocker.query('COMMIT');
  await blocker.end();
  await until('the end of the sessions', async () => (await sessions(target)).length === 0);
  expect(await contents(target, ['item'])).toEqual({ item: [] });
});

test('a second signal stops at once', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  const worker = await route.workerPid();
  const blocker = await target.client();
  await blocker.query('BEGIN');
  await blocker.query('LOCK TABLE item IN ACCESS EXCLUSIVE MODE');
  await source.query('INSERT INTO item VALUES (1, 1)');
  await until(
    'an apply that waits',
    async () => (await target.query('SELECT FROM pg_locks WHERE NOT granted')).length > 0,
  );
  process.kill(route.pid, 'SIGTERM');
  await until('the first signal', () => route.log.includes('"draining'));
  const beganMs = performance.now();
  process.kill(route.pid, 'SIGTERM');
  await route.exit();
  expect(performance.now() - beganMs).toBeLessThan(8_000);
  expect(isAlive(worker)).toBe(false);
  await blocker.end();
});

test('no worker outlives a Supervisor that is killed', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  await using route = file.run();
  await route.state('running');
  const worker = await route.workerPid();
  process.kill(route.pid, 'SIGKILL');
  await route.exit();
  await until('the end of the worker', () => !isAlive(worker), 5_000);
  await source.query('INSERT INTO item VALUES (1, 1)');
  await using next = file.run();
  await next.caughtUp();
  expect(await contents(target, ['item'])).toEqual({ item: ['(1,1)'] });
});

test('what npm has started ends in order when npm is ended', async () => {
  const { source, target, file } = await pair();
  using _ = file;
  // As npm does: a shell that waits for what it has started, and passes nothing on.
  const shell = spawn('sh', ['-c', `"${process.execPath}" "${engineProgram()}" run; exit $?`], {
    cwd: file.folder,
    env: { ...process.env, NODE_OPTIONS: '', npm_lifecycle_script: 'tidelock run' },
    stdio: 'ignore',
  });
  await until('the engine', async () => (await file.status()).state === 'running');
  const engine = childrenOf(shell.pid ?? 0);
  const workers = engine.flatMap(childrenOf);
  for (const pid of [...engine, ...workers]) notePid(pid);
  expect(workers).not.toEqual([]);
  shell.kill('SIGTERM');
  await until('the end of them', () => ![...engine, ...workers].some(isAlive));
  expect(await file.status()).toMatchObject({ state: 'stopped' });
  expect([...(await sessions(source)), ...(await sessions(target))]).toEqual([]);
  for (const pid of [...engine, ...workers]) forgetPid(pid);
});
