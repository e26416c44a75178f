import type { ChunkProgress, Existing, NewLoad, StoredLoad } from '../../../src/core/load.ts';
import type { AgainKey } from '../../../src/core/transaction.ts';
import type { MysqlSession } from '../connect.ts';
import { textLiteral } from '../target/value-literal.ts';
import { emptyingSince, isMissing, loadsSince, partsSince, raiseCompatible } from './state-schema.ts';

/** In the place of `replace`, as long as rows that it replaces are there. */
const emptying = 'emptying';

/** By the order in which they were begun. */
export async function readLoads(session: MysqlSession, routeId: number): Promise<readonly StoredLoad[]> {
  const rows = await session.query(
    `select source, targets, existing, key_columns, bound, ended, again, row_count, byte_count, expected_rows, expected_bytes, job, done, table_id
     from tidelock.loads where route_id = ? order by begun_at, source`,
    [routeId],
  );
  const parts = await readParts(session, routeId);
  return rows.map(
    ([
      source,
      targets,
      existing,
      key,
      after,
      ended,
      again,
      count,
      bytes,
      expectedRows,
      expectedBytes,
      job,
      done,
      tableId = null,
    ]) => ({
      source: String(source),
      targets: parsed<string[]>(targets, []),
      existing: existing === emptying ? 'replace' : (String(existing) as Existing),
      key: parsed<string[]>(key, []),
      after: parsed<string[] | null>(after, null),
      ended: ended === '1',
      again: parsed<string[][]>(again, []),
      rows: Number(count),
      bytes: Number(bytes),
      expectedRows: Number(expectedRows),
      expectedBytes: Number(expectedBytes),
      job: job === null || job === undefined ? null : Number(job),
      done: done === '1',
      where: parts.get(String(source)) ?? null,
      emptying: existing === emptying,
      tableId,
    }),
  );
}

/** By source table. An older state has none. */
async function readParts(session: MysqlSession, routeId: number): Promise<ReadonlyMap<string, string>> {
  try {
    const rows = await session.query('select source, part from tidelock.load_parts where route_id = ?', [routeId]);
    return new Map(rows.map(([source, part]) => [String(source), String(part)]));
  } catch (error) {
    if (isMissing(error)) return new Map();
    throw error;
  }
}

function parsed<T>(text: string | null | undefined, otherwise: T): T {
  return text === null || text === undefined ? otherwise : (JSON.parse(text) as T);
}

/** In the target transaction from which on the table is not complete. */
export async function storeLoad(
  session: MysqlSession,
  routeId: number,
  load: NewLoad & Pick<StoredLoad, 'emptying'>,
): Promise<void> {
  await raiseCompatible(session, load.where !== null ? partsSince : load.emptying ? emptyingSince : loadsSince);
  await session.change('delete from tidelock.loads where route_id = ? and source = ?', [routeId, load.source]);
  await session.change('delete from tidelock.load_parts where route_id = ? and source = ?', [routeId, load.source]);
  if (load.where !== null)
    await session.change('insert into tidelock.load_parts (route_id, source, part) values (?, ?, ?)', [
      routeId,
      load.source,
      load.where,
    ]);
  await session.change(
    `insert into tidelock.loads (route_id, source, targets, existing, key_columns, expected_rows, expected_bytes, job)
     values (?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      routeId,
      load.source,
      JSON.stringify(load.targets),
      load.emptying ? emptying : load.existing,
      JSON.stringify(load.key),
      load.expectedRows,
      load.expectedBytes,
      load.job,
    ],
  );
}

/** In the transaction in which the last of the rows go that it replaces. */
export async function storeEmptied(session: MysqlSession, routeId: number, source: string): Promise<void> {
  const replace: Existing = 'replace';
  await session.change('update tidelock.loads set existing = ? where route_id = ? and source = ?', [
    replace,
    routeId,
    source,
  ]);
}

/** A statement for the transaction of the chunk's rows. What is to be read again is another one's. */
export function progressStatement(routeId: number, source: string, progress: ChunkProgress): string {
  const after = progress.after === null ? 'null' : textLiteral(JSON.stringify(progress.after));
  return `update tidelock.loads set bound = ${after}, ended = ${Number(progress.ended)}, row_count = row_count + ${progress.rows},
    byte_count = byte_count + ${progress.bytes}, done = ${Number(progress.done)}, table_id = ${textLiteral(progress.tableId)} where route_id = ${routeId} and source = ${textLiteral(source)}`;
}

/** In the transaction that passes the changes which have moved the rows, or brings the rows. */
export async function storeAgain(
  session: MysqlSession,
  routeId: number,
  {
    added = [],
    read = [],
    source,
  }: { added?: readonly AgainKey[]; read?: ChunkProgress['readAgain']; source?: string },
): Promise<void> {
  const sources = new Set([...added.map((key) => key.source), ...(source === undefined ? [] : [source])]);
  for (const of of sources) {
    const [row] = await session.query('select again from tidelock.loads where route_id = ? and source = ? for update', [
      routeId,
      of,
    ]);
    if (row === undefined) continue;
    const gone = new Set(of === source ? read.map((key) => JSON.stringify(key)) : []);
    const kept = parsed<string[][]>(row[0], []).filter((key) => !gone.has(JSON.stringify(key)));
    const more = added.filter((key) => key.source === of).map(({ key }) => key);
    await session.change('update tidelock.loads set again = ? where route_id = ? and source = ?', [
      JSON.stringify([...kept, ...more]),
      routeId,
      of,
    ]);
  }
}
