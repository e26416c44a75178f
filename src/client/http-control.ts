import type { AdoptedPosition, AdoptOptions, PositionDocument } from '../control/adopt-position.ts';
import type { AppliedDocument, ApplyOptions } from '../control/apply-plan.ts';
import type { CheckedRoute } from '../control/check-route.ts';
import type { SharedCheck } from '../control/check-shared.ts';
import type { Asked, Control } from '../control/control.ts';
import type { DroppedLeftovers } from '../control/drop-left.ts';
import type { DropOptions, DroppedRoute } from '../control/drop-route.ts';
import type { JobAsk, JobDetail, JobId, JobOrder, JobReading, JobsDocument, JobsOptions } from '../control/jobs.ts';
import type { LifecycleDocument, PauseOptions, StartOptions } from '../control/lifecycle.ts';
import type { ParkedRequest, ParkedRequestDocument } from '../control/parked/ask-parked.ts';
import type { ParkedListDocument } from '../control/parked/list-parked.ts';
import type { ParkedDocument, ShowOptions } from '../control/parked/show-parked.ts';
import type { PlanDocument, PlanOptions } from '../control/plan-routes.ts';
import type { PreparedDocument, PrepareOptions } from '../control/prepare-route.ts';
import type { JournalDocument, JournalOptions } from '../control/read-journal.ts';
import type { StatusDocument } from '../control/read-status.ts';
import type { TablesDocument } from '../control/read-tables.ts';
import type { RenamedRoute, RenameOptions } from '../control/rename-route.ts';
import type { AppliedSchema, ApplySchemaOptions, SchemaDocument } from '../control/route-schema.ts';
import type { RouteView } from '../control/route-view.ts';
import type { SequencesDocument } from '../control/sequences-now.ts';
import type { SkippedTransaction } from '../control/skip-transaction.ts';
import type { WaitDocument, WaitOptions } from '../control/wait-for-route.ts';
import { serviceErrors } from '../core/errors/catalogue/service.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { SchemaStatement } from '../core/table-schema.ts';
import { ask, type HttpRequest, type Service } from './http-request.ts';

/** What is waited for longer is asked for again and again: proxies let go of a request that takes minutes. */
const longestMs = 25_000;

/** Of 20 seconds each. */
const longAsks = 15;

/**
 * The deployment of a service that runs elsewhere, over its HTTP API. Who asks is what the service makes of the token:
 * `by` and `via` of `asked` are not sent.
 */
export class HttpControl implements Control {
  readonly #service: Service;

  constructor(service: Service) {
    this.#service = service;
  }

  async routes() {
    const { routes } = await this.#get<{ readonly routes: readonly string[] }>('service');
    return routes;
  }

