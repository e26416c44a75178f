import type { RouteMetrics } from '../core/route-metrics.ts';
import { groupRowBounds, operations, otherTables, stages } from '../core/work-meter.ts';

/** Tables of a route that are counted by themselves; those that come later are counted together, as `other`. */
export const tableSeries = 200;

const counters = ['transactions', 'rows', 'groups', 'replays', 'collisions'] as const;

/** Adds up what the workers of one route have done, one after the other: no total ever falls while the service runs. */
export class RouteTotals {
  transactions = 0;
  rows = 0;
  groups = 0;
  replays = 0;
  collisions = 0;
  /** In the order of `stages`. */
  readonly stageMs = stages.map(() => 0);
  /** In the order of `groupRowBounds`, and those beyond. */
  readonly groupSizes = [...groupRowBounds, Number.POSITIVE_INFINITY].map(() => 0);
  /** By table as named at the target, in the order of `operations`. */
  readonly #tables = new Map<string, number[]>();

  add({ done }: RouteMetrics): void {
    for (const name of counters) this[name] += done[name];
    addTo(this.stageMs, done.stageMs);
    addTo(this.groupSizes, done.groupSizes);
    for (const [table, ...counts] of done.tables) addTo(this.#countsOf(table), counts);
  }

  /** All tables with which something was done, in the order in which they came. */
  tables(): ReadonlyMap<string, readonly number[]> {
    return this.#tables;
  }

  /** The first `tableSeries` tables, and the rest as one. A table never changes between the two. */
  bounded(): ReadonlyMap<string, readonly number[]> {
    if (this.#tables.size <= tableSeries) return this.#tables;
    const all = [...this.#tables];
    const bounded = new Map(all.slice(0, tableSeries));
    const rest = operations.map(() => 0);
    for (const [, counts] of all.slice(tableSeries)) addTo(rest, counts);
    const other = bounded.get(otherTables);
    bounded.set(otherTables, other === undefined ? rest : rest.map((count, at) => count + (other[at] ?? 0)));
    return bounded;
  }

  #countsOf(table: string): number[] {
    const known = this.#tables.get(table);
    if (known !== undefined) return known;
    const counts = operations.map(() => 0);
    this.#tables.set(table, counts);
    return counts;
  }
}

function addTo(totals: number[], more: readonly number[]): void {
  for (const [at, count] of more.entries()) totals[at] = (totals[at] ?? 0) + count;
}
