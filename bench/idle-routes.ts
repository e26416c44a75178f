// node bench/idle-routes.ts [ROUTES] [SECONDS]: what many routes cost that have nothing to do. Starts ROUTES routes (64) of
// one table each between two servers in one service, waits until all run, and then counts CPU time (of processes, not of the
// wall: the machine may be busy) and memory for SECONDS (60). With TIDELOCK_PROGRAM=dist/src/cli/main.js after
// `npm run build` it measures what is shipped; else the sources.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { setup, teardown } from '../test/support/global-setup.ts';
import { startPostgres } from '../test/support/postgres.ts';
import { childrenOf, cpuTimesOf } from '../test/support/process-tree.ts';
import { runDirectory } from '../test/support/run-directory.ts';
import { until } from '../test/support/until.ts';
import { cpuUs } from './measure.ts';

const routes = Number(process.argv[2] ?? 64);
const seconds = Number(process.argv[3] ?? 60);
const program = resolve(process.env.TIDELOCK_PROGRAM ?? 'src/cli/main.ts');

/** A route needs a walsender, a slot and a session at its source, and two sessions at its target. */
const settings = {
  max_wal_senders: String(routes + 8),
  max_replication_slots: String(routes + 8),
  max_connections: String(4 * routes + 40),
};

/** A share of what several processes have in common counts for each. */
function megabytes(pid: number): { readonly rss: number; readonly pss: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const read = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1]) / 1024;
  return { rss: read('Rss'), pss: read('Pss') };
}

const sum = (values: readonly number[]): number => values.reduce((total, each) => total + each, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const say = (text: string): void => void process.stdout.write(`${text}\n`);

async function main(): Promise<void> {
  await using sourceServer = await startPostgres({ settings });
  await using targetServer = await startPostgres({ settings });
  const [source, target] = await Promise.all([sourceServer.createDatabase(), targetServer.createDatabase()]);
  const numbers = Array.from({ length: routes }, (_, at) => at + 1);
  for (const database of [source, target])
    await database.query(numbers.map((n) => `CREATE TABLE t${n} (id int PRIMARY KEY, v text);`).join(''));
  const folder = mkdtempSync(join(runDirectory(), 'idle-'));
  const lines = numbers.map((n) => `  r${n}: { from: here, to: there, tables: [public.t${n}] }\n`);
  const nodes = `  here: { type: postgres, url: "${source.url()}" }\n  there: { type: postgres, url: "${target.url()}" }\n`;
  writeFileSync(join(folder, 'tidelock.yaml'), `version: 1\nname: idle\nnodes:\n${nodes}routes:\n${lines.join('')}`);

  const beganMs = performance.now();
  const service = spawn(process.execPath, [program, 'run', '--json'], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const { pid = 0 } = service;
  try {
    const states = new Map<string, string>();
    createInterface(service.stdout).on('line', (line) => {
      const { route, state } = JSON.parse(line);
      states.set(route, state);
    });
    const running = (): number => [...states.values()].filter((state) => state === 'running').length;
    await until('all routes', () => running() === routes || null, 600_000);
    const workers = childrenOf(pid);
    const startCpu = cpuUs([pid, ...workers]) / 1e6;
    say(
      `${routes} routes run after ${((performance.now() - beganMs) / 1000).toFixed(1)} s, ${startCpu.toFixed(1)} s of CPU (${((startCpu * 1000) / routes).toFixed(0)} ms a route)`,
    );
    // What is compiled and collected after the start is not idling.
    await delay(10_000);
    await idle({ service: pid, workers, servers: [sourceServer.pid, targetServer.pid] });
    say(`${running()} of ${routes} run at the end`);
  } finally {
    service.kill('SIGTERM');
    await once(service, 'exit');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function idle(pids: {
  readonly service: number;
  readonly workers: readonly number[];
  readonly servers: readonly number[];
}): Promise<void> {
  const sessions = pids.servers.flatMap((pid) => [pid, ...childrenOf(pid)]);
  const all = [pids.service, ...pids.workers, ...sessions];
  const before = new Map(all.map((pid) => [pid, cpuUs([pid])]));
  await delay(seconds * 1000);
  const percent = (pid: number): number => {
    const times = cpuTimesOf(pid);
    // Null of a session that has ended.
    return times === null ? 0 : ((times.ownUs - (before.get(pid) ?? 0)) / 1e6 / seconds) * 100;
  };
  const workers = pids.workers.map(percent);
  const service = percent(pids.service);
  const servers = sum(sessions.map(percent));
  say(`CPU, of one core: ${mean(workers).toFixed(2)} % a worker (most: ${Math.max(...workers).toFixed(2)} %)`);
  say(
    `  the Supervisor ${service.toFixed(2)} %; with its share ${((sum(workers) + service) / routes).toFixed(2)} % a route`,
  );
  say(`  both servers together ${(servers / routes).toFixed(2)} % a route`);
  const memory = pids.workers.map(megabytes);
  say(
    `memory: ${mean(memory.map(({ rss }) => rss)).toFixed(0)} MB resident a worker, ` +
      `${mean(memory.map(({ pss }) => pss)).toFixed(0)} MB of its own; the Supervisor ${megabytes(pids.service).pss.toFixed(0)} MB; ` +
      `all ${(sum(memory.map(({ pss }) => pss)) / 1024).toFixed(1)} GB`,
  );
}

await setup();
try {
  await main();
} finally {
  teardown();
}
