import { lsnOrder } from '../../../connectors/postgres/lsn.ts';
import { postgresSource } from '../../../connectors/postgres/source/postgres-source.ts';
import { tableSelection, wholeTable } from '../../../src/config/table-selection.ts';
import { ByteBudget } from '../../../src/core/byte-budget.ts';
import type { Row } from '../../../src/core/cell.ts';
import type { StartPoint } from '../../../src/core/collector.ts';
import { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import type { QueueRoom } from '../../../src/core/queue-room.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { SourceIdentity } from '../../../src/core/route-state-store.ts';
import type { CarriedTable, EarlyReading, Source } from '../../../src/core/source.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { WorkMeter } from '../../../src/core/work-meter.ts';
import type { TestDatabase } from '../../support/postgres.ts';

let routes = 0;

/** A route that replicates every table of schema public. */
export function routeOf(database: Pick<TestDatabase, 'node'>, change: Partial<RouteDefinition> = {}): RouteDefinition {
  return {
    deployment: 'test',
    name: `r${++routes}`,
    from: database.node,
    to: { ...database.node, name: 'target' },
    tables: tableSelection('r', [{ ...wholeTable, name: 'public.*' }], []),
    load: {
      mode: 'initial',
      existing: 'refuse',
      wholeUpToBytes: 100_000_000,
      limits: { rowsPerSecond: null, bytesPerSecond: null, maxLoad: null, lagMs: null },
    },
    forward: 'own',
    newTables: 'ignore',
    sequencesEveryMs: null,
    sequences: { include: [], exclude: [] },
    schemaChanges: 'halt',
    ddl: 'ignore',
    compare: { everyMs: null, maxLoad: 0.1 },
    convert: {},
    collisions: { forTable: () => 'halt', checksOldValues: () => false },
    apply: {
      groupRows: 5000,
      groupTimeMs: 20,
      lanes: 1,
      onError: 'halt',
      maxRowBytes: 256_000_000,
      memoryBytes: 128_000_000,
    },
    limits: {
      lag: { warnMs: 1e4, criticalMs: 6e4 },
      retained: { warnBytes: 5e9, criticalBytes: 2e10 },
      memoryBytes: null,
    },
    journal: { keepMs: 1e9, entries: 1000 },
    allow: [],
    given: {},
    describe: () => ({
      version: 1,
      from: 'source',
      to: 'target',
      slot: null,
      publication: null,
      tables: [{ name: 'public.*' }],
      exclude: [],
      settings: {},
    }),
    ...change,
  };
}

export function sourceOf(route: RouteDefinition): Source {
  return postgresSource({ route, logger: silentLogger });
}

export interface ReadingOptions {
  readonly source: Source;
  readonly stored: SourceIdentity;
  readonly start: StartPoint;
  readonly budgetBytes?: number;
  readonly heartbeatMs?: number;
  /** All that the route selects, where not told. */
  readonly carried?: readonly CarriedTable[];
  /** Acknowledge at once (the default), or leave it to the test. */
  readonly acknowledge?: boolean;
  readonly keepParts?: boolean;
  /** Called for each part before it is released. */
  readonly onPart?: (part: TransactionPart) => void | Promise<void>;
  readonly onIdentity?: (identity: SourceIdentity) => Promise<void>;
  readonly onRetained?: (bytes: number, room?: QueueRoom | null) => void;
  readonly isWatched?: () => boolean;
  readonly early?: EarlyReading;
}

/** The smallest reader of a Collector that keeps the contract: releases what it has read, acknowledges in order. */
export class Reading implements AsyncDisposable {
  readonly parts: TransactionPart[] = [];
  readonly budget: ByteBudget;
  readonly collector;
  /** Where the target would be. */
  checkpoint: StartPoint;
  error: unknown = null;
  readonly ended: Promise<void>;
  readonly #options: ReadingOptions;
  readonly #stop = new AbortController();
  #wake: () => void = () => {};

  constructor(options: ReadingOptions) {
    this.#options = options;
    this.budget = new ByteBudget(options.budgetBytes ?? 128_000_000);
    this.checkpoint = options.start;
    this.collector = options.source.collector(options.stored, {
      carried: options.carried ?? null,
      budget: this.budget,
      heartbeatMs: options.heartbeatMs ?? 3_600_000,
      onIdentity: options.onIdentity ?? (async () => {}),
      onRetained: options.onRetained ?? (() => {}),
      ...(options.isWatched && { isWatched: options.isWatched }),
      ...(options.early && { early: options.early }),
      meter: new WorkMeter(),
    });
    this.ended = this.#run();
  }

  async #run(): Promise<void> {
    try {
      for await (const parts of this.collector.stream(this.#options.start, this.#stop.signal))
        for (const part of parts) await this.#take(part);
    } catch (error) {
      this.error = error;
    }
    this.#wake();
  }

  async #take(part: TransactionPart): Promise<void> {
    await this.#options.onPart?.(part);
    this.budget.release(part.bytes);
    if (this.#options.keepParts !== false) this.parts.push(part);
    if (part.commit !== null) {
      const { position } = part.commit;
      this.checkpoint = { position, lastCommit: part.id === '' ? null : { position, id: part.commit.id } };
      if (this.#options.acknowledge !== false) this.collector.acknowledge(position);
    }
    this.#wake();
  }

  /** Waits until `done` holds; throws what ended the stream, or after 20 s. */
  async until(done: () => boolean): Promise<void> {
    const timeout = AbortSignal.timeout(60_000);
    while (!done()) {
      if (this.error !== null) throw this.error;
      timeout.throwIfAborted();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timeout.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  reached(position: Position): Promise<void> {
    return this.until(() => lsnOrder.covers(this.checkpoint.position, position));
  }

  /** New images of all inserts and updates so far. */
  get rows(): Row[] {
    return this.parts.flatMap(({ changes }) =>
      changes.flatMap((change) => (change.kind === 'insert' || change.kind === 'update' ? [change.after] : [])),
    );
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.ended;
    await this.collector.close();
    await this.#released();
  }

  /** The server notices a moment later that the session is gone: until then the next reader would be refused. */
  async #released(): Promise<void> {
    if (this.error instanceof TidelockError && this.error.code === 'TL-3104') return;
    if (this.error === null && this.checkpoint === this.#options.start) return;
    const isFree = (): Promise<boolean> =>
      this.#options.source.status().then(
        ({ queue }) => queue !== 'active',
        () => true,
      );
    for (let i = 0; i < 100 && !(await isFree()); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

export interface Begun extends AsyncDisposable {
  readonly route: RouteDefinition;
  readonly source: Source;
  readonly stored: SourceIdentity;
  readonly start: StartPoint;
}

/** Makes the queue of a route and lets the snapshot go. */
export async function begin(database: TestDatabase, change: Partial<RouteDefinition> = {}): Promise<Begun> {
  const route = routeOf(database, change);
  const source = sourceOf(route);
  const snapshot = await source.createQueue(AbortSignal.timeout(60_000), async () => {});
  await snapshot.close();
  return {
    route,
    source,
    stored: snapshot.source,
    start: { position: snapshot.position, lastCommit: null },
    async [Symbol.asyncDispose]() {
      await source.close();
      await source.dropQueue();
    },
  };
}
