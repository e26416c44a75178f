import { type Change, isRowChange } from '../../../src/core/change.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import type { Group } from '../apply/group.ts';
import type { ParkedWork, ParkedWorker } from './parked-work.ts';
import type { Parking, PlansOf } from './parking.ts';
import type { GroupApplier, ParkingTransaction, SetAside } from './set-aside.ts';
import type { ClaimedPlan } from './table-claims.ts';

export interface ParkedRequestsOptions<P extends ClaimedPlan> {
  readonly logger: Logger;
  readonly plans: PlansOf<P>;
  readonly target: ParkingTransaction & { readonly applied: Position };
  readonly applier: GroupApplier;
  readonly aside: SetAside<P>;
  readonly parking: Parking<P>;
  readonly parkedWork: ParkedWork;
  /** Makes the plans of these parts' tables. */
  prepare(parts: readonly TransactionPart[]): Promise<void>;
}

/** The changes of rows, those of each table by themselves. */
function eachTable(part: TransactionPart): TransactionPart[] {
  const tables = new Map<string, Change[]>();
  for (const change of part.changes) {
    const table = isRowChange(change) ? change.table : change.kind === 'unmapped' ? change.tables[0] : undefined;
    if (table === undefined) continue;
    const label = tableLabel(table);
    const changes = tables.get(label);
    if (changes === undefined) tables.set(label, [change]);
    else changes.push(change);
  }
  return [...tables.values()].map((changes) => ({ ...part, changes }));
}

/** Carries out what people have asked about parked transactions, with target transactions of the Consumer's. */
export class ParkedRequests<P extends ClaimedPlan> implements ParkedWorker {
  readonly #options: ParkedRequestsOptions<P>;

  constructor(options: ParkedRequestsOptions<P>) {
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
    if (requests.length === 0) return;
    await parking.load(target.applied);
    await parking.settle((work) => target.run(work));
  }

  /** Before anything is applied. What was asked and is not done is carried out later, also beside the stream. */
  async takeUp(): Promise<void> {
    const { parkedWork, parking, target } = this.#options;
    if (parking.count.count > 0 && (await parkedWork.takeUp(this))) await parking.load(target.applied);
    await parking.settle((work) => target.run(work));
  }

  /** One parked transaction. Throws classified, with everything rolled back and the target transaction closed. */
  async apply(groups: AsyncIterable<Group>): Promise<void> {
    const { prepare, target, applier, aside } = this.#options;
    try {
      for await (const group of groups) {
        await prepare(group.parts);
        await applier.apply(group);
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

  async claimAgain(id: number, groups: AsyncIterable<Group>): Promise<TidelockError | null> {
    const { target, aside, parking, logger } = this.#options;
    try {
      await target.run(async () => {
        for await (const { parts } of groups)
          for (const part of parts.flatMap(eachTable)) await this.#claimAgain(id, part);
        await parking.claimedAll(id);
      });
      return null;
    } catch (reason) {
      const error = target.classify(reason);
      if (!this.isOfTheRows(error)) throw error;
      await aside.rollBackAll();
      await target.run(() => parking.claimEvery(id));
      logger.warn({ ...error.toJSON(), parked: id }, 'what a parked transaction holds is not known');
      return error;
    }
  }

  /** Rows of one table. */
  async #claimAgain(id: number, part: TransactionPart): Promise<void> {
    const { prepare, plans, parking } = this.#options;
    try {
      await prepare([part]);
      await parking.claimAgain(id, [part], plans);
    } catch (error) {
      // A table that is no longer there: nobody else can touch its rows.
      if (!(error instanceof TidelockError) || error.code !== targetErrors.tableMissing.code) throw error;
    }
  }

  transaction(run: () => Promise<void>): Promise<void> {
    return this.#options.target.run(run);
  }
}
