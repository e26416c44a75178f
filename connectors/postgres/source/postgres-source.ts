import type pg from 'pg';
import type { Collector } from '../../../src/core/collector.ts';
import type { CompareSide } from '../../../src/core/compare-side.ts';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Finding } from '../../../src/core/finding.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import type { Sequence, SequenceState } from '../../../src/core/sequence.ts';
import type {
  CollectorOptions,
  PreparedQueue,
  PrepareRequest,
  PublishedTables,
  QueueSnapshot,
  Source,
  SourceOptions,
  SourceStatus,
} from '../../../src/core/source.ts';
import type { SourceReader } from '../../../src/core/source-reader.ts';
import { type TableName, type TableVersion, type TypeDefinition, tableLabel } from '../../../src/core/table.ts';
import type { TableFacts } from '../../../src/core/table-facts.ts';
import type { TablePattern } from '../../../src/core/table-pattern.ts';
import type { DatabaseSchema } from '../../../src/core/table-schema.ts';
import { classifyPostgresError, sqlState } from '../classify-error.ts';
import { PostgresCompareSide } from '../compare/postgres-compare-side.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { readInstance } from '../instance.ts';
import { formatLsn, lsnOrder } from '../lsn.ts';
import { readSchema } from '../schema/read-schema.ts';
import { readNamedSequences, readSequences } from '../sequences.ts';
import { readColumnTypes } from '../type-definitions.ts';
import { addTables } from './add-tables.ts';
import { createQueue, routeTables } from './create-queue.ts';
import { dropCapture, readAnnounced } from './ddl-capture.ts';
import { DeliveredTransactions } from './delivered-transactions.ts';
import { KeptSide } from './kept-side.ts';
import { emitMark } from './mark.ts';
import { PostgresCollector } from './postgres-collector.ts';
import { PostgresReader } from './postgres-reader.ts';
import { preflight } from './preflight/preflight.ts';
import { prepareQueue, readPrepared } from './prepare-queue.ts';
import { enterTables, publishTables } from './publish-tables.ts';
import { queueNames } from './queue-names.ts';
import { readWritten, sourceStatus } from './read-status.ts';
import { connectReplication } from './replication-client.ts';
import { answeredInTime, endSideSessions, queuePurpose, sideName, withSide } from './sessions.ts';
import { dropSlot, endSlotSession, readSlot, usableSlot } from './slot.ts';
import { areSettled, precedes } from './snapshot-text.ts';
import { isNamed, readStandbyNames } from './standby-names.ts';
import { readSystemIdentity } from './system-identity.ts';
import { TableFactsReader } from './table-facts.ts';
import { tablesBytes } from './tables-bytes.ts';
import { tidyQueue } from './tidy-queue.ts';
import { areEnded, copyToTwin, demandTwin, makeTwin } from './twin-queue.ts';

/** A route's source on PostgreSQL 14 and newer. Connections are opened for each call; the Collector keeps its own. */
export function postgresSource(options: SourceOptions): Source {
  return new PostgresSource(options);
}

class PostgresSource implements Source {
  readonly order = lsnOrder;
  readonly #options: SourceOptions;
  readonly #collectors = new Set<Collector>();
  /** Of the Collector that was made last. */
  #delivered = new DeliveredTransactions();

  readonly #facts: TableFactsReader;
  readonly #kept: KeptSide;

  constructor(options: SourceOptions) {
    this.#options = options;
    this.#kept = new KeptSide(options.route);
    this.#facts = new TableFactsReader(options.route);
  }

  async identity(): Promise<SourceIdentity> {
    const { route } = this.#options;
    const client = await connectReplication(route, 'identity');
    try {
      return (await answeredInTime(client, route.from, () => readSystemIdentity(client))).identity;
    } catch (error) {
      throw classifyPostgresError(error, route.from.name);
    } finally {
      await client.end().catch(() => {});
    }
  }

  originName({ systemId = '', database = '' }: SourceIdentity): string {
    return `${systemId}/${database}`;
  }

  storedOriginName(stored: SourceIdentity): string | null {
    return stored.systemId === undefined || stored.database === undefined ? null : this.originName(stored);
  }

  instance(): Promise<string> {
    return this.#look(readInstance);
  }

