import type { NodeType } from '../../../src/core/route.ts';
import type { Sequence } from '../../../src/core/sequence.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { readTables } from '../catalogue/read-tables.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';

export function isOfFamily(type: NodeType): boolean {
  return type === 'mysql' || type === 'mariadb';
}

/** AUTO_INCREMENT of these tables, as sequences of which the next value is known. They are named for their columns. */
export async function readCounters(session: MysqlSession, tables: readonly TableName[]): Promise<readonly Sequence[]> {
  const labels = new Set(tables.map(tableLabel));
  const found = await readTables(session, (schema, name) => labels.has(tableLabel({ schema, name })));
  const sequences: Sequence[] = [];
  for (const { schema, name, columns } of found) {
    const column = columns.find(({ autoIncrement }) => autoIncrement);
    if (column === undefined) continue;
    // MySQL's own statistics may be a day old; SHOW CREATE TABLE is not, and writes no 1.
    const [row] = await session.query(`SHOW CREATE TABLE ${quoteTable({ schema, name })}`);
    const next = /^\).* AUTO_INCREMENT=(\d+)/m.exec(row?.[1] ?? '')?.[1] ?? '1';
    sequences.push({
      ...{ name: { schema, name: `${name}_${column.name}` }, table: { schema, name }, column: column.name },
      ...{ value: BigInt(next), called: false, start: 1n, increment: 1n, min: 1n, max: 2n ** 64n - 1n, cycles: false },
    });
  }
  return sequences;
}
