import type { Metric } from 'prom-client';
import { groupRowBounds } from '../core/work-meter.ts';
import { groupRowsMetric } from './catalogue.ts';
import type { MeasuredRoute } from './metrics-store.ts';

/**
 * The library's histogram observes one value after the other; the workers have counted theirs already. This has what a
 * registry asks of a metric: a name, and its values when they are wanted.
 */
export function groupRowsHistogram(routes: () => readonly MeasuredRoute[]): Metric {
  const { name, help, type } = groupRowsMetric;
  const get = async () => ({ name, help, type, aggregator: 'sum', values: routes().flatMap(valuesOf) });
  return { name, get, reset: () => {} } as unknown as Metric;
}

function valuesOf({ name: route, totals }: MeasuredRoute) {
  const { name } = groupRowsMetric;
  let count = 0;
  const buckets = totals.groupSizes.map((groups, at) => {
    count += groups;
    return { metricName: `${name}_bucket`, labels: { le: groupRowBounds[at] ?? '+Inf', route }, value: count };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels: { route }, value: totals.rows },
    { metricName: `${name}_count`, labels: { route }, value: count },
  ];
}
