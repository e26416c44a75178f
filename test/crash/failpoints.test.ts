import type { Client } from 'pg';
import { expect, test } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { contents } from '../support/compare.ts';
import type { TestDatabase } from '../support/postgres.ts';
import { isAlive } from '../support/process-tree.ts';
import { RouteFile } from '../support/route.ts';
import { seeds } from '../support/seed.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';

const servers = twoServers();

const streaming: readonly FailpointName[] = [
  'marker.before',
  'marker.after',
  'part.savepoint',
  'part.applied',
  'commit.before',
  'commit.sent',
  'commit.answerLost',
  'commit.answered',
  'flush.seen',
  'ack.sent',
];
const victims = ['worker', 'source', 'target'] as const;
type Victim = (typeof victims)[number];

const schema = `
  CREATE TABLE entry (id int PRIMARY KEY, value int NOT NULL, filler text);
  CREATE TABLE tally (id int PRIMARY KEY, total int NOT NULL);
  CREATE TABLE event (at int, what text);
  ALTER TABLE event REPLICA IDENTITY FULL;
`;

/**
 * Transactions that show it when one is lost or applied twice: increments, rows without a key, and one that is larger
 * than the memory of the route, so that it is applied in parts.
 */
const script: readonly string[] = [
  `INSERT INTO tally VALUES (1, 0)`,
  ...Array.from(
    { length: 12 },
    (_, i) =>
      `UPDATE tally SET total = total + 1; INSERT INTO event VALUES (1, 'same'); INSERT INTO entry VALUES (${i}, ${i})`,
  ),
  `INSERT INTO entry SELECT i, i, repeat('x', 400) FROM generate_series(1000, 16000) i; UPDATE tally SET total = total + 1`,
  `UPDATE entry SET value = value + 1 WHERE id >= 1000; INSERT INTO event VALUES (1, 'same')`,
  ...Array.from({ length: 5 }, (_, i) => `DELETE FROM entry WHERE id = ${i}; UPDATE tally SET total = total + 1`),
];

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

test.for(kills)('kill -9 at %s, of the %s, at passing %i', async ([name, victim, hit]) => {
  const { source, target } = await servers.pair(schema);
  await source.query('CREATE SCHEMA own; CREATE TABLE own.done (number int PRIMARY KEY)');
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\napply: { memory: 8MB }' });
  const pids: Record<Victim, string> = { worker: '', source: `/${servers.here.pid}`, target: `/${servers.there.pid}` };
  await using route = file.run({ TIDELOCK_FAILPOINTS: `${name}=${hit}:kill${pids[victim]}` });
  await route.state('running');
  const worker = await route.workerPid();
  const before = { worker, source: servers.here.pid, target: servers.there.pid }[victim];
  let killed = false;
  const writing = (async () => {
    let client = await source.client();
    for (const [number, statements] of script.entries()) {
      // The source may be the one that dies: what was not answered is looked up before it is sent again.
      while (!(await commits(client, source, number, statements))) {
        await client.end().catch(() => {});
        client = await until('the source', () => source.client().catch(() => null));
      }
    }
    await client.end();
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
  const tables = ['entry', 'tally', 'event'];
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
  expect(killed).toBe(true);
  expect(await target.query('SELECT total FROM tally')).toEqual([{ total: 18 }]);
});

/** Runs it as one transaction, whose outcome is certain: it leaves its number behind. */
async function commits(client: Client, source: TestDatabase, number: number, statements: string): Promise<boolean> {
  try {
    await client.query('BEGIN');
    await client.query(`INSERT INTO own.done VALUES (${number}); ${statements}`);
    await client.query('COMMIT');
    return true;
  } catch {
    const rows = await until('the source', () =>
      source.query(`SELECT FROM own.done WHERE number = ${number}`).catch(() => null),
    );
    return rows.length === 1;
  }
}

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
  const { source, target } = await servers.pair(schema);
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

test.for(['slot.created', 'load.copied'] as const)('kill -9 at %s: the load begins anew', async (name) => {
  const { source, target } = await servers.pair(schema);
  await source.query(`INSERT INTO entry SELECT i, i FROM generate_series(1, 5000) i`);
  using file = new RouteFile({ source, target });
  await using route = file.run({ TIDELOCK_FAILPOINTS: `${name}=1:kill` });
  const worker = await route.workerPid();
  await until('the end of the worker', () => !isAlive(worker));
  // What comes before the new slot has to be in the copy, what comes after it in the stream.
  await source.query(`INSERT INTO entry VALUES (0, 0)`);
  await route.caughtUp();
  await source.query(`DELETE FROM entry WHERE id < 10`);
  await route.caughtUp();
  expect(await contents(target, ['entry'])).toEqual(await contents(source, ['entry']));
});

test('two lost answers of COMMIT in a row are found out', async () => {
  const { source, target } = await servers.pair(schema);
  using file = new RouteFile({ source, target });
  await using route = file.run({ TIDELOCK_FAILPOINTS: 'commit.answerLost=1:throw' });
  await route.state('running');
  await source.query(`INSERT INTO tally VALUES (1, 0)`);
  await source.query(`UPDATE tally SET total = total + 1`);
  await route.caughtUp();
  // The rows may be there before the engine tells what has become of their COMMIT.
  await until('the interruption', () => route.log.includes('route interrupted'));
  expect(await target.query('SELECT total FROM tally')).toEqual([{ total: 1 }]);
});

test('a load whose COMMIT was not answered is not begun anew, and keeps its queue', async () => {
  const { source, target } = await servers.pair(schema);
  await source.query(`INSERT INTO entry SELECT i, i FROM generate_series(1, 100) i`);
  using file = new RouteFile({ source, target });
  await using route = file.run({ TIDELOCK_FAILPOINTS: 'load.answerLost=1:throw' });
  await route.state('retrying');
  await source.query(`DELETE FROM entry WHERE id < 10`);
  await route.state('running');
  await route.caughtUp();
  expect(await contents(target, ['entry'])).toEqual(await contents(source, ['entry']));
});
