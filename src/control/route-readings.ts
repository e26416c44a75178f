import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { NodeDefinition, RouteDefinition } from '../core/route.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { QueueWatch, SourceStatus } from '../core/source.ts';
import { connectorFor } from '../registry.ts';
import { type OpenedRoute, openRoute } from './open-route.ts';

/** Where what is stored about routes, and how their sources are, is read from. */
export interface RouteReader {
  store<T>(definition: RouteDefinition, read: (store: RouteStateStore) => Promise<T>): Promise<T>;
  /** `now`: not as it was a few seconds ago. */
  source(definition: RouteDefinition, options?: { readonly now: boolean }): Promise<SourceStatus>;
}

/** Over connections that are opened for each reading: for commands, which read once. */
export const readOnce: RouteReader = {
  store: async (definition, read) => {
    await using route = openRoute(definition);
    return await read(await route.store());
  },
  source: async (definition) => {
    await using route = openRoute(definition);
    return await route.source.status();
  },
};

interface Kept {
  readonly route: OpenedRoute;
  readonly timer: NodeJS.Timeout;
  /** Readings that are under way. */
  users: number;
  read: boolean;
}

interface KeptWatch {
  readonly node: NodeDefinition;
  readonly watch: QueueWatch;
  readonly timer: NodeJS.Timeout;
}

export interface ReadingsOptions {
  /** How long a connection is kept that nobody uses: longer than the two seconds after which a page asks again. */
  readonly idleMs?: number;
  /** How old what a source has said may be. */
  readonly sourceAgeMs?: number;
}

/**
 * Over connections that are kept while somebody asks again and again: for a service, whose page does. One for each route at its target, and
 * one for each node that is a source, whose queues are all looked at together.
 */
export class RouteReadings implements RouteReader, AsyncDisposable {
  readonly #idleMs: number;
  readonly #sourceAgeMs: number;
  readonly #kept = new Map<string, Kept>();
  readonly #watches = new Map<string, KeptWatch>();

  constructor({ idleMs = 10_000, sourceAgeMs = 5_000 }: ReadingsOptions = {}) {
    this.#idleMs = idleMs;
    this.#sourceAgeMs = sourceAgeMs;
  }

  async store<T>(definition: RouteDefinition, read: (store: RouteStateStore) => Promise<T>): Promise<T> {
    const kept = this.#keep(definition);
    const isUsed = kept.read;
    kept.users++;
    try {
      const result = await read(await kept.route.store());
      kept.read = true;
      return result;
    } catch (error) {
      this.#forget(definition.name, kept);
      // The server may have ended a session that was kept: that says nothing about a new one.
      if (!isUsed || !(error instanceof TidelockError) || error.recovery !== 'retry') throw error;
      return await readOnce.store(definition, read);
    } finally {
      kept.users--;
    }
  }

  source(definition: RouteDefinition, options?: { readonly now: boolean }): Promise<SourceStatus> {
    return this.#watch(definition.from).status(definition, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [name, kept] of this.#kept) this.#forget(name, kept);
    for (const kept of this.#watches.values()) this.#unwatch(kept);
  }

  #keep(definition: RouteDefinition): Kept {
    const { name } = definition;
    const known = this.#kept.get(name);
    if (known?.route.definition === definition) {
      known.timer.refresh();
      return known;
    }
    // The configuration was read again.
    if (known !== undefined) this.#forget(name, known);
    const isOver = (): unknown => (kept.users === 0 ? this.#forget(name, kept) : kept.timer.refresh());
    const kept: Kept = {
      route: openRoute(definition),
      timer: setTimeout(isOver, this.#idleMs).unref(),
      users: 0,
      read: false,
    };
    this.#kept.set(name, kept);
    return kept;
  }

  #forget(name: string, kept: Kept): void {
    clearTimeout(kept.timer);
    if (this.#kept.get(name) === kept) this.#kept.delete(name);
    void Promise.resolve(kept.route[Symbol.asyncDispose]()).catch(() => {});
  }

  #watch(node: NodeDefinition): QueueWatch {
    const known = this.#watches.get(node.name);
    if (known?.node === node) {
      known.timer.refresh();
      return known.watch;
    }
    if (known !== undefined) this.#unwatch(known);
    const kept: KeptWatch = {
      node,
      watch: connectorFor(node.type).queueWatch(node, { everyMs: this.#sourceAgeMs }),
      timer: setTimeout(() => this.#unwatch(kept), this.#idleMs).unref(),
    };
    this.#watches.set(node.name, kept);
    return kept.watch;
  }

  #unwatch(kept: KeptWatch): void {
    clearTimeout(kept.timer);
    if (this.#watches.get(kept.node.name) === kept) this.#watches.delete(kept.node.name);
    void kept.watch.close().catch(() => {});
  }
}
