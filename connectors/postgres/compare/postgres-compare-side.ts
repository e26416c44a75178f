import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Row } from '../../../src/core/cell.ts';
import {
  type BucketChoice,
  type ComparedRow,
  type ComparedShape,
  type CompareSide,
  type GivenRow,
  type GivenRows,
  type KeyRange,
  keyText,
  type ListedRow,
  type RangeDigest,
  type RowHash,
  type RowKey,
  type RowPlace,
  type SideCondition,
  type SideTable,
} from '../../../src/core/compare-side.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';
import { RowTextReader } from '../../../src/core/row-text.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import { classifyPostgresError } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';
import { quoteIdentifier, quoteLiteral, quoteTable } from '../identifiers.ts';
import { sqlPieces } from '../schema/sql-pieces.ts';
import { sqlText } from '../schema/sql-text.ts';
import { CompareSql, tidsOf, versionOf } from './compare-sql.ts';
import { type PostgresSideTable, readSideTables } from './side-tables.ts';

/** A session whose transaction is the frozen side. */
interface FrozenSession {
  readonly client: pg.Client;
  readonly tables: ReadonlyMap<string, PostgresSideTable>;
}

export interface CompareSideOptions {
  readonly node: NodeDefinition;
  readonly applicationName: string;
  readonly route: string;
  readonly signal: AbortSignal;
}

interface FoundRow {
  readonly key: string[];
  readonly cells: (string | null)[];
}

/**
 * Nothing is written, and plans are made for the values at hand. A table that somebody has
 * locked is tried again later: applying waits for a look at suspects, and other tables wait with it.
 */
const settings = {
  default_transaction_read_only: 'on',
  plan_cache_mode: 'force_custom_plan',
  lock_timeout: '2s',
};

const batchBytes = 1_000_000;

/** The session's own settings hold the bounds of a range that is copied. */
const boundSetting = (number: number): string => `tidelock.bound${number}`;

/** One side of a compare on PostgreSQL: as many sessions as calls are under way at once. */
export class PostgresCompareSide implements CompareSide {
  readonly #options: CompareSideOptions;
  readonly #idle: pg.Client[] = [];
  readonly #all = new Set<pg.Client>();
  readonly #tables: Map<string, PostgresSideTable> = new Map();
  readonly #abort: () => void;

  readonly #frozen: pg.Client | null;

