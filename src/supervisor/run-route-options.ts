import type { Connector } from '../core/connector.ts';
import type { Logger } from '../core/logger.ts';
import type { NodeType, RouteDefinition } from '../core/route.ts';
import type { RouteMetrics } from '../core/route-metrics.ts';
import type { LeaseHolder } from '../core/route-state-store.ts';
import type { Reason, Restart, RouteStatus, Told } from '../core/route-status.ts';
import type { TracedWork } from '../core/work-meter.ts';
import type { SelfWatch } from './self-watch.ts';

/** What a worker runs a route with, and whom it tells. */
export interface RunRouteOptions {
  readonly definition: RouteDefinition;
  readonly connectors: (type: NodeType) => Connector;
  /** The route of the configuration that carries rows back. */
  routeBack?(): Promise<RouteDefinition | null>;
  readonly holder: LeaseHolder;
  readonly logger: Logger;
  /** Abort drains: the group in flight is finished, the lease given back, connections closed. */
  readonly signal: AbortSignal;
  /** False where the lease is kept for the worker that follows this one. */
  releases?(): boolean;
  readonly restarts: number;
  readonly takeover: boolean;
  /** Of the lease that an earlier worker of the same Supervisor had: where it is over, this engine is fenced. */
  readonly heldEpoch?: bigint | null;
  /** An earlier worker was fenced under that lease: only what was asked for after this request lets the route go on. */
  readonly fencedAt?: number | null;
  /** What an earlier worker of the same Supervisor has found registered: where that is gone, the route was dropped. */
  readonly registration?: string | null;
  /** Why the worker before this one ended. */
  readonly restarted?: Restart | null;
  /** The route has failed in an earlier worker: it waits for a later request than this, or than the one it finds. */
  readonly halted?: { readonly reason: Reason; readonly request: number | null } | null;
  /** Measures the process, where it is the route's own. */
  readonly self?: SelfWatch;
  onStatus(status: RouteStatus): void;
  /** The route is registered at its target, under this; called again where somebody has dropped it and begun it anew. */
  onRegistered?(registration: string): void;
  /** `request`: the last one that the route has followed. */
  onLease?(epoch: bigint, request: number): void;
  /** Another engine has taken the route; people had asked for so much by then. */
  onFenced?(request: number): void;
  onMetrics?(metrics: RouteMetrics): void;
  /** Told of each group and load that is done. */
  readonly trace?: ((work: TracedWork) => void) | null;
  /** Calls back when people were told something of the route. */
  hearTold?(listener: (told: Told) => void): void;
  /** Somebody has agreed to another description of the route, which is not the one that it runs with. */
  onPending?(fingerprint: string): void;
}