  tables(): Promise<readonly TableVersion[]> {
    return this.#look(async (client) => {
      const tables = await routeTables(client, this.#options.route);
      const types = await readColumnTypes(
        client,
        tables.map(({ oid }) => oid),
      );
      return tables.map(({ oid, table }) => withDefinitions(table, types.get(oid)));
    });
  }

  facts(table: { readonly schema: string; readonly name: string }, after: string | null): Promise<TableFacts | null> {
    return this.#facts.read(table, after);
  }

  catalogue(tables: readonly TableName[]): Promise<readonly TableFacts[]> {
    return this.#facts.readAll(tables);
  }

  filled(table: TableName, partitions: readonly string[]): Promise<readonly string[]> {
    return this.#facts.filled(table, partitions);
  }

  expectFacts(tables: readonly TableName[]): void {
    this.#facts.expect(tables);
  }

  settled(stamps: readonly string[], seen: string): boolean {
    return areSettled(stamps, seen);
  }

  precedes(a: string, b: string): boolean {
    return precedes(a, b);
  }

  sizeBytes(tables: readonly TableName[]): Promise<number> {
    const labels = new Set(tables.map(tableLabel));
    return this.#side('setup', async (client) => {
      const all = await routeTables(client, this.#options.route);
      return await tablesBytes(
        client,
        all.filter(({ table }) => labels.has(tableLabel(table))),
      );
    });
  }

  announced(): Promise<readonly string[]> {
    return this.#look((client) => readAnnounced(client, this.#options.route));
  }

  sequences(tables: readonly TableName[]): Promise<readonly Sequence[]> {
    return this.#side('sequences', (client) => readSequences(client, tables));
  }

  namedSequences(patterns: readonly TablePattern[]): Promise<readonly SequenceState[]> {
    return this.#side('sequences', (client) => readNamedSequences(client, patterns));
  }

  schema(): Promise<DatabaseSchema> {
    return this.#side('setup', async (client) => {
      const tables = await routeTables(client, this.#options.route);
      return await readSchema(
        client,
        tables.map(({ table }) => table),
      );
    });
  }

  preflight(): Promise<readonly Finding[]> {
    return this.#look((client) => preflight(client, this.#options.route));
  }

  async createQueue(signal: AbortSignal, confirm: () => Promise<void>): Promise<QueueSnapshot> {
    try {
      return await createQueue(this.#options.route, signal, confirm);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      const { route } = this.#options;
      // object_in_use: what reads the slot was told to end and has not done so yet.
      if (sqlState(error) === '55006')
        throw fail(sourceErrors.slotActive, { route: route.name, slot: queueNames(route).slot, pid: 'unknown' }, error);
      throw classifyPostgresError(error, route.from.name);
    }
  }

  async prepareQueue(request: PrepareRequest, signal: AbortSignal): Promise<PreparedQueue> {
    try {
      return await prepareQueue(this.#options.route, request, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw classifyPostgresError(error, this.#options.route.from.name);
    }
  }

  prepared(): Promise<Position | null> {
    return this.#side('setup', (client) => readPrepared(client, this.#options.route));
  }

  async addTables(tables: readonly TableVersion[], signal: AbortSignal): Promise<QueueSnapshot> {
    try {
      return await addTables(this.#options.route, tables, signal);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw classifyPostgresError(error, this.#options.route.from.name);
    }
  }

  async publishTables(
    tables: readonly TableVersion[],
    signal: AbortSignal,
    { entered } = { entered: false },
  ): Promise<PublishedTables> {
    const { route, logger } = this.#options;
    try {
      return await publishTables(route, tables, { logger, signal, entered });
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw classifyPostgresError(error, route.from.name);
    }
  }

  isAwaited(): Promise<boolean> {
    return this.#look(async (client) => isNamed(this.#options.route, await readStandbyNames(client)));
  }

  enterTables(tables: readonly TableVersion[]): Promise<void> {
    const { route } = this.#options;
    const labels = new Set(tables.map(tableLabel));
    return this.#side('setup', async (client) => {
      const there = await routeTables(client, route);
      const entered = await enterTables(
        client,
        route,
        there.filter(({ table }) => labels.has(tableLabel(table))),
      );
      if (entered) failpoint('tables.published');
    });
  }

  tidyQueue(carried: readonly string[]): Promise<readonly string[]> {
    return this.#look((client) => tidyQueue(client, this.#options.route, carried));
  }

  makeTwin(twin: RouteDefinition): Promise<string> {
    return this.#side('setup', (client) => makeTwin(client, this.#options.route, twin));
  }

  twinIsReady(made: string): Promise<boolean> {
    return this.#side('setup', (client) => areEnded(client, made));
  }

  copyQueue(twin: RouteDefinition): Promise<void> {
    return this.#side('setup', (client) => copyToTwin(client, this.#options.route, twin));
  }

  demandTwin(twin: RouteDefinition): Promise<void> {
    return this.#side('setup', (client) => demandTwin(client, this.#options.route, twin));
  }

  queuePosition(): Promise<Position | null> {
    return this.#side('setup', async (client) => {
      const { slot: name } = queueNames(this.#options.route);
      const slot = await readSlot(client, name);
      return slot === null ? null : formatLsn(usableSlot(this.#options.route.name, name, slot).confirmedLsn);
    });
  }

  isLoading(): Promise<boolean> {
    const { route } = this.#options;
    return this.#side('check', async (client) => {
      const { rows } = await client.query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = ANY ($1)
           AND state = 'active' AND wait_event_type IS DISTINCT FROM 'Client'`,
        [['load', queuePurpose].map((purpose) => sideName(route, purpose))],
      );
      return rows.length > 0;
    });
  }

  endQueueSessions(): Promise<void> {
    const { route } = this.#options;
    // On the session that the start goes on with.
    return this.#look(async (client) => {
      await endSideSessions(client, route, queuePurpose);
      await endSlotSession(client, queueNames(route).slot);
    });
  }

  dropQueue(confirm = async (): Promise<void> => {}): Promise<readonly string[]> {
    return this.#side(queuePurpose, async (client) => {
      await confirm();
      const { slot, publication, ownsSlot, ownsPublication } = queueNames(this.#options.route);
      if (ownsSlot) await dropSlot(client, slot);
      if (ownsPublication) await client.query(`DROP PUBLICATION IF EXISTS ${quoteIdentifier(publication)}`);
      return await dropCapture(client, this.#options.route);
    });
  }

  collector(stored: SourceIdentity, options: CollectorOptions): Collector {
    const { route, logger } = this.#options;
    this.#delivered = new DeliveredTransactions(this.#delivered);
    const collector = new PostgresCollector({
      ...options,
      route,
      logger,
      stored,
      delivered: this.#delivered,
      side: this.#kept,
    });
    this.#collectors.add(collector);
    return collector;
  }

  reader(): SourceReader {
    return new PostgresReader(this.#options.route, () => this.#delivered);
  }

  compareSide(signal: AbortSignal): CompareSide {
    const { route } = this.#options;
    return new PostgresCompareSide({
      node: route.from,
      applicationName: sideName(route, 'compare'),
      route: route.name,
      signal,
    });
  }

  mark(): Promise<Position> {
    return this.#side('mark', emitMark);
  }

  status(): Promise<SourceStatus> {
    return this.#side('status', async (client) => {
      const slot = await readSlot(client, queueNames(this.#options.route).slot);
      return sourceStatus(slot, await readWritten(client));
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#collectors].map((collector) => collector.close()));
    this.#collectors.clear();
    await Promise.all([this.#facts.close(), this.#kept.close()]);
  }

  /** On a session that others have used, or will. */
  async #look<T>(use: (client: pg.Client) => Promise<T>): Promise<T> {
    try {
      return await this.#kept.use(use);
    } catch (error) {
      throw classifyPostgresError(error, this.#options.route.from.name);
    }
  }

  async #side<T>(purpose: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
    try {
      return await withSide(this.#options.route, purpose, use);
    } catch (error) {
      throw classifyPostgresError(error, this.#options.route.from.name);
    }
  }
}

function withDefinitions(table: TableVersion, types: ReadonlyMap<string, TypeDefinition> | undefined): TableVersion {
  const columns = table.columns.map((column) => {
    const definition = types?.get(column.name);
    return definition === undefined || definition.kind === 'base' ? column : { ...column, definition };
  });
  return { ...table, columns };
}
