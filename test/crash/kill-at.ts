import { expect } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import type { MysqlServer } from '../support/mysql.ts';
import type { PostgresServer } from '../support/postgres.ts';
import { isAlive } from '../support/process-tree.ts';
import { RouteFile } from '../support/route.ts';
import { until } from '../support/until.ts';
import { type CrashEnd, type CrashSession, crashEnd } from './crash-end.ts';

/** What a group comes through at a target, of any vendor. */
export const targetSteps: readonly FailpointName[] = [
  'marker.before',
  'marker.after',
  'part.savepoint',
  'part.applied',
  'commit.before',
  'commit.sent',
  'commit.answerLost',
  'commit.answered',
];

/** The servers of a pair's two ends, of any vendor. */
export interface CrashServers {
  readonly here: PostgresServer | MysqlServer;
  readonly there: PostgresServer | MysqlServer;
}

export const victims = ['worker', 'source', 'target'] as const;
export type Victim = (typeof victims)[number];

export interface Kill {
  readonly name: FailpointName;
  readonly victim: Victim;
  readonly hit: number;
}

const schema = `
  CREATE TABLE entry (id int PRIMARY KEY, value int NOT NULL, filler text);
  CREATE TABLE tally (id int PRIMARY KEY, total int NOT NULL);
  CREATE TABLE event (at int, what text);
`;

/** By words that each vendor has, in an order of ours. */
const contents: Readonly<Record<string, string>> = {
  entry: `SELECT CONCAT_WS('|', id, value, COALESCE(filler, '-')) AS r FROM entry`,
  tally: `SELECT CONCAT_WS('|', id, total) AS r FROM tally`,
  event: `SELECT CONCAT_WS('|', at, what) AS r FROM event`,
};

const entries = (from: number, to: number, filler: string): string =>
  `INSERT INTO entry VALUES ${Array.from({ length: to - from + 1 }, (_, i) => `(${from + i}, ${from + i}, ${filler})`).join()}`;

/**
 * Transactions that show it when one is lost or applied twice: increments, rows without a key, and one that is larger
 * than the memory of the route, so that it is applied in parts. Every vendor takes them as they are.
 */
const script: readonly string[] = [
  `INSERT INTO tally VALUES (1, 0)`,
  ...Array.from(
    { length: 12 },
    (_, i) =>
      `UPDATE tally SET total = total + 1; INSERT INTO event VALUES (1, 'same'); INSERT INTO entry VALUES (${i}, ${i}, NULL)`,
  ),
  `${entries(1000, 16000, `repeat('x', 400)`)}; UPDATE tally SET total = total + 1`,
  `UPDATE entry SET value = value + 1 WHERE id >= 1000; INSERT INTO event VALUES (1, 'same')`,
  ...Array.from({ length: 5 }, (_, i) => `DELETE FROM entry WHERE id = ${i}; UPDATE tally SET total = total + 1`),
];

let routes = 0;

interface Pair extends AsyncDisposable {
  readonly source: CrashEnd;
  readonly target: CrashEnd;
  readonly file: RouteFile;
  /** Both sides hold the same rows. */
  same(tables?: readonly string[]): Promise<void>;
}

async function pair({ here, there }: CrashServers, route = ''): Promise<Pair> {
  const [source, target] = await Promise.all([here, there].map((server) => crashEnd(server, schema, ['event'])));
  if (source === undefined || target === undefined) throw new TypeError('two ends');
  const file = new RouteFile({
    ...{ source: source.end, target: target.end, name: `killed-${++routes}` },
    route: `tables: [{ name: "${source.schema}.*", to: "${target.schema}.{table}" }]${route}`,
  });
  const rows = async (end: CrashEnd, table: string): Promise<unknown[]> =>
    (await end.query(contents[table] ?? '')).map(({ r }) => r).sort();
  return {
    ...{ source, target, file },
    same: async (tables = Object.keys(contents)) => {
      for (const table of tables) expect(await rows(target, table), table).toEqual(await rows(source, table));
    },
    [Symbol.asyncDispose]: async () => file[Symbol.dispose](),
  };
}

