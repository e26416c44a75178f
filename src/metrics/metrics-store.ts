import type { RouteMetrics, WorkerVitals } from '../core/route-metrics.ts';
import { operations } from '../core/work-meter.ts';
import { type RouteCondition, RouteConditions, type SupervisedRoutes } from '../supervisor/route-conditions.ts';
import { isMetrics } from '../supervisor/worker-protocol.ts';
import { RouteTotals } from './route-totals.ts';
import { type Sample, SampleRing } from './sample-ring.ts';

/** What was measured of one route. */
export interface MeasuredRoute {
  readonly name: string;
  readonly condition: RouteCondition;
  readonly restarts: number;
  readonly totals: RouteTotals;
  /** What its worker has told last; null where the worker that runs now has not told anything yet. */
  readonly now: { readonly metrics: RouteMetrics; readonly vitals: WorkerVitals } | null;
}

/** Rows of one table, as named at the target. */
export interface TableRates {
  readonly table: string;
  readonly inserts: number;
  readonly updates: number;
  readonly deletes: number;
  readonly truncates: number;
  readonly loaded: number;
  /** All of them but truncates. */
  readonly rows: number;
}

/** A route's metrics, as the HTTP API gives them. Totals are those since this service was started. */
export interface RouteMetricsDocument {
  readonly at: number;
  readonly lagMs: number | null;
  readonly retainedBytes: number | null;
  readonly transactions: number;
  readonly rows: number;
  /** Of the last minute, or of the time since the service was started where that is less. */
  readonly rates: { readonly rowsPerSecond: number; readonly transactionsPerSecond: number } | null;
  readonly perTable: readonly TableRates[];
  /** The last hour, a sample every five seconds, oldest first. */
  readonly history: readonly Sample[];
}

interface Kept {
  readonly totals: RouteTotals;
  readonly ring: SampleRing;
  pid: number | null;
  now: MeasuredRoute['now'];
}

/** Gathers what the workers of a Supervisor tell. */
export class MetricsStore {
  readonly #supervisor: SupervisedRoutes;
  readonly #conditions: RouteConditions;
  readonly #kept = new Map<string, Kept>();

  constructor(supervisor: SupervisedRoutes, conditions = new RouteConditions(supervisor)) {
    this.#supervisor = supervisor;
    this.#conditions = conditions;
    supervisor.onMessage((route, message) => {
      if (isMetrics(message)) this.#hear(route, message);
    });
  }

  routes(): MeasuredRoute[] {
    const names = this.#supervisor.routes();
    for (const name of this.#kept.keys()) if (!names.includes(name)) this.#kept.delete(name);
    return names.flatMap((name) => this.route(name) ?? []);
  }

  route(name: string): MeasuredRoute | null {
    const condition = this.#conditions.of(name);
    const worker = this.#supervisor.workerOf(name);
    if (condition === null || worker === null) return null;
    const { totals, now, pid } = this.#keep(name);
    return { name, condition, restarts: worker.restarts, totals, now: worker.pid === pid ? now : null };
  }

  /** Null where there is no such route. */
  document(name: string): RouteMetricsDocument | null {
    const route = this.route(name);
    if (route === null) return null;
    const { totals, now } = route;
    const history = this.#keep(name).ring.samples();
    return {
      at: Date.now(),
      lagMs: now?.metrics.lagMs ?? null,
      retainedBytes: now?.metrics.retainedBytes ?? null,
      transactions: totals.transactions,
      rows: totals.rows,
      rates: ratesOf(history),
      perTable: [...totals.tables()].map(([table, counts]) => tableRates(table, counts)),
      history,
    };
  }

  #hear(route: string, { metrics, vitals }: NonNullable<MeasuredRoute['now']>): void {
    const kept = this.#keep(route);
    kept.totals.add(metrics);
    kept.now = { metrics, vitals };
    kept.pid = this.#supervisor.workerOf(route)?.pid ?? null;
    const { rows, transactions } = kept.totals;
    const { lagMs, retainedBytes } = metrics;
    kept.ring.add({ at: Date.now(), lagMs, rows, transactions, retainedBytes });
  }

  #keep(route: string): Kept {
    const known = this.#kept.get(route);
    if (known !== undefined) return known;
    const kept = { totals: new RouteTotals(), ring: new SampleRing(), pid: null, now: null };
    this.#kept.set(route, kept);
    return kept;
  }
}

function ratesOf(history: readonly Sample[]): RouteMetricsDocument['rates'] {
  const last = history.at(-1);
  const first = history.at(-13) ?? history[0];
  if (last === undefined || first === undefined || last.at <= first.at) return null;
  const seconds = (last.at - first.at) / 1000;
  return {
    rowsPerSecond: (last.rows - first.rows) / seconds,
    transactionsPerSecond: (last.transactions - first.transactions) / seconds,
  };
}

function tableRates(table: string, counts: readonly number[]): TableRates {
  const of = (name: (typeof operations)[number]): number => counts[operations.indexOf(name)] ?? 0;
  const [inserts, updates, deletes, loaded] = [of('insert'), of('update'), of('delete'), of('load')];
  const rows = inserts + updates + deletes + loaded;
  return { table, inserts, updates, deletes, truncates: of('truncate'), loaded, rows };
}
