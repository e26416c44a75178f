import type { Action } from '../core/action.ts';
import type { AdoptedPosition, AdoptOptions, PositionDocument } from './adopt-position.ts';
import type { AppliedDocument, ApplyOptions } from './apply-plan.ts';
import type { CheckedRoute } from './check-route.ts';
import type { SharedCheck } from './check-shared.ts';
import type { DroppedLeftovers } from './drop-left.ts';
import type { DropOptions, DroppedRoute } from './drop-route.ts';
import type { JobAsk, JobDetail, JobId, JobOrder, JobReading, JobsDocument, JobsOptions } from './jobs.ts';
import type { LifecycleDocument, PauseOptions, StartOptions } from './lifecycle.ts';
import type { ParkedRequest, ParkedRequestDocument } from './parked/ask-parked.ts';
import type { ParkedListDocument } from './parked/list-parked.ts';
import type { ParkedDocument, ShowOptions } from './parked/show-parked.ts';
import type { PlanDocument, PlanOptions } from './plan-routes.ts';
import type { PreparedDocument, PrepareOptions } from './prepare-route.ts';
import type { JournalDocument, JournalOptions } from './read-journal.ts';
import type { StatusDocument } from './read-status.ts';
import type { TablesDocument } from './read-tables.ts';
import type { RenamedRoute, RenameOptions } from './rename-route.ts';
import type { AppliedSchema, ApplySchemaOptions, SchemaDocument } from './route-schema.ts';
import type { SequencesDocument } from './sequences-now.ts';
import type { SkippedTransaction } from './skip-transaction.ts';
import type { WaitDocument, WaitOptions } from './wait-for-route.ts';

/** Who asks for something, how, and why: for the journal. */
export interface Asked {
  /** user@host for the command line, the name of the token for the API. */
  readonly by: string;
  readonly via: 'cli' | 'api' | 'signal';
  readonly reason: string | null;
}

/**
 * Everything an operator does with a deployment. Answers are the documents of `--json` and of the HTTP API: keys are
 * added to them and never changed. What changes something is written into the journal at the route's target. All methods throw TidelockErrors; an unknown route is TL-1012. What is asked for with
 * `dryRun` changes nothing and answers with what would be done.
 */
export interface Control extends AsyncDisposable {
  /** Names, in the order of the configuration. */
  routes(): Promise<readonly string[]>;
  /** Of all routes, or of these. A side that can't be asked is part of the answer. */
  status(routes?: readonly string[]): Promise<StatusDocument>;
  tables(route: string): Promise<TablesDocument>;
  /** Connects to both sides and changes nothing. */
  check(route: string): Promise<CheckedRoute>;
  /** What these routes share with all others, or all of them: the nodes and the service. Changes nothing. */
  checkShared(routes?: readonly string[]): Promise<SharedCheck>;
  /** What the target lacks of the source's schema, as the route maps it. Changes nothing. */
  schema(route: string): Promise<SchemaDocument>;
  position(route: string): Promise<PositionDocument>;
  parked(route: string): Promise<ParkedListDocument>;
  parkedTransaction(route: string, id: string, options: ShowOptions): Promise<ParkedDocument>;
  /** What operators have done, the newest first. */
  journal(options: JournalOptions): Promise<JournalDocument>;
  /** Of all routes where none is named. */
  jobs(options: JobsOptions): Promise<JobsDocument>;
  job(id: JobId, reading: JobReading): Promise<JobDetail>;
  /** What would change if the configuration, as it is now, were applied. */
  plan(options: PlanOptions): Promise<PlanDocument>;
  /** Until everything committed at the source before the call, or up to `mark`, is at the target, or the time is over. */
  wait(route: string, options: WaitOptions, signal: AbortSignal): Promise<WaitDocument>;

  start(route: string, options: StartOptions, asked: Asked, signal: AbortSignal): Promise<LifecycleDocument>;
  stop(route: string, asked: Asked): Promise<LifecycleDocument>;
  /** As stop, but meant to be short: it may end by itself, and alerts are silent meanwhile. */
  pause(route: string, options: PauseOptions, asked: Asked): Promise<LifecycleDocument>;
  resume(route: string, asked: Asked): Promise<LifecycleDocument>;
  /** The worker finishes the group in flight and ends; another one begins, under the same lease. */
  restart(route: string, asked: Asked): Promise<LifecycleDocument>;
  /** `asked.reason` must not be null. */
  skip(route: string, transaction: string, asked: Asked): Promise<SkippedTransaction>;
  sequences(route: string, asked: Asked): Promise<SequencesDocument>;
  /** Makes at the target what `schema` says. Repeatable, also after it was interrupted. */
  applySchema(route: string, options: ApplySchemaOptions, asked: Asked, signal: AbortSignal): Promise<AppliedSchema>;
  /** Asks for a retry or a discard, or waits on for one that was asked for: `done` is false where the time is over. */
  askParked(route: string, request: ParkedRequest, asked: Asked, signal: AbortSignal): Promise<ParkedRequestDocument>;
  /** Makes the route's queue for a copy by other means; its snapshot is kept for nobody. Repeatable, also after it was interrupted. */
  prepare(route: string, options: PrepareOptions, asked: Asked, signal: AbortSignal): Promise<PreparedDocument>;
  adopt(route: string, options: AdoptOptions, asked: Asked): Promise<AdoptedPosition>;
  /** Asks the engine that has the route, or takes it next, for long work. */
  addJob(route: string, order: JobOrder, asked: Asked): Promise<JobDetail>;
  /** `run` resumes: also one that has failed, from where it was. */
  askJob(id: JobId, ask: JobAsk, asked: Asked): Promise<JobDetail>;
  /** Asks for what `plan` says, all of it or nothing, and waits for the engines that have the routes. */
  apply(options: ApplyOptions, asked: Asked, signal: AbortSignal): Promise<AppliedDocument>;
  /** Keeps the position. Repeatable, also after it was interrupted. */
  rename(route: string, options: RenameOptions, asked: Asked, signal: AbortSignal): Promise<RenamedRoute>;
  drop(route: string, options: DropOptions, asked: Asked): Promise<DroppedRoute>;
  /** What bears the name of the deployment and no route of the configuration names. */
  dropOrphans(options: DropOptions, asked: Asked): Promise<DroppedLeftovers>;
  /** All routes of a node that is gone for good, at their other side. */
  dropUnreachable(node: string, options: DropOptions, asked: Asked): Promise<DroppedLeftovers>;
  /** Somebody has asked for what this deployment has refused before it came here: into the journal. `route` null: of none. Never throws. */
  refused(route: string | null, action: Omit<Action, 'result'>): Promise<void>;
}
