import type { Collector } from '../../../src/core/collector.ts';
import type { CompareSide } from '../../../src/core/compare-side.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Finding } from '../../../src/core/finding.ts';
import type { Position } from '../../../src/core/position.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import type { Sequence, SequenceState } from '../../../src/core/sequence.ts';
import type {
  CollectorOptions,
  Followed,
  FollowOptions,
  PreparedQueue,
  PublishedTables,
  QueueSnapshot,
  Source,
  SourceOptions,
  SourceStatus,
} from '../../../src/core/source.ts';
import type { SourceReader } from '../../../src/core/source-reader.ts';
import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TableDefinition, TableFacts } from '../../../src/core/table-facts.ts';
import type { DatabaseSchema } from '../../../src/core/table-schema.ts';
import { isOfFamily, readCounters } from '../catalogue/read-counters.ts';
import { type CatalogueTable, readTables, versionOf } from '../catalogue/read-tables.ts';
import { factsOf } from '../catalogue/table-facts.ts';
import { MysqlCompareSide } from '../compare/mysql-compare-side.ts';
import type { MysqlSession } from '../connect.ts';
import { readInstance } from '../instance.ts';
import { readNodeId } from '../own-database.ts';
import { readLeftBeside } from '../schema/left-beside.ts';
import { readSchema } from '../schema/read-schema.ts';
import { readServerFacts } from '../server-facts.ts';
import { answeredInTime, withSession } from '../with-session.ts';
import { follow } from './definitions/follow.ts';
import { emitMark } from './emit-signal.ts';
import { MysqlCollector } from './mysql-collector.ts';
import { MysqlReader } from './mysql-reader.ts';
import { binlogOrder, formatPosition } from './position/binlog-position.ts';
import { preflight } from './preflight/preflight.ts';
import { openQueueSnapshot } from './queue-snapshot.ts';
import { readStatus } from './queue-watch.ts';
import { identityOf, readEnd } from './start-check.ts';

/** A route's source on MySQL or MariaDB. */
export function mysqlSource(options: SourceOptions): Source {
  return new MysqlSource(options);
}

/**
 * Nothing of the change queue is the route's own: a binlog is written for whoever reads it, and kept by time. So there is nothing to make, to
 * copy or to drop there, and several engines may read at once; which of them writes is decided at the target.
 */
class MysqlSource implements Source {
  readonly order = binlogOrder;
  readonly #options: SourceOptions;
  readonly #collectors = new Set<Collector>();
  readonly #cutOff = new Set<string>();
  readonly #readers = new Set<MysqlReader>();
  #last: MysqlCollector | null = null;

  constructor(options: SourceOptions) {
    this.#options = options;
  }

  identity(): Promise<SourceIdentity> {
    return this.#with(readIdentity);
  }

  originName({ node, vendor = '', server = '' }: SourceIdentity): string {
    return node ?? `${vendor} ${server}`;
  }

  instance(): Promise<string> {
    return this.#with(readInstance);
  }

  tables(): Promise<readonly TableVersion[]> {
    return this.#with(async (session) => (await this.#carried(session)).map(versionOf));
  }

  async facts(table: TableName, _after: string | null): Promise<TableFacts | null> {
    return (await this.catalogue([table]))[0] ?? null;
  }