  async status(routes?: readonly string[]): Promise<StatusDocument> {
    if (routes === undefined) return await this.#get('status');
    return {
      version: 1,
      routes: await Promise.all(routes.map((route) => this.#get<RouteView>(`routes/${part(route)}`))),
    };
  }

  tables(route: string): Promise<TablesDocument> {
    return this.#get(`routes/${part(route)}/tables`);
  }

  check(route: string): Promise<CheckedRoute> {
    return this.#getLong(`routes/${part(route)}/check`);
  }

  checkShared(routes?: readonly string[]): Promise<SharedCheck> {
    return this.#getLong(`check${query({ route: routes })}`);
  }

  schema(route: string): Promise<SchemaDocument> {
    return this.#getLong(`routes/${part(route)}/schema`);
  }

  async applySchema(
    route: string,
    { half, forMs, onStatement }: ApplySchemaOptions,
    asked: Asked,
    signal: AbortSignal,
  ): Promise<AppliedSchema> {
    const begun: SchemaStatement[] = [];
    for (;;) {
      const body = { half, forMs: Math.min(forMs ?? longestMs, longestMs), ...why(asked) };
      const answer = await this.#post<AppliedSchema>(`routes/${part(route)}/schema`, body, signal);
      // An older service ends with the first that is refused.
      const { refused = [] } = answer;
      const isRefused = ({ text }: SchemaStatement): boolean => refused.some((one) => one.text === text);
      const fresh = [...answer.applied, ...refused].filter(({ text }) => !begun.some((known) => known.text === text));
      const left = answer.statements.filter((statement) => !isRefused(statement));
      const count = begun.length + fresh.length + left.length;
      for (const statement of fresh) {
        const number = begun.push(statement);
        onStatement?.(statement, { number, count });
      }
      if (answer.done || forMs !== null)
        return { ...answer, refused, applied: begun.filter((statement) => !isRefused(statement)) };
    }
  }

  position(route: string): Promise<PositionDocument> {
    return this.#get(`routes/${part(route)}/position`);
  }

  parked(route: string): Promise<ParkedListDocument> {
    return this.#get(`routes/${part(route)}/parked`);
  }

  parkedTransaction(route: string, id: string, { values, limit, keys }: ShowOptions): Promise<ParkedDocument> {
    return this.#get(`routes/${part(route)}/parked/${part(id)}${query({ values: String(values), limit, keys })}`);
  }

  journal({ route, before, limit }: JournalOptions): Promise<JournalDocument> {
    const path = route === undefined ? 'journal' : `routes/${part(route)}/journal`;
    return this.#get(`${path}${query({ limit, before: before ?? undefined })}`);
  }

  jobs({ route, limit }: JobsOptions): Promise<JobsDocument> {
    return this.#get(`jobs${query({ route, limit })}`);
  }

  job({ route, number }: JobId, { values }: JobReading): Promise<JobDetail> {
    return this.#get(`routes/${part(route)}/jobs/${number}${query({ values: String(values) })}`);
  }

  addJob(route: string, { kind, options }: JobOrder, asked: Asked): Promise<JobDetail> {
    return this.#post(`routes/${part(route)}/${kind}`, { ...options, ...why(asked) });
  }

  askJob({ route, number }: JobId, { wish, ...more }: JobAsk, asked: Asked): Promise<JobDetail> {
    const verb = wish === 'run' ? 'resume' : wish;
    return this.#post(`routes/${part(route)}/jobs/${number}/${verb}`, { ...more, ...why(asked) });
  }

  plan({ routes, keepRows }: PlanOptions): Promise<PlanDocument> {
    return this.#getLong(`plan${query({ route: routes, keepRows })}`);
  }

  async wait(route: string, { timeoutMs, mark: given }: WaitOptions, signal: AbortSignal): Promise<WaitDocument> {
    const beganMs = performance.now();
    let mark = given;
    for (;;) {
      const leftMs = Math.max(0, Math.round(timeoutMs - (performance.now() - beganMs)));
      const body = { timeoutMs: Math.min(leftMs, longestMs), ...(mark !== undefined && { mark }) };
      const document = await this.#post<WaitDocument>(`routes/${part(route)}/wait`, body, signal);
      ({ mark } = document);
      if (document.passed || leftMs <= longestMs) {
        return { ...document, waitedMs: Math.round(performance.now() - beganMs) };
      }
    }
  }

  start(route: string, options: StartOptions, asked: Asked, signal: AbortSignal): Promise<LifecycleDocument> {
    return this.#post(`routes/${part(route)}/start`, { ...options, ...why(asked) }, signal);
  }

  stop(route: string, asked: Asked): Promise<LifecycleDocument> {
    return this.#post(`routes/${part(route)}/stop`, why(asked));
  }

  pause(route: string, options: PauseOptions, asked: Asked): Promise<LifecycleDocument> {
    return this.#post(`routes/${part(route)}/pause`, { ...options, ...why(asked) });
  }

  resume(route: string, asked: Asked): Promise<LifecycleDocument> {
    return this.#post(`routes/${part(route)}/resume`, why(asked));
  }

  restart(route: string, asked: Asked): Promise<LifecycleDocument> {
    return this.#post(`routes/${part(route)}/restart`, why(asked));
  }

  skip(route: string, transaction: string, asked: Asked): Promise<SkippedTransaction> {
    return this.#post(`routes/${part(route)}/skip`, { transaction, ...why(asked) });
  }

  sequences(route: string, asked: Asked): Promise<SequencesDocument> {
    return this.#post(`routes/${part(route)}/sequences`, why(asked));
  }

  async askParked(
    route: string,
    { action, ids, withEarlier, timeoutMs, request }: ParkedRequest,
    asked: Asked,
    signal: AbortSignal,
  ): Promise<ParkedRequestDocument> {
    if (request === undefined && ids.length === 0) {
      const nothing = { applied: [], failed: [], waiting: [], discarded: [] };
      return { version: 1, route, request: null, done: true, ...nothing };
    }
    const path = `routes/${part(route)}/parked/${action}`;
    const beganMs = performance.now();
    let body: object = { ids, ...(action === 'retry' && { withEarlier }), ...why(asked) };
    if (request !== undefined) body = { request };
    for (;;) {
      const leftMs = Math.max(0, Math.round(timeoutMs - (performance.now() - beganMs)));
      const sent = { ...body, timeoutMs: Math.min(leftMs, longestMs) };
      const document = await this.#post<ParkedRequestDocument>(path, sent, signal);
      if (document.done || document.request === null || leftMs <= longestMs) return document;
      body = { request: document.request };
    }
  }

  prepare(route: string, { copiedAt }: PrepareOptions, asked: Asked, signal: AbortSignal): Promise<PreparedDocument> {
    return this.#post(`routes/${part(route)}/prepare`, { copiedAt, ...why(asked) }, signal);
  }

  adopt(route: string, { position, dryRun }: AdoptOptions, asked: Asked): Promise<AdoptedPosition> {
    return this.#post(`routes/${part(route)}/position`, { adopt: position, dryRun, ...why(asked) });
  }

  async apply(options: ApplyOptions, asked: Asked, signal: AbortSignal): Promise<AppliedDocument> {
    const { timeoutMs, ...rest } = options;
    const beganMs = performance.now();
    let known: AppliedDocument | null = null;
    let body: object = { ...rest, ...why(asked) };
    for (;;) {
      const leftMs = Math.max(0, Math.round(timeoutMs - (performance.now() - beganMs)));
      const sent = { ...body, timeoutMs: Math.min(leftMs, longestMs) };
      const sentAtMs = performance.now();
      const document: AppliedDocument = await this.#post('apply', sent, signal);
      const latest = new Map(document.routes.map((route) => [route.name, route]));
      known = { ...document, routes: (known ?? document).routes.map((route) => latest.get(route.name) ?? route) };
      const waitFor = known.routes.flatMap(({ name, outcome, to }) =>
        outcome === 'asked' && to !== undefined ? [{ name, to }] : [],
      );
      // Where no engine has a route nobody waits for it.
      const isOver = performance.now() - sentAtMs < sent.timeoutMs;
      if (leftMs <= longestMs || waitFor.length === 0 || isOver) return known;
      // Asked for once: what fails in between is not tried again by waiting on.
      body = { waitFor };
    }
  }

  rename(route: string, { name, timeoutMs }: RenameOptions, asked: Asked, signal: AbortSignal): Promise<RenamedRoute> {
    // Who waits longer gives the command again: it begins anew.
    const body = { name, timeoutMs: Math.min(timeoutMs, 60_000), ...why(asked) };
    return this.#post(`routes/${part(route)}/rename`, body, signal);
  }

  drop(route: string, { dryRun }: DropOptions, asked: Asked): Promise<DroppedRoute> {
    const body = { ...(dryRun ? { dryRun } : { confirm: route }), ...why(asked) };
    return this.#ask({ method: 'DELETE', path: `v1/routes/${part(route)}`, body });
  }

  dropOrphans({ dryRun }: DropOptions, asked: Asked): Promise<DroppedLeftovers> {
    const body = { ...(dryRun ? { dryRun } : { confirm: 'orphans' }), ...why(asked) };
    return this.#ask({ method: 'DELETE', path: 'v1/orphans', body });
  }

  dropUnreachable(node: string, { dryRun }: DropOptions, asked: Asked): Promise<DroppedLeftovers> {
    const body = { ...(dryRun ? { dryRun } : { confirm: node }), ...why(asked) };
    return this.#ask({ method: 'DELETE', path: `v1/nodes/${part(node)}`, body });
  }

  /** What the service refuses it journals by itself. */
  async refused(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}

  #get<T>(path: string): Promise<T> {
    return this.#ask({ method: 'GET', path: `v1/${path}` });
  }

  /** What may take the service longer than it lets anybody wait. */
  async #getLong<T>(path: string): Promise<T> {
    for (let again = longAsks; ; again--) {
      try {
        return await this.#get<T>(path);
      } catch (error) {
        const isUnderWay = error instanceof TidelockError && error.code === serviceErrors.stillAsking.code;
        if (!isUnderWay || again <= 1) throw error;
      }
    }
  }

  #post<T>(path: string, body: object, signal?: AbortSignal): Promise<T> {
    return this.#ask({ method: 'POST', path: `v1/${path}`, body, ...(signal && { signal }) });
  }

  async #ask<T>(request: HttpRequest): Promise<T> {
    return (await ask(this.#service, request)) as T;
  }
}

/** One part of a path, whatever is in it; `..` is none that a URL keeps. */
function part(text: string): string {
  return /^\.+$/.test(text) ? text.replaceAll('.', '%252e') : encodeURIComponent(text);
}

function query(values: Readonly<Record<string, string | number | readonly string[] | undefined>>): string {
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    value === undefined
      ? []
      : (Array.isArray(value) ? value : [value]).map((one): [string, string] => [name, String(one)]),
  );
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

function why({ reason }: Asked): { readonly reason?: string } {
  return reason === null ? {} : { reason };
}
