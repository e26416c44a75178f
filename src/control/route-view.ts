import type { Compared } from '../core/compared.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { sourceErrors } from '../core/errors/catalogue/source.ts';
import { supervisionErrors } from '../core/errors/catalogue/supervision.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import type { ParkedCount } from '../core/parked.ts';
import { judgeRoom } from '../core/queue-room.ts';
import { queueName, type RouteDefinition } from '../core/route.ts';
import type { StoredRoute, Wanted } from '../core/route-state-store.ts';
import type {
  Concern,
  Health,
  LoadProgress,
  Reason,
  Restart,
  RouteState,
  RouteStatus,
  WantedState,
} from '../core/route-status.ts';
import type { SourceStatus } from '../core/source.ts';
import type { SeenSince } from './concern-times.ts';

/** One route in `status --json`. Part of the contract: keys are added and never changed. */
export interface RouteView {
  readonly name: string;
  /** `unknown` where the target can't be asked. */
  readonly state: RouteState | 'unknown';
  readonly desiredState: WantedState | 'unknown';
  /** Who has asked for it, and why; null where nobody has, or an older engine has kept nothing of it. */
  readonly askedBy: string | null;
  readonly askedReason: string | null;
  /** When the pause ends by itself, ISO 8601. */
  readonly pausedUntil: string | null;
  readonly reason: Reason | null;
  readonly health: Health;
  /** The engine that has the route now; null where none has, or that can't be asked. */
  readonly engine: { readonly host: string; readonly pid: number } | null;
  /** Since when the state and the health are what they are, ISO 8601; null where no engine tells. */
  readonly since: string | null;
  readonly healthSince: string | null;
  /** Why the health is not ok besides the state, worst first. */
  readonly concerns: readonly Concern[];
  readonly source: { readonly node: string; readonly position: string | null };
  readonly target: { readonly node: string; readonly position: string | null };
  readonly lagMs: number | null;
  readonly transactions: number;
  readonly rows: number;
  readonly collisions: number;
  /** Transactions that are set aside. */
  readonly parked: number;
  /** Since this source position the target is not what the source was; null where nothing is parked. */
  readonly parkedSince: string | null;
  readonly load: LoadProgress | null;
  /** Rows that loads have copied since the engine has the route; `rows` are those of the stream. */
  readonly loadedRows: number;
  readonly restarts: number;
  /** Why the worker before this one ended; null where it was told to, or was the first. */
  readonly restarted: Restart | null;
  /** Columns that were added at the source and are left out, as schema.table.column. */
  readonly ignored: readonly string[];
  /** What compares have found last; null where none was ever made. */
  readonly compared: Compared | null;
}

/** What a Supervisor says of a route that has no worker just now, which nobody has stored. */
export interface BetweenWorkers {
  /** As it holds leases. */
  readonly supervisor: string;
  readonly status: RouteStatus;
}

/** What both sides have answered; an error where one could not be asked. */
export interface RouteAnswers {
  readonly definition: RouteDefinition;
  readonly stored: StoredRoute | null | TidelockError;
  /** Where nothing is stored: the name that the route has now. */
  readonly renamedTo?: string | null;
  readonly source: SourceStatus | TidelockError;
  readonly seenSince: SeenSince;
  /** Of the Supervisor of this process; null where it has a worker for the route, or there is none. */
  readonly between?: BetweenWorkers | null;
}

/**
 * A route as it is, from what is stored at its target. A worker's own report counts only while it holds the lease: a
 * worker that has died has not reported it.
 */
