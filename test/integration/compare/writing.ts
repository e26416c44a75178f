import { setTimeout as delay } from 'node:timers/promises';
import type { TestDatabase } from '../../support/postgres.ts';

/** Rows of `item` whose number is a multiple of this are left alone by the writers. */
export const quiet = 50;

/** Writes until it is disposed of: all kinds of changes, and some rows of `hot` a hundred times a second. */
export function writing(db: TestDatabase, rows: number, withLoose = false): AsyncDisposable {
  const over = new AbortController();
  const writer = async (seed: number): Promise<void> => {
    const client = await db.client();
    let n = seed;
    const some = (): number => {
      n = (n * 1103515245 + 12345) % 2147483648;
      return 1 + (n % rows);
    };
    try {
      while (!over.signal.aborted) {
        const id = some();
        // Each by itself: two writers would meet in other orders.
        const loose = withLoose
          ? [
              `INSERT INTO loose VALUES ('comes', ${id % 20})`,
              `UPDATE loose SET n = n + 20 WHERE v = 'comes' AND n = ${some() % 20}`,
              `DELETE FROM loose WHERE v = 'comes' AND n = ${20 + (id % 20)}`,
            ]
          : [];
        await client.query(`BEGIN;
          UPDATE hot SET n = n + 1 WHERE id = ${1 + (id % 3)};
          UPDATE item SET turns = turns + 1, s = s || 'x' WHERE id = ${id} AND id % ${quiet} <> 0;
          COMMIT;
          ${loose.map((statement) => `BEGIN; ${statement}; COMMIT;`).join(' ')}
          DELETE FROM item WHERE id = ${100_000 + (id % 500)};
          INSERT INTO item (id, s) VALUES (${100_000 + (some() % 500)}, 'comes and goes') ON CONFLICT (id) DO UPDATE SET turns = item.turns + 1;`);
        // The machine has the route to carry, too.
        await delay(3);
      }
    } finally {
      await client.end();
    }
  };
  const writers = [writer(1), writer(2)];
  return {
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await Promise.all(writers);
    },
  };
}
