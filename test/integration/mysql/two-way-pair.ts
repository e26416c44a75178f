import { expect } from 'vitest';
import type { CompareDocument } from '../../../src/operations/compare/compare-document.ts';
import type { RepairDocument } from '../../../src/operations/repair/repair-document.ts';
import type { MysqlServer } from '../../support/mysql.ts';
import { RouteFile } from '../../support/route.ts';
import { until } from '../../support/until.ts';

const repairing = ['repair', 'here-to-there', '--from', 'here', '--yes', '--json'];

let databases = 0;

/** Two routes, there and back: what is on its way from the side that is repaired is waited for, and never overwritten. */
export async function twoWayPair(source: MysqlServer, target: MysqlServer): Promise<void> {
  const d = `both${++databases}`;
  const numbers = Array.from({ length: 300 }, (_, at) => `(${at + 1}, 0, 'loaded')`).join();
  for (const server of [source, target])
    await server.query(
      `CREATE DATABASE ${d}; CREATE TABLE ${d}.item (id int PRIMARY KEY, n int NOT NULL, s varchar(20))`,
    );
  await source.query(`INSERT INTO ${d}.item VALUES ${numbers}`);
  const tables = `tables: ["${d}.*"]`;
  using file = new RouteFile({
    ...{ source, target, name: `both-${databases}`, route: tables },
    back: `${tables}\nload: { mode: none }`,
  });
  await using route = file.run();
  await route.state('running');
  await route.state('running', 30_000, 'there-to-here');
  for (const way of ['there', 'back'] as const) await route.caughtUp(undefined, way);
  // A fault: nobody carries it back.
  await target.query(
    `SET SESSION sql_log_bin = 0; UPDATE ${d}.item SET s = 'spoilt' WHERE id BETWEEN 201 AND 205; DELETE FROM ${d}.item WHERE id = 206`,
  );

  // The way back stands still behind a row that somebody holds.
  const holder = await source.connect();
  try {
    await holder.query(`BEGIN; SELECT n FROM ${d}.item WHERE id = 300 FOR UPDATE`);
    await target.query(
      `UPDATE ${d}.item SET n = n + 1 WHERE id = 300; UPDATE ${d}.item SET s = 'newer' WHERE id = 7; DELETE FROM ${d}.item WHERE id = 8;
       INSERT INTO ${d}.item VALUES (301, 0, 'newer')`,
    );
    const marks = `SELECT * FROM tidelock.signals WHERE id = 'both-${databases}/there-to-here' AND kind = 'mark'`;
    const before = await target.query(marks);
    let isOver = false;
    const repair = file.tidelock(...repairing).finally(() => {
      isOver = true;
    });
    await until('a repair that waits for the way back', async () => {
      const now = await target.query(marks);
      return isOver || JSON.stringify(now) !== JSON.stringify(before);
    });
    // As it was, and yet another one.
    await target.query(
      `UPDATE ${d}.item SET s = 'again' WHERE id = 205; UPDATE ${d}.item SET s = 'spoilt' WHERE id = 205`,
    );
    await holder.query('ROLLBACK');
    const { code, out, err } = await repair;
    if (code !== 0) throw new Error(`${out}\n${err}`);
    const { equal, tables: repaired } = JSON.parse(out) as RepairDocument;
    expect({ equal, repaired }).toMatchObject({ equal: true, repaired: [{ repaired: 5, left: 0, undecided: 0 }] });
  } finally {
    await holder.end();
  }
  for (const way of ['there', 'back'] as const) await route.caughtUp(undefined, way);
  const rows = (server: MysqlServer) =>
    server.query(`SELECT id, n, s FROM ${d}.item WHERE s <> 'loaded' OR n <> 0 OR id IN (8, 206) ORDER BY id`);
  expect(await rows(target)).toEqual([
    { id: '7', n: '0', s: 'newer' },
    { id: '205', n: '0', s: 'spoilt' },
    { id: '206', n: '0', s: 'loaded' },
    { id: '300', n: '1', s: 'loaded' },
    { id: '301', n: '0', s: 'newer' },
  ]);
  expect(await rows(source)).toEqual(await rows(target));

  // Where nothing comes back a compare can't tell, and a repair does nothing.
  expect((await file.tidelock('pause', 'there-to-here')).code).toBe(0);
  await route.state('paused', 30_000, 'there-to-here');
  await target.query(`UPDATE ${d}.item SET s = 'newest' WHERE id = 9`);
  const compared = await file.tidelock('compare', 'here-to-there', '--json');
  expect((JSON.parse(compared.out) as CompareDocument).tables).toMatchObject([{ different: 0, undecided: 1 }]);
  const refused = await file.tidelock(...repairing);
  expect(refused.err).toContain('TL-4171');
  expect(await target.query(`SELECT s FROM ${d}.item WHERE id = 9`)).toEqual([{ s: 'newest' }]);
  expect(await route.stop()).toBe(0);
}
