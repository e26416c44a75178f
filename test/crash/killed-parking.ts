import { expect } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { until } from '../support/until.ts';
import { type CrashServers, crashPair, dieInTurn, entries, type Kill, killList } from './kill-at.ts';

/** Increments and rows without a key show it when something is lost or done twice. Negative values are refused. */
const script: readonly string[] = [
  `INSERT INTO tally VALUES (1, 0), (2, 0), (3, 0)`,
  `INSERT INTO entry VALUES (1, -1, NULL); UPDATE tally SET total = total + 1 WHERE id = 1; INSERT INTO event VALUES (1, 'same')`,
  `UPDATE tally SET total = total + 1 WHERE id = 1; INSERT INTO event VALUES (1, 'same')`,
  `UPDATE tally SET total = total + 1 WHERE id = 2; INSERT INTO entry VALUES (2, 2, NULL)`,
  // Larger than the memory of the route, and refused at its end: it is read again and written in parts.
  `UPDATE tally SET total = total + 1 WHERE id = 3; ${entries(1000, 16000, "repeat('x', 400)")}; INSERT INTO entry VALUES (3, -3, NULL)`,
  `UPDATE tally SET total = total + 1 WHERE id = 3`,
  // So many keys are not told apart any more: all of the table waits.
  `UPDATE entry SET value = value + 1 WHERE id = 2`,
  ...Array.from({ length: 3 }, () => `UPDATE tally SET total = total + 1 WHERE id = 2`),
  `DELETE FROM entry WHERE id BETWEEN 2000 AND 3000`,
];

const retried: readonly FailpointName[] = ['retry.part', 'retry.taken', 'retry.done'];

/** While transactions are set aside, and then while they are retried. */
export const parkingInTurn: readonly (readonly Kill[])[] = [
  [
    { name: 'park.part', victim: 'worker', hit: 4 },
    { name: 'park.written', victim: 'worker', hit: 2 },
    { name: 'retry.part', victim: 'target', hit: 2 },
  ],
  [
    { name: 'park.decided', victim: 'target', hit: 1 },
    { name: 'retry.taken', victim: 'worker', hit: 3 },
    { name: 'retry.done', victim: 'worker', hit: 1 },
  ],
];

const places: readonly (readonly [FailpointName, number])[] = [
  ['park.part', 4],
  ['park.decided', 1],
  ['park.written', 2],
  ['retry.part', 2],
  ['retry.taken', 3],
  ['retry.done', 2],
  ['park.part', 1],
  ['commit.sent', 3],
  ['commit.answered', 3],
  ['retry.taken', 1],
];

export const parkingEachAlone: readonly (readonly Kill[])[] = places.flatMap(([name, hit]) =>
  (['worker', 'target'] as const).map((victim) => [{ name, victim, hit }]),
);

/** Each transaction is parked or applied, and after the retry there, once. */
export async function killedWhileParking(servers: CrashServers, kills: readonly Kill[]): Promise<void> {
  await using ends = await crashPair(servers, '\napply: { onError: park, memory: 8MB }');
  const { source, target, file } = ends;
  const totals = async (): Promise<unknown[]> =>
    (await target.query('SELECT CONCAT(total) AS total FROM tally ORDER BY id')).map(({ total }) => total);
  await using route = file.run({ TIDELOCK_FAILPOINTS: killList(kills, servers) });
  await route.state('running');
  await target.query('ALTER TABLE entry ADD CONSTRAINT refuses CHECK (value >= 0)');
  const session = await source.session();
  for (const statements of script) await session.run(`BEGIN; ${statements}; COMMIT`);
  await session.end();
  const retry = async (): Promise<void> => {
    await route.caughtUp(50_000);
    // What the rule lets through is there, and nothing of the rest.
    expect(await totals()).toEqual(['0', '4', '0']);
    expect(await target.query('SELECT 1 FROM event')).toEqual([]);
    await target.query('ALTER TABLE entry DROP CONSTRAINT refuses');
    await until('a retry that ends', async () => {
      const { code } = await file.tidelock('parked', 'retry', 'here-to-there', '--all');
      return code === 0;
    });
  };
  const first = kills.findIndex(({ name }) => retried.includes(name));
  await dieInTurn({ route, servers, kills, feed: async (at) => (at === first ? await retry() : undefined) });
  if (first < 0) await retry();
  await route.caughtUp();
  await ends.same();
  expect(await totals()).toEqual(['2', '4', '2']);
  for (const table of ['parked', 'parked_parts', 'parked_keys', 'skips'])
    expect(await target.query(`SELECT 1 FROM tidelock.${table}`), table).toEqual([]);
}
