import type { Health, Reason, RouteState } from '../core/route-status.ts';

/**
 * What people are told: the body of a webhook, and what a command finds on its standard input. Part of the contract: keys
 * are added and never changed. Never a row value or a secret.
 */
export interface Notice {
  readonly version: 1;
  /** The same for all receivers and attempts: whoever gets it twice can tell. */
  readonly id: string;
  /** `takeover`: an engine that stood by has the route now, since the one before was gone. */
  readonly event: 'problem' | 'recovery' | 'takeover';
  /** `retention`: the source keeps more of its log for the route than it should. `health`: all else. */
  readonly about: 'health' | 'retention';
  readonly severity: 'info' | 'warning' | 'critical';
  /** One line for people. */
  readonly text: string;
  readonly deployment: string;
  readonly route: string;
  /** All routes that this is about: what happens to several at once, from one cause, is told once. The rest is of the first. */
  readonly routes: readonly string[];
  readonly state: RouteState;
  readonly health: Health;
  readonly reason: Reason | null;
  readonly lagMs: number | null;
  readonly retainedBytes: number | null;
  readonly parked: number;
  /** Since when it has been so, and when this was written: ISO 8601, by the clock of the engine. */
  readonly since: string;
  readonly at: string;
  /** The engine that tells it. */
  readonly host: string;
  readonly pid: number;
}
