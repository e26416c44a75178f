import { moment } from '../format/times.ts';
import type { Point } from './series.ts';

/** What a line says in a sentence. Where nothing is measured any more, its last value is none of now. */
export function chartSummary(points: readonly Point[], format: (value: number) => string): string {
  const known = points.flatMap(({ atMs, value }) => (value === null ? [] : [{ atMs, value }]));
  const last = known.at(-1);
  if (last === undefined) return 'No values yet.';
  if (known.every(({ value }) => value === 0)) return `${format(0)} all the time`;
  const top = known.reduce((highest, point) => (point.value > highest.value ? point : highest));
  const mean = known.reduce((sum, { value }) => sum + value, 0) / known.length;
  const now =
    points.at(-1)?.value === null ? `Last ${format(last.value)} at ${moment(last.atMs)}` : `Now ${format(last.value)}`;
  return `${now} · mean ${format(mean)} · highest ${format(top.value)} at ${moment(top.atMs)}`;
}
