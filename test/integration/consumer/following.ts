import { lsnOrder } from '../../../connectors/postgres/lsn.ts';
import { postgresTarget } from '../../../connectors/postgres/target/postgres-target.ts';
import type { Consumer } from '../../../src/core/consumer.ts';
import { type Logger, silentLogger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { RouteStateStore } from '../../../src/core/route-state-store.ts';
import type { Source } from '../../../src/core/source.ts';
import type { Target } from '../../../src/core/target.ts';
import { WorkMeter } from '../../../src/core/work-meter.ts';
import { definitionOf } from '../../../src/pipeline/judge-definition.ts';
import { SchemaGuard } from '../../../src/pipeline/schema-guard.ts';
import { prepare } from '../../../src/pipeline/stream-session.ts';
import { storedTable, TableMapper } from '../../../src/pipeline/table-mapper.ts';
import type { PostgresServer, TestDatabase } from '../../support/postgres.ts';
import { Reading, routeOf, sourceOf } from '../collector/reading.ts';

interface Session {
  readonly reading: Reading;
  readonly consumer: Consumer;
  readonly guard: SchemaGuard;
  readonly mapper: TableMapper;
  taken: number;
}

/** A route that follows definitions and commands, in this process: what a worker does, one step at a time, with restarts. */
export class Following implements AsyncDisposable {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly #route: RouteDefinition;
  readonly #sourceEnd: Source;
  readonly #targetEnd: Target;
  readonly #store: RouteStateStore;
  readonly #epoch: bigint;
  /** What the target goes without, as the log tells it. */
  readonly leftOut: string[];
  #session: Session | null = null;
  #acceptedTo: Position | null = null;

  constructor(parts: {
    source: TestDatabase;
    target: TestDatabase;
    route: RouteDefinition;
    sourceEnd: Source;
    targetEnd: Target;
    store: RouteStateStore;
    epoch: bigint;
    leftOut: string[];
  }) {
    this.leftOut = parts.leftOut;
    this.source = parts.source;
    this.target = parts.target;
    this.#route = parts.route;
    this.#sourceEnd = parts.sourceEnd;
    this.#targetEnd = parts.targetEnd;
    this.#store = parts.store;
    this.#epoch = parts.epoch;
  }

  /** Everything that the source has committed is at the target, or the error that halts. */
  async follow(): Promise<void> {
    const session = await this.#open();
    const mark = await this.#sourceEnd.mark();
    await session.reading.reached(mark);
    const parts = session.reading.parts.slice(session.taken);
    session.taken = session.reading.parts.length;
    const mapped = [];
    for (const part of parts) {
      mapped.push(await prepare(part, { ...session, targetNode: 'none' }));
    }
    await session.consumer.apply(mapped, new AbortController().signal);
  }

  /** What a look at the catalogue shows by now of these tables is met: without an error it asks nothing of the target. */
  async look(...labels: readonly string[]): Promise<void> {
    await this.follow();
    const { guard } = await this.#open();
    guard.touch(labels);
    // What it shows counts where the queue has come to it.
    for (const _ of ['asked', 'reached'])
      for (const { evolution } of await guard.unannounced(await this.#sourceEnd.mark()))
        if (evolution !== undefined && evolution.steps.length > 0) throw new RangeError('the target is to be altered');
  }

  /** Nothing is left but what is stored. */
  async restart(): Promise<void> {
    const session = this.#session;
    this.#session = null;
    await session?.reading.stop();
    session?.consumer.abort();
    await session?.consumer.close();
  }

  /** A person has carried out at the target what has halted. */
  async accept(): Promise<void> {
    this.#acceptedTo = await this.#sourceEnd.mark();
    await this.restart();
  }

  async #open(): Promise<Session> {
    if (this.#session !== null) return this.#session;
    const checkpoint = (await this.#store.read())?.checkpoint;
    if (checkpoint?.phase !== 'ready') throw new Error('no checkpoint is stored');
    const consumer = await this.#targetEnd.consumer({
      epoch: this.#epoch,
      checkpoint,
      sourceNode: 'source',
      map: async (changes) => changes,
      share: () => {
        throw new Error('nothing is shared');
      },
      meter: new WorkMeter(),
    });
    const mapper = new TableMapper(this.#route.name, this.#route.tables);
    const stored = await this.#store.tables();
    const guard = new SchemaGuard({
      route: this.#route,
      mapper,
      store: this.#store,
      source: this.#sourceEnd,
      target: this.#targetEnd,
      logger: telling(this.leftOut),
      stored,
      acceptedTo: this.#acceptedTo,
    });
    const carried = stored.map(({ source: label, loadedTo, definition }) => ({
      label,
      known: definition === null ? null : { schema: definition.schema, name: definition.name, id: definition.id },
      from: loadedTo ?? null,
    }));
    const common = { source: this.#sourceEnd, stored: checkpoint.source, carried, acknowledge: false };
    const reading = new Reading({ ...common, start: consumer.start });
    this.#session = { reading, consumer, guard, mapper, taken: 0 };
    return this.#session;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.restart();
    await this.#sourceEnd.dropQueue();
    await this.#sourceEnd.close();
    await this.#store.close();
    await this.#targetEnd.close();
  }
}

export interface FollowingOptions {
  /** SQL for both databases. */
  readonly schema: string;
  /** For the source, before the route starts. */
  readonly rows?: string;
  readonly route?: Partial<RouteDefinition>;
}

export async function following(
  here: PostgresServer,
  there: PostgresServer,
  options: FollowingOptions,
): Promise<Following> {
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  await Promise.all([
    source.query(options.schema + (options.rows ?? '')),
    target.query(options.schema + (options.rows ?? '')),
  ]);
  const to = { name: 'target', type: 'postgres', allow: [], connection: () => target.node.connection() } as const;
  const route = routeOf(source, { to, schemaChanges: 'evolve', ...options.route });
  const sourceEnd = sourceOf(route);
  const leftOut: string[] = [];
  const targetEnd = postgresTarget({ route, logger: telling(leftOut), order: lsnOrder });
  const store = await targetEnd.state();
  await store.migrate();
  await store.register();
  const lease = await store.acquireLease({ supervisor: 'test', host: 'here', pid: process.pid }, false);
  if (!lease.granted) throw new Error('the lease was not granted');
  const snapshot = await sourceEnd.createQueue(new AbortController().signal, async () => {});
  await snapshot.close();
  const mapper = new TableMapper(route.name, route.tables);
  const definitions = snapshot.tables.map((table) => {
    const facts = snapshot.facts.find(({ name }) => name === table.name);
    return storedTable(mapper.bind(table), facts === undefined ? null : definitionOf(facts));
  });
  await store.setTables(definitions);
  await store.setReady(snapshot.source, snapshot.position);
  return new Following({ source, target, route, sourceEnd, targetEnd, store, epoch: lease.epoch, leftOut });
}

function telling(leftOut: string[]): Logger {
  const logger: Logger = {
    ...silentLogger,
    warn: (fields, message) => {
      if (message.startsWith('command left out') && 'tag' in fields) leftOut.push(String(fields.tag));
    },
    child: () => logger,
  };
  return logger;
}
