// npm run bench -- --help
import { parseArgs } from 'node:util';
import { setup, teardown } from '../test/support/global-setup.ts';
import { vendorContest, vendorWays } from './between-vendors/vendor-contest.ts';
import { decode } from './decode/decode.ts';
import { decodeBinlog } from './decode-binlog/decode-binlog.ts';
import { machine } from './machine.ts';
import { mysqlContest, mysqlSettings } from './mysql-to-mysql/mysql-contest.ts';
import { mysqlWorkloads } from './mysql-to-mysql/workloads.ts';
import { besideThePeer } from './pg-to-pg/beside-the-peer.ts';
import type { SynchronousCommit } from './pg-to-pg/contender.ts';
import type { Contest, Outcome } from './pg-to-pg/contest.ts';
import { farTarget } from './pg-to-pg/far-target.ts';
import { manyRoutes } from './pg-to-pg/many-routes.ts';
import { servers } from './pg-to-pg/stage.ts';
import { steady } from './pg-to-pg/steady.ts';
import { backlog } from './pg-to-pg/workloads/backlog.ts';
import { foreignKeys } from './pg-to-pg/workloads/foreign-keys.ts';
import { oneTransaction } from './pg-to-pg/workloads/one-transaction.ts';
import { singleUpdates } from './pg-to-pg/workloads/single-updates.ts';
import { wideRows } from './pg-to-pg/workloads/wide-rows.ts';

const backlogs = [backlog, oneTransaction, wideRows, singleUpdates, foreignKeys];
const contests: readonly Contest[] = [
  besideThePeer(backlog),
  besideThePeer(oneTransaction),
  steady,
  besideThePeer(wideRows),
  besideThePeer(singleUpdates),
  besideThePeer(foreignKeys),
  farTarget,
  manyRoutes,
];

