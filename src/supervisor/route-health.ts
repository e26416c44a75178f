import type { Compared } from '../core/compared.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { supervisionErrors } from '../core/errors/catalogue/supervision.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import type { ParkedCount } from '../core/parked.ts';
import { judgeRoom, type QueueRoom } from '../core/queue-room.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { Concern, Health, Reason, Restart, RouteState, TableProgress } from '../core/route-status.ts';
import type { ApplyWait } from './apply-wait.ts';
import { restartsCountMs } from './crash-loop.ts';
import { type MemoryUse, nearsLimit } from './memory-limit.ts';

export interface HealthFacts {
  readonly route: string;
  readonly limits: RouteDefinition['limits'];
  readonly state: RouteState;
  /** How long it has been in this state. */
  readonly inStateMs: number;
  readonly lagMs: number | null;
  readonly retainedBytes: number | null;
  readonly room: QueueRoom | null;
  readonly parked: ParkedCount;
  readonly wait: ApplyWait | null;
  /** Tables that lack rows and that nobody goes on to load. */
  readonly resting: readonly RestingTable[];
  readonly memory: MemoryUse | null;
  /** Longest stand-still of the worker's event loop in the last minute. */
  readonly blockedMs: number;
  readonly compared?: Compared | null;
  /** Of the last compare in the background. */
  readonly compareFailure?: Reason | null;
  /** Why the worker before this one ended, and how long ago. */
  readonly restarted?: (Restart & { readonly agoMs: number }) | null;
}

/** What is told of a blocked event loop: less than this holds up nobody who would notice. */
const blockedWarnMs = 5_000;
const startWarnMs = 60_000;

/** Workers that have ended within a quarter of an hour: one or two are passing. As the alert TidelockRestarts has it. */
const restartsWarn = 3;

type RestingTable = Pick<TableProgress, 'table' | 'keyless' | 'unfollowed'>;

type Judged = Omit<Concern, 'since'>;

export interface JudgedHealth {
  readonly health: Health;
  /** Worst first; of equal ones, what explains the others comes first. */
  readonly concerns: readonly Judged[];
}

/** The health of a route, and why it is not better, from what its worker knows. */
export function judgeHealth(facts: HealthFacts): JudgedHealth {
  const all = [
    waitConcern,
    lagConcern,
    roomConcern,
    retentionConcern,
    parkedConcern,
    loadConcern,
    differenceConcern,
    compareConcern,
    restartConcern,
    memoryConcern,
    loopConcern,
    startConcern,
  ];
  const found = all.flatMap((judge) => judge(facts) ?? []);
  const concerns = [...found.filter(isCritical), ...found.filter((concern) => !isCritical(concern))];
  const { state } = facts;
  if (state === 'failed' || state === 'fenced' || concerns.some(isCritical)) return { health: 'critical', concerns };
  if (state === 'retrying' || concerns.length > 0) return { health: 'warning', concerns };
  if (state !== 'starting') return { health: 'ok', concerns };
  return { health: facts.restarted == null ? 'unknown' : 'warning', concerns };
}

const isCritical = ({ level }: Judged): boolean => level === 'critical';

function waitConcern({ route, wait, limits: { lag } }: HealthFacts): Judged | null {
  if (wait === null || wait.waitedMs < lag.warnMs) return null;
  const error = fail(supervisionErrors.waitsForOther, { route, ...wait });
  return concern(wait.waitedMs >= lag.criticalMs ? 'critical' : 'warning', error);
}

function lagConcern({ route, lagMs, limits: { lag } }: HealthFacts): Judged | null {
  if (lagMs === null || lagMs < lag.warnMs) return null;
  if (lagMs < lag.criticalMs)
    return concern('warning', fail(supervisionErrors.lagging, { route, lagMs, limitMs: lag.warnMs }));
  return concern('critical', fail(supervisionErrors.lagging, { route, lagMs, limitMs: lag.criticalMs }));
}

/** The server's own limit, whatever the route's are. */
function roomConcern({ route, room }: HealthFacts): Judged | null {
  const level = judgeRoom(room);
  return room === null || level === null ? null : concern(level, fail(supervisionErrors.roomEnds, { route, ...room }));
}

function retentionConcern({ route, retainedBytes: bytes, limits: { retained } }: HealthFacts): Judged | null {
  if (bytes === null || bytes < retained.warnBytes) return null;
  const error = fail(supervisionErrors.retaining, { route, bytes });
  return concern(bytes >= retained.criticalBytes ? 'critical' : 'warning', error);
}

function parkedConcern({ route, parked: { count, since } }: HealthFacts): Judged | null {
  if (count === 0) return null;
  return concern('warning', fail(routeErrors.parked, { route, count, since: since ?? 'its start' }));
}

function loadConcern({ route, resting }: HealthFacts): Judged | null {
  // What is said of one of which nothing is applied is said first.
  const [first, ...more] = [...resting].sort((a, b) => Number(b.unfollowed ?? false) - Number(a.unfollowed ?? false));
  if (first === undefined) return null;
  const { table, keyless = false, unfollowed = false } = first;
  return concern('warning', fail(routeErrors.loadRests, { route, table, keyless, unfollowed, more: more.length }));
}

function differenceConcern({ route, compared, resting, parked }: HealthFacts): Judged | null {
  if (compared == null || compared.job === null) return null;
  const { missing, extra, different, job, at } = compared;
  const lacks = resting.length > 0 ? 'load' : parked.count > 0 ? 'parked' : null;
  return concern('warning', fail(supervisionErrors.differs, { route, missing, extra, different, job, at, lacks }));
}

function compareConcern({ route, compareFailure }: HealthFacts): Judged | null {
  if (compareFailure == null) return null;
  return concern('warning', fail(supervisionErrors.compareFails, { route, ...compareFailure }));
}

/** Of a route that has failed its reason tells it; one that somebody has stopped rests. */
function restartConcern({ route, state, restarted }: HealthFacts): Judged | null {
  if (restarted == null || ['failed', 'stopped', 'paused'].includes(state)) return null;
  const { recent = 1, agoMs, reason } = restarted;
  if (recent < restartsWarn || agoMs >= restartsCountMs) return null;
  return concern('warning', fail(supervisionErrors.restartsOften, { route, recent, agoMs, last: reason.message }));
}

/** What a worker that rests still holds is given back with the next collection. */
function memoryConcern({ route, state, memory }: HealthFacts): Judged | null {
  if (state === 'stopped' || state === 'paused') return null;
  if (memory === null || memory.limitBytes === null || !nearsLimit(memory)) return null;
  const { rssBytes: bytes, limitBytes } = memory;
  return concern('warning', fail(supervisionErrors.memory, { route, bytes, limitBytes, restarted: false }));
}

function loopConcern({ route, blockedMs }: HealthFacts): Judged | null {
  if (blockedMs < blockedWarnMs) return null;
  return concern('warning', fail(supervisionErrors.eventLoop, { route, blockedMs }));
}

function startConcern({ route, state, inStateMs }: HealthFacts): Judged | null {
  if (state !== 'starting' || inStateMs < startWarnMs) return null;
  return concern('warning', fail(supervisionErrors.startsLong, { route, sinceMs: inStateMs }));
}

function concern(level: Concern['level'], { code, message, remedy }: TidelockError): Judged {
  return { level, code, message, remedy };
}
