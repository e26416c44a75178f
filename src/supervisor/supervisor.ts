import { randomUUID } from 'node:crypto';
import { availableParallelism, hostname } from 'node:os';
import { programUrl } from '../core/installation.ts';
import { Listeners } from '../core/listeners.ts';
import type { Logger } from '../core/logger.ts';
import type { LeaseHolder } from '../core/route-state-store.ts';
import type { RouteStatus, Told } from '../core/route-status.ts';
import { crashRules } from './crash-loop.ts';
import { StartGate } from './start-gate.ts';
import { type Patience, SupervisedRoute, type WorkerView } from './supervised-route.ts';
import { WorkerGuard } from './worker-guard.ts';
import { WorkerProgram } from './worker-program.ts';

/**
 * No work holds up the event loop for more than seconds; whatever a route waits for on its way shows as progress much more
 * often than every two minutes.
 */
const usualPatience: Patience = { silentMs: 60_000, standStillMs: 120_000, crashes: crashRules };

export interface SupervisorOptions {
  /** Absolute: each worker reads it by itself, where it is not handed a configuration. */
  readonly file: string;
  /** The files as they were read: what the routes run with until they are replaced, whatever becomes of the files. */
  readonly configuration?: object;
  readonly routes: readonly string[];
  readonly logger: Logger;
  /** Takes the routes from whoever has them, at once, instead of waiting until their leases have expired. */
  readonly takeover?: boolean;
  /** What a worker runs; the engine's own where absent. */
  readonly workerModule?: URL;
  /** Where it is another than usual. */
  readonly patience?: Partial<Patience>;
}

/**
 * Runs each route in a process of its own, so that a crash, a leak or a blocked event loop in one can't touch another.
 * It holds no state and no connection: killed, its workers notice the broken IPC channel and end; one that can't is ended by
 * the guard.
 *
 * Routes come, go and are replaced one by one while the others run. A route keeps the configuration that it was added or
 * replaced with last, over restarts of its worker, too.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #holder: LeaseHolder = { supervisor: randomUUID(), host: hostname(), pid: process.pid };
  readonly #gate = new StartGate(availableParallelism());
  readonly #guard: WorkerGuard;
  readonly #program: WorkerProgram;
  readonly #routes = new Map<string, SupervisedRoute>();
  readonly #onStatus = new Listeners<[route: string, status: RouteStatus]>();
  readonly #onMessage = new Listeners<[route: string, message: unknown]>();
  #started = false;
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#guard = new WorkerGuard(options.logger);
    this.#program = new WorkerProgram(options.workerModule ?? programUrl('supervisor/worker-main'));
    for (const route of options.routes) this.add(route);
  }

  /** Under which its workers hold leases. */
  get id(): string {
    return this.#holder.supervisor;
  }

  /** In the order in which they were added. */
  routes(): readonly string[] {
    return [...this.#routes.keys()];
  }

  /** What the route's worker has said last; null before it has said anything, and where there is no such route. */
  statusOf(route: string): RouteStatus | null {
    return this.#routes.get(route)?.status ?? null;
  }

  workerOf(route: string): WorkerView | null {
    return this.#routes.get(route)?.view ?? null;
  }

  /** Called with each status that a worker reports. Returns a function that takes the listener off again. */
  onStatus(listener: (route: string, status: RouteStatus) => void): () => void {
    return this.#onStatus.add(listener);
  }

  /** Called with all else that workers say, by `kind`. Returns a function that takes the listener off again. */
  onMessage(listener: (route: string, message: unknown) => void): () => void {
    return this.#onMessage.add(listener);
  }

  /** It was told to end, and drains. */
  get isStopping(): boolean {
    return this.#stopping;
  }

  start(): void {
    this.#started = true;
    for (const route of this.#routes.values()) route.start();
  }

  /** Starts with the others, or at once where these run. A route that is there already is left as it is. */
  add(route: string, configuration: object | null = this.#options.configuration ?? null): void {
    if (this.#routes.has(route) || this.#stopping) return;
    const { file, logger, takeover = false, patience } = this.#options;
    const supervised = new SupervisedRoute({
      file,
      configuration,
      route,
      holder: this.#holder,
      takeover: takeover && !this.#started,
      program: this.#program,
      patience: { ...usualPatience, ...patience },
      gate: this.#gate,
      guard: this.#guard,
      logger,
      onStatus: (status) => this.#onStatus.tell(route, status),
      onMessage: (message) => this.#onMessage.tell(route, message),
    });
    this.#routes.set(route, supervised);
    if (this.#started) supervised.start();
  }

  /**
   * Drains the route's worker and gives its lease back; it is no longer one of the routes, once this has resolved.
   * False where the worker did not end in time and was killed. What is stored about the route stays.
   */
  async remove(route: string): Promise<boolean> {
    const supervised = this.#routes.get(route);
    if (supervised === undefined) return true;
    const drained = await supervised.stop();
    if (this.#routes.get(route) === supervised) this.#routes.delete(route);
    return drained;
  }

  /**
   * Drains the route's worker and starts another, with this configuration or the same; the lease is kept meanwhile. False
   * where the old one did not end in time and was killed. Throws RangeError where there is no such route.
   */
  async replace(route: string, configuration?: object): Promise<boolean> {
    const supervised = this.#routes.get(route);
    if (supervised === undefined) throw new RangeError(`no route ${route}`);
    return await supervised.replace(configuration);
  }

  /** People were told this of the route: whoever takes it over is not to tell it again. */
  tell(route: string, told: Told): void {
    this.#routes.get(route)?.tell(told);
  }

  /** Drains all routes side by side. False where a worker did not end in time and was killed. Repeatable. */
  async stop(): Promise<boolean> {
    this.#stopping = true;
    this.#options.logger.info({}, 'draining; a second signal stops at once');
    const drained = await Promise.all([...this.#routes.values()].map((route) => route.stop()));
    this.#guard.close();
    return drained.every(Boolean);
  }

  /** Ends all workers at once. */
  kill(): void {
    this.#stopping = true;
    for (const route of this.#routes.values()) route.kill();
    this.#guard.close();
  }

  /** Process ids of the workers that run now. */
  workers(): readonly number[] {
    return [...this.#routes.values()].flatMap(({ view }) => view.pid ?? []);
  }
}
