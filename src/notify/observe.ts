import { supervisionErrors } from '../core/errors/catalogue/supervision.ts';
import type { Health, Reason, RouteState, RouteStatus } from '../core/route-status.ts';
import type { Observation } from './alarm.ts';

/** How a route of this service is, as the Supervisor knows it. */
export interface WatchedRoute {
  readonly state: RouteState;
  readonly health: Health;
  /** Null where no worker has said anything that still counts. */
  readonly status: RouteStatus | null;
  readonly leads: boolean;
}

export interface Trouble extends Observation {
  readonly reason: Reason | null;
}

const holdMs = 15_000;

/** What does not come up, or does not reach its target to find out who has the route. */
const startingHoldMs = 120_000;

const retention = supervisionErrors.retaining.code;

/**
 * What is wrong with a route besides what the source keeps for it. `undefined` where it is not this engine's to tell: a
 * person wants that the route rests, or another engine has it. `stoodBy`: another one had it when that was last known.
 */
export function observeHealth({ state, status, leads }: WatchedRoute, stoodBy: boolean): Trouble | null | undefined {
  if (state === 'standby' || state === 'fenced') return undefined;
  if (status !== null && (status.wanted ?? 'running') !== 'running') return undefined;
  // A worker that ends, to be followed by another.
  if (state === 'stopped' || state === 'paused') return undefined;
  const reason = status?.reason ?? null;
  const ofTheState = { cause: `state:${reason?.code ?? ''}`, reason };
  if (state === 'failed' && !stoodBy) return { ...ofTheState, severity: 'critical', holdMs: 0 };
  const concern = status?.concerns?.find(({ code }) => code !== retention) ?? null;
  if (leads && state === 'retrying' && concern?.level !== 'critical')
    return { ...ofTheState, severity: 'warning', holdMs };
  if (leads && concern !== null) return { severity: concern.level, cause: concern.code, reason: concern, holdMs };
  if (leads && status !== null && state !== 'starting') return null;
  return stoodBy ? undefined : { severity: 'warning', cause: 'starting', reason, holdMs: startingHoldMs };
}

/** Also of a route that rests: the source's disk fills up all the same. */
export function observeRetention({ status, leads }: WatchedRoute): Trouble | null | undefined {
  if (status === null || !leads || status.retainedBytes === null) return undefined;
  const concern = status.concerns?.find(({ code }) => code === retention);
  if (concern === undefined) return null;
  return { severity: concern.level, cause: concern.code, reason: concern, holdMs };
}
