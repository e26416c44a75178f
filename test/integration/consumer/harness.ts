import { lsnOrder } from '../../../connectors/postgres/lsn.ts';
import { postgresTarget } from '../../../connectors/postgres/target/postgres-target.ts';
import type { Consumer } from '../../../src/core/consumer.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { PackedInserts } from '../../../src/core/packed-inserts.ts';
import { PackedPart } from '../../../src/core/packed-part.ts';
import { PackedInsert } from '../../../src/core/packed-row.ts';
import type { Position } from '../../../src/core/position.ts';
import type { ConnectionSettings, RouteDefinition } from '../../../src/core/route.ts';
import type { RouteStateStore } from '../../../src/core/route-state-store.ts';
import type { ConsumerOptions, Target } from '../../../src/core/target.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { WorkMeter } from '../../../src/core/work-meter.ts';
import type { PostgresServer, TestDatabase } from '../../support/postgres.ts';
import { type Begun, begin, Reading } from '../collector/reading.ts';

export interface StageOptions {
  /** SQL for both databases, before the queue is made. */
  readonly schema?: string;
  readonly sourceSchema?: string;
  readonly targetSchema?: string;
  readonly targetUser?: string;
  readonly route?: Partial<RouteDefinition>;
  readonly share?: ConsumerOptions['share'];
}

/** Two databases, the real Collector reading one, real Consumers for the other: in this process, one step at a time. */
export class Stage implements AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly route: RouteDefinition;
  readonly targetEnd: Target;
  readonly store: RouteStateStore;
  epoch: bigint;
  readonly share: ConsumerOptions['share'];
  readonly meter = new WorkMeter();
  readonly #begun: Begun;
  readonly #reading: Reading;
  readonly #consumers: Consumer[] = [];
  #taken = 0;

  constructor(parts: {
    source: TestDatabase;
    target: TestDatabase;
    route: RouteDefinition;
    targetEnd: Target;
    store: RouteStateStore;
    epoch: bigint;
    begun: Begun;
    share: ConsumerOptions['share'];
  }) {
    this.source = parts.source;
    this.target = parts.target;
    this.route = parts.route;
    this.targetEnd = parts.targetEnd;
    this.store = parts.store;
    this.epoch = parts.epoch;
    this.share = parts.share;
    this.#begun = parts.begun;
    const { source, stored, start } = parts.begun;
    this.#reading = new Reading({ source, stored, start, acknowledge: false });
  }

  /** What the source has committed since the last call, as the Collector passes it on. */
  async capture(): Promise<TransactionPart[]> {
    const [mark] = await this.source.query(
      `SELECT pg_logical_emit_message(true, 'tidelock.mark', 'test'), pg_current_wal_insert_lsn()::text AS lsn`,
    );
    await this.#reading.reached(lsnOrder.parse(String(mark?.lsn)));
    const parts = this.#reading.parts.slice(this.#taken);
    this.#taken = this.#reading.parts.length;
    return parts;
  }

  /** Goes on where the stored checkpoint is, as after a restart. */
  async consumer(epoch = this.epoch): Promise<Consumer> {
    const checkpoint = await this.#checkpoint();
    const consumer = await this.targetEnd.consumer({
      epoch,
      checkpoint,
      sourceNode: 'source',
      map: async (changes) => changes,
      share: this.share,
      meter: this.meter,
    });
    this.#consumers.push(consumer);
    return consumer;
  }

  async position(): Promise<Position> {
    return (await this.#checkpoint()).position;
  }

  /** On a connection of its own: a takeover ends the one that holds the lease. */
  async #checkpoint() {
    const store = await this.targetEnd.state();
    try {
      const stored = await store.read();
      if (stored?.checkpoint?.phase !== 'ready') throw new Error('no checkpoint is stored');
      return stored.checkpoint;
    } finally {
      await store.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const consumer of this.#consumers) await consumer.close();
    await this.#reading.stop();
    await this.#begun[Symbol.asyncDispose]();
    await this.store.close();
    await this.targetEnd.close();
  }
}

export async function stage(here: PostgresServer, there: PostgresServer, options: StageOptions = {}): Promise<Stage> {
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  const { schema = '', sourceSchema = '', targetSchema = '', targetUser } = options;
  await source.query(schema + sourceSchema);
  await target.query(schema + targetSchema);
  const connection = (): ConnectionSettings => ({ ...target.node.connection(), user: targetUser ?? 'postgres' });
  if (targetUser !== undefined) {
    await target.query(`GRANT CREATE ON DATABASE ${target.name} TO ${targetUser}`);
    await target.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${targetUser}`);
  }
  const begun = await begin(source, {
    to: { name: 'target', type: 'postgres', allow: [], connection },
    ...options.route,
  });
  const { route } = begun;
  const targetEnd = postgresTarget({ route, logger: silentLogger, order: lsnOrder });
  const store = await targetEnd.state();
  await store.migrate();
  await store.register();
  const lease = await store.acquireLease({ supervisor: 'test', host: 'here', pid: process.pid }, false);
  if (!lease.granted) throw new Error('the lease was not granted');
  await store.setReady(begun.stored, begun.start.position);
  return new Stage({
    source,
    target,
    route,
    targetEnd,
    store,
    epoch: lease.epoch,
    begun,
    share: options.share ?? nothing,
  });
}

const nothing: ConsumerOptions['share'] = () => {
  throw new Error('nothing is shared');
};

/** As a large transaction gives new rows of one table. */
function together(part: TransactionPart): TransactionPart {
  const rows = part.changes.flatMap((change) => (change instanceof PackedInsert && change.isPacked ? change : []));
  const [first] = rows;
  if (first === undefined || rows.length < part.changes.length || rows.some(({ table }) => table !== first.table))
    return part;
  const inserts = new PackedInserts(first.table);
  for (const row of rows) inserts.add(row);
  return new PackedPart(inserts, part);
}

/** The same transactions in pieces of so many rows. */
export function cut(parts: readonly TransactionPart[], rows: number): TransactionPart[] {
  return parts.flatMap((part) => {
    const pieces: TransactionPart[] = [];
    for (let at = 0; at === 0 || at < part.changes.length; at += rows) {
      const changes = part.changes.slice(at, at + rows);
      const commit = at + rows >= part.changes.length ? part.commit : null;
      const count = changes.filter(({ kind }) => kind === 'insert' || kind === 'update' || kind === 'delete').length;
      pieces.push(together({ ...part, changes, rows: count, bytes: Math.ceil(part.bytes / 2), commit }));
    }
    return pieces;
  });
}
