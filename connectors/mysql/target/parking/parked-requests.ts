import { nodeErrors } from '../../../../src/core/errors/catalogue/node.ts';
import { failpoint } from '../../../../src/core/failpoint.ts';
import type { Logger } from '../../../../src/core/logger.ts';
import type { Group } from '../../../sql/apply/group.ts';
import type { ParkedWork, ParkedWorker } from '../../../sql/parking/parked-work.ts';
import type { Parking } from '../../../sql/parking/parking.ts';
import type { MysqlSession } from '../../connect.ts';
import type { TablePlan } from '../table-plan.ts';
import type { TablePlans } from '../table-plans.ts';
import type { TargetTransaction } from '../target-transaction.ts';
import type { GroupApplier, SetAside } from './set-aside.ts';

export interface ParkedRequestsOptions {
  readonly session: MysqlSession;
  readonly logger: Logger;
  readonly plans: TablePlans;
  readonly target: TargetTransaction;
  readonly applier: GroupApplier;
  readonly aside: SetAside;
  readonly parking: Parking<TablePlan>;
  readonly parkedWork: ParkedWork;
}

/** Carries out what people have asked about parked transactions, with target transactions of the Consumer's. */
export class ParkedRequests implements ParkedWorker {
  readonly #options: ParkedRequestsOptions;

  constructor(options: ParkedRequestsOptions) {
    this.#options = options;
  }

  async carryOut(signal: AbortSignal): Promise<void> {
    const { parkedWork, parking, target, logger } = this.#options;
    const requests = await parkedWork.requests();
    for (const request of requests) {
      if (signal.aborted) break;
      logger.info({ request: request.id, action: request.action, ids: request.ids }, 'parked transactions');
      await parkedWork.carryOut(request, this, signal);
    }
    if (requests.length > 0) await parking.load(target.applied);
  }

  /** One parked transaction. Throws classified, with everything rolled back and the target transaction closed. */
  async apply(groups: AsyncIterable<Group>): Promise<void> {
    const { session, plans, target, applier, aside } = this.#options;
    try {
      for await (const group of groups) {
        await plans.prepare(session, group.parts);
        await applier.apply(group);
        failpoint('retry.part');
      }
    } catch (reason) {
      const error = target.classify(reason);
      // Where the session is gone there is nothing to roll back, and the first error is the one that tells.
      if (error.recovery === 'halt') await aside.rollBackAll();
      throw error;
    }
  }

  isOfTheRows(error: { readonly recovery: string; readonly code: string }): boolean {
    return error.recovery === 'halt' && error.code !== nodeErrors.defect.code;
  }

  /** Every old value that is asked for was logged: none is ever missing (parked-tables.ts). */
  async claimAgain(): Promise<void> {}

  transaction(run: () => Promise<void>): Promise<void> {
    return this.#options.target.run(run);
  }
}
