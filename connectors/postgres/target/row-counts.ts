import type pg from 'pg';
import { type SharedTable, tableLabel } from '../../../src/core/table.ts';
import type { RowCount } from '../../../src/core/target.ts';
import { quoteTable } from '../identifiers.ts';

/** Counting more would take long, and says no more to whoever reads it. */
const limit = 1_000_000;

export async function countRows(client: pg.Client, tables: readonly SharedTable[]): Promise<RowCount[]> {
  const counts: RowCount[] = [];
  for (const table of tables) {
    const { rows } = await client.query<{ rows: number }>(
      `select count(*)::int as rows from (select from ${sharedRows(table)} limit ${limit + 1}) t`,
    );
    const found = rows[0]?.rows ?? 0;
    counts.push({ table: tableLabel(table), rows: Math.min(found, limit), more: found > limit });
  }
  return counts;
}

export async function emptyTables(client: pg.Client, tables: readonly SharedTable[]): Promise<string[]> {
  const empty: string[] = [];
  for (const table of tables) {
    const { rows } = await client.query(`select from ${sharedRows(table)} limit 1`);
    if (rows.length === 0) empty.push(tableLabel(table));
  }
  return empty;
}

/** Those of the route, where others write the table, too. */
function sharedRows(table: SharedTable): string {
  return table.owns === undefined ? quoteTable(table) : `${quoteTable(table)} where (${table.owns.text}\n)`;
}