export function routeView(answers: RouteAnswers): RouteView {
  const { definition, renamedTo = null, source, seenSince, between = null } = answers;
  const stored = between === null ? answers.stored : withoutWorker(answers.stored, between);
  const known = stored === null || 'code' in stored ? null : stored;
  const status = known?.status ?? null;
  const checkpoint = known?.checkpoint?.phase === 'ready' ? known.checkpoint.position : null;
  const parked = known?.parked ?? { count: 0, since: null };
  const isBetween = status !== null && status === between?.status;
  const condition = conditionOf(definition.name, stored, { renamedTo, isBetween });
  const answered = 'code' in source ? null : source;
  const running = status !== null && (condition.lives || isBetween);
  const lost = checkpoint === null || answered === null ? null : queueLoss(definition, answered);
  const told = status?.concerns ?? [];
  const concerns = concernsOf({ definition, source, told, condition, seenSince });
  return {
    name: definition.name,
    state: condition.state,
    desiredState: known?.wanted.state ?? (stored === null ? 'running' : 'unknown'),
    askedBy: known?.wanted.askedBy ?? null,
    askedReason: known?.wanted.reason ?? null,
    pausedUntil: known?.wanted.pausedUntil ?? null,
    reason:
      condition.state === 'failed' ? condition.reason : (lost ?? condition.reason ?? parkedReason(definition, parked)),
    health: worse(
      worse(lost === null ? condition.health : 'critical', parked.count === 0 ? 'ok' : 'warning'),
      concerns.reduce<Health>((worst, { level }) => worse(worst, level), 'ok'),
    ),
    engine: condition.lives && known?.holder ? { host: known.holder.host, pid: known.holder.pid } : null,
    since: running ? (status.since ?? null) : null,
    healthSince: running ? (status.healthSince ?? null) : null,
    concerns,
    source: {
      node: definition.from.name,
      // What an engine knew that does not read the queue any more may be old.
      position: answered?.position ?? (isAtRest(condition) ? null : (status?.sourcePosition ?? null)),
    },
    target: { node: definition.to.name, position: checkpoint },
    lagMs: running ? status.lagMs : null,
    transactions: status?.transactions ?? 0,
    rows: status?.rows ?? 0,
    collisions: status?.collisions ?? 0,
    parked: parked.count,
    parkedSince: parked.since,
    load: running ? status.load : null,
    loadedRows: status?.loadedRows ?? 0,
    restarts: status?.restarts ?? 0,
    restarted: status?.restarted ?? null,
    ignored: status?.ignored ?? [],
    compared: status?.compared ?? null,
  };
}

interface Condition extends Pick<RouteView, 'state' | 'reason' | 'health'> {
  /** An engine holds the lease. */
  readonly lives: boolean;
}

/** What its Supervisor says counts where the worker that is gone would have been at work, and no other engine has the route. */
function withoutWorker(stored: RouteAnswers['stored'], between: BetweenWorkers): RouteAnswers['stored'] {
  if (stored === null || 'code' in stored || stored.wanted.state !== 'running') return stored;
  const { holder, status } = stored;
  if (holder !== null && holder.expiresInMs > 0 && holder.supervisor !== between.supervisor) return stored;
  if (status?.state === 'failed' || status?.state === 'fenced') return stored;
  return { ...stored, status: between.status };
}

function conditionOf(
  route: string,
  stored: RouteAnswers['stored'],
  { renamedTo: name, isBetween }: { readonly renamedTo: string | null; readonly isBetween: boolean },
): Condition {
  if (stored === null) {
    const error =
      name === null ? fail(routeErrors.neverStarted, { route }) : fail(routeErrors.renamed, { route, name });
    return { lives: false, state: 'stopped', reason: reasonOf(error), health: 'unknown' };
  }
  if ('code' in stored) return { lives: false, state: 'unknown', reason: reasonOf(stored), health: 'unknown' };
  const { holder, status, wanted } = stored;
  if (holder !== null && holder.expiresInMs > 0) {
    if (status === null) return { lives: true, state: 'starting', reason: null, health: 'unknown' };
    const rests = status.state === wanted.state && wanted.state !== 'running';
    const reason = status.reason ?? (rests ? onRequest(route, wanted) : null);
    return { lives: true, state: status.state, reason, health: status.health };
  }
  if (status?.state === 'failed' && status.reason !== null) {
    return { lives: false, state: 'failed', reason: status.reason, health: 'critical' };
  }
  if (wanted.state !== 'running') {
    return { lives: false, state: wanted.state, reason: onRequest(route, wanted), health: 'ok' };
  }
  if (isBetween && status !== null)
    return { lives: false, state: status.state, reason: status.reason, health: status.health };
  const since =
    holder === null
      ? ': the last one has ended in order'
      : `: ${holder.host} (process ${holder.pid}) has been silent for ${silentSeconds(stored)} s`;
  // Ended in order is stopped; an engine that just disappeared is a failure.
  const state = holder === null ? 'stopped' : 'failed';
  return { lives: false, state, reason: reasonOf(fail(routeErrors.noEngine, { route, since })), health: 'critical' };
}

