import type { Configuration } from '../config/configuration.ts';
import { pause } from '../core/pause.ts';
import type { Position } from '../core/position.ts';
import type { Reason } from '../core/route-status.ts';
import { ConcernTimes } from './concern-times.ts';
import { type OpenedRoute, openRoute } from './open-route.ts';
import { readStatus } from './read-status.ts';
import type { RouteReader } from './route-readings.ts';
import type { RouteView } from './route-view.ts';

const pollMs = 50;

export interface WaitOptions {
  readonly timeoutMs: number;
  /** Of an earlier answer, to go on waiting for the same; the end of the source's log now where it is left out. */
  readonly mark?: string;
}

/** `wait --json`. */
export interface WaitDocument {
  readonly version: 1;
  readonly route: string;
  /** Everything up to `mark` is at the target, and nothing is parked. */
  readonly caughtUp: boolean;
  /** The checkpoint covers `mark`. */
  readonly passed: boolean;
  readonly mark: string;
  readonly position: string | null;
  readonly parked: number;
  readonly waitedMs: number;
  /** Where it has not passed. */
  readonly state?: RouteView['state'];
  readonly reason?: Reason | null;
}

export async function waitForRoute(
  configuration: Configuration,
  name: string,
  { timeoutMs, mark: given, reader }: WaitOptions & { readonly reader: RouteReader },
  signal: AbortSignal,
): Promise<WaitDocument> {
  const beganMs = performance.now();
  await using route = openRoute(configuration.routes.demand(name, 'route'));
  const { order } = route.source;
  const mark = given === undefined ? await route.source.mark() : order.parse(given);
  for (;;) {
    const { position, parked } = await storedProgress(route);
    const passed = position !== null && order.covers(position, mark);
    const waitedMs = Math.round(performance.now() - beganMs);
    if (passed || waitedMs >= timeoutMs || signal.aborted) {
      // What is parked was committed before the call and is not at the target.
      const answer = { route: name, caughtUp: passed && parked === 0, passed, mark, position, parked, waitedMs };
      return { version: 1, ...answer, ...(passed ? {} : await stateOf(configuration, name, reader)) };
    }
    await pause(Math.min(pollMs, timeoutMs - waitedMs), signal);
  }
}

async function stateOf(
  configuration: Configuration,
  name: string,
  reader: RouteReader,
): Promise<Pick<RouteView, 'state' | 'reason'>> {
  const {
    routes: [view],
  } = await readStatus(configuration, [name], { reader, concernTimes: new ConcernTimes() });
  return { state: view?.state ?? 'unknown', reason: view?.reason ?? null };
}

/** No position while nothing is stored, also while the target restarts: the time-out decides how long that may last. */
async function storedProgress(route: OpenedRoute): Promise<{ position: Position | null; parked: number }> {
  const stored = await (await route.store()).read();
  const position = stored?.checkpoint?.phase === 'ready' ? stored.checkpoint.position : null;
  return { position, parked: stored?.parked.count ?? 0 };
}