const help = `npm run bench -- pg-to-pg|mysql-to-mysql|between-vendors|decode|decode-binlog [OPTION]...

pg-to-pg measures Tidelock beside PostgreSQL's own logical replication of the same source, taking turns, on servers that it starts by itself. JSON lines on standard
output: the machine, each round, each result. A table on standard error. A run whose target was not equal to the source at its end has failed, whatever it took.
mysql-to-mysql does so beside MySQL's own replica with four workers, at the default durability: ${mysqlWorkloads.map(({ name }) => name).join(', ')}.
between-vendors carries workload A from MySQL to PostgreSQL and from PostgreSQL to MySQL, at the default durability of MySQL: changes a second.
decode measures what a row of a backlog (${backlogs.map(({ name }) => name).join(', ')}) costs the engine before it is applied.
decode-binlog measures how fast the binlog of mysql-to-mysql's workloads is read, beside zongji: must be 3 times, should be 5.

  --workload A,E            only these: ${contests.map(({ name }) => name).join(', ')}
  --rounds 5                of which the median counts
  --scale 1                 share of the full size
  --seconds 20              of C, for each contender and round
  --synchronous-commit off,on   of the sessions that apply, at both targets: one of them, or both, one after the other
  --lanes 1                 of Tidelock's routes: apply.lanes
  --files DIRECTORY         where the servers keep their files, else in memory where there is room (TIDELOCK_TEST_FILES)
  --profile FOLDER          of decode: V8's profile of the reading process
  --smoke                   a few seconds each: that it works; says nothing about speed
  --demand                  exit code 1 unless every workload is as good as it must be
  -h, --help

${contests.map(({ name, title }) => `  ${name}  ${title}`).join('\n')}

Example: npm run -s bench -- pg-to-pg --workload A --rounds 3 --synchronous-commit off > rounds.jsonl
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    workload: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    scale: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '20' },
    'synchronous-commit': { type: 'string', default: 'off,on' },
    lanes: { type: 'string', default: '1' },
    files: { type: 'string' },
    profile: { type: 'string' },
    smoke: { type: 'boolean', default: false },
    demand: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

function say(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** Those that are named, or all. */
function chosen<T extends { readonly name: string }>(all: readonly T[]): readonly T[] {
  return (
    values.workload?.split(',').map((name) => {
      const found = all.find((each) => each.name === name.toUpperCase());
      if (found === undefined) throw new Error(`there is no workload ${name}`);
      return found;
    }) ?? all
  );
}

function positive(name: 'rounds' | 'scale' | 'seconds' | 'lanes'): number {
  const value = Number(values[name]);
  if (!(value > 0)) throw new Error(`--${name} must be a number above 0`);
  return value;
}

function commits(): SynchronousCommit[] {
  return values['synchronous-commit'].split(',').map((value) => {
    if (value !== 'off' && value !== 'on') throw new Error('--synchronous-commit must be off, on or off,on');
    return value;
  });
}

async function decodeAll(): Promise<boolean> {
  const options = {
    rounds: values.smoke ? 1 : positive('rounds'),
    scale: values.smoke ? 0.01 : positive('scale'),
    profile: values.profile ?? null,
    onRound: say,
  };
  for (const workload of chosen(backlogs)) say(await decode(workload, options));
  return true;
}

async function decodeBinlogs(): Promise<boolean> {
  const options = {
    rounds: values.smoke ? 1 : positive('rounds'),
    scale: values.smoke ? 0.01 : positive('scale'),
    onRound: (line: object) => say({ kind: 'round', ...line }),
  };
  say(machine());
  for (const workload of chosen(mysqlWorkloads)) say(await decodeBinlog(workload, options));
  return true;
}

async function compareAll(): Promise<boolean> {
  const terms = {
    rounds: values.smoke ? 1 : positive('rounds'),
    scale: values.smoke ? 0.01 : positive('scale'),
    seconds: values.smoke ? 1 : positive('seconds'),
    lanes: positive('lanes'),
    onRound: (line: object) => say({ kind: 'round', ...line }),
  };
  say({ ...machine(), servers });
  const table: string[] = [];
  let isGood = true;
  for (const synchronousCommit of values.smoke ? (['off'] as const) : commits()) {
    table.push('', `synchronous_commit = ${synchronousCommit} at the targets, median of ${terms.rounds}`);
    for (const contest of chosen(contests)) {
      const outcome: Outcome = await contest.run({ ...terms, synchronousCommit });
      const { text, figures, ...rest } = outcome;
      say({ kind: 'result', ...rest, ...figures });
      const verdict = outcome.failed.length > 0 ? `FAILED: not equal: ${outcome.failed.join(', ')}` : text;
      table.push(`${contest.name} ${outcome.passed ? ' ' : '!'} ${verdict}`);
      isGood &&= outcome.failed.length === 0 && (outcome.passed || !values.demand);
    }
  }
  process.stderr.write(`${table.join('\n')}\n\nTidelock / its peer; ! is less than it must be\n`);
  return isGood;
}

async function compareMysql(): Promise<boolean> {
  const terms = {
    rounds: values.smoke ? 1 : positive('rounds'),
    scale: values.smoke ? 0.01 : positive('scale'),
    onRound: (line: object) => say({ kind: 'round', ...line }),
  };
  say({ ...machine(), servers: mysqlSettings });
  const table: string[] = [];
  let isGood = true;
  for (const workload of chosen(mysqlWorkloads)) {
    const { text, figures, ...rest } = await mysqlContest(workload, terms);
    say({ kind: 'result', ...rest, ...figures });
    const verdict = rest.failed.length > 0 ? `FAILED: not equal: ${rest.failed.join(', ')}` : text;
    table.push(`${workload.name} ${rest.passed ? ' ' : '!'} ${verdict}`);
    isGood &&= rest.failed.length === 0 && (rest.passed || !values.demand);
  }
  process.stderr.write(`${table.join('\n')}\n\nTidelock / its peer; ! is less than it must be\n`);
  return isGood;
}

async function measureVendors(): Promise<boolean> {
  const terms = {
    rounds: values.smoke ? 1 : positive('rounds'),
    scale: values.smoke ? 0.01 : positive('scale'),
    onRound: (line: object) => say({ kind: 'round', ...line }),
  };
  say({ ...machine(), servers: { ...servers, ...mysqlSettings } });
  const table: string[] = [];
  let isGood = true;
  for (const way of vendorWays) {
    const { passed, failed, figures, text } = await vendorContest(way, terms);
    say({ kind: 'result', passed, failed, ...figures });
    table.push(`${way.name} ${passed ? ' ' : '!'} ${failed ? 'FAILED: not equal' : text}`);
    isGood &&= !failed && (passed || !values.demand);
  }
  process.stderr.write(`${table.join('\n')}\n\n! is less than it must be\n`);
  return isGood;
}

const measures = {
  'pg-to-pg': compareAll,
  'mysql-to-mysql': compareMysql,
  'between-vendors': measureVendors,
  decode: decodeAll,
  'decode-binlog': decodeBinlogs,
};
const measure = Object.entries(measures).find(([name]) => name === positionals[0])?.[1];

if (values.help) {
  process.stdout.write(help);
} else if (measure === undefined || positionals.length > 1) {
  process.stderr.write(help);
  process.exitCode = 2;
} else {
  if (values.files !== undefined) process.env.TIDELOCK_TEST_FILES = values.files;
  await setup();
  try {
    if (!(await measure())) process.exitCode = 1;
  } finally {
    await teardown();
  }
}
