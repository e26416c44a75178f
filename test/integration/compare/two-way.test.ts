import { expect, test } from 'vitest';
import { originMarker } from '../../../connectors/postgres/target/origin-marker.ts';
import type { Position } from '../../../src/core/position.ts';
import type { CompareDocument } from '../../../src/operations/compare/compare-document.ts';
import type { RepairDocument } from '../../../src/operations/repair/repair-document.ts';
import { contents } from '../../support/compare.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();
const repairing = ['repair', 'here-to-there', '--from', 'here', '--yes', '--json'];

test('in a two-way set-up what is on its way from the repaired side is waited for, and never overwritten', async () => {
  const { source, target } = await servers.pair('CREATE TABLE item (id int PRIMARY KEY, n int NOT NULL, s text)');
  await source.query(`INSERT INTO item SELECT i, 0, 'loaded' FROM generate_series(1, 300) i`);
  using file = new RouteFile({ source, target, back: 'tables: ["public.*"]\nload: { mode: none }' });
  await using route = file.run();
  await route.state('running');
  await route.state('running', 30_000, 'there-to-here');
  for (const way of ['there', 'back'] as const) await route.caughtUp(undefined, way);
  // A fault: what has this marker is not carried back.
  const marker = originMarker([{ node: 'elsewhere', position: '0/1' as Position, committedAtMs: 0 }]);
  await target.query(
    `BEGIN; SELECT pg_logical_emit_message(true, 'tidelock.origin', '${marker}');
     UPDATE item SET s = 'spoilt' WHERE id BETWEEN 201 AND 205; COMMIT`,
  );

  // The way back stands still behind a row that somebody holds.
  const holder = await source.client();
  try {
    await holder.query('BEGIN; SELECT FROM item WHERE id = 300 FOR UPDATE');
    await target.query(`UPDATE item SET n = n + 1 WHERE id = 300`);
    await target.query(`UPDATE item SET s = 'newer' WHERE id = 7; DELETE FROM item WHERE id = 8`);
    await target.query(`INSERT INTO item VALUES (301, 0, 'newer')`);
    const before = await sessions(source);
    let isOver = false;
    const repair = file.tidelock(...repairing).finally(() => {
      isOver = true;
    });
    await until('a repair that waits for the way back', async () => isOver || (await sessions(source)) > before);
    await holder.query('ROLLBACK');
    const { code, out, err } = await repair;
    if (code !== 0) throw new Error(`${out}\n${err}`);
    const { equal, tables } = JSON.parse(out) as RepairDocument;
    expect({ equal, tables }).toMatchObject({
      equal: true,
      tables: [{ different: 5, repaired: 5, missing: 0, extra: 0 }],
    });
  } finally {
    await holder.end();
  }
  for (const way of ['there', 'back'] as const) await route.caughtUp(undefined, way);
  const rows = await contents(target, ['item']);
  expect(await contents(source, ['item'])).toEqual(rows);
  expect(rows.item?.filter((row) => /newer|spoilt|^\(8,/.test(row))).toEqual(['(301,0,newer)', '(7,0,newer)']);

  // Where nothing comes back a compare can't tell, and a repair does nothing.
  expect((await file.tidelock('pause', 'there-to-here')).code).toBe(0);
  await route.state('paused', 30_000, 'there-to-here');
  await target.query(`UPDATE item SET s = 'newest' WHERE id = 9`);
  const compared = await file.tidelock('compare', 'here-to-there', '--json');
  expect((JSON.parse(compared.out) as CompareDocument).tables).toMatchObject([{ different: 0, undecided: 1 }]);
  const refused = await file.tidelock(...repairing);
  expect(refused.err).toContain('TL-4171');
  expect(await target.query('SELECT s FROM item WHERE id = 9')).toEqual([{ s: 'newest' }]);
});

async function sessions(db: TestDatabase): Promise<number> {
  const [row] = await db.query(
    `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name LIKE 'tidelock%there-to-here%'`,
  );
  return Number(row?.n);
}
