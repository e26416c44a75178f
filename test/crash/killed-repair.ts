import { expect } from 'vitest';
import type { FailpointName } from '../../src/core/failpoint.ts';
import { isAlive } from '../support/process-tree.ts';
import { type CrashServers, crashPair } from './kill-at.ts';

/** In the repair, and in what takes it back. */
export const repairKills: readonly (readonly [FailpointName, FailpointName])[] = [
  ['repair.written', 'undo.committed'],
  ['repair.committed', 'undo.written'],
];

/** Rows without a key are repaired, and taken back, each once: nothing but their number would tell. */
export async function killedWhileRepairing(
  servers: CrashServers,
  [repairing, undoing]: readonly [FailpointName, FailpointName],
): Promise<void> {
  await using ends = await crashPair(servers);
  const { source, target, file } = ends;
  const many = (rows: number, row: (i: number) => string): string =>
    `INSERT INTO event VALUES ${Array.from({ length: rows }, (_, i) => row(i)).join()}`;
  await source.query(many(2000, (i) => `(${i % 40}, 'text ${i % 40}')`));
  await using route = file.run({ TIDELOCK_FAILPOINTS: `${repairing}=2:kill,${undoing}=1:kill@1` });
  await route.caughtUp();
  // More than go at once: missing ones, changed ones, and some that are there too often.
  await target.query(
    `DELETE FROM event WHERE at = 1; UPDATE event SET what = 'spoilt' WHERE at = 2; ${many(120, () => "(3, 'text 3')")}`,
  );
  const rowsOf = (end: typeof target): Promise<unknown> =>
    end.query("SELECT CONCAT_WS('|', at, what, COUNT(*)) AS r FROM event GROUP BY at, what ORDER BY at, what");
  const spoilt = await rowsOf(target);
  const table = `${source.schema}.event`;
  const first = await route.workerPid();
  const { code, out } = await file.tidelock('repair', 'here-to-there', table, '--yes', '--json');
  const repaired = JSON.parse(out);
  expect({ code, ...repaired }).toMatchObject({ code: 0, equal: true, tables: [{ repaired: 270, left: 0 }] });
  expect(isAlive(first)).toBe(false);
  expect(await rowsOf(target)).toEqual(await rowsOf(source));
  const compared = await file.tidelock('compare', 'here-to-there', table, '--json');
  expect({ code: compared.code, ...JSON.parse(compared.out) }).toMatchObject({ code: 0, equal: true });
  const second = await route.workerPid();
  const undone = await file.tidelock('repair', 'here-to-there', '--undo', repaired.job, '--yes', '--json');
  expect(isAlive(second)).toBe(false);
  expect(await rowsOf(target)).toEqual(spoilt);
  // Of both workers together.
  const all = { code: 0, rows: 270, changed: 0, refused: {} };
  expect({ code: undone.code, ...JSON.parse(undone.out) }).toMatchObject(all);
}
