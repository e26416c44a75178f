import { Listeners } from '../../src/core/listeners.ts';
import type { RouteMetrics, WorkerVitals } from '../../src/core/route-metrics.ts';
import type { RouteStatus } from '../../src/core/route-status.ts';
import { groupRowBounds, operations, stages } from '../../src/core/work-meter.ts';
import type { SupervisedRoutes } from '../../src/supervisor/route-conditions.ts';

const calm: RouteStatus = {
  state: 'running',
  reason: null,
  health: 'ok',
  sourcePosition: '0/2',
  targetPosition: '0/1',
  lagMs: 3,
  transactions: 1,
  rows: 1,
  collisions: 0,
  parked: 0,
  restarts: 0,
  retainedBytes: 5,
  load: null,
};

const vitals: WorkerVitals = {
  memory: { rss: 100, heapUsed: 20, heapTotal: 30, external: 4 },
  eventLoopDelayMs: { p50: 1, p99: 20, max: 300, longest: 300 },
};

/** What a test lets a route's worker say. */
export class FakeSupervisor implements SupervisedRoutes {
  readonly #onStatus = new Listeners<[route: string, status: RouteStatus]>();
  readonly #onMessage = new Listeners<[route: string, message: unknown]>();
  readonly #workers = new Map<string, { pid: number | null; restarts: number; status: RouteStatus | null }>();
  #pids = 0;

  constructor(...routes: readonly string[]) {
    for (const route of routes) this.start(route);
  }

  routes(): readonly string[] {
    return [...this.#workers.keys()];
  }

  statusOf(route: string): RouteStatus | null {
    return this.#workers.get(route)?.status ?? null;
  }

  workerOf(route: string) {
    const worker = this.#workers.get(route);
    return worker === undefined ? null : { ...worker, startedAt: null, restarted: null, vitals: null };
  }

  onStatus(listener: (route: string, status: RouteStatus) => void): () => void {
    return this.#onStatus.add(listener);
  }

  onMessage(listener: (route: string, message: unknown) => void): () => void {
    return this.#onMessage.add(listener);
  }

  /** Its first worker, or the next. */
  start(route: string): void {
    const { restarts = 0, status = null } = this.#workers.get(route) ?? {};
    this.#workers.set(route, { pid: ++this.#pids, restarts, status });
  }

  dies(route: string): void {
    const { restarts = 0, status = null } = this.#workers.get(route) ?? {};
    this.#workers.set(route, { pid: null, restarts: restarts + 1, status });
  }

  remove(route: string): void {
    this.#workers.delete(route);
  }

  says(route: string, status: Partial<RouteStatus>): void {
    const worker = this.#workers.get(route);
    if (worker === undefined) throw new RangeError(`no route ${route}`);
    worker.status = { ...calm, ...status };
    this.#onStatus.tell(route, worker.status);
  }

  measures(route: string, done: Partial<RouteMetrics['done']> = {}, now: Partial<RouteMetrics> = {}): void {
    const metrics: RouteMetrics = {
      atMs: Date.now(),
      done: {
        transactions: 0,
        rows: 0,
        groups: 0,
        replays: 0,
        collisions: 0,
        stageMs: stages.map(() => 0),
        groupSizes: [...groupRowBounds, 0].map(() => 0),
        tables: [],
        ...done,
      },
      lagMs: 250,
      heartbeatAgeMs: 1_000,
      lastProgressAtMs: 1_700_000_000_000,
      sourceBytes: 500,
      targetBytes: 400,
      retainedBytes: 90,
      parked: 0,
      ...now,
    };
    this.#onMessage.tell(route, { kind: 'metrics', metrics, vitals });
  }
}

/** The counts of a table, in the order in which they travel. */
export function countsOf(counts: Partial<Record<(typeof operations)[number], number>>): number[] {
  return operations.map((operation) => counts[operation] ?? 0);
}
