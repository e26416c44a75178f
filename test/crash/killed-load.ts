import { setTimeout } from 'node:timers/promises';
import { expect } from 'vitest';
import { MysqlServer } from '../support/mysql.ts';
import { writerRestMs } from '../support/writer-rest.ts';
import type { CrashSession } from './crash-end.ts';
import { type CrashServers, crashPair, dieInTurn, entries, type Kill, killList } from './kill-at.ts';

const rows = 20_000;

/** Of the last ones some chunks have to be left. */
export const loadInTurn: readonly (readonly Kill[])[] = [
  [
    { name: 'load.answerLost', victim: 'worker', hit: 1 },
    { name: 'chunk.read', victim: 'worker', hit: 2 },
    { name: 'chunk.sent', victim: 'worker', hit: 1 },
    { name: 'chunk.sent', victim: 'target', hit: 2 },
  ],
  [
    { name: 'commit.sent', victim: 'worker', hit: 4 },
    { name: 'chunk.applied', victim: 'worker', hit: 1 },
    { name: 'chunk.read', victim: 'source', hit: 1 },
  ],
];

export const loadEachAlone: readonly (readonly Kill[])[] = [
  [{ name: 'load.answerLost', victim: 'worker', hit: 1 }],
  [{ name: 'chunk.read', victim: 'worker', hit: 2 }],
  [{ name: 'chunk.sent', victim: 'worker', hit: 3 }],
  [{ name: 'chunk.sent', victim: 'target', hit: 2 }],
  [{ name: 'commit.sent', victim: 'worker', hit: 4 }],
  [{ name: 'chunk.applied', victim: 'worker', hit: 2 }],
  [{ name: 'chunk.read', victim: 'source', hit: 2 }],
  [{ name: 'chunk.read', victim: 'source', hit: 3 }],
];

/** A load beside the stream goes on at its last chunk, while rows of the table change, change their keys and go. */
export async function killedBesideStream(servers: CrashServers, kills: readonly Kill[]): Promise<void> {
  await using ends = await crashPair(servers, '\nload: { wholeUpTo: 0B }');
  const { source, target, file, name } = ends;
  await source.query(entries(1, rows, "repeat('x', 100)"));
  await using route = file.run({ TIDELOCK_FAILPOINTS: killList(kills, servers) });
  // A database of PostgreSQL has this route alone, a server of MySQL those of all tests.
  const loads = (): Promise<Record<string, unknown>[]> => {
    const query =
      servers.there instanceof MysqlServer
        ? `SELECT l.row_count AS n FROM tidelock.loads l JOIN tidelock.routes r ON r.id = l.route_id WHERE r.route_key LIKE '${name}/%' AND l.done = 1`
        : 'SELECT l.rows AS n FROM tidelock.loads l WHERE l.done_at IS NOT NULL';
    return target.query(`${query} AND l.source = '${source.schema}.entry'`).catch(() => []);
  };
  let isOver = false;
  const writing = (async () => {
    let session: CrashSession | null = null;
    for (let n = 1; !isOver; n++) {
      const id = (n * 7919) % rows;
      try {
        session ??= await source.session();
        await session.run(
          `UPDATE entry SET value = value + 1 WHERE id BETWEEN ${id} AND ${id + 2}; DELETE FROM entry WHERE id = ${id + 3};
           UPDATE entry SET id = id + ${10 * rows} WHERE id = ${id + 4}`,
        );
      } catch {
        await session?.end().catch(() => {});
        session = null;
      }
      await setTimeout(writerRestMs);
    }
    await session?.end();
  })();
  try {
    await dieInTurn({ route, servers, kills });
    await route.until('the end of the load', async () => (await loads()).length > 0, 40_000);
  } finally {
    isOver = true;
    await writing;
  }
  await route.caughtUp(30_000);
  await ends.same(['entry']);
  const [load] = await loads();
  // Begun anew it would have read much of the table twice; what was read is told with each chunk.
  expect(Number(load?.n)).toBeLessThan(1.2 * rows);
  expect(Number(load?.n)).toBeGreaterThan(0.5 * rows);
}
