import { loadConfiguration } from '../config/load-configuration.ts';
import { silentLogger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { Source } from '../core/source.ts';
import type { Target } from '../core/target.ts';
import { openTarget } from '../pipeline/bridge/bridged-target.ts';
import { connectorFor } from '../registry.ts';
import type { EngineView } from './demo-state.ts';

const everyMs = 500;

/** Reads what the worker has stored about its route, as `tidelock status` does. */
export class RouteWatch {
  readonly #onView: (view: EngineView) => void;
  readonly #source: Source;
  readonly #target: Target;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(
    { file, routeName }: { readonly file: string; readonly routeName: string },
    onView: (view: EngineView) => void,
  ) {
    const configuration = loadConfiguration({ file, env: process.env, cwd: process.cwd() });
    const route = configuration.routes.demand(routeName, 'route');
    this.#source = connectorFor(route.from.type).source({ route, logger: silentLogger });
    const { order } = this.#source;
    this.#target = openTarget(connectorFor, { route, logger: silentLogger, order });
    this.#onView = onView;
    this.#running = this.#run();
    // It only shows: what the engine does is judged by what is at the target.
    this.#running.catch(() => {});
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await Promise.all([this.#source.close(), this.#target.close()]);
  }

  async #run(): Promise<void> {
    const store = await this.#target.state();
    while (!this.#stop.signal.aborted) {
      // What is not there to be read yet, or not now, is shown at the next look.
      await this.#look(store).catch(() => {});
      await pause(everyMs, this.#stop.signal);
    }
    await store.close();
  }

  async #look(store: RouteStateStore): Promise<void> {
    const status = (await store.read())?.status;
    if (!status) return;
    const { state, health, restarts, reason } = status;
    this.#onView({ state, health, restarts, reason: reason ? `${reason.code} ${reason.message}` : null });
  }
}