/** Kills at the place while transactions come, and shows that each is there once. */
export async function killedWhileStreaming(servers: CrashServers, { name, victim, hit }: Kill): Promise<void> {
  await using ends = await pair(servers, '\napply: { memory: 8MB }');
  const { source, target, file } = ends;
  const done = `${source.aside}.done`;
  await source.query(`CREATE TABLE ${done} (number int PRIMARY KEY)`);
  const pids = { worker: '', source: `/${servers.here.pid}`, target: `/${servers.there.pid}` };
  await using route = file.run({ TIDELOCK_FAILPOINTS: `${name}=${hit}:kill${pids[victim]}` });
  await route.state('running');
  const worker = await route.workerPid();
  const before = { worker, source: servers.here.pid, target: servers.there.pid }[victim];
  let killed = false;
  const writing = (async () => {
    let session = await source.session();
    for (const [number, statements] of script.entries()) {
      // The source may be the one that dies: what was not answered is looked up before it is sent again.
      while (!(await commits(session, source, { number, statements, done }))) {
        await session.end().catch(() => {});
        session = await until('the source', () => source.session().catch(() => null));
      }
    }
    await session.end();
  })();
  const restarting = until(`the end of the ${victim}`, () => !isAlive(before), 20_000).then(async () => {
    killed = true;
    if (victim === 'worker') return;
    const server = victim === 'source' ? servers.here : servers.there;
    await server.kill9();
    await server.start();
  });
  await Promise.all([writing, restarting]);
  await route.caughtUp();
  await ends.same();
  expect(killed).toBe(true);
  expect(await target.query('SELECT CONCAT(total) AS total FROM tally')).toEqual([{ total: '18' }]);
}

interface Numbered {
  readonly number: number;
  readonly statements: string;
  readonly done: string;
}

/** Runs it as one transaction, whose outcome is certain: it leaves its number behind. */
async function commits(
  session: CrashSession,
  source: CrashEnd,
  { number, statements, done }: Numbered,
): Promise<boolean> {
  try {
    await session.run('BEGIN');
    await session.run(`INSERT INTO ${done} VALUES (${number}); ${statements}`);
    await session.run('COMMIT');
    return true;
  } catch {
    const rows = await until('the source', () =>
      source.query(`SELECT number FROM ${done} WHERE number = ${number}`).catch(() => null),
    );
    return rows.length === 1;
  }
}

/** Kills the worker while it copies the tables: the load begins anew, at a place of the queue of its own. */
export async function killedWhileLoading(servers: CrashServers, name: 'slot.created' | 'load.copied'): Promise<void> {
  await using ends = await pair(servers);
  const { source, file } = ends;
  await source.query(entries(1, 5000, 'NULL'));
  await using route = file.run({ TIDELOCK_FAILPOINTS: `${name}=1:kill` });
  const worker = await route.workerPid();
  await until('the end of the worker', () => !isAlive(worker));
  // What comes before the new slot has to be in the copy, what comes after it in the stream.
  await source.query(`INSERT INTO entry VALUES (0, 0, NULL)`);
  await route.caughtUp();
  await source.query(`DELETE FROM entry WHERE id < 10`);
  await route.caughtUp();
  await ends.same(['entry']);
}

/** The first COMMIT's answer is lost, and so is that of the worker's next attempt. */
export async function loseAnswers(servers: CrashServers): Promise<void> {
  await using ends = await pair(servers);
  const { source, target, file } = ends;
  await using route = file.run({ TIDELOCK_FAILPOINTS: 'commit.answerLost=1:throw' });
  await route.state('running');
  await source.query(`INSERT INTO tally VALUES (1, 0)`);
  await source.query(`UPDATE tally SET total = total + 1`);
  await route.caughtUp();
  // The rows may be there before the engine tells what has become of their COMMIT.
  await until('the interruption', () => route.log.includes('route interrupted'));
  expect(await target.query('SELECT CONCAT(total) AS total FROM tally')).toEqual([{ total: '1' }]);
}

/** The load is committed, and nobody has heard of it. */
export async function loseAnswerOfLoad(servers: CrashServers): Promise<void> {
  await using ends = await pair(servers);
  const { source, file } = ends;
  await source.query(entries(1, 100, 'NULL'));
  await using route = file.run({ TIDELOCK_FAILPOINTS: 'load.answerLost=1:throw' });
  await route.state('retrying');
  await source.query(`DELETE FROM entry WHERE id < 10`);
  await route.state('running');
  await route.caughtUp();
  await ends.same(['entry']);
}
