import type pg from 'pg';
import type { Sequence } from '../../src/core/sequence.ts';
import type { TableName } from '../../src/core/table.ts';
import { quoteTable } from './identifiers.ts';

/** Those that belong to a column: of serial and identity columns, and by ALTER SEQUENCE ... OWNED BY. */
const ownedQuery = `
  SELECT sn.nspname AS schema, s.relname AS name, n.nspname AS table_schema, c.relname AS table_name, a.attname AS column,
    q.seqstart::text AS start, q.seqincrement::text AS increment, q.seqmin::text AS min, q.seqmax::text AS max, q.seqcycle AS cycles
  FROM unnest($1::text[], $2::text[]) w (schema, name)
  JOIN pg_namespace n ON n.nspname = w.schema
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.classid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i')
  JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
  JOIN pg_namespace sn ON sn.oid = s.relnamespace
  JOIN pg_sequence q ON q.seqrelid = s.oid
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
  ORDER BY 1, 2`;

/**
 * last_value of the sequence itself is beyond everything that sessions have taken in advance (CACHE), so that no margin is
 * needed for them; pg_sequences would hide whether it was ever called.
 */
export async function readSequences(client: pg.Client, tables: readonly TableName[]): Promise<Sequence[]> {
  const { rows } = await client.query(ownedQuery, [tables.map(({ schema }) => schema), tables.map(({ name }) => name)]);
  const sequences: Sequence[] = [];
  for (const row of rows) {
    const name = { schema: String(row.schema), name: String(row.name) };
    const state = await client.query(`SELECT last_value::text AS value, is_called AS called FROM ${quoteTable(name)}`);
    sequences.push({
      name,
      table: { schema: String(row.table_schema), name: String(row.table_name) },
      column: String(row.column),
      value: BigInt(state.rows[0]?.value),
      called: state.rows[0]?.called === true,
      start: BigInt(row.start),
      increment: BigInt(row.increment),
      min: BigInt(row.min),
      max: BigInt(row.max),
      cycles: row.cycles === true,
    });
  }
  return sequences;
}
