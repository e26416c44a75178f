import type { Configuration } from '../config/configuration.ts';
import { LazyMap } from '../config/lazy-map.ts';
import { askToApply } from '../control/apply-plan.ts';
import type { Asked } from '../control/control.ts';
import { type OpenedRoute, openRoute } from '../control/open-route.ts';
import { type PlannedRoute, planOpened } from '../control/plan-routes.ts';
import { asTidelockError } from '../core/errors/defect.ts';
import type { Logger } from '../core/logger.ts';
import { fingerprintOf } from '../core/route-description.ts';
import { planLines } from '../operations/plan-text.ts';
import { isRouteGone } from '../supervisor/route-gone.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { isPending } from '../supervisor/worker-protocol.ts';
import { RouteTrials } from './route-trials.ts';

export interface ConfigurationReloadOptions {
  /** As it was read when the service started. */
  readonly configuration: Configuration;
  /** Reads the files again. Throws where something is wrong with them. */
  read(): Configuration;
  readonly supervisor: Supervisor;
  readonly logger: Logger;
}

const asked: Asked = { by: 'the service', via: 'signal', reason: 'the configuration was read again' };

/**
 * Takes over what has changed in the files of a configuration, while its routes run. Each route runs with the files as they
 * were when it was taken up with them, over restarts of its worker, too. They are read again
 *
 *   when somebody asks for it (SIGHUP, or `apply` through the API): routes that are new or gone, addresses and references of nodes,
 *   settings and tables that come are taken over. Where rows would go, or tables leave, the route goes on as it was,
 *   with the plan in the log: that needs `tidelock apply --yes`.
 *
 *   when a worker tells that such a change was agreed to: where the files say what was agreed to, the route is taken up with them.
 *   What then can't be carried out is told, and the route goes on as it was.
 *
 * One thing at a time: what is asked meanwhile comes after it.
 */
export class ConfigurationReload {
  readonly #options: ConfigurationReloadOptions;
  readonly #logger: Logger;
  /** What each route runs with. */
  readonly #running = new Map<string, Configuration>();
  readonly #trials = new RouteTrials<Configuration>();
  /** Routes whose state is gone: what the files say has been looked at. */
  readonly #missed = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();
  #current: Configuration;
  #pendingTold = '';
  readonly #listeners: ((configuration: Configuration) => void)[] = [];

