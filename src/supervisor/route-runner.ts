import type { Connector } from '../core/connector.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { NodeType, RouteDefinition } from '../core/route.ts';
import type { LeaseHolder, RouteStateStore, Wanted } from '../core/route-state-store.ts';
import type { Health, LoadProgress, Reason, RouteState, RouteStatus } from '../core/route-status.ts';
import { RouteMeter } from '../pipeline/route-meter.ts';
import { attemptRoute } from './route-attempt.ts';

export interface RunRouteOptions {
  readonly definition: RouteDefinition;
  readonly connectors: (type: NodeType) => Connector;
  readonly holder: LeaseHolder;
  readonly logger: Logger;
  /** Abort drains: the group in flight is finished, the lease given back, connections closed. */
  readonly signal: AbortSignal;
  readonly restarts: number;
  readonly takeover: boolean;
  onStatus(status: RouteStatus): void;
}

const renewMs = 3_000;
const leaseMs = 10_000;
const heartbeatMs = 2_000;
const firstRetryMs = 200;
const longestRetryMs = 15_000;

/**
 * Runs one route until drained. The states and what leads from one to the next:
 *
 *     starting -> standby             another engine holds the lease; asked again every 3 s
 *     starting -> loading -> catchingUp -> running
 *     any of these -> retrying        a server or the network failed: back-off, then starting, from the checkpoint
 *     any of these -> failed          a coded halt: waits for `tidelock start`
 *     any of these -> fenced          another engine has taken the route: waits for a later `tidelock start`
 *     any of these -> stopped         `tidelock stop`: waits for `tidelock start`, connections to the source closed
 *
 * The lease is renewed side by side with the work. When it can't be renewed before it expires the work is cut off:
 * another engine may have the route by then.
 */
export async function runRoute(options: RunRouteOptions): Promise<void> {
  await new RouteRunner(options).run();
}

class RouteRunner {
  readonly #options: RunRouteOptions;
  readonly #logger: Logger;
  readonly #meter = new RouteMeter(heartbeatMs);
  #state: RouteState = 'starting';
  #reason: Reason | null = null;
  #load: LoadProgress | null = null;
  #takeover: boolean;
  #retries = 0;
  /** The request that the route was halted or fenced under: a later one lets it go on. */
  #heldRequest: number | null = null;

