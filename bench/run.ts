// npm run bench -- pg-to-pg [--workload A,B,...] [--rounds 5] [--scale 1] [--synchronous-commit off|on] [--smoke]
// npm run bench -- decode [--workload A,B,...] [--rounds 5] [--scale 1] [--profile FOLDER] [--smoke]
//
// decode: what a row costs the engine before it is applied. pg-to-pg:
// Each workload beside PostgreSQL's own logical replication of the same source, in one run, taking turns. One JSON line for each round and result on
// standard output, a table on standard error.
import { parseArgs } from 'node:util';
import { setup, teardown } from '../test/support/global-setup.ts';
import { decode } from './decode/decode.ts';
import { race } from './pg-to-pg/race.ts';
import { steady } from './pg-to-pg/steady.ts';
import { backlog } from './pg-to-pg/workloads/backlog.ts';
import { foreignKeys } from './pg-to-pg/workloads/foreign-keys.ts';
import { oneTransaction } from './pg-to-pg/workloads/one-transaction.ts';
import { singleUpdates } from './pg-to-pg/workloads/single-updates.ts';
import { wideRows } from './pg-to-pg/workloads/wide-rows.ts';

const races = [backlog, oneTransaction, wideRows, singleUpdates, foreignKeys];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workload: { type: 'string', default: 'A,B,C,D,E,F' },
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    profile: { type: 'string' },
    'synchronous-commit': { type: 'string', default: 'off' },
    /** A few seconds: that it works. */
    smoke: { type: 'boolean', default: false },
  },
});

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function main(): Promise<void> {
  if (positionals[0] === 'decode') return await decodeAll();
  if (positionals[0] !== 'pg-to-pg') throw new Error('npm run bench -- pg-to-pg [--workload A,B] [--smoke]');
  const synchronousCommit = values['synchronous-commit'] === 'on' ? 'on' : 'off';
  const rounds = values.smoke ? 1 : Number(values.rounds);
  const scale = values.smoke ? 0.01 : Number(values.scale);
  const table: string[] = [];
  for (const name of values.workload.split(',')) {
    if (name === 'C') {
      const seconds = values.smoke ? 5 : 20;
      const result = await steady({ rounds, seconds, transactionsPerSecond: 1_000, synchronousCommit });
      say(result);
      const { tidelock, postgresql } = result;
      const ms = (value: number): string => `${value.toFixed(1)} ms`;
      table.push(
        `C  p50 ${ms(tidelock.p50Ms)} / ${ms(postgresql.p50Ms)} (must: 2 times)   p99 ${ms(tidelock.p99Ms)} / ${ms(postgresql.p99Ms)} (must: 50 ms)`,
      );
      continue;
    }
    const workload = races.find((each) => each.name === name);
    if (workload === undefined) throw new Error(`there is no workload ${name}`);
    const result = await race(workload, { rounds, scale, synchronousCommit, onRound: say });
    say(result);
    const seconds = (valueMs: number): string => `${(valueMs / 1_000).toFixed(2)} s`;
    table.push(
      `${name}  ${seconds(result.tidelockMs)} / ${seconds(result.postgresqlMs)}   throughput ${result.ratio.toFixed(2)} times (must: ${result.must}, aim: ${workload.aim})   ` +
        `${result.cpuUsPerRow.toFixed(2)} us CPU a row   ${(result.peakBytes / 1e6).toFixed(0)} MB   ${workload.title}`,
    );
  }
  process.stderr.write(
    `\nTidelock / PostgreSQL's own, synchronous_commit = ${synchronousCommit}, median of ${rounds}\n${table.join('\n')}\n`,
  );
}

async function decodeAll(): Promise<void> {
  const options = {
    rounds: values.smoke ? 1 : Number(values.rounds),
    scale: values.smoke ? 0.01 : Number(values.scale),
    profile: values.profile ?? null,
    onRound: say,
  };
  for (const name of values.workload.split(',')) {
    const workload = races.find((each) => each.name === name);
    if (workload !== undefined) say(await decode(workload, options));
  }
}

setup();
try {
  await main();
} finally {
  teardown();
}
