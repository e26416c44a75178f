import type { RouteStateStore } from '../core/route-state-store.ts';
import type { Source } from '../core/source.ts';
import type { RouteReport } from './route-report.ts';

/** Without a row between so many looks both servers are asked. */
const looksStill = 3;

/**
 * Whether a load moves on. Rows do for most of its time; else one of the servers is at work for it, or somebody holds one of
 * them up. Where both wait for us, it is we who stand still. Costs nothing while rows come.
 */
export class LoadWatch {
  readonly #store: RouteStateStore;
  readonly #source: Source;
  readonly #report: RouteReport;
  #asking = false;
  #rows = -1;
  #still = 0;

  constructor(store: RouteStateStore, source: Source, report: RouteReport) {
    this.#store = store;
    this.#source = source;
    this.#report = report;
  }

  look(): void {
    const { loadedRows } = this.#report;
    if (this.#asking || loadedRows === null) return;
    if (loadedRows !== this.#rows) {
      this.#rows = loadedRows;
      this.#still = 0;
      this.#report.loadMoves();
    } else if (++this.#still >= looksStill) {
      this.#asking = true;
      this.#ask(loadedRows).finally(() => {
        this.#asking = false;
      });
    }
  }

  async #ask(rows: number): Promise<void> {
    const asked = Promise.all([this.#store.applyActivity(), this.#source.isLoading()]);
    // What can't be asked is nothing new: the load goes the same ways.
    const [activity, isLoading] = (await asked.catch(() => null)) ?? [null, true];
    if (this.#report.loadedRows !== rows || activity === null) return;
    if (activity.doing === 'working' || isLoading) this.#report.loadMoves();
    else this.#report.loadStands(activity.doing === 'waiting');
  }
}
