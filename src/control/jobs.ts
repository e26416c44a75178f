import { areOfTwoVendors } from '../config/check-vendors.ts';
import type { Configuration } from '../config/configuration.ts';
import type { MakeEntry } from '../core/action.ts';
import { configErrors } from '../core/errors/catalogue/config.ts';
import { nodeErrors } from '../core/errors/catalogue/node.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Job, JobDocument, JobKind, JobState, JobWish } from '../core/job.ts';
import { jobName } from '../core/job.ts';
import { type RouteDefinition, routeBack } from '../core/route.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { Reason } from '../core/route-status.ts';
import { jobKinds } from '../operations/jobs/job-kinds.ts';
import { notATable, notMeant } from '../operations/not-a-table.ts';
import type { OpenedRoute } from './open-route.ts';
import type { RouteReader } from './route-readings.ts';

/** A job as people see it. What was asked for may hold values of rows and is left out. */
export interface JobView {
  /** route/number. */
  readonly id: string;
  readonly route: string;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly wish: JobWish;
  /** Tables that it is about; empty for all of the route. */
  readonly tables: readonly string[];
  /** Of the same unit; null where it is not known. */
  readonly done: number | null;
  readonly total: number | null;
  readonly progress: JobDocument | null;
  readonly reason: Reason | null;
  readonly askedBy: string;
  readonly askedAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** How often an engine has taken it up. */
  readonly attempts: number;
}

/** `jobs --json`, the newest first. */
export interface JobsDocument {
  readonly version: 1;
  readonly jobs: readonly JobView[];
}

/** One job, with what came of it. */
export interface JobDetail extends JobView {
  readonly version: 1;
  /** An engine has the route, and does its jobs. */
  readonly engine: boolean;
  readonly result: JobDocument | null;
}

export interface JobOrder {
  readonly kind: JobKind;
  readonly options: JobDocument;
}

/** What is asked of a job that there is. `maxLoad`, of a compare or repair: it goes on with this share of the time; null: all of it. */
export interface JobAsk {
  readonly wish: JobWish;
  readonly maxLoad?: number | null;
}

export interface JobId {
  readonly route: string;
  readonly number: number;
}

/** `route/number`. */
export function parseJobId(text: string): JobId {
  const [, route, digits] = /^([a-z][a-z0-9-]*)\/(\d{1,15})$/.exec(text) ?? [];
  if (route === undefined || digits === undefined)
    throw fail(configErrors.arguments, {
      why: `a job is named by its route and number, as in sales/12, not "${text}"`,
    });
  return { route, number: Number(digits) };
}

export interface JobsOptions {
  readonly route?: string;
  readonly limit: number;
}

export async function readJobs(
  configuration: Configuration,
  { route, limit }: JobsOptions,
  reader: RouteReader,
): Promise<JobsDocument> {
  const routes =
    route === undefined ? [...configuration.routes.values()] : [configuration.routes.demand(route, 'route')];
  const all = await Promise.all(
    routes.map((definition) =>
      reader.store(definition, (store) => listJobs(definition.name, store, limit), { long: true }),
    ),
  );
  const jobs = all.flat().sort((a, b) => (a.askedAt < b.askedAt ? 1 : a.askedAt > b.askedAt ? -1 : 0));
  return { version: 1, jobs: jobs.slice(0, limit) };
}

/** A route that was never started has none. */
async function listJobs(route: string, store: RouteStateStore, limit: number): Promise<JobView[]> {
  if ((await store.read()) === null) return [];
  return (await store.jobs.list(limit)).map((job) => viewOf(route, job));
}

export interface JobReading {
  /** With the values of rows, where the job has kept some. */
  readonly values: boolean;
}

export async function readJob(
  route: string,
  store: RouteStateStore,
  number: number,
  { values }: JobReading = { values: false },
): Promise<JobDetail> {
  const stored = await store.read();
  const job = stored === null ? null : await store.jobs.read(number);
  if (job === null || stored === null) throw missing(route, number);
  const detail = detailOf(route, job, (stored.holder?.expiresInMs ?? 0) > 0);
  return values ? detail : { ...detail, result: withoutValues(detail.result) as JobDocument | null };
}

/** Whatever a job keeps of rows is under this name. */
function withoutValues(document: unknown): unknown {
  if (Array.isArray(document)) return document.map(withoutValues);
  if (document === null || typeof document !== 'object') return document;
  const kept = Object.entries(document).filter(([name]) => name !== 'values');
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutValues(value)]));
}

/**
 * Of a route in both directions somebody has to say which side is right. Throws (usage) where that is not said, or wrong. Returns the
 * route that carries rows back; null where none does.
 */
