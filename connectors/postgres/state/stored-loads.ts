import type pg from 'pg';
import type { ChunkProgress, NewLoad, StoredLoad } from '../../../src/core/load.ts';
import type { AgainKey } from '../../../src/core/transaction.ts';
import { loadsSince, partLoadsSince, raiseCompatible } from './state-schema.ts';

interface LoadStatement {
  readonly name: string;
  readonly text: string;
  readonly values: (string | null)[];
}

interface LoadRow extends Omit<StoredLoad, 'rows' | 'bytes' | 'expectedRows' | 'expectedBytes' | 'job'> {
  readonly rows: string;
  readonly bytes: string;
  readonly expectedRows: string;
  readonly expectedBytes: string;
  readonly job: string | null;
}

export async function readLoads(client: pg.Client, routeId: number): Promise<readonly StoredLoad[]> {
  const { rows } = await client.query<LoadRow>(
    `select source, targets, existing, key, after, ended, again, rows, bytes, expected_rows as "expectedRows",
       expected_bytes as "expectedBytes", job, done_at is not null as done,
       to_jsonb(l) ->> 'table_id' as "tableId",
       to_jsonb(l) ->> 'part' as "where", to_jsonb(l) ->> 'emptied' = 'false' as emptying from tidelock.loads l where route_id = $1 order by begun_at, source`,
    [routeId],
  );
  return rows.map((row) => ({
    ...row,
    // Of before there were such.
    emptying: row.emptying === true,
    rows: Number(row.rows),
    bytes: Number(row.bytes),
    expectedRows: Number(row.expectedRows),
    expectedBytes: Number(row.expectedBytes),
    job: row.job === null ? null : Number(row.job),
  }));
}

/** In the target transaction from which on the table is not complete. */
export async function storeLoad(
  client: pg.Client,
  routeId: number,
  load: NewLoad & Pick<StoredLoad, 'emptying'>,
): Promise<void> {
  await raiseCompatible(client, load.emptying || load.where !== null ? partLoadsSince : loadsSince);
  await client.query(
    `insert into tidelock.loads (route_id, source, targets, existing, key, expected_rows, expected_bytes, job, part, emptied)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, not $10::bool)
     on conflict (route_id, source) do update set targets = excluded.targets, existing = excluded.existing, key = excluded.key, after = null,
       ended = false, again = '[]', rows = 0, bytes = 0, expected_rows = excluded.expected_rows, expected_bytes = excluded.expected_bytes,
       job = excluded.job, begun_at = clock_timestamp(), done_at = null, table_id = null,
       part = excluded.part, emptied = excluded.emptied`,
    [
      routeId,
      load.source,
      JSON.stringify(load.targets),
      load.existing,
      JSON.stringify(load.key),
      load.expectedRows,
      load.expectedBytes,
      load.job,
      load.where,
      load.emptying,
    ],
  );
}

/** In the target transaction in which the last of the rows that it replaces go. */
export async function storeEmptied(client: pg.Client, routeId: number, source: string): Promise<void> {
  await client.query('update tidelock.loads set emptied = true where route_id = $1 and source = $2', [routeId, source]);
}

/** A statement for the transaction of the chunk's rows. */
export function progressStatement(routeId: number, source: string, progress: ChunkProgress): LoadStatement {
  return {
    name: 'tl_chunk',
    text: `update tidelock.loads set after = $3::jsonb, ended = $4::bool, rows = rows + $5::int8, bytes = bytes + $6::int8,
             again = (select coalesce(jsonb_agg(k), '[]') from jsonb_array_elements(again) k where not $7::jsonb @> jsonb_build_array(k)),
             done_at = case when $8::bool then clock_timestamp() end, table_id = $9
           where route_id = $1::int4 and source = $2`,
    values: [
      String(routeId),
      source,
      progress.after === null ? null : JSON.stringify(progress.after),
      String(progress.ended),
      String(progress.rows),
      String(progress.bytes),
      JSON.stringify(progress.readAgain),
      String(progress.done),
      progress.tableId,
    ],
  };
}

/** In the transaction that passes the changes which have moved the rows. */
export function againStatement(routeId: number, again: readonly AgainKey[]): LoadStatement {
  return {
    name: 'tl_again',
    text: `update tidelock.loads l set again = l.again || a.keys
           from (select k->>'source' as source, jsonb_agg(k->'key') as keys from jsonb_array_elements($2::jsonb) k group by 1) a
           where l.route_id = $1::int4 and l.source = a.source`,
    values: [String(routeId), JSON.stringify(again)],
  };
}
