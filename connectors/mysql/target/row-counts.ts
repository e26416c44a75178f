import { type SharedTable, tableLabel } from '../../../src/core/table.ts';
import type { RowCount } from '../../../src/core/target.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { shareCondition, whereShared } from './share-condition.ts';
import { readTargetTables } from './target-table.ts';

/** Counting more would take long, and says no more to whoever reads it. */
const limit = 1_000_000;

export async function countRows(
  session: MysqlSession,
  route: string,
  tables: readonly SharedTable[],
): Promise<RowCount[]> {
  const counts: RowCount[] = [];
  for (const table of tables) {
    const rows = `select 1 from ${await sharedRows(session, route, table)} limit ${limit + 1}`;
    const [row] = await session.query(`select count(*) from (${rows}) t`);
    const found = Number(row?.[0] ?? 0);
    counts.push({ table: tableLabel(table), rows: Math.min(found, limit), more: found > limit });
  }
  return counts;
}

export async function emptyTables(
  session: MysqlSession,
  route: string,
  tables: readonly SharedTable[],
): Promise<string[]> {
  const empty: string[] = [];
  for (const table of tables) {
    const [row] = await session.query(`select 1 from ${await sharedRows(session, route, table)} limit 1`);
    if (row === undefined) empty.push(tableLabel(table));
  }
  return empty;
}

/** Those of the route, where others write the table, too. */
async function sharedRows(session: MysqlSession, route: string, table: SharedTable): Promise<string> {
  if (table.owns === undefined) return quoteTable(table);
  const [target] = await readTargetTables(session, [table]);
  const share = shareCondition(table, route, (name) =>
    target?.columns.find((column) => column.name.toLowerCase() === name.toLowerCase()),
  );
  return `${quoteTable(table)}${whereShared(share)}`;
}