  constructor(options: ConfigurationReloadOptions) {
    const { configuration, supervisor, logger } = options;
    this.#options = options;
    this.#logger = logger;
    this.#current = configuration;
    for (const route of supervisor.routes()) this.#running.set(route, configuration);
    supervisor.onMessage((route, message) => {
      if (isPending(message)) void this.#next(() => this.#pending(route, message.fingerprint));
    });
    supervisor.onStatus((route, { state, reason }) => {
      // It was dropped or renamed: the files may know more than what it runs with.
      const isGone = isRouteGone(reason?.code);
      if (isGone && !this.#missed.has(route)) void this.reload();
      if (isGone) this.#missed.add(route);
      else this.#missed.delete(route);
      if (this.#trials.hear(route, { state, worker: this.#workerOf(route) }))
        void this.#next(() => this.#goBack(route));
    });
  }

  /** The one whose service settings and nodes count now. */
  get current(): Configuration {
    return this.#current;
  }

  /** The one that counts now, with each route as it runs. */
  get effective(): Configuration {
    const { current } = this;
    const routes = new LazyMap(current.routes.keys(), (name) => this.of(name).routes.demand(name, 'route'));
    return {
      file: current.file,
      nodes: current.nodes,
      routes,
      get name() {
        return current.name;
      },
      get service() {
        return current.service;
      },
      get notify() {
        return current.notify;
      },
      resolveAll: () => current.resolveAll(),
      text: () => current.text(),
      written: (route) => this.of(route).written(route),
      fingerprint: (route) => this.of(route).fingerprint(route),
    };
  }

  /** What a route runs with; of one that does not run, what counts now. */
  of(route: string): Configuration {
    return this.#running.get(route) ?? this.#current;
  }

  /** Called when another configuration counts. */
  onChange(listener: (configuration: Configuration) => void): void {
    this.#listeners.push(listener);
  }

  /** Reads the files again and takes over what needs nobody's consent. Never throws: what is wrong is logged. */
  reload(): Promise<void> {
    return this.#next(() => this.#reload());
  }

  #next(run: () => Promise<void>): Promise<void> {
    const done = this.#last.then(run).catch((error: unknown) => {
      this.#logger.error({ ...asTidelockError(error).toJSON() }, 'the configuration could not be taken over');
    });
    this.#last = done;
    return done;
  }

  async #reload(): Promise<void> {
    const { read, supervisor } = this.#options;
    const next = read();
    if (next.name !== this.#current.name) {
      this.#logger.error(
        { before: this.#current.name, after: next.name },
        'the deployment has another name: "tidelock run" has to be restarted for that',
      );
      return;
    }
    // Where it can't be read the routes go on as they are.
    for (const name of next.routes.keys()) next.routes.demand(name, 'route').describe();
    this.#logger.info({ file: next.file }, 'configuration read again');
    warnOfListeners(this.#current, next, this.#logger);
    this.#current = next;
    for (const listener of this.#listeners) listener(next);
    for (const name of [...this.#running.keys()]) if (!next.routes.has(name)) await this.#remove(name);
    for (const name of next.routes.keys()) {
      if (supervisor.routes().includes(name)) {
        await this.#change(name, next);
        continue;
      }
      this.#running.set(name, next);
      supervisor.add(name, next.text());
      this.#logger.info({ route: name }, 'route is new in the configuration');
    }
  }

  async #remove(name: string): Promise<void> {
    this.#running.delete(name);
    this.#trials.end(name);
    await this.#options.supervisor.remove(name);
    this.#logger.warn(
      { route: name },
      'route is no longer in the configuration and has ended; unless it was renamed its queue stays, and the source keeps its log for it: "tidelock drop --orphans" lists what is left',
    );
  }

  async #change(name: string, next: Configuration): Promise<void> {
    const before = this.of(name);
    if (next.written(name) === before.written(name) && isDescribedAlike(before, next, name)) return;
    await using route = openRoute(next.routes.demand(name, 'route'));
    const planned = await this.#planOf(route);
    if (planned === null) return;
    const obstacle =
      planned.refused.length > 0 || planned.problems.length > 0
        ? 'the change can not be carried out, the route goes on as it was'
        : planned.needsConsent && !planned.pending
          ? 'the change needs "tidelock apply --yes", the route goes on as it was'
          : null;
    if (obstacle !== null) {
      const problems = planned.problems.map(({ code, message }) => `${code} ${message}`);
      this.#logger.warn({ route: name, plan: planLines(planned), problems }, obstacle);
      return;
    }
    if (!planned.pending && planned.state === 'changed') await askToApply(route, planned, asked);
    await this.#takeUp(name, next, planned.configured);
  }

  async #planOf(route: OpenedRoute): Promise<PlannedRoute | null> {
    try {
      return await planOpened(route, null);
    } catch (error) {
      this.#logger.warn(
        { route: route.definition.name, ...asTidelockError(error).toJSON() },
        'what has changed can not be compared, the route goes on as it was; ask again (SIGHUP) later',
      );
      return null;
    }
  }

  async #pending(name: string, fingerprint: string): Promise<void> {
    const next = this.#options.read();
    const definition = next.routes.get(name);
    // Another message of the same may have waited for this one.
    if (fingerprintIn(this.of(name), name) === fingerprint) return;
    if (definition === undefined || fingerprintOf(definition.describe()) !== fingerprint) {
      const told = `${name} ${fingerprint}`;
      if (told !== this.#pendingTold)
        this.#logger.warn(
          { route: name, fingerprint },
          'a change was agreed to that the files of this service do not have: the route goes on as it was',
        );
      this.#pendingTold = told;
      return;
    }
    await this.#takeUp(name, next, fingerprint);
  }

  async #takeUp(name: string, next: Configuration, fingerprint: string): Promise<void> {
    const before = this.of(name);
    this.#trials.begin(name, { before, fingerprint, replaced: this.#workerOf(name) });
    this.#running.set(name, next);
    this.#logger.info({ route: name, fingerprint }, 'the route is taken up with what is configured now');
    await this.#options.supervisor.replace(name, next.text());
  }

  #workerOf(route: string): number | null {
    return this.#options.supervisor.workerOf(route)?.pid ?? null;
  }

  /** The route has halted at the change itself: it goes on as before. What has halted it after that is its own. */
  async #goBack(name: string): Promise<void> {
    const trial = this.#trials.end(name);
    if (trial === null) return;
    await using route = openRoute(trial.before.routes.demand(name, 'route'));
    const applied = (await (await route.store()).read())?.applied ?? null;
    if (applied === null || fingerprintOf(applied) === trial.fingerprint) return;
    this.#running.set(name, trial.before);
    this.#logger.error({ route: name }, 'the change could not be carried out, the route goes on as it was');
    await this.#options.supervisor.replace(name, trial.before.text());
  }
}

/** Who listens keeps to its address. Tokens, certificates and receivers of notices are read when they are needed. */
function warnOfListeners(before: Configuration, after: Configuration, logger: Logger): void {
  const of = ({ service: { api, probes } }: Configuration): string => JSON.stringify([api?.listen, probes?.listen]);
  if (of(before) !== of(after)) logger.warn({}, 'other addresses to listen at want a restart of "tidelock run"');
}

function fingerprintIn(configuration: Configuration, route: string): string | null {
  const definition = configuration.routes.get(route);
  return definition === undefined ? null : fingerprintOf(definition.describe());
}

/** Files and secrets that the route is made of may be others though nothing of it is written otherwise. */
function isDescribedAlike(before: Configuration, after: Configuration, route: string): boolean {
  return fingerprintIn(before, route) === fingerprintIn(after, route);
}
