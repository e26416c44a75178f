import type { RouteState } from '../core/route-status.ts';

/** Of what a route was replaced with, until it runs. */
export interface Trial<Before> {
  readonly before: Before;
  readonly fingerprint: string;
  /** Process id of the worker that is replaced, which goes on until it has ended; null where there was none. */
  readonly replaced: number | null;
}

/** The routes of which nobody knows yet whether they can run with what they were replaced with. */
export class RouteTrials<Before> {
  readonly #trials = new Map<string, Trial<Before>>();

  begin(route: string, trial: Trial<Before>): void {
    this.#trials.set(route, trial);
  }

  /**
   * Of each status that is reported while this is the route's worker. True where the route has halted with what it was
   * replaced with. The worker that is replaced has yet to end, and says that it runs, or why it does not, until then.
   */
  hear(route: string, { state, worker }: { readonly state: RouteState; readonly worker: number | null }): boolean {
    const trial = this.#trials.get(route);
    if (trial === undefined || (trial.replaced !== null && trial.replaced === worker)) return false;
    if (state === 'running' || state === 'catchingUp') this.#trials.delete(route);
    return state === 'failed';
  }

  /** It is over, however it has ended. */
  end(route: string): Trial<Before> | null {
    const trial = this.#trials.get(route) ?? null;
    this.#trials.delete(route);
    return trial;
  }
}
