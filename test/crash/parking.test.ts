import { expect, test } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { contents } from '../support/compare.ts';
import { RouteFile } from '../support/route.ts';
import { isThorough } from '../support/thorough.ts';
import { twoServers } from '../support/two-servers.ts';
import { until } from '../support/until.ts';
import { dieInTurn, type Kill, killList, killText } from './kill-at.ts';

const servers = twoServers();

const schema = `
  CREATE TABLE entry (id int PRIMARY KEY, value int NOT NULL, filler text);
  CREATE TABLE tally (id int PRIMARY KEY, total int NOT NULL);
  CREATE TABLE event (at int, what text);
  ALTER TABLE event REPLICA IDENTITY FULL;
`;

/** Increments and rows without a key show it when something is lost or done twice. Negative values are refused. */
const script: readonly string[] = [
  `INSERT INTO tally VALUES (1, 0), (2, 0), (3, 0)`,
  `INSERT INTO entry VALUES (1, -1); UPDATE tally SET total = total + 1 WHERE id = 1; INSERT INTO event VALUES (1, 'same')`,
  `UPDATE tally SET total = total + 1 WHERE id = 1; INSERT INTO event VALUES (1, 'same')`,
  `UPDATE tally SET total = total + 1 WHERE id = 2; INSERT INTO entry VALUES (2, 2)`,
  // Larger than the memory of the route, and refused at its end: it is read again and written in parts.
  `UPDATE tally SET total = total + 1 WHERE id = 3; INSERT INTO entry SELECT i, i, repeat('x', 400) FROM generate_series(1000, 16000) i; INSERT INTO entry VALUES (3, -3)`,
  `UPDATE tally SET total = total + 1 WHERE id = 3`,
  // So many keys are not told apart any more: all of the table waits.
  `UPDATE entry SET value = value + 1 WHERE id = 2`,
  ...Array.from({ length: 3 }, () => `UPDATE tally SET total = total + 1 WHERE id = 2`),
  `DELETE FROM entry WHERE id BETWEEN 2000 AND 3000`,
];

const retried: readonly FailpointName[] = ['retry.part', 'retry.taken', 'retry.done'];

/** While transactions are set aside, and then while they are retried. */
const inTurn: readonly (readonly Kill[])[] = [
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

const eachAlone: readonly (readonly Kill[])[] = places.flatMap(([name, hit]) =>
  (['worker', 'target'] as const).map((victim) => [{ name, victim, hit }]),
);

test.for((isThorough ? eachAlone : inTurn).map((kills) => [killText(kills), kills] as const))(
  'kill -9 %s: parked or applied, once',
  { timeout: 150_000 },
  async ([, kills]) => {
    const { source, target } = await servers.pair(schema);
    using file = new RouteFile({
      source,
      target,
      route: 'tables: ["public.*"]\napply: { onError: park, memory: 8MB }',
    });
    await using route = file.run({ TIDELOCK_FAILPOINTS: killList(kills, servers) });
    await route.state('running');
    await target.query('ALTER TABLE entry ADD CONSTRAINT refuses CHECK (value >= 0)');
    for (const statements of script) await source.query(`BEGIN; ${statements}; COMMIT`);
    const retry = async (): Promise<void> => {
      await route.caughtUp(50_000);
      // What the rule lets through is there, and nothing of the rest.
      expect(await target.query('SELECT total FROM tally ORDER BY id')).toEqual([
        { total: 0 },
        { total: 4 },
        { total: 0 },
      ]);
      expect(await contents(target, ['event'])).toEqual({ event: [] });
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
    const tables = ['entry', 'tally', 'event'];
    expect(await contents(target, tables)).toEqual(await contents(source, tables));
    expect(await target.query('SELECT total FROM tally ORDER BY id')).toEqual([
      { total: 2 },
      { total: 4 },
      { total: 2 },
    ]);
    for (const table of ['parked', 'parked_parts', 'parked_keys', 'skips'])
      expect(await target.query(`SELECT count(*)::int AS n FROM tidelock.${table}`)).toEqual([{ n: 0 }]);
  },
);
