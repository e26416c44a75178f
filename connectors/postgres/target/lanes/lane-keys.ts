import type pg from 'pg';
import { isRowChange } from '../../../../src/core/change.ts';
import type { TableVersion } from '../../../../src/core/table.ts';
import type { TransactionPart } from '../../../../src/core/transaction.ts';
import type { Group } from '../../../sql/apply/group.ts';
import { readTableKeys } from '../parking/table-keys.ts';
import type { TablePlan } from '../table-plan.ts';
import type { TablePlans } from '../table-plans.ts';
import { TableTouch } from './table-touch.ts';
import { TouchedKeys } from './touched-keys.ts';

export interface LaneKeysOptions {
  readonly plans: TablePlans;
  readonly replicaRole: boolean;
  /** True of a table that lacks rows which are still to be loaded: a change that finds none is no error there. */
  isPartial(plan: TablePlan): boolean;
}

/** Tells what groups touch. Keys of a table are read once for each of its plans, while nothing is under way. */
export class LaneKeys {
  readonly #options: LaneKeysOptions;
  readonly #touches = new WeakMap<TablePlan, TableTouch | { readonly isBarrier: true }>();

  constructor(options: LaneKeysOptions) {
    this.#options = options;
  }

  /** Of tables whose plans are made. */
  async prepare(client: pg.Client, parts: readonly TransactionPart[]): Promise<void> {
    const { plans, replicaRole } = this.#options;
    const missing = new Set<TablePlan>();
    let last: TableVersion | null = null;
    for (const { changes } of parts)
      for (const change of changes) {
        if (!isRowChange(change) || change.table === last) continue;
        last = change.table;
        const plan = plans.get(last);
        if (!this.#touches.has(plan)) missing.add(plan);
      }
    if (missing.size === 0) return;
    const read = await readTableKeys(
      client,
      [...missing].map(({ target }) => target.oid),
    );
    for (const plan of missing) {
      const keys = read.get(plan.target.oid);
      const touch = keys === undefined ? null : TableTouch.of({ plan, keys, replicaRole });
      this.#touches.set(plan, touch ?? { isBarrier: true });
    }
  }

  /** Null where that can't be told, or nothing may be carried out beside the group. */
  of({ parts }: Group): TouchedKeys | null {
    const { plans, isPartial } = this.#options;
    const touched = new TouchedKeys();
    let last: TableVersion | null = null;
    let touch: TableTouch | null = null;
    for (const { changes } of parts)
      for (const change of changes) {
        if (!isRowChange(change)) continue;
        if (change.table !== last) {
          last = change.table;
          const plan = plans.get(last);
          const known = this.#touches.get(plan);
          if (!(known instanceof TableTouch) || isPartial(plan) || !known.begin(touched)) return null;
          touch = known;
        }
        if (!touch?.touch(change, touched) || touched.isFull) return null;
      }
    return touched;
  }
}
