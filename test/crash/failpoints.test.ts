import { expect, test } from 'vitest';
import { contents } from '../support/compare.ts';
import { isAlive } from '../support/process-tree.ts';
import { RouteFile } from '../support/route.ts';
import { seed } from '../support/seed.ts';
import { isThorough, sampled } from '../support/thorough.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';
import {
  type Kill,
  killedWhileLoading,
  killedWhileStreaming,
  killText,
  loseAnswerOfLoad,
  loseAnswers,
} from './kill-at.ts';
import { firstPassing, killedInLanes, killsAtPassing } from './kills-at-passing.ts';

const servers = twoServers();

/** The worker at each of the steps, and a server in the middle of a transaction, of its COMMIT, and of what follows on it: several in one route. */
const inTurn: readonly (readonly Kill[])[] = [
  [
    { name: 'marker.before', victim: 'worker', hit: firstPassing },
    { name: 'marker.after', victim: 'worker', hit: 1 },
    { name: 'part.savepoint', victim: 'worker', hit: 2 },
    { name: 'part.applied', victim: 'worker', hit: firstPassing },
    { name: 'part.applied', victim: 'source', hit: 2 },
  ],
  [
    { name: 'commit.before', victim: 'worker', hit: firstPassing },
    { name: 'commit.sent', victim: 'worker', hit: 2 },
    { name: 'commit.answerLost', victim: 'worker', hit: 1 },
    { name: 'commit.sent', victim: 'target', hit: 1 },
  ],
  [
    { name: 'commit.answered', victim: 'worker', hit: firstPassing },
    { name: 'flush.seen', victim: 'worker', hit: 1 },
    { name: 'ack.sent', victim: 'worker', hit: 1 },
    { name: 'flush.seen', victim: 'source', hit: 1 },
  ],
  // After other kills the target has long flushed what comes again.
  [{ name: 'ack.sent', victim: 'target', hit: firstPassing }],
];

const inLanes: readonly Kill[] = [
  { name: 'lane.begun', victim: 'worker', hit: firstPassing },
  { name: 'lane.committed', victim: 'worker', hit: 2 },
  { name: 'lane.turn', victim: 'target', hit: 2 },
];

// The other passings are files of their own in test/full: they take as long as this one.
if (isThorough) killsAtPassing(servers, firstPassing);
else {
  test.for(inTurn.map((kills) => [killText(kills), kills] as const))('kill -9 %s', { timeout: 240_000 }, ([, kills]) =>
    killedWhileStreaming(servers, kills),
  );

  test(`kill -9 ${killText(inLanes)}, with several lanes`, () => killedInLanes(servers, inLanes));
}

const earlySchema = `
  CREATE TABLE entry (id int PRIMARY KEY, value int NOT NULL, filler text);
  CREATE TABLE tally (id int PRIMARY KEY, total int NOT NULL);
  CREATE TABLE event (at int, what text);
  ALTER TABLE event REPLICA IDENTITY FULL;
`;

/** A backlog of transactions that the server sends before it has come to their ends. */
const large = (at: number, rows: number): string =>
  `INSERT INTO entry SELECT i, i, repeat('x', 100) FROM generate_series(${at}, ${at + rows - 1}) i; UPDATE tally SET total = total + 1`;

const dyingEarly = ['worker', 'source', 'target', 'nobody'] as const;

/** Of the two servers one a seed. */
const sparedEarly = seed % 2 === 0 ? 'source' : 'target';

test.for(sampled(dyingEarly, (victim) => victim !== sparedEarly))(
  'kill -9 of the %s, while a transaction is applied whose commit has not been read',
  async (victim) => {
    const { source, target } = await servers.pair(earlySchema);
    await source.query(
      `DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET logical_decoding_work_mem = ''64kB''', current_database()); END $$`,
    );
    using file = new RouteFile({ source, target, route: 'tables: ["public.*"]' });
    {
      await using before = file.run();
      await before.state('running');
      await before.stop();
    }
    await source.query(`INSERT INTO tally VALUES (1, 0); ${large(1_000, 12_000)}`);
    const slow = await source.client();
    await slow.query(`BEGIN; ${large(20_000, 2_000)}`);
    // Between the two halves of another, of which a part was rolled back.
    await source.query(`INSERT INTO event VALUES (1, 'between')`);
    await slow.query(`SAVEPOINT a; ${large(30_000, 2_000)}; ROLLBACK TO a; ${large(40_000, 6_000)}; COMMIT`);
    await slow.end();
    const server = { worker: null, nobody: null, source: servers.here, target: servers.there }[victim];
    const pid = server?.pid;
    const kill = { TIDELOCK_FAILPOINTS: `part.applied=2:kill${pid === undefined ? '' : `/${pid}`}` };
    await using route = file.run(victim === 'nobody' ? {} : kill);
    if (server !== null && pid !== undefined) {
      await until(`the end of the ${victim}`, () => !isAlive(pid), 20_000);
      await server.kill9();
      await server.start();
    }
    await route.caughtUp();
    const tables = ['entry', 'tally', 'event'];
    expect(await contents(target, tables)).toEqual(await contents(source, tables));
    expect(await target.query('SELECT total FROM tally')).toEqual([{ total: 3 }]);
    if (victim === 'worker') expect(route.log).toContain('worker died, starting it again');
    expect(route.log).toContain('"early":true');
    // The second one does not go this way, and after a kill of the worker none does.
    if (victim === 'nobody') expect(route.log).toContain('TL-3122');
    expect(route.log).toContain('"early":false');
  },
);

const loading = ['slot.created', 'load.copied'] as const;
const loads = isThorough ? loading.map((name) => [name]) : [loading];

test.for(loads.map((names) => [names.join(', then at '), names] as const))(
  'kill -9 at %s: the load begins anew',
  ([, names]) => killedWhileLoading(servers, names),
);

test('two lost answers of COMMIT in a row are found out', () => loseAnswers(servers));

test('a load whose COMMIT was not answered is not begun anew, and keeps its queue', () => loseAnswerOfLoad(servers));
