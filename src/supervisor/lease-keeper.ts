import { pause } from '../core/pause.ts';
import type { RouteStateStore, Wanted } from '../core/route-state-store.ts';
import type { RouteStatus } from '../core/route-status.ts';

/** A lease lasts 10 s at the target; the store gives a renewal up that takes longer than what is left of it. */
export const renewMs = 3_000;

/** Renews the lease and stores the status with it: every 3 s, and at once when a person asks or the state changes. */
export class LeaseKeeper {
  readonly #store: RouteStateStore;
  readonly #status: () => RouteStatus | null;
  readonly #onRenewed: (wanted: Wanted) => void;
  #wake: (() => void) | null = null;
  #rung = false;

  constructor(
    store: RouteStateStore,
    status: () => RouteStatus | null,
    onRenewed: (wanted: Wanted) => void = () => {},
  ) {
    this.#store = store;
    this.#status = status;
    this.#onRenewed = onRenewed;
    store.onRequest(() => this.ring());
  }

  /** The next renewal, or whatever waits, is due now. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Renews until `onWanted` returns true or the signal aborts. Throws where the lease is lost or can't be reached. */
  async keep(signal: AbortSignal, onWanted: (wanted: Wanted) => boolean): Promise<void> {
    while (!signal.aborted) {
      const wanted = await this.#store.renewLease(this.#status());
      this.#onRenewed(wanted);
      if (onWanted(wanted)) return;
      await this.wait(renewMs, signal);
    }
  }

  /** Until `ms` have passed, somebody rings, or the signal aborts. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      const over = new AbortController();
      this.#wake = () => over.abort();
      signal.addEventListener('abort', this.#wake, { once: true });
      await pause(ms, over.signal);
      signal.removeEventListener('abort', this.#wake);
      this.#wake = null;
    }
    this.#rung = false;
  }
}

/** Runs something under the lease, which is renewed meanwhile. Where that fails, `run` is aborted and the error thrown. */
export async function whileKept(
  keeper: LeaseKeeper,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController();
  const onAbort = (): void => over.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) over.abort();
  let lost: { readonly error: unknown } | null = null;
  const keeping = keeper
    .keep(over.signal, () => false)
    .catch((error: unknown) => {
      lost = { error };
      over.abort();
    });
  try {
    await run(over.signal);
  } finally {
    over.abort();
    signal.removeEventListener('abort', onAbort);
    await keeping;
  }
  if (lost !== null) throw (lost as { readonly error: unknown }).error;
}