export function demandDirection(configuration: Configuration, route: RouteDefinition, given: unknown): string | null {
  const { name, from, to } = route;
  const other = routeBack(configuration.routes, route)?.name ?? null;
  if (typeof given === 'string' && given !== from.name)
    throw fail(routeErrors.repairOtherWay, { route: name, from: from.name, given });
  if (typeof given !== 'string' && other !== null)
    throw fail(routeErrors.repairDirection, { route: name, from: from.name, to: to.name, other });
  return other;
}

/** Of a route in both directions, between vendors nobody tells yet who has written a row last. Throws (usage) before anything begins. */
export function demandComparable(
  configuration: Configuration,
  route: RouteDefinition,
  kind: 'compare' | 'repair',
): void {
  const { from, to } = route;
  const other = areOfTwoVendors(from.type, to.type) ? routeBack(configuration.routes, route) : null;
  if (other === null) return;
  const what = `a ${kind} of ${route.name} while ${other.name} carries rows back`;
  throw fail(nodeErrors.notYet, { node: to.name, what });
}

/** Also of a route that was never run: the next `run` finds it. */
export async function addJob(
  { definition, store: open }: OpenedRoute,
  { kind, options }: JobOrder,
  { by, entry }: { readonly by: string; readonly entry: MakeEntry },
): Promise<JobDetail> {
  if (jobKinds[kind] === undefined)
    throw fail(configErrors.arguments, { why: `there are no jobs of the kind ${kind}` });
  const store = await open();
  await store.migrate();
  if ((await store.read()) === null) await store.register();
  else await demandTables(definition.name, { kind, options }, store);
  await demandUndone(definition.name, { kind, options }, store);
  const job = await store.jobs.add({ kind, options, askedBy: by, entry });
  const stored = await store.read();
  return detailOf(definition.name, job, (stored?.holder?.expiresInMs ?? 0) > 0);
}

/** What can be known now is not left for the engine to find out. A route that has not begun carries nothing yet. */
async function demandTables(route: string, { kind, options }: JobOrder, store: RouteStateStore): Promise<void> {
  const carried = (await store.tables()).map(({ source }) => source);
  if (carried.length === 0 || !Array.isArray(options.tables)) return;
  const asked = options.tables.map(String);
  // A load names its tables one by one.
  const unknown = kind === 'load' ? asked.find((table) => !carried.includes(table)) : notMeant(asked, carried);
  if (unknown !== undefined) throw notATable(route, unknown, carried);
}

/** Another kind of job has kept no rows: that none is given back would be no answer. */
async function demandUndone(route: string, { kind, options }: JobOrder, store: RouteStateStore): Promise<void> {
  if (kind !== 'repair' || typeof options.undo !== 'number') return;
  const undone = await store.jobs.read(options.undo);
  if (undone === null) throw missing(route, options.undo);
  if (undone.kind !== 'repair')
    throw fail(configErrors.arguments, { why: `${jobName(route, options.undo)} is a ${undone.kind}, and no repair` });
}

export async function askJob(
  route: OpenedRoute,
  { number, wish, maxLoad }: JobAsk & { readonly number: number },
  entry: MakeEntry,
): Promise<JobDetail> {
  const { name } = route.definition;
  const store = await route.store();
  const before = await readJob(name, store, number);
  if (maxLoad !== undefined && before.kind === 'load')
    throw fail(configErrors.arguments, {
      why: `a load keeps to load.limits of the route, and has no share of its own`,
    });
  const job = await store.jobs.ask(number, wish, { entry, ...(maxLoad !== undefined && { options: { maxLoad } }) });
  if (job === null) {
    const { state } = await readJob(name, store, number);
    throw fail(routeErrors.jobEnded, { route: name, job: String(number), state });
  }
  return detailOf(name, job, before.engine);
}

function missing(route: string, number: number): Error {
  return fail(routeErrors.jobMissing, { route, job: String(number) });
}

function detailOf(route: string, job: Job, engine: boolean): JobDetail {
  return { version: 1, ...viewOf(route, job), engine, result: job.result };
}

function viewOf(route: string, job: Job): JobView {
  const { number, kind, state, wish, progress, reason, askedBy, askedAt, begunAt, endedAt, attempts } = job;
  const count = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  const tables = Array.isArray(job.options.tables) ? job.options.tables.map(String) : [];
  return {
    id: jobName(route, number),
    route,
    kind,
    state,
    wish,
    tables,
    done: count(progress?.done),
    total: count(progress?.total),
    progress,
    reason,
    askedBy,
    askedAt,
    startedAt: begunAt,
    endedAt,
    attempts,
  };
}
