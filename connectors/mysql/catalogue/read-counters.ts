import type { NodeType } from '../../../src/core/route.ts';
import type { Sequence, SequenceMove } from '../../../src/core/sequence.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { isMysqlError } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteTable } from '../identifiers.ts';
import { parseType } from '../target/column-kind.ts';
import { integerBits } from './column-sizes.ts';
import { readTables } from './read-tables.ts';

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
    // MySQL's own statistics may be a day old; SHOW CREATE TABLE is not.
    const [row] = await session.query(`SHOW CREATE TABLE ${quoteTable({ schema, name })}`);
    const next = shownCounter(row?.[1] ?? '');
    sequences.push({
      ...{ name: { schema, name: `${name}_${column.name}` }, table: { schema, name }, column: column.name },
      ...{
        value: BigInt(next),
        called: false,
        start: 1n,
        increment: 1n,
        min: 1n,
        max: mostOf(column.type),
        cycles: false,
      },
    });
  }
  return sequences;
}

/** Of what SHOW CREATE TABLE writes, which is no 1. In front of all options that are somebody's text. */
export function shownCounter(definition: string): string {
  return /^\)[^'\n]*? AUTO_INCREMENT=(\d+)/m.exec(definition)?.[1] ?? '1';
}

function mostOf(type: string): bigint {
  const { base, unsigned } = parseType(type);
  const bits = BigInt(integerBits[base] ?? 64);
  return 2n ** (unsigned ? bits : bits - 1n) - 1n;
}

/** What the table gives out next, at least: a server never goes back behind its rows. Why it has refused, null where it has not. */
export async function setCounter(
  session: MysqlSession,
  { target, value, called }: SequenceMove,
): Promise<string | null> {
  if (!('table' in target)) return 'it is no AUTO_INCREMENT of a table';
  const next = called ? value + target.increment : value;
  try {
    // Whoever holds the table does not hold up the changes that wait behind this.
    await session.query('SET SESSION lock_wait_timeout = 2');
    await session.query(`ALTER TABLE ${quoteTable(target.table)} AUTO_INCREMENT = ${next}`);
    return null;
  } catch (error) {
    // The server's own: without an answer nobody knows.
    if (!isMysqlError(error)) throw error;
    return error.message;
  }
}
