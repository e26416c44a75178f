import type pg from 'pg';
import { nodeErrors } from '../../../../src/core/errors/catalogue/node.ts';
import { failpoint } from '../../../../src/core/failpoint.ts';
import type { Logger } from '../../../../src/core/logger.ts';
import type { Group } from '../../../sql/apply/group.ts';
import type { ParkedWork, ParkedWorker } from '../../../sql/parking/parked-work.ts';
import type { Parking } from '../../../sql/parking/parking.ts';
import type { GroupWriter } from '../group-writer.ts';
import type { TablePlan } from '../table-plan.ts';
import type { TablePlans } from '../table-plans.ts';
import type { TargetTransaction } from '../target-transaction.ts';
import type { SetAside } from './set-aside.ts';

export interface ParkedRequestsOptions {
  readonly client: pg.Client;
  readonly logger: Logger;
  readonly plans: TablePlans;
  readonly target: TargetTransaction;
  readonly writer: GroupWriter;
  readonly aside: SetAside;
  readonly parking: Parking<TablePlan>;
  readonly parkedWork: ParkedWork;
  single(one: Group): Promise<unknown>;
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
    const { client, plans, target, writer, aside, single } = this.#options;
    try {
      for await (const group of groups) {
        await plans.prepare(client, group.parts, target.open);
        await writer.apply(group, single);
        failpoint('retry.part');
      }
    } catch (reason) {
      const error = target.classify(reason);
      // Where the connection is gone there is nothing to roll back, and the first error is the one that tells.
      if (error.recovery === 'halt') await aside.rollBackAll();
      throw error;
    }
  }

  isOfTheRows(error: { readonly recovery: string; readonly code: string }): boolean {
    return error.recovery === 'halt' && error.code !== nodeErrors.defect.code;
  }

  async claimAgain(id: number, groups: AsyncIterable<Group>): Promise<void> {
    const { client, plans, target, aside, parking } = this.#options;
    try {
      await target.run(async () => {
        for await (const { parts } of groups) {
          await plans.prepare(client, parts, false);
          await parking.claimAgain(id, parts, plans);
        }
      });
    } catch (reason) {
      const error = target.classify(reason);
      // A table that is no longer there: nobody else can touch its rows.
      if (!this.isOfTheRows(error)) throw error;
      await aside.rollBackAll();
    }
  }

  transaction(run: () => Promise<void>): Promise<void> {
    return this.#options.target.run(run);
  }
}
