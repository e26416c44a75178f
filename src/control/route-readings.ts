import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { NodeDefinition, RouteDefinition } from '../core/route.ts';
import type { RouteStateStore, SharedState } from '../core/route-state-store.ts';
import type { QueueWatch, SourceStatus } from '../core/source.ts';
import { connectorFor } from '../registry.ts';

export interface StoreReading {
  /** It may take long: others are not to wait for it. */
  readonly long: boolean;
}

/** Where what is stored about routes, and how their sources are, is read from. */
export interface RouteReader {
  store<T>(
    definition: RouteDefinition,
    read: (store: RouteStateStore) => Promise<T>,
    options?: StoreReading,
  ): Promise<T>;
  /** `now`: not as it was a few seconds ago. */
  source(definition: RouteDefinition, options?: { readonly now: boolean }): Promise<SourceStatus>;
}

/** Something that is open while it is used, and for a while after. */
interface Kept<T> {
  readonly open: T;
  readonly timer: NodeJS.Timeout;
  /** Readings that are under way. */
  users: number;
  /** It has answered before. */
  read: boolean;
}

export interface ReadingsOptions {
  /** How long a connection is kept that nobody uses: longer than the two seconds after which a page asks again. */
  readonly idleMs?: number;
  /** How old what a source has said may be. */
  readonly sourceAgeMs?: number;
}

/**
 * Over connections that are kept while somebody asks again and again, and that all routes share: two for each node that is a target (one of them for
 * what may take long), and one for each that is a source, whose queues are all looked at together. A node is known by its definition: while
 * the configuration is read again there may be two of one name.
 */
export class RouteReadings implements RouteReader, AsyncDisposable {
  readonly #idleMs: number;
  readonly #sourceAgeMs: number;
  readonly #states = new Map<NodeDefinition, Kept<Promise<SharedState>>>();
  readonly #longStates = new Map<NodeDefinition, Kept<Promise<SharedState>>>();
  readonly #watches = new Map<NodeDefinition, Kept<QueueWatch>>();

  constructor({ idleMs = 10_000, sourceAgeMs = 5_000 }: ReadingsOptions = {}) {
    this.#idleMs = idleMs;
    this.#sourceAgeMs = sourceAgeMs;
  }

  async store<T>(
    definition: RouteDefinition,
    read: (store: RouteStateStore) => Promise<T>,
    { long } = { long: false },
  ): Promise<T> {
    const all = long ? this.#longStates : this.#states;
    const open = (): Promise<SharedState> => connectorFor(definition.to.type).sharedState(definition.to);
    const ask = async (kept: Kept<Promise<SharedState>>): Promise<T> => {
      try {
        return await this.#use(kept, async (state) => await read(await (await state).store(definition)));
      } catch (error) {
        // What a person did wrong says nothing about the session.
        if (!(error instanceof TidelockError) || error.recovery === 'retry') this.#forget(all, definition.to, kept);
        throw error;
      }
    };
    const kept = this.#keep(all, definition.to, open);
    const wasRead = kept.read;
    try {
      return await ask(kept);
    } catch (error) {
      // The server may have ended a session that was kept: that says nothing about a new one.
      if (!wasRead || !(error instanceof TidelockError) || error.recovery !== 'retry') throw error;
      return await ask(this.#keep(all, definition.to, open));
    }
  }

  source(definition: RouteDefinition, options?: { readonly now: boolean }): Promise<SourceStatus> {
    const { from } = definition;
    const open = (): QueueWatch => connectorFor(from.type).queueWatch(from, { everyMs: this.#sourceAgeMs });
    return this.#use(this.#keep(this.#watches, from, open), (watch) => watch.status(definition, options));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closing = [this.#states, this.#longStates, this.#watches].flatMap(
      (all: Map<NodeDefinition, Kept<Closable>>) => [...all].map(([node, kept]) => this.#forget(all, node, kept)),
    );
    await Promise.all(closing);
  }

  async #use<O, T>(kept: Kept<O>, run: (open: O) => Promise<T>): Promise<T> {
    kept.users++;
    try {
      const result = await run(kept.open);
      kept.read = true;
      return result;
    } finally {
      kept.users--;
    }
  }

  #keep<O extends Closable>(all: Map<NodeDefinition, Kept<O>>, node: NodeDefinition, open: () => O): Kept<O> {
    const known = all.get(node);
    if (known !== undefined) {
      known.timer.refresh();
      return known;
    }
    const isOver = (): unknown => (kept.users === 0 ? this.#forget(all, node, kept) : kept.timer.refresh());
    const kept: Kept<O> = {
      open: open(),
      timer: setTimeout(isOver, this.#idleMs).unref(),
      users: 0,
      read: false,
    };
    all.set(node, kept);
    return kept;
  }

  async #forget<O extends Closable>(
    all: Map<NodeDefinition, Kept<O>>,
    node: NodeDefinition,
    kept: Kept<O>,
  ): Promise<void> {
    clearTimeout(kept.timer);
    if (all.get(node) === kept) all.delete(node);
    try {
      await (await kept.open).close();
    } catch {
      // It was never open, or is closed already.
    }
  }
}

type Closable = QueueWatch | Promise<SharedState>;
