import type pg from 'pg';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import type { RowCount } from '../../../src/core/target.ts';
import { quoteTable } from '../identifiers.ts';

/** Counting more would take long, and says no more to whoever reads it. */
const limit = 1_000_000;

export async function countRows(client: pg.Client, tables: readonly TableName[]): Promise<RowCount[]> {
  const counts: RowCount[] = [];
  for (const table of tables) {
    const { rows } = await client.query<{ rows: number }>(
      `select count(*)::int as rows from (select from ${quoteTable(table)} limit ${limit + 1}) t`,
    );
    const found = rows[0]?.rows ?? 0;
    counts.push({ table: tableLabel(table), rows: Math.min(found, limit), more: found > limit });
  }
  return counts;
}

export async function emptyTables(client: pg.Client, tables: readonly TableName[]): Promise<string[]> {
  const empty: string[] = [];
  for (const table of tables) {
    const { rows } = await client.query(`select from ${quoteTable(table)} limit 1`);
    if (rows.length === 0) empty.push(tableLabel(table));
  }
  return empty;
}
