import { expect } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import type { MysqlServer } from '../support/mysql.ts';
import type { PostgresServer } from '../support/postgres.ts';
import { isAlive } from '../support/process-tree.ts';
import { RouteFile, type RunningRoute } from '../support/route.ts';
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

/** As TIDELOCK_FAILPOINTS has them: each is for the worker that those before it have left. */
export function killList(kills: readonly Kill[], { here, there }: CrashServers): string {
  const pids = { worker: '', source: `/${here.pid}`, target: `/${there.pid}` };
  let crashes = 0;
  return kills
    .map(({ name, victim, hit }) => {
      const after = crashes;
      if (victim === 'worker') crashes++;
      return `${name}=${hit}:kill${pids[victim]}@${after}`;
    })
    .join();
}

export interface Dying {
  readonly route: RunningRoute;
  readonly servers: CrashServers;
  /** Those that the route was given, no server twice. */
  readonly kills: readonly Kill[];
  /** Gives the route what brings it to the place of the kill of this number. */
  feed?(at: number): Promise<void>;
}

/** How long it may take to an end. */
const endMs = 50_000;

/** Waits for each end in its turn, and starts servers again. */
export async function dieInTurn({ route, servers, kills, feed }: Dying): Promise<void> {
  const pids = { source: servers.here.pid, target: servers.there.pid };
  let crashes = 0;
  for (const [at, { name, victim }] of kills.entries()) {
    const fed = feed?.(at);
    // Where the wait for an end fails, that one is told.
    fed?.catch(() => {});
    if (victim === 'worker') {
      await route.logged('worker died, starting it again', ++crashes, endMs);
    } else {
      await until(`the end of the ${victim} at ${name}`, () => !isAlive(pids[victim]), endMs);
      const server = victim === 'source' ? servers.here : servers.there;
      await server.kill9();
      await server.start();
    }
    await fed;
  }
}

