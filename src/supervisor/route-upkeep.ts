import { asTidelockError } from '../core/errors/defect.ts';
import { fingerprintOf } from '../core/route-description.ts';
import type { RouteStateStore, Wanted } from '../core/route-state-store.ts';
import type { RunRouteOptions } from './run-route-options.ts';
import { tidyLeftover } from './tidy-leftover.ts';

const pruneMs = 3_600_000;

/** What an engine that has a route does with each renewal of its lease, beside the route's own work and never in its way. */
export class RouteUpkeep {
  readonly #options: Pick<RunRouteOptions, 'definition' | 'connectors' | 'logger' | 'onPending'>;
  /** Of what the route is configured to do. */
  #fingerprint: string | null = null;
  #tidies = false;
  #pruneAtMs = 0;

  constructor(options: Pick<RunRouteOptions, 'definition' | 'connectors' | 'logger' | 'onPending'>) {
    this.#options = options;
  }

  renewed(wanted: Wanted, store: RouteStateStore): void {
    this.#seePending(wanted);
    void this.#tidy(wanted, store);
    void this.#prune(store);
  }

  /** Told again with each renewal: the one that it is told to may not have been able to do anything about it. */
  #seePending({ pending }: Wanted): void {
    if (pending === null) return;
    this.#fingerprint ??= fingerprintOf(this.#options.definition.describe());
    if (pending !== this.#fingerprint) this.#options.onPending?.(pending);
  }

  /** Tried again with a later renewal where it fails. */
  async #tidy({ leftover: name }: Wanted, store: RouteStateStore): Promise<void> {
    if (name === null || this.#tidies) return;
    this.#tidies = true;
    const { definition, connectors, logger } = this.#options;
    const source = connectors(definition.from.type).source({ route: { ...definition, name }, logger });
    try {
      await tidyLeftover({ name, source, store, logger });
    } catch (error) {
      logger.warn({ name, reason: asTidelockError(error).message }, 'what a rename has left is still there');
    } finally {
      await source.close().catch(() => {});
      this.#tidies = false;
    }
  }

  async #prune(store: RouteStateStore): Promise<void> {
    const nowMs = performance.now();
    if (nowMs < this.#pruneAtMs) return;
    this.#pruneAtMs = nowMs + pruneMs;
    const { definition, logger } = this.#options;
    const { journal } = definition;
    await Promise.all([store.prune(journal), store.jobs.prune(journal)]).catch((error: unknown) => {
      logger.warn({ reason: asTidelockError(error).message }, 'the journal could not be shortened');
    });
  }
}