  catalogue(tables: readonly TableName[]): Promise<readonly TableFacts[]> {
    const labels = new Set(tables.map(tableLabel));
    // The stream goes on behind what is asked here: a server that has fallen silent would hold its end up for as long as the network does.
    return this.#with((session) =>
      answeredInTime(session, async () => {
        const found = await readTables(session, (schema, name) => labels.has(tableLabel({ schema, name })));
        const position = formatPosition(await readEnd(session, await readServerFacts(session)));
        return found.map((table) => factsOf(table, position));
      }),
    );
  }

  follow(before: TableDefinition, options: FollowOptions): Followed {
    return follow(before, options);
  }

  /** Definitions come in the binlog, in their place: there is no other order to prove them by. */
  settled(): boolean {
    return false;
  }

  precedes(): boolean {
    return false;
  }

  sizeBytes(tables: readonly TableName[]): Promise<number> {
    const labels = new Set(tables.map(tableLabel));
    return this.#with(async (session) => {
      const found = await readTables(session, (schema, name) => labels.has(tableLabel({ schema, name })));
      return found.reduce((sum, { bytes }) => sum + bytes, 0);
    });
  }

  async announced(): Promise<readonly string[]> {
    return [];
  }

  /** Within the family none: AUTO_INCREMENT goes on behind the highest value at each server by itself. */
  async sequences(tables: readonly TableName[]): Promise<readonly Sequence[]> {
    if (isOfFamily(this.#options.route.to.type)) return [];
    return this.#with((session) => readCounters(session, tables));
  }

  async namedSequences(): Promise<readonly SequenceState[]> {
    return [];
  }

  schema(): Promise<DatabaseSchema> {
    return this.#with(async (session) => {
      const tables = await this.#carried(session);
      const schema = await readSchema(session, tables);
      return { ...schema, left: [...schema.left, ...(await readLeftBeside(session, tables))] };
    });
  }

  preflight(): Promise<readonly Finding[]> {
    return this.#with((session) => preflight(session, this.#options.route));
  }

  createQueue(signal: AbortSignal, confirm: () => Promise<void>): Promise<QueueSnapshot> {
    return this.#snapshot(signal, confirm, (schema, name) => this.#means(schema, name));
  }

  addTables(tables: readonly TableVersion[], signal: AbortSignal): Promise<QueueSnapshot> {
    const labels = new Set(tables.map(tableLabel));
    return this.#snapshot(
      signal,
      async () => {},
      (schema, name) => labels.has(tableLabel({ schema, name })),
    );
  }

  /** A semi-synchronous source waits for its replicas, never for a route. */
  isAwaited(): Promise<boolean> {
    return Promise.resolve(false);
  }

  /** The binlog has them all. */
  enterTables(): Promise<void> {
    return Promise.resolve();
  }

  async publishTables(wanted: readonly TableVersion[], signal: AbortSignal): Promise<PublishedTables> {
    const snapshot = await this.addTables(wanted, signal);
    try {
      const { position, tables, facts } = snapshot;
      return { position, isSynchronous: false, tables, facts };
    } finally {
      await snapshot.close();
    }
  }

  #snapshot(
    signal: AbortSignal,
    confirm: () => Promise<void>,
    isWanted: (schema: string, name: string) => boolean,
  ): Promise<QueueSnapshot> {
    return openQueueSnapshot({ route: this.#options.route, signal, confirm, isWanted });
  }

  async tidyQueue(): Promise<readonly string[]> {
    return [];
  }

  queuePosition(): Promise<Position | null> {
    return this.#with(async (session) => (await readStatus(session)).queuePosition);
  }

  async prepareQueue(): Promise<PreparedQueue> {
    throw this.#notYet('queues that are prepared for a copy by other means ("tidelock prepare")');
  }

  async prepared(): Promise<Position | null> {
    return null;
  }

  async isLoading(): Promise<boolean> {
    return [...this.#readers].some(({ isBusy }) => isBusy);
  }

  async endQueueSessions(): Promise<void> {}

  async makeTwin(): Promise<string> {
    return '';
  }

  async twinIsReady(): Promise<boolean> {
    return true;
  }

  async copyQueue(): Promise<void> {}

  async demandTwin(): Promise<void> {}

  async dropQueue(confirm = async (): Promise<void> => {}): Promise<readonly string[]> {
    await confirm();
    return [];
  }

  collector(stored: SourceIdentity, options: CollectorOptions): Collector {
    const { route, logger } = this.#options;
    const collector = new MysqlCollector({ ...options, route, logger, stored, cutOff: this.#cutOff });
    this.#collectors.add(collector);
    this.#last = collector;
    return collector;
  }

  reader(): SourceReader {
    for (const reader of this.#readers) if (reader.isClosed) this.#readers.delete(reader);
    const reader = new MysqlReader(this.#options.route, () => this.#last);
    this.#readers.add(reader);
    return reader;
  }

  compareSide(signal: AbortSignal): CompareSide {
    const { route } = this.#options;
    return new MysqlCompareSide({ side: 'source', node: route.from, route, signal });
  }

  mark(): Promise<Position> {
    return this.#with((session) => emitMark(session, this.#options.route));
  }

  status(): Promise<SourceStatus> {
    return this.#with(readStatus);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#collectors].map((collector) => collector.close()));
    this.#collectors.clear();
    await Promise.all([...this.#readers].map((reader) => reader.close()));
    this.#readers.clear();
  }

  #means(schema: string, name: string): boolean {
    return this.#options.route.tables.select(schema, name) !== null;
  }

  #carried(session: MysqlSession): Promise<readonly CatalogueTable[]> {
    return readTables(session, (schema, name) => this.#means(schema, name));
  }

  #with<T>(use: (session: MysqlSession) => Promise<T>): Promise<T> {
    return withSession(this.#options.route.from, use);
  }

  #notYet(what: string): TidelockError {
    return fail(nodeErrors.notYet, { node: this.#options.route.from.name, what });
  }
}

/** What a checkpoint is good for; the node's own name as soon as it has one. */
export async function readIdentity(session: MysqlSession): Promise<SourceIdentity> {
  const node = await readNodeId(session);
  return { ...identityOf(await readServerFacts(session)), ...(node !== null && { node }) };
}
