import type { Configuration } from '../config/configuration.ts';
import type { Action } from '../core/action.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { SequenceReport } from '../operations/carry-sequences.ts';
import { type AdoptOptions, adoptPosition, readPosition } from './adopt-position.ts';
import {
  type AppliedDocument,
  type AppliedRoute,
  type ApplyOptions,
  askToApply,
  awaitApplied,
  demandApplicable,
} from './apply-plan.ts';
import { checkRoute } from './check-route.ts';
import { checkShared } from './check-shared.ts';
import { ConcernTimes } from './concern-times.ts';
import type { Asked, Control } from './control.ts';
import { dropOrphans, dropUnreachable } from './drop-left.ts';
import { type DropOptions, dropRoute } from './drop-route.ts';
import {
  addJob,
  askJob,
  demandComparable,
  demandDirection,
  type JobAsk,
  type JobId,
  type JobOrder,
  type JobReading,
  type JobsOptions,
  readJob,
  readJobs,
} from './jobs.ts';
import { type JournalEntry, type JournalledRun, journalled } from './journalled.ts';
import {
  type LifecycleDocument,
  type PauseOptions,
  pauseRoute,
  restartRoute,
  resumeRoute,
  type StartOptions,
  startRoute,
  stopRoute,
} from './lifecycle.ts';
import { type OpenedRoute, openRoute } from './open-route.ts';
import { askParked, type ParkedRequest } from './parked/ask-parked.ts';
import { listParked } from './parked/list-parked.ts';
import { type ShowOptions, showParked } from './parked/show-parked.ts';
import { type PlannedRoute, type PlanOptions, planDocument } from './plan-routes.ts';
import { type PrepareOptions, preparedDocument, prepareRoute } from './prepare-route.ts';
import { type JournalOptions, readJournal } from './read-journal.ts';
import { readStatus, type StatusReading } from './read-status.ts';
import { readTables } from './read-tables.ts';
import { type RenameOptions, renameRoute } from './rename-route.ts';
import { type RouteReader, RouteReadings } from './route-readings.ts';
import { type ApplySchemaOptions, applyRouteSchema, readRouteSchema } from './route-schema.ts';
import { SchemaRuns } from './schema-runs.ts';
import { sequencesNow } from './sequences-now.ts';
import { skipTransaction } from './skip-transaction.ts';
import { type WaitOptions, waitForRoute } from './wait-for-route.ts';

export interface LocalControlOptions {
  /** The one that counts now: a service reads its file again. */
  configuration(): Configuration;
  /** What the files say now, where that may be something else: what is planned and applied. */
  written?(): Configuration;
  /** Something was asked of the engine. */
  onApply?(): void;
  /** It is the service that asks: its ports are in use by itself. */
  readonly listens?: boolean;
  /** What its Supervisor says of a route that has no worker. */
  readonly between?: StatusReading['between'];
  /** Where status and journal are read from: a service is asked for them again and again. */
  readonly reader?: RouteReader;
}

/** What an operator does, carried out here: over a configuration and the databases of its routes. */
export class LocalControl implements Control {
  readonly #options: LocalControlOptions;
  readonly #schemaRuns = new SchemaRuns();
  readonly #concernTimes = new ConcernTimes();
  /** Where nobody else keeps any: many routes share a few sessions. What a source says is then not older than a look. */
  readonly #readings = new RouteReadings({ sourceAgeMs: 100 });

  constructor(options: LocalControlOptions) {
    this.#options = options;
  }

