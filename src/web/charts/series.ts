import { type RouteHistory, ratesBetween, type Sample } from '../state/route-history.ts';

export interface Point {
  readonly atMs: number;
  readonly value: number | null;
}

export function lagPoints({ remembered, live }: RouteHistory): Point[] {
  return [...remembered, ...live].map(({ atMs, lagMs }) => ({ atMs, value: lagMs }));
}

/** A second, between each sample and the one some seconds before it. */
export function ratePoints({ remembered, live }: RouteHistory, of: 'rows' | 'transactions'): Point[] {
  // The first of each has nothing before it.
  return [...ratesWithin(remembered, of).slice(1), ...ratesWithin(live, of).slice(1)];
}

function ratesWithin(samples: readonly Sample[], of: 'rows' | 'transactions'): Point[] {
  const overMs = 5000;
  const points: Point[] = [];
  let from = 0;
  for (const [at, sample] of samples.entries()) {
    while (from < at - 1 && (samples[from + 1]?.atMs ?? 0) <= sample.atMs - overMs) from++;
    points.push({ atMs: sample.atMs, value: ratesBetween(samples[from], sample)?.[of] ?? null });
  }
  return points;
}

export function since(points: readonly Point[], fromMs: number): Point[] {
  return points.filter(({ atMs }) => atMs >= fromMs);
}

/** The mean of each of at most so many equal pieces of time; null where there was none, nothing for a piece without a look. */
export function condensed(points: readonly Point[], pieces: number): (number | null)[] {
  const first = points[0]?.atMs ?? 0;
  const spanMs = (points.at(-1)?.atMs ?? 0) - first;
  const groups = Map.groupBy(points, ({ atMs }) =>
    Math.min(pieces - 1, Math.floor(((atMs - first) / Math.max(1, spanMs)) * pieces)),
  );
  return [...groups.values()].map((group) => {
    const values = group.flatMap(({ value }) => (value === null ? [] : [value]));
    return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
  });
}

export interface Minute {
  readonly atMs: number;
  readonly mean: number;
  readonly top: number;
}

/** What a chart says, as a table: a line for each minute, the newest first. */
export function byMinute(points: readonly Point[]): Minute[] {
  const minutes = Map.groupBy(points, ({ atMs }) => Math.floor(atMs / 60_000) * 60_000);
  return [...minutes]
    .flatMap(([atMs, group]) => {
      const values = group.flatMap(({ value }) => (value === null ? [] : [value]));
      if (values.length === 0) return [];
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      return [{ atMs, mean, top: Math.max(...values) }];
    })
    .sort((a, b) => b.atMs - a.atMs);
}