  constructor(options: CompareSideOptions, frozen: FrozenSession | null = null) {
    this.#options = options;
    this.#frozen = frozen?.client ?? null;
    if (frozen !== null) {
      this.#all.add(frozen.client);
      this.#tables = new Map(frozen.tables);
    }
    this.#abort = () => {
      for (const client of this.#all) client.connection.stream.destroy();
    };
    options.signal.addEventListener('abort', this.#abort, { once: true });
  }

  tables(names: readonly TableName[]): Promise<readonly SideTable[]> {
    return this.#use(async (client) => {
      const tables = await readSideTables(client, names);
      for (const table of tables) this.#tables.set(tableLabel(table), table);
      return tables;
    });
  }

  async condition({ text, names }: SideCondition): Promise<string> {
    const pieces = await sqlPieces(text, 'expression');
    return sqlText(
      pieces.map((piece) => (typeof piece === 'string' ? piece : { column: names.get(piece.column) ?? piece.column })),
    );
  }

  probe(seed: string): Promise<string> {
    // Of lengths around the words that the function works in, in characters that every encoding has.
    const texts = ['', 'a', 'Tidelock', 'twelve bytes', 'a text that is longer than twelve bytes'];
    return this.#use(async (client) => {
      const { rows } = await client.query<{ probe: string }>(
        `select getdatabaseencoding() || ' ' || string_agg(hashtextextended(t collate "C", $2)::text, ' ' order by o) as probe
         from unnest($1::text[]) with ordinality u(t, o)`,
        [texts, seed],
      );
      return rows[0]?.probe ?? '';
    });
  }

  digest(shape: ComparedShape, hash: RowHash, range: KeyRange): Promise<RangeDigest> {
    const sql = this.#sql(shape);
    const { text, values } = sql.range(range);
    return this.#use(async (client) => {
      const { rows } = await client.query<{ rows: string; sum: string }>(sql.digest(hash, text), values);
      return { rows: Number(rows[0]?.rows), sum: rows[0]?.sum ?? '' };
    });
  }

  boundary(shape: ComparedShape, range: KeyRange, rows: number): Promise<RowKey | null> {
    const sql = this.#sql(shape);
    const { text, values } = sql.range(range);
    return this.#use(async (client) => {
      const found = await client.query<{ key: string[] }>(sql.boundary(text, rows), values);
      return found.rows[0]?.key ?? null;
    });
  }

  ends(shape: ComparedShape): Promise<{ readonly first: string; readonly last: string } | null> {
    return this.#use(async (client) => {
      const { rows } = await client.query<{ first: string | null; last: string | null }>(this.#sql(shape).ends);
      const { first = null, last = null } = rows[0] ?? {};
      return first === null || last === null ? null : { first, last };
    });
  }

  boundaries(shape: ComparedShape, range: KeyRange, every: number): Promise<readonly RowKey[]> {
    const sql = this.#sql(shape);
    const { text, values } = sql.range(range);
    return this.#use(async (client) => {
      const { rows } = await client.query<{ key: string[] }>(sql.boundaries(text, every), values);
      return rows.map(({ key }) => key);
    });
  }

  list(shape: ComparedShape, hash: RowHash, range: KeyRange): Promise<readonly ListedRow[]> {
    const sql = this.#sql(shape);
    const { text, values } = sql.range(range);
    return this.#use(async (client) => (await client.query<ListedRow>(sql.list(hash, text), values)).rows);
  }

  bucketDigests(shape: ComparedShape, hash: RowHash, buckets: number): Promise<ReadonlyMap<number, RangeDigest>> {
    return this.#use(async (client) => {
      const { rows } = await client.query<{ bucket: number; rows: string; sum: string }>(
        this.#sql(shape).bucketDigests(hash, buckets),
      );
      return new Map(rows.map(({ bucket, rows: count, sum }) => [bucket, { rows: Number(count), sum }]));
    });
  }

  listBuckets(shape: ComparedShape, hash: RowHash, { chosen, ...how }: BucketChoice): Promise<readonly ListedRow[]> {
    return this.#use(async (client) => {
      const { rows } = await client.query<ListedRow>(this.#sql(shape).listBuckets(hash, how), [chosen]);
      return rows;
    });
  }

  placed(shape: ComparedShape, places: readonly RowPlace[]): Promise<ReadonlyMap<RowPlace, ComparedRow>> {
    return this.#use(async (client) => {
      const { rows } = await client.query<{ place: RowPlace; cells: (string | null)[] }>(this.#sql(shape).placed, [
        places,
        tidsOf(places),
      ]);
      return new Map(rows.map(({ place, cells }) => [place, cells]));
    });
  }

  rows(shape: ComparedShape, keys: readonly RowKey[]): Promise<ReadonlyMap<string, ComparedRow>> {
    const columns = shape.key.map((_, at) => keys.map((key) => key[at]));
    return this.#use(async (client) => {
      const { rows } = await client.query<FoundRow>(this.#sql(shape).rows, columns);
      return new Map(rows.map(({ key, cells }) => [keyText(key), cells]));
    });
  }

  versions(shape: ComparedShape, keys: readonly RowKey[]): Promise<ReadonlyMap<string, string>> {
    const columns = shape.key.map((_, at) => keys.map((key) => key[at]));
    return this.#use(async (client) => {
      const { rows } = await client.query<{ key: string[]; version: string }>(this.#sql(shape).versions, columns);
      return new Map(rows.map(({ key, version }) => [keyText(key), version]));
    });
  }

  async *read(
    shape: ComparedShape,
    columns: readonly string[],
    range: KeyRange & { readonly places?: boolean },
  ): AsyncGenerator<readonly Row[], void, undefined> {
    const sql = this.#sql(shape);
    const { text, values } = sql.range(range);
    // COPY takes no parameters, and a literal would stand in the server's log.
    const where = text.replaceAll(
      /\$(\d+)/g,
      (_, number: string) => `current_setting('${boundSetting(Number(number))}')`,
    );
    const names = [...columns.map(quoteIdentifier), ...(range.places === true ? [versionOf('t')] : [])];
    const client = await this.#take();
    let isDone = false;
    try {
      if (values.length > 0)
        await client.query(
          'select set_config(name, value, false) from unnest($1::text[], $2::text[]) as bound (name, value)',
          [values.map((_, at) => boundSetting(at + 1)), values],
        );
      const reader = new RowTextReader(names.length);
      let batch: Row[] = [];
      let bytes = 0;
      for await (const chunk of client.query(
        copyTo(`COPY (select ${names.join(', ')} from ${sql.from} t ${where}) TO STDOUT`),
      )) {
        for (const row of reader.read(chunk as Buffer)) batch.push(row);
        bytes += (chunk as Buffer).length;
        if (bytes < batchBytes || batch.length === 0) continue;
        yield batch;
        batch = [];
        bytes = 0;
      }
      if (batch.length > 0) yield batch;
      isDone = true;
    } catch (error) {
      throw this.#classify(error);
    } finally {
      // A reader that leaves early leaves a COPY under way.
      if (isDone) this.#give(client);
      else await this.#end(client);
    }
  }

  listGiven(shape: ComparedShape, hash: RowHash, { rows: given, buckets }: GivenRows): Promise<readonly GivenRow[]> {
    const columns = shape.columns.map((_, at) => given.map((row) => row[at] ?? null));
    return this.#use(async (client) => {
      const { rows } = await client.query<GivenRow>(this.#sql(shape).given(hash, buckets), columns);
      return rows;
    });
  }

  rowsGiven(shape: ComparedShape, given: readonly Row[]): Promise<ReadonlyMap<string, ComparedRow>> {
    const columns = shape.columns.map((_, at) => given.map((row) => row[at] ?? null));
    return this.#use(async (client) => {
      const { rows } = await client.query<FoundRow>(this.#sql(shape).rowsGiven(), columns);
      return new Map(rows.map(({ key, cells }) => [keyText(key), cells]));
    });
  }

  async frozen(table: TableName, snapshot: string | null): Promise<CompareSide> {
    const client = await this.#take();
    try {
      await client.query('begin isolation level repeatable read read only');
      // The lock before a snapshot of our own: to an older one a table that was written anew looks empty.
      if (snapshot !== null) await client.query(`set transaction snapshot ${quoteLiteral(snapshot)}`);
      await client.query(`lock table ${quoteTable(table)} in access share mode`);
      await client.query('select pg_current_snapshot()');
    } catch (error) {
      await this.#end(client);
      throw this.#classify(error);
    }
    this.#all.delete(client);
    return new PostgresCompareSide(this.#options, { client, tables: this.#tables });
  }

  async close(): Promise<void> {
    this.#options.signal.removeEventListener('abort', this.#abort);
    await Promise.all([...this.#all].map((client) => this.#end(client)));
  }

  #sql(shape: ComparedShape): CompareSql {
    const table = this.#tables.get(tableLabel(shape.table));
    if (table === undefined) throw new RangeError('a table that was not asked for');
    return new CompareSql(table, shape);
  }

  async #use<T>(run: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = await this.#take();
    try {
      const result = await run(client);
      this.#give(client);
      return result;
    } catch (error) {
      await this.#end(client);
      throw this.#classify(error);
    }
  }

  async #take(): Promise<pg.Client> {
    this.#options.signal.throwIfAborted();
    const idle = this.#frozen ?? this.#idle.pop();
    if (idle !== undefined) return idle;
    const { node, applicationName } = this.#options;
    const client = await connectPostgres(node, { applicationName, settings });
    this.#all.add(client);
    if (this.#options.signal.aborted) await this.#end(client);
    this.#options.signal.throwIfAborted();
    return client;
  }

  #give(client: pg.Client): void {
    if (this.#frozen === null) this.#idle.push(client);
  }

  #classify(error: unknown): unknown {
    const { signal, node, route } = this.#options;
    if (signal.aborted) return signal.reason;
    const classified = classifyPostgresError(error, node.name);
    if (classified.recovery !== 'halt') return classified;
    return fail(targetErrors.compareRefused, { route, node: node.name, message: classified.message }, error);
  }

  async #end(client: pg.Client): Promise<void> {
    this.#all.delete(client);
    client.connection.stream.destroy();
    await client.end().catch(() => {});
  }
}