  async routes() {
    return [...this.#options.configuration().routes.keys()];
  }

  async status(routes?: readonly string[]) {
    const configuration = this.#options.configuration();
    const { between } = this.#options;
    const asked = { reader: this.#reader, concernTimes: this.#concernTimes, ...(between && { between }) };
    return await readStatus(configuration, routes ?? [...configuration.routes.keys()], asked);
  }

  async tables(route: string) {
    return await this.#reader.store(this.#definition(route), (store) => readTables(route, store));
  }

  check(route: string) {
    return this.#with(route, checkRoute);
  }

  async checkShared(routes?: readonly string[]) {
    const configuration = this.#options.configuration();
    const { listens = false } = this.#options;
    return await checkShared(configuration, { names: routes ?? [...configuration.routes.keys()], listens });
  }

  schema(route: string) {
    return this.#with(route, readRouteSchema);
  }

  async position(route: string) {
    return await readPosition(this.#definition(route), this.#reader);
  }

  async parked(route: string) {
    return listParked(this.#definition(route), this.#reader);
  }

  async parkedTransaction(route: string, id: string, options: ShowOptions) {
    return showParked(this.#definition(route), id, { ...options, reader: this.#reader });
  }

  async journal(options: JournalOptions) {
    return await readJournal(this.#options.configuration(), options, this.#reader);
  }

  async jobs(options: JobsOptions) {
    return await readJobs(this.#options.configuration(), options, this.#reader);
  }

  async job({ route, number }: JobId, reading: JobReading) {
    const definition = this.#definition(route);
    return await this.#reader.store(definition, (store) => readJob(route, store, number, reading), { long: true });
  }

  addJob(route: string, order: JobOrder, asked: Asked) {
    return this.#journalled(route, asked, {
      action: order.kind,
      // Conditions and keys may hold values of rows.
      details: { tables: order.options.tables ?? [] },
      run: (opened, { done }) => {
        const { kind, options } = order;
        const isRepair = kind === 'repair' && options.undo == null;
        if (kind === 'compare' || isRepair) demandComparable(this.#options.configuration(), opened.definition, kind);
        const more = isRepair
          ? { otherWay: demandDirection(this.#options.configuration(), opened.definition, options.from) }
          : {};
        return addJob(opened, { kind, options: { ...options, ...more } }, { by: asked.by, entry: done });
      },
    });
  }

  askJob({ route, number }: JobId, ask: JobAsk, asked: Asked) {
    const { wish, maxLoad } = ask;
    return this.#journalled(route, asked, {
      action: `job ${wish === 'run' ? 'resume' : wish}`,
      details: { job: number, ...(maxLoad !== undefined && { maxLoad }) },
      run: (opened, { done }) => askJob(opened, { number, ...ask }, done),
    });
  }

  async wait(route: string, options: WaitOptions, signal: AbortSignal) {
    return await waitForRoute(this.#options.configuration(), route, { ...options, reader: this.#reader }, signal);
  }

  start(route: string, options: StartOptions, asked: Asked, signal: AbortSignal) {
    return this.#journalled(route, asked, {
      action: 'start',
      details: { ...options },
      run: (opened, entry) => startRoute(opened, options, asked, { entry, signal }),
      outcome: ({ request, holder }) => ({ request, ...(holder !== undefined && { holder }) }),
    });
  }

  stop(route: string, asked: Asked) {
    return this.#journalled(route, asked, {
      action: 'stop',
      run: (opened, entry) => stopRoute(opened, asked, entry),
      outcome: requested,
    });
  }

  pause(route: string, options: PauseOptions, asked: Asked) {
    return this.#journalled(route, asked, {
      action: 'pause',
      details: { ...options },
      run: (opened, entry) => pauseRoute(opened, options, asked, entry),
      outcome: (document) => ({ ...requested(document), pausedUntil: document.pausedUntil }),
    });
  }

  resume(route: string, asked: Asked) {
    return this.#journalled(route, asked, {
      action: 'resume',
      run: (opened, entry) => resumeRoute(opened, asked, entry),
      outcome: requested,
    });
  }

  restart(route: string, asked: Asked) {
    return this.#journalled(route, asked, {
      action: 'restart',
      run: (opened, entry) => restartRoute(opened, asked, entry),
      outcome: requested,
    });
  }

  skip(route: string, transaction: string, asked: Asked) {
    return this.#journalled(route, asked, {
      action: 'skip',
      details: { transaction },
      run: (opened, entry) => skipTransaction(opened, transaction, asked, entry.done),
      outcome: ({ position }) => ({ position }),
    });
  }

  sequences(route: string, asked: Asked) {
    return this.#journalled(route, asked, {
      action: 'sequences',
      run: sequencesNow,
      outcome: ({ sequences }) => ({ outcomes: countedOutcomes(sequences) }),
    });
  }

  applySchema(route: string, { half, forMs, onStatement }: ApplySchemaOptions, asked: Asked, signal: AbortSignal) {
    const run = (options: Pick<ApplySchemaOptions, 'onStatement'>, until: AbortSignal) =>
      this.#journalled(route, asked, {
        action: 'schema',
        details: { half },
        run: (opened) => applyRouteSchema(opened, { half, ...options }, until),
        outcome: ({ applied, refused }) => ({ statements: applied.length, refused: refused.map(({ what }) => what) }),
      });
    if (forMs === null) return run(onStatement === undefined ? {} : { onStatement }, signal);
    return this.#schemaRuns.ask({
      route,
      half,
      forMs,
      begin: (onBegin) => run({ onStatement: onBegin }, new AbortController().signal),
      read: () => this.schema(route),
    });
  }

  askParked(route: string, request: ParkedRequest, asked: Asked, signal: AbortSignal) {
    // Who waits on for what was asked before asks for nothing.
    if (request.request !== undefined)
      return this.#with(route, (opened) => askParked(opened, request, asked, { signal }));
    const { action, ids, withEarlier } = request;
    return this.#journalled(route, asked, {
      action,
      details: { ids, ...(action === 'retry' && { withEarlier }) },
      run: (opened, { done }) => askParked(opened, request, asked, { entry: done, signal }),
      outcome: ({ version: _, route: __, ...outcome }) => outcome,
    });
  }

  prepare(route: string, options: PrepareOptions, asked: Asked, signal: AbortSignal) {
    return this.#with(route, async (opened) => {
      const queue = await prepareRoute(opened, options, asked, signal);
      await queue.close();
      return preparedDocument(opened, queue, { holds: false });
    });
  }

  adopt(route: string, options: AdoptOptions, asked: Asked) {
    if (options.dryRun) return this.#with(route, (opened) => adoptPosition(opened, options));
    return this.#journalled(route, asked, {
      action: 'adopt',
      details: { position: options.position },
      run: (opened, { done }) => adoptPosition(opened, options, done),
      outcome: ({ position, before }) => ({ position, before }),
    });
  }

  drop(route: string, options: DropOptions, asked: Asked) {
    if (options.dryRun) return this.#with(route, (opened) => dropRoute(opened, options));
    return this.#journalled(route, asked, {
      action: 'drop',
      run: (opened, entry) => dropRoute(opened, options, entry),
      outcome: ({ tables, parked }) => ({ tables, parked }),
    });
  }

  async dropOrphans({ dryRun }: DropOptions, asked: Asked) {
    return await dropOrphans(this.#options.configuration(), dryRun ? null : asked);
  }

  async dropUnreachable(node: string, { dryRun }: DropOptions, asked: Asked) {
    try {
      return await dropUnreachable(this.#options.configuration(), node, dryRun ? null : asked);
    } catch (error) {
      if (!dryRun && isError(error, routeErrors.nodeAnswers))
        await this.#noteRefusal('drop unreachable', error, asked, { node });
      throw error;
    }
  }

  async refused(name: string | null, action: Omit<Action, 'result'>) {
    const { routes } = this.#options.configuration();
    const [first] = routes.keys();
    const known = name !== null && routes.has(name) ? name : first;
    if (known === undefined) return;
    const write = async (route: OpenedRoute): Promise<void> => {
      await (await route.store()).actions.write({ ...action, result: 'refused' });
    };
    // Where the target can't be reached, its journal can't either; the log has it in any case.
    await this.#with(known, write).catch(() => {});
  }

  /** What is refused before it is about one route; where that is known, at its target. */
  async #noteRefusal(action: string, error: unknown, { by, via, reason }: Asked, details: object = {}): Promise<void> {
    if (!(error instanceof TidelockError)) return;
    const { code, message, place } = error;
    const route = 'route' in place ? String(place.route) : null;
    await this.refused(route, { action, by, via, reason, details: { ...details }, code, message });
  }

  /** By the files as they are: the new name may be in them already. */
  async rename(route: string, options: RenameOptions, asked: Asked, signal: AbortSignal) {
    const configuration = this.#options.written?.() ?? this.#options.configuration();
    return await renameRoute(configuration, route, { ...options, asked, signal });
  }

  async plan({ routes, keepRows }: PlanOptions) {
    // Not that of the service: the files were read for this plan alone.
    await using reader = new RouteReadings();
    return await planDocument([...this.#writtenRoutes(routes)], keepRows, reader);
  }

  async apply({ routes, keepRows, fingerprint, timeoutMs, waitFor }: ApplyOptions, asked: Asked, signal: AbortSignal) {
    if (waitFor !== undefined) return await this.#waitApplied(waitFor, { timeoutMs, signal });
    const plan = await this.plan({ ...(routes && { routes }), keepRows });
    try {
      demandApplicable(plan, fingerprint);
    } catch (error) {
      // Who has agreed to nothing yet has only looked.
      const isLook = fingerprint === null && isError(error, routeErrors.planNotAgreed);
      if (!isLook) await this.#noteRefusal('apply', error, asked);
      throw error;
    }
    const planned = new Map(plan.routes.map((route) => [route.name, route]));
    const all = async (run: (route: OpenedRoute, planned: PlannedRoute) => Promise<unknown>): Promise<void> => {
      for await (const route of this.#written(routes)) {
        const here = planned.get(route.definition.name);
        if (here !== undefined) await run(route, here);
      }
    };
    await all((route, here) => askToApply(route, here, asked));
    this.#options.onApply?.();
    const done: AppliedRoute[] = [];
    await all(async (route, here) => done.push(await awaitApplied(route, here, { timeoutMs, signal })));
    return { version: 1 as const, routes: done };
  }

  async #waitApplied(
    waitFor: NonNullable<ApplyOptions['waitFor']>,
    until: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ): Promise<AppliedDocument> {
    const routes: AppliedRoute[] = [];
    for (const { name, to } of waitFor)
      for await (const route of this.#written([name]))
        routes.push(await awaitApplied(route, { name, applied: null, configured: to, state: 'changed' }, until));
    return { version: 1, routes };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#readings[Symbol.asyncDispose]();
  }

  get #reader(): RouteReader {
    return this.#options.reader ?? this.#readings;
  }

  #definition(route: string): RouteDefinition {
    return this.#options.configuration().routes.demand(route, 'route');
  }

  /** As the configuration's files are now. */
  *#writtenRoutes(names?: readonly string[]): Generator<RouteDefinition, void, undefined> {
    const { routes } = this.#options.written?.() ?? this.#options.configuration();
    for (const name of names ?? routes.keys()) yield routes.demand(name, 'route');
  }

  async *#written(names?: readonly string[]): AsyncGenerator<OpenedRoute, void, undefined> {
    for (const definition of this.#writtenRoutes(names)) {
      await using route = openRoute(definition);
      yield route;
    }
  }

  async #with<T>(name: string, run: (route: OpenedRoute) => Promise<T>): Promise<T> {
    await using route = openRoute(this.#definition(name));
    return await run(route);
  }

  #journalled<T>(
    name: string,
    asked: Asked,
    {
      run,
      details = {},
      ...rest
    }: Omit<JournalledRun<T>, 'run' | 'details'> & {
      readonly details?: JournalledRun<T>['details'];
      run(route: OpenedRoute, entry: JournalEntry): Promise<T>;
    },
  ): Promise<T> {
    return this.#with(name, (route) =>
      journalled(route, asked, { ...rest, details, run: (entry) => run(route, entry) }),
    );
  }
}

function requested({ request, changed, desiredState }: LifecycleDocument) {
  return changed ? { request } : { changed, desiredState };
}

function countedOutcomes(reports: readonly SequenceReport[]): Record<string, number> {
  const groups = Map.groupBy(reports, ({ outcome }) => outcome);
  return Object.fromEntries([...groups].map(([outcome, group]) => [outcome, group.length]));
}

function isError(error: unknown, { code }: { readonly code: string }): boolean {
  return error instanceof TidelockError && error.code === code;
}
