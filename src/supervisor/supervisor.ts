import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from '../core/logger.ts';
import type { RouteStatus } from '../core/route-status.ts';
import { SupervisedRoute } from './supervised-route.ts';

/** What a group in flight may take when the Supervisor is told to stop. */
const drainMs = 10_000;

/** No work holds up the event loop for more than seconds. */
const longestSilenceMs = 60_000;

export interface SupervisorOptions {
  /** Absolute: each worker reads it by itself. */
  readonly file: string;
  readonly routes: readonly string[];
  readonly logger: Logger;
  /** Takes the routes from whoever has them, at once, instead of waiting until their leases have expired. */
  readonly takeover?: boolean;
  /** What a worker runs; the engine's own where absent. */
  readonly workerModule?: URL;
  /** A worker that says nothing for so long, while the Supervisor itself runs, is killed and started again. */
  readonly silentMs?: number;
  onStatus?(route: string, status: RouteStatus): void;
}

/**
 * Runs each route in a process of its own, so that a crash, a leak or a blocked event loop in one can't touch another.
 * It holds no state and no connection: killed, its workers notice the broken IPC channel and end.
 */
export class Supervisor {
  readonly #logger: Logger;
  readonly #routes: readonly SupervisedRoute[];

  constructor(options: SupervisorOptions) {
    const { file, logger, takeover = false, silentMs = longestSilenceMs, onStatus = () => {} } = options;
    const holder = { supervisor: randomUUID(), host: hostname(), pid: process.pid };
    const own = new URL(`./worker-main.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
    const { workerModule = own } = options;
    this.#logger = logger;
    this.#routes = options.routes.map(
      (route) => new SupervisedRoute({ file, route, holder, takeover, workerModule, silentMs, logger, onStatus }),
    );
  }

  start(): void {
    for (const route of this.#routes) route.start();
  }

  /** Drains all routes side by side. False where a worker did not end in time and was killed. Repeatable. */
  async stop(): Promise<boolean> {
    let drained = true;
    this.#logger.info({ drainMs }, 'draining; a second signal stops at once');
    const timer = setTimeout(() => {
      drained = false;
      this.#logger.warn({ drainMs }, 'not drained in time, killing workers');
      this.kill();
    }, drainMs);
    await Promise.all(this.#routes.map((route) => route.stop()));
    clearTimeout(timer);
    return drained;
  }

  /** Ends all workers at once. */
  kill(): void {
    for (const route of this.#routes) route.kill();
  }

  /** Process ids of the workers that run now. */
  workers(): readonly number[] {
    return this.#routes.flatMap(({ pid }) => pid ?? []);
  }
}
