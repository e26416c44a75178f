import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { stateVersion } from '../../connectors/postgres/state/state-schema.ts';
import { startPostgres } from '../support/postgres.ts';
import { forgetPid, notePid, runDirectory } from '../support/run-directory.ts';
import { until } from '../support/until.ts';

const here = fileURLToPath(new URL('../..', import.meta.url));
/** The last one whose state has version 3, before `compatible` was stored. */
const before = 'd05f960';

interface Engine {
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
}

function tidelock({ folder, env }: Engine, ...args: string[]): { status: number | null; stdout: string } {
  return spawnSync(process.execPath, [join(folder, 'src/cli/main.ts'), ...args], { env, encoding: 'utf8' });
}

function run({ folder, env }: Engine): ChildProcess {
  const process_ = spawn(process.execPath, [join(folder, 'src/cli/main.ts'), 'run'], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process_.stderr?.resume();
  notePid(process_.pid ?? 0);
  process_.once('exit', () => forgetPid(process_.pid ?? 0));
  onTestFinished(() => void process_.kill('SIGKILL'));
  return process_;
}

async function ends(process_: ChildProcess): Promise<void> {
  const ended = once(process_, 'exit');
  process_.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
}

test('an engine is replaced by a newer one while its route runs; the older one is refused afterwards, and nothing is lost', async () => {
  const folder = mkdtempSync(join(runDirectory(), 'upgrade-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const older = join(folder, 'older');
  mkdirSync(older);
  execFileSync('sh', ['-c', `git -C '${here}' archive ${before} | tar -x -C '${older}'`]);
  symlinkSync(join(here, 'node_modules'), join(older, 'node_modules'));

  await using source = await startPostgres();
  await using target = await startPostgres();
  const there = await source.createDatabase();
  const copy = await target.createDatabase();
  for (const database of [there, copy]) await database.query('CREATE TABLE item (id int PRIMARY KEY, value text)');
  await there.query(`INSERT INTO item SELECT n, 'loaded' FROM generate_series(1, 1000) n`);
  const file = join(folder, 'tidelock.yaml');
  writeFileSync(
    file,
    `version: 1
name: test
nodes:
  there: { type: postgres, url: "${there.url()}" }
  here: { type: postgres, url: "${copy.url()}" }
routes:
  one: { from: there, to: here, tables: [public.item] }
`,
  );
  const env = { ...process.env, TIDELOCK_CONFIG: file, TIDELOCK_LOG: 'error' };
  const [oldEngine, newEngine] = [older, here].map((each): Engine => ({ folder: each, env })) as [Engine, Engine];

  const isRunning = (engine: Engine) => async (): Promise<boolean> =>
    JSON.parse(tidelock(engine, 'status', 'one', '--json').stdout || '{}').routes?.[0]?.state === 'running';
  const wait = (engine: Engine): void => expect(tidelock(engine, 'wait', 'one', '--timeout', '60s').status).toBe(0);

  const first = run(oldEngine);
  await until('the older engine', isRunning(oldEngine), 60_000);
  let next = 1000;
  const write = async (): Promise<unknown> =>
    there.query(
      `INSERT INTO item VALUES (${++next}, 'written'); UPDATE item SET value = 'changed' WHERE id = ${next - 500}`,
    );
  await write();
  wait(oldEngine);
  expect(await copy.query('SELECT version FROM tidelock.meta')).toEqual([{ version: 3 }]);

  // The newer one comes beside it, and migrates the state under it.
  const second = run(newEngine);
  await until(
    'a migrated state',
    async () => (await copy.query('SELECT version FROM tidelock.meta'))[0]?.version === stateVersion,
    60_000,
  );
  await write();
  // The older engine still has the route, and applies.
  wait(newEngine);
  expect(tidelock(newEngine, 'status', 'one', '--json').stdout).toContain('"running"');

  await write();
  await ends(first);
  await write();
  await until('the newer engine', isRunning(newEngine), 60_000);
  wait(newEngine);

  // Back again is refused where the older engine would not know what it reads.
  const refused = tidelock(oldEngine, 'status', 'one', '--json');
  expect(refused.stdout).toContain('TL-4005');
  // It says so as a warning.
  const third = run({ ...oldEngine, env: { ...env, TIDELOCK_LOG: 'info' } });
  // It is stopped once it runs, not while it starts: only then it ends in order.
  let said = '';
  third.stderr?.on('data', (data: Buffer) => {
    said += data.toString();
  });
  await until('a refusal', () => said.includes('TL-4005'), 60_000);
  await write();
  wait(newEngine);
  await ends(third);

  // A state that a later engine has only added to: this one goes on with it after a restart.
  await copy.query(
    `ALTER TABLE tidelock.requests ADD COLUMN later int NOT NULL DEFAULT 7;
     UPDATE tidelock.meta SET version = ${stateVersion + 1}, compatible = ${stateVersion}`,
  );
  await ends(second);
  const fourth = run(newEngine);
  await write();
  await until('the engine that was taken back', isRunning(newEngine), 60_000);
  wait(newEngine);
  await ends(fourth);
  const rows = 'SELECT id, value FROM item ORDER BY id';
  expect(await copy.query(rows)).toEqual(await there.query(rows));
}, 300_000);