export function killText(kills: readonly Kill[]): string {
  return kills.map(({ name, victim, hit }) => `at ${name}, of the ${victim}, at passing ${hit}`).join(', then ');
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

export const entries = (from: number, to: number, filler: string): string =>
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

export interface CrashPair extends AsyncDisposable {
  readonly source: CrashEnd;
  readonly target: CrashEnd;
  readonly file: RouteFile;
  /** Of the deployment. */
  readonly name: string;
  /** Both sides hold the same rows. */
  same(tables?: readonly string[]): Promise<void>;
}

/** Two ends with the same tables, and a route of all of them: `route` are more lines of it. */
export async function crashPair({ here, there }: CrashServers, route = ''): Promise<CrashPair> {
  const [source, target] = await Promise.all([here, there].map((server) => crashEnd(server, schema, ['event'])));
  if (source === undefined || target === undefined) throw new TypeError('two ends');
  const name = `killed-${++routes}`;
  const file = new RouteFile({
    ...{ source: source.end, target: target.end, name },
    route: `tables: [{ name: "${source.schema}.*", to: "${target.schema}.{table}" }]${route}`,
  });
  const rows = async (end: CrashEnd, table: string): Promise<unknown[]> =>
    (await end.query(contents[table] ?? '')).map(({ r }) => r).sort();
  return {
    ...{ source, target, file, name },
    same: async (tables = Object.keys(contents)) => {
      for (const table of tables) expect(await rows(target, table), table).toEqual(await rows(source, table));
    },
    [Symbol.asyncDispose]: async () => {
      file[Symbol.dispose]();
      await source.freeQueues();
    },
  };
}

/** How many transactions come once more for each kill but the first. */
const more = 3;

const moreScript = (at: number): readonly string[] =>
  Array.from(
    { length: more },
    (_, i) =>
      `UPDATE tally SET total = total + 1; INSERT INTO event VALUES (1, 'same'); INSERT INTO entry VALUES (${100 * at + i}, ${i}, NULL)`,
  );

/** Kills at the places, one after the other, while transactions come, and shows that each is there once. */
export async function killedWhileStreaming(servers: CrashServers, kills: readonly Kill[]): Promise<void> {
  await using ends = await crashPair(servers, '\napply: { memory: 8MB }');
  const { source, target, file } = ends;
  const done = `${source.aside}.done`;
  await source.query(`CREATE TABLE ${done} (number int PRIMARY KEY)`);
  await using route = file.run({ TIDELOCK_FAILPOINTS: killList(kills, servers) });
  await route.state('running');
  let session = await source.session();
  let number = 0;
  const write = async (transactions: readonly string[]): Promise<void> => {
    for (const statements of transactions) {
      // The source may be the one that dies: what was not answered is looked up before it is sent again.
      while (!(await commits(session, source, { number, statements, done }))) {
        await session.end().catch(() => {});
        session = await until('the source', () => source.session().catch(() => null));
      }
      number++;
    }
  };
  await dieInTurn({ route, servers, kills, feed: (at) => write(at === 0 ? script : moreScript(at)) });
  await session.end();
  await route.caughtUp();
  await ends.same();
  const total = String(18 + more * (kills.length - 1));
  expect(await target.query('SELECT CONCAT(total) AS total FROM tally')).toEqual([{ total }]);
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

/** Kills the worker while it copies the tables, at each place in turn: the load begins anew, at a place of the queue of its own. */
export async function killedWhileLoading(
  servers: CrashServers,
  names: readonly ('slot.created' | 'load.copied')[],
): Promise<void> {
  await using ends = await crashPair(servers);
  const { source, file } = ends;
  const kills = names.map((name) => ({ name, victim: 'worker', hit: 1 }) as const);
  await source.query(entries(1, 5000, 'NULL'));
  await using route = file.run({ TIDELOCK_FAILPOINTS: killList(kills, servers) });
  await dieInTurn({ route, servers, kills });
  // What comes before the new slot has to be in the copy, what comes after it in the stream.
  await source.query(`INSERT INTO entry VALUES (0, 0, NULL)`);
  await route.caughtUp();
  await source.query(`DELETE FROM entry WHERE id < 10`);
  await route.caughtUp();
  await ends.same(['entry']);
}

/** Kills the worker while the rows go that a load replaces: they are gone in the end, and those of the source there. */
export async function killedWhileReplacing(servers: CrashServers): Promise<void> {
  await using ends = await crashPair(servers);
  const { source, target, file } = ends;
  await source.query(entries(1, 3000, 'NULL'));
  // The begin of the load, two steps that are committed, and one that is not.
  await using route = file.run({ TIDELOCK_FAILPOINTS: 'chunk.sent=4:kill' });
  await route.caughtUp();
  await target.query(`DELETE FROM entry WHERE id < 20; ${entries(5000, 7000, "'of nobody'")}`);
  const worker = await route.workerPid();
  const load = file.tidelock('load', 'here-to-there', `${source.schema}.entry`, '--existing', 'replace', '--yes');
  await until('the end of the worker', () => !isAlive(worker));
  await source.query(
    `UPDATE entry SET value = -1 WHERE id IN (1, 1500, 3000); DELETE FROM entry WHERE id = 2; ${entries(4000, 4001, 'NULL')}`,
  );
  expect(await load).toMatchObject({ code: 0 });
  await route.caughtUp();
  await ends.same(['entry']);
}

/** The first COMMIT's answer is lost, and so is that of the worker's next attempt. */
export async function loseAnswers(servers: CrashServers): Promise<void> {
  await using ends = await crashPair(servers);
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
  await using ends = await crashPair(servers);
  const { source, file } = ends;
  await source.query(entries(1, 100, 'NULL'));
  await using route = file.run({ TIDELOCK_FAILPOINTS: 'load.answerLost=1:throw' });
  await route.state('retrying');
  await source.query(`DELETE FROM entry WHERE id < 10`);
  await route.state('running');
  await route.caughtUp();
  await ends.same(['entry']);
}
