import { hostname } from 'node:os';
import type { LiveService } from '../api/live-service.ts';
import type { Configuration } from '../config/configuration.ts';
import { placeOfNode } from '../control/node-place.ts';
import type { MetricsStore } from '../metrics/metrics-store.ts';
import type { ServiceMetrics } from '../metrics/service-metrics.ts';
import type { RouteConditions } from '../supervisor/route-conditions.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';

export interface ServiceFactsOptions {
  readonly version: string;
  configuration(): Configuration;
  readonly supervisor: Supervisor;
  readonly conditions: RouteConditions;
  readonly store: MetricsStore;
  readonly metrics: Pick<ServiceMetrics, 'apiRequest'>;
}

/** What the API tells of this process. */
export function serviceFacts(options: ServiceFactsOptions): LiveService {
  const { version, configuration, supervisor, conditions, store, metrics } = options;
  return {
    version,
    startedAt: new Date(),
    process: () => ({ host: hostname(), pid: process.pid }),
    name: () => configuration().name,
    nodes: () =>
      [...configuration().nodes.values()].map((node) => {
        const { hosts, database } = placeOfNode(node);
        return { name: node.name, type: node.type, hosts, database };
      }),
    state: () => {
      if (supervisor.isStopping) return 'draining';
      const all = conditions.routes().flatMap((route) => conditions.of(route) ?? []);
      if (all.some(({ leads }) => leads)) return 'leading';
      return all.some(({ state }) => state === 'standby') ? 'standby' : 'starting';
    },
    metrics: (route) => store.document(route),
    onStatus: (listener) => supervisor.onStatus(() => listener()),
    counted: (path, method, status) => metrics.apiRequest(path, method, status),
  };
}
