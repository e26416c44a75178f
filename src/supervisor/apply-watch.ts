import type { RouteStateStore } from '../core/route-state-store.ts';
import type { RouteReport } from './route-report.ts';

/** Asks the target what it does for a route that has applied nothing for a while. Costs nothing while it applies. */
export class ApplyWatch {
  readonly #store: RouteStateStore;
  readonly #report: RouteReport;
  #asking = false;

  constructor(store: RouteStateStore, report: RouteReport) {
    this.#store = store;
    this.#report = report;
  }

  look(): void {
    if (this.#asking) return;
    if (!this.#report.meter.appliesNothing) {
      this.#report.atTarget(null);
      return;
    }
    this.#asking = true;
    this.#ask().finally(() => {
      this.#asking = false;
    });
  }

  async #ask(): Promise<void> {
    const { meter } = this.#report;
    const { appliedAtMs } = meter;
    // What can't be asked is nothing new: the renewal of the lease goes the same way.
    const activity = await this.#store.applyActivity().catch(() => null);
    // It may have moved while the target was asked.
    if (activity === null || meter.appliedAtMs !== appliedAtMs) return;
    this.#report.atTarget(activity);
    if (activity.doing === 'working') meter.worked();
  }
}
