import type pg from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { Row } from '../../../src/core/cell.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import { LongRowError, RowTextError, RowTextReader } from '../../../src/core/row-text.ts';
import type { QueueSnapshot } from '../../../src/core/source.ts';
import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TableFacts } from '../../../src/core/table-facts.ts';
import type { PlaceRequest, PlaceRows, StoredPart } from '../../../src/core/table-places.ts';
import { classifyPostgresError, isPostgresError, sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteLiteral, quoteTable } from '../identifiers.ts';
import { takeBytesAsStored } from './bytes-as-stored.ts';
import type { CatalogueTable } from './catalogue.ts';
import { queueNames } from './queue-names.ts';
import { connectSide, withSide } from './sessions.ts';
import { readPlaces, storedParts } from './table-places.ts';
import { tablesBytes } from './tables-bytes.ts';

export interface PostgresSnapshotOptions {
  readonly route: RouteDefinition;
  readonly position: Position;
  readonly source: SourceIdentity;
  /** Name of the exported snapshot: good as long as `exporter` is connected and idle. */
  readonly snapshot: string;
  readonly exporter: pg.Client;
  readonly tables: readonly CatalogueTable[];
  readonly facts: readonly TableFacts[];
}

/** To the server a snapshot whose session has ended is a name that does not exist: another load makes another one. */
export async function beginInSnapshot(client: pg.Client, route: RouteDefinition, snapshot: string): Promise<void> {
  await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await client.query(`SET TRANSACTION SNAPSHOT ${quoteLiteral(snapshot)}`);
  } catch (error) {
    if (!noSnapshot.test(sqlState(error) ?? '')) throw error;
    const why = 'the session that holds the snapshot of the load has ended';
    throw fail(nodeErrors.unreachable, { node: route.from.name, why }, error);
  }
}

/** The name means nothing (42704, before 17 22023); or its session has ended while the snapshot was taken up (55000). */
const noSnapshot = /^(42704|22023|55000)$/;

/** Of `beginInSnapshot`: there is no such snapshot any more. */
function isGone(error: unknown): boolean {
  return error instanceof Error && noSnapshot.test(sqlState(error.cause) ?? '');
}

const batchBytes = 1_000_000;

/** The route's tables as they were when the slot was made: its first change is the next after this snapshot. */
export class PostgresSnapshot implements QueueSnapshot {
  readonly position: Position;
  readonly source: SourceIdentity;
  readonly tables: readonly TableVersion[];
  readonly facts: readonly TableFacts[];
  readonly #options: PostgresSnapshotOptions;
  /** Between two tables: thousands of tables need no thousands of connections. */
  readonly #idle: pg.Client[] = [];
  #isClosed = false;
  /** As others take it up. */
  #name: string;
  #holder: pg.Client;

  constructor(options: PostgresSnapshotOptions) {
    this.#options = options;
    this.#name = options.snapshot;
    this.#holder = options.exporter;
    this.position = options.position;
    this.source = options.source;
    this.tables = options.tables.map(({ table }) => table);
    this.facts = options.facts;
  }

