import { binlogOrder } from '../../../connectors/mysql/source/position/binlog-position.ts';
import { mysqlTarget } from '../../../connectors/mysql/target/mysql-target.ts';
import { isRowChange } from '../../../src/core/change.ts';
import type { Consumer } from '../../../src/core/consumer.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { RouteStateStore, StoredCheckpoint } from '../../../src/core/route-state-store.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { Target } from '../../../src/core/target.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { WorkMeter } from '../../../src/core/work-meter.ts';
import type { MysqlServer } from '../../support/mysql.ts';
import { BinlogReading, endOf, mysqlRoute } from './binlog-reading.ts';

let stages = 0;

export interface MysqlStageOptions {
  /** Tables for both databases, with `%` for the database. */
  readonly schema: string;
  /** In place of `schema` at the target. */
  readonly targetSchema?: string;
  readonly route?: Partial<RouteDefinition>;
}

/** A database at one server, the real Collector reading it, and real Consumers for another database at another server or the same. */
export class MysqlStage implements AsyncDisposable {
  readonly from: MysqlServer;
  readonly to: MysqlServer;
  readonly source: string;
  readonly target: string;
  readonly route: RouteDefinition;
  readonly end: Target;
  store: RouteStateStore;
  epoch: bigint;
  readonly meter = new WorkMeter();
  readonly #reading: BinlogReading;
  readonly #consumers: Consumer[] = [];
  readonly #mapped = new Map<TableVersion, TableVersion>();
  #taken = 0;

  constructor(
    parts: Pick<MysqlStage, 'from' | 'to' | 'source' | 'target' | 'route' | 'end' | 'store' | 'epoch'>,
    reading: BinlogReading,
  ) {
    this.from = parts.from;
    this.to = parts.to;
    this.source = parts.source;
    this.target = parts.target;
    this.route = parts.route;
    this.end = parts.end;
    this.store = parts.store;
    this.epoch = parts.epoch;
    this.#reading = reading;
  }

  /** What the source has committed since the last call, as the pipeline passes it on: with the target's names. */
  async capture(): Promise<TransactionPart[]> {
    await this.#reading.reached((await endOf(this.from)).position);
    const parts = this.#reading.parts.slice(this.#taken);
    this.#taken = this.#reading.parts.length;
    for (const { changes } of parts)
      for (const change of changes) {
        if (isRowChange(change)) change.table = this.#map(change.table);
        else if (change.kind === 'truncate') change.tables = change.tables.map((table) => this.#map(table));
      }
    return parts;
  }

  #map(table: TableVersion): TableVersion {
    const mapped = this.#mapped.get(table) ?? { ...table, schema: this.target };
    this.#mapped.set(table, mapped);
    return mapped;
  }

  /** Goes on where the stored checkpoint is, as after a restart. */
  async consumer(): Promise<Consumer> {
    const consumer = await this.end.consumer({
      epoch: this.epoch,
      checkpoint: await this.checkpoint(),
      sourceNode: 'source',
      map: async (changes) => changes,
      share: () => {
        throw new Error('nothing is shared');
      },
      meter: this.meter,
    });
    this.#consumers.push(consumer);
    return consumer;
  }

  /** The route's state anew, and its lease by another Supervisor: after its server, or its engine, was gone. */
  async reopen(): Promise<void> {
    await this.store.close();
    this.store = await this.end.state();
    const holder = { supervisor: `test-${this.epoch}`, host: 'here', pid: process.pid };
    const lease = await this.store.acquireLease(holder, true);
    if (!lease.granted) throw new Error('the lease was not granted');
    this.epoch = lease.epoch;
  }

  async checkpoint(): Promise<Extract<StoredCheckpoint, { phase: 'ready' }>> {
    const stored = await this.store.read();
    if (stored?.checkpoint?.phase !== 'ready') throw new Error('no checkpoint is stored');
    return stored.checkpoint;
  }

  /** At the source, in the source's database. */
  async write(sql: string): Promise<void> {
    await this.from.query(`USE ${this.source}; ${sql}`);
  }

  /** Captures what there is and applies it with a Consumer of its own. */
  async carry(): Promise<void> {
    const parts = await this.capture();
    const consumer = await this.consumer();
    await consumer.apply(parts, new AbortController().signal);
    await consumer.close();
  }

  /** Every value of a table in hexadecimal, on both sides, in the order of their own bytes. */
  async rows(table: string): Promise<{ readonly source: string[]; readonly target: string[] }> {
    const [source, target] = await Promise.all([
      contents(this.from, this.source, table),
      contents(this.to, this.target, table),
    ]);
    return { source, target };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const consumer of this.#consumers) await consumer.close();
    await this.#reading[Symbol.asyncDispose]();
    await this.store.close();
    await this.end.close();
  }
}

async function contents(server: MysqlServer, database: string, table: string): Promise<string[]> {
  const columns = await server.query(
    `SELECT column_name AS name, data_type AS type FROM information_schema.columns
     WHERE table_schema = '${database}' AND table_name = '${table}' ORDER BY ordinal_position`,
  );
  // A float would be shown with six digits; texts of two charsets are told apart by their characters.
  const shown = columns.map(({ name, type }) => {
    if (type === 'float' || type === 'double') return `\`${name}\` * 1e0`;
    return /char|text|enum|set/.test(type ?? '') ? `CONVERT(\`${name}\` USING utf8mb4)` : `\`${name}\``;
  });
  const list = shown.map((value) => `IFNULL(HEX(CAST(${value} AS BINARY)), '-')`);
  const rows = await server.query(`SELECT CONCAT_WS(' ', ${list.join(', ')}) AS r FROM ${database}.\`${table}\``);
  return rows.map(({ r }) => r ?? '').sort();
}

export async function mysqlStage(from: MysqlServer, to: MysqlServer, options: MysqlStageOptions): Promise<MysqlStage> {
  const [source, target] = [`src${++stages}`, `dst${stages}`];
  const { schema, targetSchema = schema } = options;
  await from.query(`CREATE DATABASE ${source}; USE ${source}; ${schema}`);
  await to.query(`CREATE DATABASE ${target}; USE ${target}; ${targetSchema}`);
  const route = mysqlRoute(from, source, { to: { ...to.node, name: 'target' }, ...options.route });
  const end = mysqlTarget({ route, logger: silentLogger, order: binlogOrder });
  const store = await end.state();
  await store.migrate();
  await store.register();
  const lease = await store.acquireLease({ supervisor: 'test', host: 'here', pid: process.pid }, false);
  if (!lease.granted) throw new Error('the lease was not granted');
  const { position, stored } = await endOf(from);
  await store.setReady(stored, position);
  const reading = new BinlogReading({ route, start: { position, lastCommit: null }, stored });
  return new MysqlStage({ from, to, source, target, route, end, store, epoch: lease.epoch }, reading);
}
