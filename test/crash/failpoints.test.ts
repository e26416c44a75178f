import { expect, test } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { contents } from '../support/compare.ts';
import { isAlive } from '../support/process-tree.ts';
import { RouteFile } from '../support/route.ts';
import { seed, seeds } from '../support/seed.ts';
import { isThorough, sampled } from '../support/thorough.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';
import {
  dieInTurn,
  type Kill,
  killedWhileLoading,
  killedWhileStreaming,
  killList,
  killText,
  loseAnswerOfLoad,
  loseAnswers,
  targetSteps,
  victims,
} from './kill-at.ts';

const servers = twoServers();

const streaming: readonly FailpointName[] = [...targetSteps, 'flush.seen', 'ack.sent'];

/** At which passing: another one with each seed. The rarest of them are passed four times. */
const hits = [...new Set(seeds().map((seed) => 1 + (seed % 3)))];

/** All three at each of the steps, one kill a route. */
const eachAlone: readonly (readonly Kill[])[] = streaming.flatMap((name) =>
  victims.flatMap((victim) => hits.map((hit) => [{ name, victim, hit }])),
);

const first = hits[0] ?? 1;

/** The worker at each of the steps, and a server in the middle of a transaction, of its COMMIT, and of what follows on it: several in one route. */
const inTurn: readonly (readonly Kill[])[] = [
  [
    { name: 'marker.before', victim: 'worker', hit: first },
    { name: 'marker.after', victim: 'worker', hit: 1 },
    { name: 'part.savepoint', victim: 'worker', hit: 2 },
    { name: 'part.applied', victim: 'worker', hit: first },
    { name: 'part.applied', victim: 'source', hit: 2 },
  ],
  [
    { name: 'commit.before', victim: 'worker', hit: first },
    { name: 'commit.sent', victim: 'worker', hit: 2 },
    { name: 'commit.answerLost', victim: 'worker', hit: 1 },
    { name: 'commit.sent', victim: 'target', hit: 1 },
  ],
  [
    { name: 'commit.answered', victim: 'worker', hit: first },
    { name: 'flush.seen', victim: 'worker', hit: 1 },
    { name: 'ack.sent', victim: 'worker', hit: 1 },
    { name: 'flush.seen', victim: 'source', hit: 1 },
  ],
  // After other kills the target has long flushed what comes again.
  [{ name: 'ack.sent', victim: 'target', hit: first }],
];

test.for((isThorough ? eachAlone : inTurn).map((kills) => [killText(kills), kills] as const))(
  'kill -9 %s',
  { timeout: 240_000 },
  ([, kills]) => killedWhileStreaming(servers, kills),
);

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

const laneSchema = `
  CREATE TABLE entry (id int PRIMARY KEY, value int NOT NULL, filler text);
  CREATE TABLE event (at int, what text);
  ALTER TABLE event REPLICA IDENTITY FULL;
`;

/** Small groups over other rows each, and some that meet: several are carried out beside each other. */
const apart = [
  `DO $$ BEGIN FOR i IN 1..400 LOOP INSERT INTO entry VALUES (i, 0); INSERT INTO event VALUES (i, 'new'); COMMIT; END LOOP; END $$`,
  `DO $$ BEGIN FOR i IN 1..400 LOOP UPDATE entry SET value = value + 1 WHERE id = i; COMMIT; END LOOP; END $$`,
  `DO $$ BEGIN FOR i IN 1..100 LOOP UPDATE entry SET value = value + 1 WHERE id = i % 7; INSERT INTO event VALUES (1, 'same'); COMMIT; END LOOP; END $$`,
];

const lanePlaces = ['lane.begun', 'lane.turn', 'lane.committed'] as const;

const laneKills: readonly (readonly Kill[])[] = isThorough
  ? lanePlaces.flatMap((name) => victims.flatMap((victim) => hits.map((hit) => [{ name, victim, hit }])))
  : [
      [
        { name: 'lane.begun', victim: 'worker', hit: first },
        { name: 'lane.committed', victim: 'worker', hit: 2 },
        { name: 'lane.turn', victim: 'target', hit: 2 },
      ],
    ];

test.for(laneKills.map((kills) => [killText(kills), kills] as const))(
  'kill -9 %s, with several lanes',
  async ([, kills]) => {
    const { source, target } = await servers.pair(laneSchema);
    const settings = 'apply: { groupRows: 10, lanes: 4 }';
    using file = new RouteFile({ source, target, route: `tables: ["public.*"]\n${settings}` });
    await using route = file.run({ TIDELOCK_FAILPOINTS: killList(kills, servers) });
    await route.state('running');
    const worker = await route.workerPid();
    // A frozen worker finds all of it at once.
    process.kill(worker, 'SIGSTOP');
    for (const statements of apart) await source.query(statements);
    process.kill(worker, 'SIGCONT');
    await dieInTurn({ route, servers, kills });
    await route.caughtUp();
    const tables = ['entry', 'event'];
    expect(await contents(target, tables)).toEqual(await contents(source, tables));
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
