import type { Health, RouteState, RouteStatus } from '../core/route-status.ts';
import type { Supervisor } from './supervisor.ts';

export type SupervisedRoutes = Pick<Supervisor, 'routes' | 'statusOf' | 'workerOf' | 'onStatus' | 'onMessage'>;

/** How a route of this Supervisor is, as far as is known here. */
export interface RouteCondition {
  readonly state: RouteState;
  readonly health: Health;
  /** Null where nobody who runs now has said anything. */
  readonly status: RouteStatus | null;
  /** This Supervisor has the route's lease: others stand by. */
  readonly leads: boolean;
}

/** Of a worker that does not say it. */
const notLeading: readonly RouteState[] = ['starting', 'standby', 'fenced'];

/**
 * What the workers of a Supervisor have said, for as long as it is true: what one has said that is gone since says nothing
 * about its route, unless that it has failed.
 */
export class RouteConditions {
  readonly #supervisor: SupervisedRoutes;
  /** Process that a route's last status is from. */
  readonly #saidBy = new Map<string, number | null>();

  constructor(supervisor: SupervisedRoutes) {
    this.#supervisor = supervisor;
    supervisor.onStatus((route) => this.#saidBy.set(route, supervisor.workerOf(route)?.pid ?? null));
  }

  routes(): readonly string[] {
    return this.#supervisor.routes();
  }

  /** What the Supervisor says of a route that has no worker, or one that has not said anything yet; null of others. */
  between(route: string): RouteStatus | null {
    const isOurs = this.#saidBy.has(route) && this.#saidBy.get(route) === null;
    return isOurs ? this.#supervisor.statusOf(route) : null;
  }

  /** Null where there is no such route. */
  of(route: string): RouteCondition | null {
    const worker = this.#supervisor.workerOf(route);
    if (worker === null) return null;
    const said = this.#supervisor.statusOf(route);
    const by = this.#saidBy.get(route);
    // What the Supervisor says between two workers counts until the next one says something.
    const isNow = said !== null && (said.state === 'failed' || by === worker.pid || by === null);
    if (!isNow) return { state: 'starting', health: 'unknown', status: null, leads: false };
    const { state, health } = said;
    return { state, health, status: said, leads: said.leads ?? !notLeading.includes(state) };
  }
}
