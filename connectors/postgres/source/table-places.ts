import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { RowTextCutter } from '../../../src/core/row-text.ts';
import type { TableName } from '../../../src/core/table.ts';
import type { Place, PlaceRequest, PlaceRows, StoredPart } from '../../../src/core/table-places.ts';
import { sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';

/** A session that waits longer for its table would hold up those that want it after the DDL command that it waits for. */
const lockMs = 2_000;

// pg_partition_tree gives an ordinary table nothing before 18 where it is no partition: ask for both. The storage is that of pg_class, which in a snapshot is as
// of then: pg_relation_filenode would name what a command has made since, in which the snapshot sees no rows. A partition may lack rights that the whole has.
const partsQuery = `
  SELECT n.nspname AS schema, c.relname AS name, c.oid::text AS id, c.relfilenode::text AS storage,
    (pg_relation_size(c.oid) / current_setting('block_size')::int8)::int8::text AS blocks,
    c.relkind = 'r' AND a.amname = 'heap' AND has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS heap
  FROM (SELECT to_regclass($1)::oid AS oid UNION SELECT relid::oid FROM pg_partition_tree(to_regclass($1))) t
  JOIN pg_class c ON c.oid = t.oid AND c.relkind <> 'p'
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_am a ON a.oid = c.relam
  ORDER BY c.oid`;

/** Null where some of the rows are kept by anything else than the heap: their ctid may mean nothing, or something else; or where we may not read a part by itself. */
export async function storedParts(
  client: Pick<pg.Client, 'query'>,
  table: TableName,
): Promise<readonly StoredPart[] | null> {
  const { rows } = await client.query<Omit<StoredPart, 'blocks'> & { blocks: string; heap: boolean | null }>(
    partsQuery,
    [quoteTable(table)],
  );
  if (rows.length === 0 || rows.some(({ heap, storage }) => heap !== true || storage === null)) return null;
  return rows.map(({ schema, name, id, storage, blocks }) => ({ schema, name, id, storage, blocks: Number(blocks) }));
}

/**
 * In an open transaction that reads a snapshot; ends it. Of the version that the snapshot sees each row is in one block for as long as the snapshot is
 * held: an update makes another version elsewhere, and VACUUM leaves this one. Only what writes the table anew moves it, or takes it
 * from older snapshots altogether (TRUNCATE, ALTER TABLE): that can't happen under the lock, and shows by the storage.
 */
export async function readPlaces(
  client: pg.Client,
  { range, columns, maxBytes, isLeast }: PlaceRequest,
  maxRowBytes: number,
): Promise<PlaceRows> {
  const { part, from, to } = range;
  try {
    await client.query(`SET LOCAL lock_timeout = ${lockMs}`);
    await client.query(`LOCK TABLE ONLY ${quoteTable(part)} IN ACCESS SHARE MODE`);
    const { rows } = await client.query<{ same: boolean | null }>(
      'SELECT to_regclass($1)::oid::text = $2 AND pg_relation_filenode($2::oid)::text = $3 AS same',
      [quoteTable(part), part.id, part.storage],
    );
    if (rows[0]?.same !== true) return await moved(client);
    const cutter = new RowTextCutter(columns.length, maxRowBytes);
    const wanted = columns.map((name) => `t.${quoteIdentifier(name)}`).join(', ');
    const until = to === null ? '' : ` AND t.ctid < '${tid(to)}'`;
    const select = `SELECT ${wanted} FROM ONLY ${quoteTable(part)} AS t WHERE t.ctid >= '${tid(from)}'${until}`;
    for await (const chunk of client.query(copyTo(`COPY (${select}) TO STDOUT`))) {
      cutter.take(chunk as Buffer);
      if (isLeast || cutter.bytes <= maxBytes) continue;
      // Only the end of the session ends a COPY early.
      client.connection.stream.destroy();
      return { kind: 'tooLarge' };
    }
    await client.query('COMMIT');
    const read = cutter.end(false);
    return { kind: 'rows', text: read.text, rows: read.rows, bytes: read.bytes };
  } catch (error) {
    // Dropped, renamed, or a column is gone: the stream tells of it.
    if (!/^42(P01|703|S02)$/.test(sqlState(error) ?? '')) throw error;
    return await moved(client);
  }
}

async function moved(client: pg.Client): Promise<PlaceRows> {
  await client.query('ROLLBACK');
  return { kind: 'moved' };
}

/** As a literal of the server. */
function tid({ block, row }: Place): string {
  return `(${block},${row})`;
}
