// node bench/synchronous.ts [SECONDS] [ROUNDS]: how many COMMITs a second a source gives that waits for the route, as for a synchronous standby, beside
// PostgreSQL's own subscription with its default. Updates of one row, by 1 client and by 8. Each waits for a few seconds before it is measured: a
// route learns of the setting with its next heartbeat, two seconds later at most.
import { setTimeout as delay } from 'node:timers/promises';
import { setup, teardown } from '../test/support/global-setup.ts';
import type { TestDatabase } from '../test/support/postgres.ts';
import { until } from '../test/support/until.ts';
import { machine } from './machine.ts';
import { median, quantile } from './measure.ts';
import type { Contender } from './pg-to-pg/contender.ts';
import { rounded } from './pg-to-pg/contest.ts';
import { contents, differences } from './pg-to-pg/equality.ts';
import { Stage, servers } from './pg-to-pg/stage.ts';
import { subscription } from './pg-to-pg/subscription.ts';
import { tidelock } from './pg-to-pg/tidelock.ts';

const seconds = Number(process.argv[2] ?? 4);
const rounds = Number(process.argv[3] ?? 3);
const clients = [1, 8];
const most = 8;
const rowsEach = 100;
const learnMs = 2_500;

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

async function waitFor(source: TestDatabase, standby: string): Promise<void> {
  const names = standby === '' ? '' : `"${standby}"`;
  await source.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`);
  await source.query('SELECT pg_reload_conf()');
}

async function commits(source: TestDatabase, count: number): Promise<number[]> {
  const takenMs: number[] = [];
  const endMs = performance.now() + seconds * 1_000;
  const one = (client: number): Promise<void> =>
    source.session(async (session) => {
      for (let at = 0; performance.now() < endMs; at++) {
        const beganMs = performance.now();
        const row = client * rowsEach + (at % rowsEach);
        await session.query({ name: 'u', text: 'UPDATE account SET n = n + 1 WHERE id = $1', values: [row] });
        takenMs.push(performance.now() - beganMs);
      }
    });
  await Promise.all(Array.from({ length: count }, (_, client) => one(client)));
  return takenMs;
}

async function measure(source: TestDatabase, contender: Contender): Promise<Map<number, number[]>> {
  await contender.enable();
  const name = await until('the stream', async () => {
    const streaming = `SELECT application_name AS name FROM pg_stat_replication WHERE state = 'streaming'`;
    return (await source.query(streaming))[0]?.name as string | undefined;
  });
  const taken = new Map<number, number[]>();
  try {
    await waitFor(source, name);
    await delay(learnMs);
    for (const count of clients) taken.set(count, await commits(source, count));
  } finally {
    await waitFor(source, '');
  }
  await until('the last row', async () => {
    const [wanted, found] = [await contents(source, ['public']), await contents(contender.target, ['public'])];
    return differences(wanted, found).length === 0;
  });
  await contender.disable();
  return taken;
}

async function main(): Promise<void> {
  await using stage = await Stage.open({
    tables: 'CREATE TABLE account (id int PRIMARY KEY, n bigint);',
    prepare: async (source) =>
      void (await source.query(`INSERT INTO account SELECT i, 0 FROM generate_series(0, ${most * rowsEach}) i`)),
    synchronousCommit: 'off',
    contenders: [
      (source, target, on) => tidelock({ source, target, ends: (end) => on.onEnd(end) }),
      (source, target, on) => subscription(source, target, on.synchronousCommit),
    ],
  });
  const { source, contenders } = stage;
  say({ ...machine(), servers });
  for (const contender of contenders) await contender.disable();
  const rates = new Map<string, number[]>();
  for (let round = 1; round <= rounds; round++)
    for (const contender of round % 2 === 0 ? [...contenders].reverse() : contenders)
      for (const [count, takenMs] of await measure(source, contender)) {
        const perSecond = takenMs.length / seconds;
        const key = `${contender.name}, clients: ${count}`;
        rates.set(key, [...(rates.get(key) ?? []), perSecond]);
        const [p50Ms, p99Ms] = [0.5, 0.99].map((share) => rounded(quantile(takenMs, share)));
        say({ kind: 'round', round, contender: contender.name, clients: count, perSecond, p50Ms, p99Ms });
      }
  for (const [who, all] of rates) process.stderr.write(`${who}: ${median(all).toFixed(0)} COMMITs a second\n`);
}

await setup();
try {
  await main();
} finally {
  await teardown();
}