  constructor(options: RunRouteOptions) {
    this.#options = options;
    this.#logger = options.logger;
    this.#takeover = options.takeover;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      try {
        await this.#hold();
      } catch (error) {
        await this.#retryAfter(error);
      }
    }
    this.#show('stopped', null);
  }

  /** Opens the state store and works under the lease until something breaks it or the signal aborts. */
  async #hold(): Promise<void> {
    const { definition, connectors, logger, signal } = this.#options;
    const source = connectors(definition.from.type).source({ route: definition, logger });
    const target = connectors(definition.to.type).target({ route: definition, logger, order: source.order });
    let store: RouteStateStore | null = null;
    try {
      store = await target.state();
      await store.migrate();
      await store.register();
      await this.#serve(store, { source, target });
    } finally {
      await source.close().catch(() => {});
      if (signal.aborted) await store?.releaseLease().catch(() => {});
      await store?.close().catch(() => {});
      await target.close().catch(() => {});
    }
  }

  async #serve(store: RouteStateStore, ends: Ends): Promise<void> {
    const { holder, signal } = this.#options;
    while (!signal.aborted) {
      const wanted = await store.wanted();
      if (this.#isHeld(wanted)) {
        await this.#rest(store, wanted);
        continue;
      }
      if (this.#heldRequest !== null) {
        this.#heldRequest = null;
        this.#show('starting', null);
      }
      const lease = await store.acquireLease(holder, this.#takeover);
      if (!lease.granted) {
        this.#show('standby', {
          code: 'TL-4004',
          message: `engine on ${lease.holder.host} (pid ${lease.holder.pid}) has the route`,
        });
        await pause(renewMs, signal);
        continue;
      }
      this.#takeover = false;
      if (wanted.state !== 'running') {
        this.#show(wanted.state === 'paused' ? 'paused' : 'stopped', null);
        await this.#watch(store, signal, (latest) => latest.state === 'running');
        continue;
      }
      await this.#work(store, ends, { wanted, epoch: lease.epoch });
    }
  }

  #isHeld(wanted: Wanted): boolean {
    return this.#heldRequest !== null && wanted.request <= this.#heldRequest;
  }

  /** Halted or fenced: nothing is done until somebody asks for something. A halted engine keeps its lease. */
  async #rest(store: RouteStateStore, wanted: Wanted): Promise<void> {
    const { signal } = this.#options;
    if (this.#state === 'fenced') {
      await pause(renewMs, signal);
      return;
    }
    await this.#watch(store, signal, (latest) => latest.request > wanted.request);
  }

  /** Renews the lease and stores the status until `done` or aborted. */
  async #watch(store: RouteStateStore, signal: AbortSignal, done: (wanted: Wanted) => boolean): Promise<void> {
    const asked = new Doorbell(store);
    while (!signal.aborted) {
      const wanted = await this.#renew(store);
      if (done(wanted)) return;
      await asked.wait(renewMs, signal);
    }
  }

  async #renew(store: RouteStateStore): Promise<Wanted> {
    const overdue = new AbortController();
    const timer = pause(leaseMs - renewMs, overdue.signal).then((): never => {
      throw fail(routeErrors.leaseUnreachable, { route: this.#options.definition.name });
    });
    timer.catch(() => {});
    const renewing = store.renewLease(this.#status());
    renewing.catch(() => {});
    try {
      return await Promise.race([renewing, timer]);
    } finally {
      overdue.abort();
    }
  }

  /** One attempt beside the renewals. Whichever fails first ends the other. */
  async #work(store: RouteStateStore, ends: Ends, lease: { wanted: Wanted; epoch: bigint }): Promise<void> {
    const { definition, logger, signal } = this.#options;
    const stop = new AbortController();
    const onAbort = (): void => stop.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    const watching = this.#watch(
      store,
      stop.signal,
      (latest) => latest.state !== 'running' || latest.request !== lease.wanted.request,
    ).finally(() => stop.abort());
    watching.catch(() => {});
    this.#show('starting', null);
    try {
      // The store's one connection is shared: statements of the two sides queue up behind each other.
      await attemptRoute({
        definition,
        ...ends,
        store,
        epoch: lease.epoch,
        heartbeatMs,
        meter: this.#meter,
        logger,
        signal: stop.signal,
        acceptSchemaChange: lease.wanted.acceptSchemaChange,
        onLoad: (progress) => {
          this.#load = progress;
          this.#state = progress === null ? this.#state : 'loading';
        },
        onStreaming: () => this.#show('catchingUp', null),
      });
    } catch (error) {
      if (!stop.signal.aborted || error instanceof TidelockError) throw error;
    } finally {
      stop.abort();
      signal.removeEventListener('abort', onAbort);
      await watching;
    }
  }

  /** Decides by the error's recovery whether to go on by itself. */
  async #retryAfter(error: unknown): Promise<void> {
    const { signal, logger, definition } = this.#options;
    const known = error instanceof TidelockError ? error : null;
    if (known === null) throw error;
    const reason: Reason = { code: known.code, message: known.message, remedy: known.remedy };
    if (known.recovery === 'retry') {
      this.#show('retrying', reason);
      logger.warn({ route: definition.name, ...known.toJSON() }, 'route interrupted, trying again');
      const longest = Math.min(firstRetryMs * 2 ** this.#retries++, longestRetryMs);
      await pause(longest / 2 + (Math.random() * longest) / 2, signal);
      return;
    }
    logger.error({ route: definition.name, ...known.toJSON() }, 'route halted');
    this.#show(known.recovery === 'fenced' ? 'fenced' : 'failed', reason);
    this.#heldRequest = await this.#currentRequest();
  }

  async #currentRequest(): Promise<number> {
    const { definition, connectors, logger, signal } = this.#options;
    const { order } = connectors(definition.from.type).source({ route: definition, logger });
    const target = connectors(definition.to.type).target({ route: definition, logger, order });
    while (!signal.aborted) {
      try {
        const store = await target.state();
        try {
          return (await store.wanted()).request;
        } finally {
          await store.close();
        }
      } catch {
        await pause(renewMs, signal);
      }
    }
    return 0;
  }

  #show(state: RouteState, reason: Reason | null): void {
    this.#state = state;
    this.#reason = reason;
    this.#options.onStatus(this.#status());
  }

  #status(): RouteStatus {
    const { lagMs } = this.#meter;
    const { limits } = this.#options.definition;
    if (this.#state === 'catchingUp' && lagMs !== null && lagMs < limits.lag.warnMs) {
      this.#state = 'running';
      this.#retries = 0;
    }
    const counts = this.#meter.counts();
    return {
      state: this.#state,
      reason: this.#reason,
      health: this.#health(lagMs),
      sourcePosition: this.#meter.sourcePosition,
      targetPosition: this.#meter.applied,
      lagMs,
      transactions: counts.transactions,
      rows: counts.rows,
      collisions: counts.collisions,
      parked: 0,
      restarts: this.#options.restarts,
      retainedBytes: this.#meter.retainedBytes,
      load: this.#load,
    };
  }

  #health(lagMs: number | null): Health {
    const { lag } = this.#options.definition.limits;
    const { retention } = this.#meter;
    if (this.#state === 'failed' || this.#state === 'fenced' || retention === 'critical') return 'critical';
    if (lagMs !== null && lagMs >= lag.criticalMs) return 'critical';
    if (this.#state === 'retrying' || retention === 'warn' || (lagMs !== null && lagMs >= lag.warnMs)) return 'warning';
    return this.#state === 'starting' ? 'unknown' : 'ok';
  }
}

interface Ends {
  readonly source: ReturnType<Connector['source']>;
  readonly target: ReturnType<Connector['target']>;
}

/** Waits for a request of a person, or for a time. */
class Doorbell {
  #ring: (() => void) | null = null;

  constructor(store: RouteStateStore) {
    store.onRequest(() => this.#ring?.());
  }

  async wait(ms: number, signal: AbortSignal): Promise<void> {
    const rung = new AbortController();
    const onAbort = (): void => rung.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#ring = onAbort;
    if (!signal.aborted) await pause(ms, rung.signal);
    this.#ring = null;
    signal.removeEventListener('abort', onAbort);
  }
}
