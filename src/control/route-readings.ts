import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { SourceStatus } from '../core/source.ts';
import { type OpenedRoute, openRoute } from './open-route.ts';

/** Where what is stored about routes, and how their sources are, is read from. */
export interface RouteReader {
  store<T>(definition: RouteDefinition, read: (store: RouteStateStore) => Promise<T>): Promise<T>;
  source(definition: RouteDefinition): Promise<SourceStatus>;
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
  source: { readonly atMs: number; readonly status: Promise<SourceStatus> } | null;
}

/** Longer than the two seconds after which a page asks again. */
const idleMs = 10_000;

/** A connection of its own each time, at a server that may have many routes. */
const sourceAgeMs = 5_000;

/** Over connections that are kept while somebody asks again and again: for a service, whose page does. */
export class RouteReadings implements RouteReader, AsyncDisposable {
  readonly #kept = new Map<string, Kept>();

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

  source(definition: RouteDefinition): Promise<SourceStatus> {
    const kept = this.#keep(definition);
    const nowMs = performance.now();
    if (kept.source === null || nowMs - kept.source.atMs >= sourceAgeMs) {
      const asked = { atMs: nowMs, status: kept.route.source.status() };
      kept.source = asked;
      // A source that could not be asked is asked again at once.
      asked.status.catch(() => {
        if (kept.source === asked) kept.source = null;
      });
    }
    return kept.source.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [name, kept] of this.#kept) this.#forget(name, kept);
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
    const kept: Kept = {
      route: openRoute(definition),
      timer: setTimeout(() => (kept.users === 0 ? this.#forget(name, kept) : kept.timer.refresh()), idleMs).unref(),
      users: 0,
      read: false,
      source: null,
    };
    this.#kept.set(name, kept);
    return kept;
  }

  #forget(name: string, kept: Kept): void {
    clearTimeout(kept.timer);
    if (this.#kept.get(name) === kept) this.#kept.delete(name);
    void Promise.resolve(kept.route[Symbol.asyncDispose]()).catch(() => {});
  }
}
