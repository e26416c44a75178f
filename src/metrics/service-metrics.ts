import { Counter, Gauge, Registry } from 'prom-client';
import { VitalsWatch } from '../supervisor/vitals-watch.ts';
import { type RouteMetric, routeMetrics, serviceMetrics } from './catalogue.ts';
import { groupRowsHistogram } from './group-rows-histogram.ts';
import type { MetricsStore } from './metrics-store.ts';

export type NotificationResult = 'delivered' | 'failed' | 'dropped';

/** What /metrics shows of a service: read from the store when it is asked for, or counted where it happens. */
export class ServiceMetrics {
  readonly #registry = new Registry();
  readonly #store: MetricsStore;
  readonly #vitals = new VitalsWatch();
  readonly #notifications: Counter;
  readonly #apiRequests: Counter;
  readonly #memory: Gauge;
  readonly #delay: Gauge;

  constructor(store: MetricsStore, version: string) {
    this.#store = store;
    this.#gauge(serviceMetrics.build).set({ version }, 1);
    for (const metric of routeMetrics) this.#ofRoutes(metric);
    this.#registry.registerMetric(groupRowsHistogram(() => store.routes()));
    this.#notifications = this.#counter(serviceMetrics.notifications);
    // From the start: what Prometheus has not seen at zero has not increased with the first.
    for (const kind of ['webhook', 'command'] as const)
      for (const result of ['delivered', 'failed', 'dropped'] as const) this.#notifications.inc({ kind, result }, 0);
    this.#apiRequests = this.#counter(serviceMetrics.apiRequests);
    this.#memory = this.#gauge(serviceMetrics.supervisorMemory);
    this.#delay = this.#gauge(serviceMetrics.supervisorDelay);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    this.#supervisor();
    return this.#registry.metrics();
  }

  notified(kind: 'webhook' | 'command', result: NotificationResult): void {
    this.#notifications.inc({ kind, result });
  }

  /** `path` as the OpenAPI document has it: never what somebody has sent, which has no end. */
  apiRequest(path: string, method: string, status: number): void {
    this.#apiRequests.inc({ path, method, status: String(status) });
  }

  #ofRoutes({ name, help, type, labels, values }: RouteMetric): void {
    const store = this.#store;
    const registers = [this.#registry];
    const labelNames = ['route', ...labels];
    const all = () =>
      store
        .routes()
        .flatMap((route) => values(route).map(([more, value]) => [{ route: route.name, ...more }, value] as const));
    if (type === 'gauge') {
      new Gauge({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const [of, value] of all()) this.set(of, value);
        },
      });
    } else {
      new Counter({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset();
          for (const [of, value] of all()) this.inc(of, value);
        },
      });
    }
  }

  #supervisor(): void {
    const { memory, eventLoopDelayMs } = this.#vitals.take();
    for (const [kind, bytes] of Object.entries(memory)) this.#memory.set({ kind }, bytes);
    this.#delay.set({ quantile: '0.5' }, eventLoopDelayMs.p50 / 1000);
    this.#delay.set({ quantile: '0.99' }, eventLoopDelayMs.p99 / 1000);
    this.#delay.set({ quantile: '1' }, eventLoopDelayMs.max / 1000);
  }

  #gauge({ name, help, labels }: { name: string; help: string; labels: readonly string[] }): Gauge {
    return new Gauge({ name, help, labelNames: [...labels], registers: [this.#registry] });
  }

  #counter({ name, help, labels }: { name: string; help: string; labels: readonly string[] }): Counter {
    return new Counter({ name, help, labelNames: [...labels], registers: [this.#registry] });
  }
}
