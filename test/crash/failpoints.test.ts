import { expect, test } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { contents } from '../support/compare.ts';
import { isAlive } from '../support/process-tree.ts';
import { RouteFile } from '../support/route.ts';
import { seeds } from '../support/seed.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';
import {
  killedWhileLoading,
  killedWhileStreaming,
  loseAnswerOfLoad,
  loseAnswers,
  targetSteps,
  type Victim,
  victims,
} from './kill-at.ts';

const servers = twoServers();

const streaming: readonly FailpointName[] = [...targetSteps, 'flush.seen', 'ack.sent'];

/** At which passing: another one with each seed. The rarest of them are passed four times. */
const hits = [...new Set(seeds().map((seed) => 1 + (seed % 3)))];

/** Where a run of one seed kills a server, too: in the middle of a transaction, of its COMMIT, and of what follows on it. */
const serverKills: readonly string[] = [
  'part.applied source',
  'commit.sent target',
  'flush.seen source',
  'ack.sent target',
];

/** The worker at each step, and a server at some; with several seeds (`npm run test:full`) all three at each. */
const kills = streaming.flatMap((name) =>
  victims
    .filter((victim) => victim === 'worker' || seeds().length > 1 || serverKills.includes(`${name} ${victim}`))
    .flatMap((victim) => hits.map((hit) => [name, victim, hit] as const)),
);

test.for(kills)('kill -9 at %s, of the %s, at passing %i', ([name, victim, hit]) =>
  killedWhileStreaming(servers, { name, victim, hit }),
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

test.for(['worker', 'source', 'target', 'nobody'] as const)(
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

const laneKills = (['lane.begun', 'lane.turn', 'lane.committed'] as const).flatMap((name) =>
  victims
    .filter((victim) => seeds().length > 1 || victim === (name === 'lane.turn' ? 'target' : 'worker'))
    .flatMap((victim) => hits.map((hit) => [name, victim, hit] as const)),
);

test.for(laneKills)('kill -9 at %s, of the %s, at passing %i, with several lanes', async ([name, victim, hit]) => {
  const { source, target } = await servers.pair(laneSchema);
  const settings = 'apply: { groupRows: 10, lanes: 4 }';
  using file = new RouteFile({ source, target, route: `tables: ["public.*"]\n${settings}` });
  const pids: Record<Victim, string> = { worker: '', source: `/${servers.here.pid}`, target: `/${servers.there.pid}` };
  await using route = file.run({ TIDELOCK_FAILPOINTS: `${name}=${hit}:kill${pids[victim]}` });
  await route.state('running');
  const worker = await route.workerPid();
  const before = { worker, source: servers.here.pid, target: servers.there.pid }[victim];
  // A frozen worker finds all of it at once.
  process.kill(worker, 'SIGSTOP');
  for (const statements of apart) await source.query(statements);
  process.kill(worker, 'SIGCONT');
  await until(`the end of the ${victim}`, () => !isAlive(before), 20_000);
  if (victim !== 'worker') {
    const server = victim === 'source' ? servers.here : servers.there;
    await server.kill9();
    await server.start();
  }
  await route.caughtUp();
  const tables = ['entry', 'event'];
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
});

test.for(['slot.created', 'load.copied'] as const)('kill -9 at %s: the load begins anew', (name) =>
  killedWhileLoading(servers, name),
);

test('two lost answers of COMMIT in a row are found out', () => loseAnswers(servers));

test('a load whose COMMIT was not answered is not begun anew, and keeps its queue', () => loseAnswerOfLoad(servers));
