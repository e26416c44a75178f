import { expect, test } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { contents } from '../support/compare.ts';
import { RouteFile } from '../support/route.ts';
import { seed } from '../support/seed.ts';
import type { twoServers } from '../support/two-servers.ts';
import { dieInTurn, type Kill, killedWhileStreaming, killList, killText, targetSteps, victims } from './kill-at.ts';

type Servers = ReturnType<typeof twoServers>;

/** At which passing a place kills, 1 to 3: with each seed another is the first. The rarest places are passed four times. */
const passing = (at: number): number => 1 + ((seed + at) % 3);

export const firstPassing = passing(0);
export const laterPassings: readonly [number, number] = [passing(1), passing(2)];

const streaming: readonly FailpointName[] = [...targetSteps, 'flush.seen', 'ack.sent'];
const inLanes: readonly FailpointName[] = ['lane.begun', 'lane.turn', 'lane.committed'];

/** Worker, source and target at each of the steps, one kill a route. */
export function killsAtPassing(servers: Servers, hit: number): void {
  const alone = (names: readonly FailpointName[]) =>
    names.flatMap((name) =>
      victims.map((victim) => [killText([{ name, victim, hit }]), { name, victim, hit }] as const),
    );

  test.for(alone(streaming))('kill -9 %s', { timeout: 240_000 }, ([, kill]) => killedWhileStreaming(servers, [kill]));

  test.for(alone(inLanes))('kill -9 %s, with several lanes', ([, kill]) => killedInLanes(servers, [kill]));
}

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

export async function killedInLanes(servers: Servers, kills: readonly Kill[]): Promise<void> {
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
}
