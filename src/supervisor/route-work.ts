import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import { LatestValue } from '../core/latest-value.ts';
import type { Logger } from '../core/logger.ts';
import { pause } from '../core/pause.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore, Wanted } from '../core/route-state-store.ts';
import type { Source } from '../core/source.ts';
import type { Target } from '../core/target.ts';
import type { LoadDesk } from '../operations/load/load-desk.ts';
import type { LiveStream } from '../pipeline/live-stream.ts';
import { ApplyWatch } from './apply-watch.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { LoadWatch } from './load-watch.ts';
import { attemptRoute, type RouteAttempt } from './route-attempt.ts';
import type { RouteReport } from './route-report.ts';

export interface Ends {
  readonly source: Source;
  readonly target: Target;
}

export interface RouteWork extends Ends {
  readonly definition: RouteDefinition;
  readonly store: RouteStateStore;
  readonly keeper: LeaseKeeper;
  readonly report: RouteReport;
  readonly epoch: bigint;
  readonly wanted: Wanted;
  readonly heartbeatMs: number;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  onLive(live: LiveStream | null): void;
  readonly desk: LoadDesk;
}

/** A group that has not come through by then is rolled back; the Supervisor allows its workers 10 s. */
const drainMs = 8_000;

/** What is cut off has to be over by then. */
const unwindMs = 3_000;

/**
 * One attempt, with the lease renewed side by side until it is over. Ends when the signal aborts, when a person asks
 * for something else, or with the first error. An attempt whose lease is lost is cut off at once: another engine may
 * have the route by then.
 */
export async function workUnderLease(work: RouteWork): Promise<void> {
  const { keeper, report, wanted } = work;
  const drain = new AbortController();
  const cut = new AbortController();
  const over = new AbortController();
  let lost: unknown = null;
  const asked = new LatestValue<true>();
  const watch = new ApplyWatch(work.store, report);
  const loads = new LoadWatch(work.store, work.source, report);
  const onAbort = (): void => drain.abort();
  work.signal.addEventListener('abort', onAbort, { once: true });
  if (work.signal.aborted) drain.abort();
  drain.signal.addEventListener('abort', () => void pause(drainMs, over.signal).then(() => cut.abort()), {
    once: true,
  });
  const keeping = keeper
    .keep(over.signal, (latest) => {
      report.caughtUp();
      watch.look();
      loads.look();
      if (latest.parkingAsked) asked.set(true);
      if (isOther(latest, wanted)) drain.abort();
      return false;
    })
    .catch((error: unknown) => {
      lost = error;
      drain.abort();
      cut.abort();
    });
  try {
    await unlessStuck(
      attempt(work, { signal: drain.signal, cut: cut.signal, asked }),
      work.definition.name,
      cut.signal,
    );
  } catch (error) {
    // Errors that the end itself has caused say nothing.
    if (lost === null && !(drain.signal.aborted && isOfTheEnd(error))) throw error;
  } finally {
    over.abort();
    work.signal.removeEventListener('abort', onAbort);
    await keeping;
  }
  if (lost !== null) throw lost;
}

async function attempt(
  work: RouteWork,
  { signal, cut, asked }: Pick<RouteAttempt, 'signal' | 'cut' | 'asked'>,
): Promise<void> {
  const { report, wanted, keeper: _, ...rest } = work;
  // Why it tries again is told until the source answers: else each attempt would hide it for as long as it takes.
  if (report.state !== 'retrying') report.show('starting');
  // Of an engine before this one that is frozen, or of a worker that was killed: the lease is ours, so is the queue.
  await work.source.endQueueSessions();
  if (report.state === 'retrying') report.show('starting');
  await attemptRoute({
    ...rest,
    signal,
    cut,
    asked,
    meter: report.meter,
    acceptSchemaChangesTo: wanted.acceptSchemaChangesTo,
    onLoad: (progress) => report.loading(progress),
    onLoadBeside: (progress, initial) => report.loadsBeside(progress, initial),
    onLoaded: (rows) => report.loaded(rows),
    onStreaming: (ignored) => {
      report.leavesOut(ignored);
      report.show('catchingUp');
    },
    onHeartbeat: () => report.caughtUp(),
  });
}

/** A plain `start` of a running route changes nothing. */
function isOther(latest: Wanted, wanted: Wanted): boolean {
  return (
    latest.state !== 'running' ||
    latest.restart > wanted.restart ||
    latest.acceptSchemaChangesTo !== wanted.acceptSchemaChangesTo
  );
}

function isOfTheEnd(error: unknown): boolean {
  if (!(error instanceof TidelockError)) return (error as Error).name === 'AbortError';
  return error.recovery === 'retry' && error.code !== routeErrors.stuck.code;
}

/** Waits for an attempt that was cut off only so long: this process ends then, and its connections with it. */
async function unlessStuck(running: Promise<void>, route: string, cut: AbortSignal): Promise<void> {
  running.catch(() => {});
  const stuck = new Promise<never>((_, reject) => {
    cut.addEventListener('abort', () => {
      setTimeout(() => reject(fail(routeErrors.stuck, { route })), unwindMs).unref();
    });
  });
  stuck.catch(() => {});
  await Promise.race([running, stuck]);
}