function onRequest(route: string, { state, askedBy, reason, pausedUntil }: Wanted): Reason {
  return reasonOf(
    fail(routeErrors.stoppedOnRequest, { route, wanted: state, by: askedBy, why: reason, until: pausedUntil }),
  );
}

function silentSeconds({ statusAgeMs, holder }: StoredRoute): number {
  return Math.round((statusAgeMs ?? -(holder?.expiresInMs ?? 0)) / 1000);
}

function reasonOf({ code, message, remedy }: TidelockError): Reason {
  return { code, message, remedy };
}

/** A route that rests does not notice by itself that it can't go on. */
function queueLoss(definition: RouteDefinition, { queue }: SourceStatus): Reason | null {
  if (queue !== 'lost' && queue !== 'missing') return null;
  const place = { route: definition.name, slot: definition.given.slot ?? queueName(definition) };
  if (queue === 'missing') return reasonOf(fail(sourceErrors.slotMissing, place));
  return reasonOf(fail(sourceErrors.slotLost, { ...place, why: 'the server has dropped what it had not read' }));
}

function parkedReason({ name }: RouteDefinition, { count, since }: ParkedCount): Reason | null {
  return since === null ? null : reasonOf(fail(routeErrors.parked, { route: name, count, since }));
}

/** Nobody reads its queue: what there is to know of its source nobody tells but the source itself. */
function isAtRest({ state }: Condition): boolean {
  return ['stopped', 'paused', 'failed', 'fenced'].includes(state);
}

interface KnownConcerns extends Pick<RouteAnswers, 'definition' | 'source' | 'seenSince'> {
  /** By the engine that has the route, or had it last. */
  readonly told: readonly Concern[];
  readonly condition: Condition;
}

/**
 * What the engine tells, and what only whoever asks the source sees now: how much it keeps, and that it does not answer. Of what an engine told
 * that has gone only the times count: what it saw and is still so has been so since then.
 */
function concernsOf({ definition, source, told: known, condition, seenSince }: KnownConcerns): readonly Concern[] {
  const told = condition.lives ? known : [];
  const timeOf = (code: string): string => seenSince(code, known.find((one) => one.code === code)?.since);
  for (const { code } of told) timeOf(code);
  if ('code' in source) {
    if (!isAtRest(condition) || condition.reason?.code === source.code) return told;
    return [...told, { level: 'warning', ...reasonOf(source), since: timeOf(source.code) }];
  }
  return sourceConcerns(definition, source).reduce((all: readonly Concern[], { level, error }) => {
    const before = all.find(({ code }) => code === error.code);
    if (before !== undefined && worse(before.level, level) === before.level) return all;
    const found: Concern = { level, ...reasonOf(error), since: timeOf(error.code) };
    const others = all.filter((one) => one !== before);
    return level === 'critical' ? [found, ...others] : [...others, found];
  }, told);
}

interface SourceConcern {
  readonly level: Concern['level'];
  readonly error: TidelockError;
}

/** Of two that are critical the last one is told first: it leaves less time. */
function sourceConcerns({ name: route, limits }: RouteDefinition, source: SourceStatus): readonly SourceConcern[] {
  const { warnBytes, criticalBytes } = limits.retained;
  const { retainedBytes, room = null } = source;
  const bytes = retainedBytes ?? 0;
  const found: SourceConcern[] = [];
  if (bytes >= warnBytes) {
    const level = bytes < criticalBytes ? 'warning' : 'critical';
    found.push({ level, error: fail(supervisionErrors.retaining, { route, bytes }) });
  }
  const level = judgeRoom(room);
  if (room !== null && level !== null)
    found.push({ level, error: fail(supervisionErrors.roomEnds, { route, ...room }) });
  return found;
}

function worse(a: Health, b: Health): Health {
  const order: readonly Health[] = ['ok', 'unknown', 'warning', 'critical'];
  return order.indexOf(a) > order.indexOf(b) ? a : b;
}
