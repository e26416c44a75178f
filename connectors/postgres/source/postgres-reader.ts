import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { pause } from '../../../src/core/pause.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { LongRowError, RowTextCutter, RowTextError } from '../../../src/core/row-text.ts';
import type {
  ReadKey,
  ReadPart,
  ReadRange,
  ReadRequest,
  ReadRows,
  SourceReader,
  TableSize,
} from '../../../src/core/source-reader.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import type { StoredPart } from '../../../src/core/table-places.ts';
import { classifyPostgresError, isPostgresError, sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { takeBytesAsStored } from './bytes-as-stored.ts';
import type { DeliveredTransactions } from './delivered-transactions.ts';
import { markerPrefixes } from './markers.ts';
import { type RangeKey, readKey } from './read-key.ts';
import { connectSide } from './sessions.ts';
import { overIn } from './snapshot-text.ts';
import { readTableFacts } from './table-facts.ts';
import { storedParts } from './table-places.ts';

/** A session that waits longer for its table would hold up those that want it after the DDL command that it waits for. */
const lockMs = 2_000;

/** A commit that was delivered is seen by others a moment later; where this route is its synchronous standby, once it is applied. */
const lookAgainMs = 5;

/** The session's own settings hold the bound of a range: COPY takes no parameters, and a literal would be in the server's log. */
const boundSetting = (at: number): string => `tidelock.bound${at}`;

/** Reads rows beside the stream, on sessions of its own that are kept. */
export class PostgresReader implements SourceReader {
  readonly #route: RouteDefinition;
  /** Of the Collector that was made last. */
  readonly #delivered: () => DeliveredTransactions;
  readonly #keys = new Map<string, RangeKey>();
  readonly #idle: pg.Client[] = [];
  readonly #used = new Set<pg.Client>();
  #closed = false;

  constructor(route: RouteDefinition, delivered: () => DeliveredTransactions) {
    this.#route = route;
    this.#delivered = delivered;
  }

  watermark(id: string, signal: AbortSignal): Promise<void> {
    return this.#use(signal, async (client) => {
      const delivered = this.#delivered().expect(id, signal);
      delivered.catch(() => {});
      await client.query(`SELECT pg_logical_emit_message(true, $1, $2)`, [
        markerPrefixes.watermark,
        JSON.stringify({ v: 1, route: routeKey(this.#route), id }),
      ]);
      await delivered;
    });
  }

  async key(table: TableName): Promise<ReadKey | null> {
    const key = await this.#use(null, (client) => readKey(client, table));
    if (key === null) return null;
    this.#keys.set(tableLabel(table), key);
    const folded = key.columns.filter((column) => column.folded).map(({ name }) => name);
    return { columns: key.columns.map(({ name }) => name), ...(folded.length > 0 && { folded }) };
  }

  size(table: TableName, where: ReadPart | null = null): Promise<TableSize> {
    return this.#use(null, async (client) => {
      const { rows } = await client.query<{ rows: string; bytes: string; guessed: boolean; only: boolean }>(
        `SELECT COALESCE(sum(greatest(c.reltuples, 0)), 0)::int8::text AS rows, COALESCE(sum(pg_table_size(c.oid)), 0)::int8::text AS bytes,
           COALESCE(bool_or(c.reltuples <= 0 AND pg_relation_size(c.oid) > 0), false) AS guessed, COALESCE(bool_or(c.oid = to_regclass($1)), false) AS only
         FROM (SELECT to_regclass($1)::oid AS oid UNION SELECT relid::oid FROM pg_partition_tree(to_regclass($1))) t
         JOIN pg_class c ON c.oid = t.oid AND c.relkind = 'r'`,
        [quoteTable(table)],
      );
      const { rows: known = 0, bytes = 0, guessed = false, only = false } = rows[0] ?? {};
      const from = `${only ? 'ONLY ' : ''}${quoteTable(table)} AS t`;
      // Nobody has analysed it: the planner reckons with the size and the widths of the columns.
      const expected = guessed ? await plannedRows(client, from) : Number(known);
      if (where === null) return { rows: expected, bytes: Number(bytes) };
      const part = Math.min(expected, await plannedRows(client, `${from} WHERE (${where.text}\n)`));
      return { rows: part, bytes: Math.round((Number(bytes) * part) / Math.max(1, expected)) };
    });
  }

  places(table: TableName): Promise<readonly StoredPart[] | null> {
    return this.#use(null, (client) => storedParts(client, table));
  }

  hasRows(table: TableName): Promise<boolean> {
    return this.#use(null, async (client) => {
      // A role that only streams may read no rows, nor look into a schema: what is stored tells it whether there are any.
      const { rows: found } = await client.query<{ readable: boolean; bytes: string | null }>(
        `SELECT has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
           pg_relation_size(c.oid) + (SELECT COALESCE(sum(pg_relation_size(relid)), 0) FROM pg_partition_tree(c.oid)) AS bytes
         FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = $1 AND c.relname = $2`,
        [table.schema, table.name],
      );
      if (found[0]?.readable === false) return Number(found[0].bytes ?? 0) > 0;
      const { rows } = await client.query(`SELECT FROM ${quoteTable(table)} LIMIT 1`);
      return rows.length > 0;
    });
  }

  async read(request: ReadRequest, signal: AbortSignal): Promise<ReadRows> {
    const key = this.#keys.get(tableLabel(request.table));
    if (key === undefined) throw new RangeError('a table whose key was not asked for');
    return this.#use(
      signal,
      (client) => this.#read(client, { ...request, rangeKey: key }, signal),
      (error) => this.#classify(error, request.table),
    );
  }

  snapshot<T>(table: TableName, signal: AbortSignal, run: (snapshot: string) => Promise<T>): Promise<T> {
    const exported = async (client: pg.Client): Promise<T> => {
      await this.#begin(client, table, signal);
      const { rows } = await client.query<{ name: string }>('SELECT pg_export_snapshot() AS name');
      const result = await run(rows[0]?.name ?? '');
      await client.query('COMMIT');
      return result;
    };
    return this.#use(signal, exported, (error) => this.#classify(error, table));
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const client of this.#used) client.connection.stream.destroy();
    await Promise.all(this.#idle.splice(0).map((client) => end(client)));
  }

  async #read(
    client: pg.Client,
    request: ReadRequest & { rangeKey: RangeKey },
    signal: AbortSignal,
  ): Promise<ReadRows> {
    const { table, columns, range, rangeKey, maxBytes } = request;
    await this.#begin(client, table, signal);
    const [facts] = await readTableFacts(client, [table]);
    if (facts === undefined)
      throw fail(sourceErrors.tableMissing, { route: this.#route.name, table: tableLabel(table) });
    const names = new Set(facts.columns.map(({ name }) => name));
    // It was altered since the request was made: its reader has to see that first.
    if (!columns.every((name) => names.has(name))) {
      await client.query('COMMIT');
      return { text: [], rows: 0, bytes: 0, last: null, ended: false, facts };
    }
    // In front of the catalogue's nothing: what is of pg_catalog is meant wherever there are two.
    const path = ['pg_catalog', ...rangeKey.schemas.filter((name) => name !== 'pg_catalog')].map(quoteIdentifier);
    await client.query(`SELECT set_config('search_path', $1, true)`, [path.join(', ')]);
    // Rows of the children of an inheritance parent are no part of it; those of partitions are.
    const select = rangeSelect(request, facts.storage[facts.id] === undefined ? '' : 'ONLY ');
    if (select.values.length > 0)
      await client.query(
        'SELECT set_config(name, value, true) FROM unnest($1::text[], $2::text[]) AS bound (name, value)',
        [select.values.map((_, at) => boundSetting(at)), select.values],
      );
    const indexes = rangeKey.columns.map(({ name }) => columns.indexOf(name));
    const cutter = new RowTextCutter(columns.length, this.#route.apply.maxRowBytes);
    const stream = client.query(copyTo(`COPY (${select.text}) TO STDOUT`));
    let isCut = false;
    for await (const chunk of stream) {
      cutter.take(chunk as Buffer);
      isCut = range.kind === 'after' && cutter.bytes >= maxBytes;
      // Only the end of the session ends a COPY early.
      if (isCut) break;
    }
    if (isCut) client.connection.stream.destroy();
    else await client.query('COMMIT');
    const { text, rows, bytes, lastRow } = cutter.end(isCut);
    const last = lastRow === null ? null : indexes.map((at) => String(lastRow[at]));
    return { text, rows, bytes, last, ended: range.kind === 'keys' || (!isCut && rows < range.rows), facts };
  }

  /**
   * The lock comes before the snapshot: a table that is written anew (TRUNCATE, ALTER TABLE) in between would look empty to an older
   * snapshot. It is one that sees all that the stream has brought by now, and so what it has brought before the low watermark.
   */
  async #begin(client: pg.Client, table: TableName, signal: AbortSignal): Promise<void> {
    const pending = this.#delivered().pending();
    for (;;) {
      await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
      await client.query(`SET LOCAL lock_timeout = ${lockMs}`);
      await client.query(`LOCK TABLE ${quoteTable(table)} IN ACCESS SHARE MODE`);
      const { rows } = await client.query('SELECT pg_current_snapshot()::text AS snapshot');
      if (pending.every(overIn(String(rows[0]?.snapshot)))) return;
      await client.query('ROLLBACK');
      await pause(lookAgainMs, signal);
      signal.throwIfAborted();
    }
  }

  async #use<T>(
    signal: AbortSignal | null,
    run: (client: pg.Client) => Promise<T>,
    classify: (error: unknown) => unknown = (error) => classifyPostgresError(error, this.#route.from.name),
  ): Promise<T> {
    const client = this.#idle.pop() ?? (await this.#connect());
    const abort = (): void => void client.connection.stream.destroy();
    this.#used.add(client);
    let isGood = false;
    try {
      if (this.#closed)
        throw fail(nodeErrors.unreachable, { node: this.#route.from.name, why: 'the reader is closed' });
      signal?.addEventListener('abort', abort, { once: true });
      signal?.throwIfAborted();
      const result = await run(client);
      isGood = !client.connection.stream.destroyed;
      return result;
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      throw classify(error);
    } finally {
      signal?.removeEventListener('abort', abort);
      this.#used.delete(client);
      if (isGood && !this.#closed) this.#idle.push(client);
      else await end(client);
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = await connectSide(this.#route.from, this.#route, 'load');
    try {
      await takeBytesAsStored(client);
    } catch (error) {
      await end(client);
      throw classifyPostgresError(error, this.#route.from.name);
    }
    return client;
  }

  #classify(error: unknown, table: TableName): unknown {
    const { name: route, from, apply } = this.#route;
    const place = { route, table: tableLabel(table), position: 'a chunk of the load' };
    if (error instanceof LongRowError)
      return fail(sourceErrors.rowTooLarge, { ...place, bytes: error.bytes, maxBytes: apply.maxRowBytes });
    if (error instanceof RowTextError)
      return fail(
        sourceErrors.unreadableChange,
        { route, position: `a chunk of ${tableLabel(table)}`, why: error.message },
        error,
      );
    const classified: TidelockError = classifyPostgresError(error, from.name);
    if (!isPostgresError(error) || classified.recovery !== 'halt') return classified;
    // Another command has the table, or has renamed it: the reader asks again when the stream has told.
    if (sqlState(error) === '42P01') return fail(sourceErrors.tableMissing, { route, table: tableLabel(table) }, error);
    return fail(sourceErrors.loadRefused, { ...place, sqlState: error.code, message: classified.message }, error);
  }
}

function rangeSelect(
  { table, columns, range, rangeKey, where: part = null }: ReadRequest & { readonly rangeKey: RangeKey },
  only: 'ONLY ' | '',
) {
  const key = rangeKey.columns;
  const keys = key.map(({ name }) => `t.${quoteIdentifier(name)}`).join(', ');
  const wanted = columns.map((name) => `t.${quoteIdentifier(name)}`).join(', ');
  const values: string[] = [];
  const bound = (value: string, { typeSql }: RangeKey['columns'][number]): string => {
    values.push(value);
    return `pg_catalog.current_setting('${boundSetting(values.length - 1)}')::${typeSql}`;
  };
  const row = (texts: readonly string[]): string => key.map((column, at) => bound(texts[at] ?? '', column)).join(', ');
  return { text: textOf(range), values };

  function textOf(wantedRange: ReadRange): string {
    const from = `SELECT ${wanted} FROM ${only}${quoteTable(table)} AS t`;
    if (wantedRange.kind === 'keys') {
      const rows = wantedRange.keys.map((texts) => `(${row(texts)})`).join(', ');
      return `${from} WHERE (${keys}) IN (${rows})`;
    }
    const after = wantedRange.key === null ? [] : [`ROW(${keys}) > ROW(${row(wantedRange.key)})`];
    // It may end with a comment.
    const wantedRows = [...after, ...(part === null ? [] : [`(${part.text}\n)`])];
    const where = wantedRows.length === 0 ? '' : ` WHERE ${wantedRows.join(' AND ')}`;
    return `${from}${where} ORDER BY ${keys} LIMIT ${wantedRange.rows}`;
  }
}

async function plannedRows(client: pg.Client, from: string): Promise<number> {
  const { rows } = await client.query<{ 'QUERY PLAN': readonly { Plan?: { 'Plan Rows'?: number } }[] }>(
    `EXPLAIN (FORMAT JSON) SELECT FROM ${from}`,
  );
  return rows[0]?.['QUERY PLAN'][0]?.Plan?.['Plan Rows'] ?? 0;
}

/** At once, whatever is under way. */
async function end(client: pg.Client): Promise<void> {
  client.connection.stream.destroy();
  await client.end().catch(() => {});
}
