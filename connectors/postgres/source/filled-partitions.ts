import type pg from 'pg';
import type { TableName } from '../../../src/core/table.ts';
import { sqlState } from '../classify-error.ts';
import { quoteTable } from '../identifiers.ts';

/** Whoever has a partition locked for longer may be at a COMMIT that waits for the route. */
const lockMs = 2_000;

/** With the steps that lead up from each: in which transaction, and after how many of its commands, it was attached. */
const stepsQuery = `
  SELECT c.oid::int8::text AS id, n.nspname AS schema, c.relname AS name, coalesce(am.amname = 'heap', false) AS heap,
    has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
    array_agg(i.xmin::text) AS transactions, array_agg(i.cmin::text) AS commands
  FROM unnest($1::oid[]) p (oid)
  JOIN pg_class c ON c.oid = p.oid JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_am am ON am.oid = c.relam
  CROSS JOIN LATERAL pg_partition_ancestors(c.oid) a JOIN pg_inherits i ON i.inhrelid = a.relid
  GROUP BY c.oid, n.nspname, c.relname, am.amname, n.oid`;

interface Steps extends TableName {
  readonly id: string;
  readonly heap: boolean;
  readonly readable: boolean;
  readonly transactions: readonly string[];
  readonly commands: readonly string[];
}

/**
 * Of partitions of `whole` that were made and attached in one transaction: those that it had put rows into before it attached them, which are not in the queue, since
 * it was no partition's rows that were written. What was written first is in the first block, and tells how many commands were before it. One that can't
 * be looked into is taken for one of these.
 */
export async function filledPartitions(
  client: pg.Client,
  whole: TableName,
  partitions: readonly string[],
): Promise<readonly string[]> {
  const { rows } = await client.query<Steps>(stepsQuery, [partitions]);
  const filled: string[] = [];
  for (const steps of rows) if (!steps.heap || (await isFilled(client, whole, steps))) filled.push(steps.id);
  return filled;
}

async function isFilled(client: pg.Client, whole: TableName, { id, readable, ...steps }: Steps): Promise<boolean> {
  // Who may read the whole may not be given each part of it.
  const from = readable ? `ONLY ${quoteTable(steps)}` : quoteTable(whole);
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = ${lockMs}; SET LOCAL row_security = off`);
    const found = await client.query<{ yes: boolean }>(
      `SELECT EXISTS (SELECT FROM ${from} t JOIN unnest($2::xid[], $3::int8[]) s (xid, commands)
         ON t.xmin = s.xid AND t.cmin::text::int8 < s.commands WHERE t.ctid < '(1,0)' AND t.tableoid = $1::oid) AS yes`,
      [id, steps.transactions, steps.commands],
    );
    await client.query('COMMIT');
    return found.rows[0]?.yes === true;
  } catch (error) {
    const state = sqlState(error) ?? '';
    if (!/^(42P01|3F000|42501|55P03)$/.test(state)) throw error;
    await client.query('ROLLBACK');
    // Gone, with all that it had.
    return !/^(42P01|3F000)$/.test(state);
  }
}