  async sizeBytes(): Promise<number> {
    return withSide(this.#options.route, 'load', async (client) => {
      try {
        return await tablesBytes(client, this.#options.tables);
      } catch (error) {
        throw classifyPostgresError(error, this.#options.route.from.name);
      }
    });
  }

  async hold(): Promise<void> {
    const { route, exporter } = this.#options;
    const client = await connectSide(route.from, route, 'load');
    try {
      await beginInSnapshot(client, route, this.#name);
      const { rows } = await client.query<{ name: string }>('SELECT pg_export_snapshot() AS name');
      this.#name = rows[0]?.name ?? '';
      this.#holder = client;
    } catch (error) {
      await end(client);
      throw classifyPostgresError(error, route.from.name);
    }
    await end(exporter);
  }

  async places(table: TableName): Promise<readonly StoredPart[] | null> {
    const client = await this.#client();
    let isGood = false;
    try {
      await this.#begin(client);
      const parts = await storedParts(client, table);
      await client.query('COMMIT');
      isGood = true;
      return parts;
    } catch (error) {
      throw this.#classify(error, table);
    } finally {
      if (isGood && !this.#isClosed) this.#idle.push(client);
      else await end(client);
    }
  }

  async readPlaces(request: PlaceRequest, signal: AbortSignal): Promise<PlaceRows> {
    const { route } = this.#options;
    const client = await this.#client();
    const abort = (): void => void client.connection.stream.destroy();
    let isGood = false;
    try {
      signal.addEventListener('abort', abort, { once: true });
      signal.throwIfAborted();
      try {
        await this.#begin(client);
      } catch (error) {
        if (isGone(error)) return { kind: 'moved' };
        throw error;
      }
      const read = await readPlaces(client, request, route.apply.maxRowBytes);
      isGood = !client.connection.stream.destroyed;
      return read;
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw this.#unreadable(error, request.range.part) ?? this.#classify(error, request.range.part);
    } finally {
      signal.removeEventListener('abort', abort);
      if (isGood && !this.#isClosed) this.#idle.push(client);
      else await end(client);
    }
  }

  async *read(table: TableVersion, signal: AbortSignal): AsyncGenerator<readonly Row[], void, undefined> {
    const client = await this.#client();
    const abort = (): void => void client.connection.stream.destroy();
    let isDone = false;
    try {
      signal.addEventListener('abort', abort);
      signal.throwIfAborted();
      // A transaction a table: locks of thousands of tables would not fit into the server's lock table.
      await this.#begin(client);
      yield* this.#copy(client, table);
      await client.query('COMMIT');
      isDone = true;
      this.#idle.push(client);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw this.#classify(error, table);
    } finally {
      signal.removeEventListener('abort', abort);
      // A reader that leaves early leaves a COPY under way: only the end of the connection ends it.
      if (!isDone) await end(client);
    }
  }

  async #begin(client: pg.Client): Promise<void> {
    await beginInSnapshot(client, this.#options.route, this.#name);
    // Where a policy would hide rows from this user the server shall say so, not leave them out.
    await client.query('SET LOCAL row_security = off');
  }

  async #client(): Promise<pg.Client> {
    const { route } = this.#options;
    const client = this.#idle.pop();
    if (client !== undefined) return client;
    const made = await connectSide(route.from, route, 'load');
    try {
      await takeBytesAsStored(made);
    } catch (error) {
      await end(made);
      throw classifyPostgresError(error, route.from.name);
    }
    return made;
  }

  async *#copy(client: pg.Client, table: TableVersion): AsyncGenerator<readonly Row[], void, undefined> {
    const kind = this.#options.tables.find((entry) => entry.table === table)?.kind;
    const columns = table.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
    // A query is planned, which may run functions of an index; the rows of children are no part of a plain copy.
    const rows =
      kind === 'p'
        ? `(SELECT ${columns} FROM ${quoteTable(table)})`
        : `${quoteTable(table)}${columns === '' ? '' : ` (${columns})`}`;
    const reader = new RowTextReader(table.columns.length, this.#options.route.apply.maxRowBytes);
    let batch: Row[] = [];
    let bytes = 0;
    try {
      for await (const chunk of client.query(copyTo(`COPY ${rows} TO STDOUT`))) {
        for (const row of reader.read(chunk as Buffer)) batch.push(row);
        bytes += (chunk as Buffer).length;
        if (bytes < batchBytes || batch.length === 0) continue;
        yield batch;
        batch = [];
        bytes = 0;
      }
    } catch (error) {
      throw this.#unreadable(error, table) ?? error;
    }
    if (batch.length > 0) yield batch;
  }

  /** What is wrong with a row; null of what is wrong with the server. */
  #unreadable(error: unknown, table: TableName): TidelockError | null {
    if (error instanceof LongRowError) return this.#tooLarge(table, error.bytes);
    if (!(error instanceof RowTextError)) return null;
    const place = { route: this.#options.route.name, position: `${this.position}, ${tableLabel(table)}` };
    return fail(sourceErrors.unreadableChange, { ...place, why: error.message }, error);
  }

  #classify(error: unknown, table: TableName): TidelockError {
    const { route } = this.#options;
    const classified = classifyPostgresError(error, route.from.name);
    if (classified.recovery !== 'halt' || !isPostgresError(error)) return classified;
    const place = { route: route.name, table: tableLabel(table), position: this.position, sqlState: error.code };
    return fail(sourceErrors.loadRefused, { ...place, message: classified.message }, error);
  }

  #tooLarge(table: TableName, bytes: number): TidelockError {
    const { route } = this.#options;
    const place = { route: route.name, table: tableLabel(table), position: this.position };
    return fail(sourceErrors.rowTooLarge, { ...place, bytes, maxBytes: route.apply.maxRowBytes });
  }

  /** Either command ends the snapshot. */
  async discard(): Promise<void> {
    const { slot, publication, ownsPublication } = queueNames(this.#options.route);
    const { exporter } = this.#options;
    await exporter.query(`DROP_REPLICATION_SLOT ${quoteIdentifier(slot)}`);
    if (ownsPublication) await exporter.query(`DROP PUBLICATION IF EXISTS ${quoteIdentifier(publication)}`);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.all([...this.#idle.splice(0), this.#holder].map(end));
  }
}

/** At once, whatever is under way. */
async function end(client: pg.Client): Promise<void> {
  client.connection.stream.destroy();
  await client.end().catch(() => {});
}
