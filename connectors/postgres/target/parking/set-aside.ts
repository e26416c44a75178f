import type pg from 'pg';
import { targetErrors } from '../../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../../src/core/errors/tidelock-error.ts';
import type { Logger } from '../../../../src/core/logger.ts';
import type { RouteDefinition } from '../../../../src/core/route.ts';
import type { TransactionPart } from '../../../../src/core/transaction.ts';
import { type Group, groupOf, isIdle, transactionsOf } from '../../../sql/apply/group.ts';
import { mappingError } from '../../../sql/apply/mapping-error.ts';
import { haltAt, parkableCause } from '../../../sql/parking/parkable.ts';
import type { Parking } from '../../../sql/parking/parking.ts';
import type { ParkWhy } from '../../../sql/parking/parking-store.ts';
import { Batch } from '../batch.ts';
import type { GroupWriter } from '../group-writer.ts';
import type { LoadApply } from '../load-apply.ts';
import type { TablePlan } from '../table-plan.ts';
import type { TablePlans } from '../table-plans.ts';
import type { TargetTransaction } from '../target-transaction.ts';

export interface SetAsideOptions {
  readonly client: pg.Client;
  readonly route: RouteDefinition;
  readonly logger: Logger;
  readonly plans: TablePlans;
  readonly loads: LoadApply;
  readonly target: TargetTransaction;
  readonly parking: Parking<TablePlan>;
  readonly writer: GroupWriter;
  /** Carries out one transaction of a group that did not go through as a whole. */
  single(one: Group): Promise<unknown>;
}

/** Decides which transactions of a group are applied and which are set aside, and does both. */
export class SetAside {
  readonly #options: SetAsideOptions;
  /** Why the parts in the open target transaction are written to the store, and not applied; null where they are applied. */
  #writing: ParkWhy | null = null;

  constructor(options: SetAsideOptions) {
    this.#options = options;
  }

  get parksAny(): boolean {
    const { parking } = this.#options;
    return this.#writing !== null || parking.writing || parking.active;
  }

  /** What comes has to be looked at, transaction by transaction. */
  get isWatched(): boolean {
    const { parking } = this.#options;
    return parking.writing || parking.active;
  }

  /** With something parked or unmapped: what is free before the first transaction that is not, or that one. Returns how many parts are done with. */
  async sort(group: Group): Promise<number> {
    const { parking, plans, target, writer } = this.#options;
    let free = 0;
    for (const one of transactionsOf(group)) {
      const unmapped = one.parts.find((part) => part.unmapped !== undefined);
      const why = this.#writing ?? (await parking.verdict(one.parts, plans));
      if (why === null && unmapped === undefined) {
        free += one.parts.length;
        continue;
      }
      if (free > 0) break;
      if (why === null) {
        await this.#parkUnmapped(one, unmapped);
        return one.parts.length;
      }
      await this.#park(one, why);
      return one.parts.length;
    }
    const ahead = free === group.parts.length ? group : groupOf(group.parts.slice(0, free));
    if (!target.open && ahead.parts.every(isIdle)) await writer.rest(ahead);
    else await this.applyOrPark(ahead);
    return free;
  }

  /** `tried` as in GroupWriter. Where the target refuses rows of a single transaction: sets it aside if the route says so, else halts at it. */
  async applyOrPark(group: Group, tried: { readonly error: unknown } | null = null): Promise<void> {
    const { writer, target, route, loads, single } = this.#options;
    try {
      await writer.apply(group, single, tried);
    } catch (reason) {
      const error = target.classify(reason);
      const cause = parkableCause(error);
      const part = group.parts.findLast(({ commit }) => commit !== null) ?? group.parts.at(-1);
      if (cause === null || part === undefined || 'transaction' in error.place) throw error;
      if (route.apply.onError !== 'park' || loads.active) throw haltAt(error, part, route.name);
      const { code, message, remedy } = error;
      await this.#park(group, { cause, code, message, remedy, reason: null, askedBy: null }, true);
    }
  }

  /** The whole target transaction, where there is one. */
  async rollBackAll(): Promise<void> {
    await this.#options.writer.rollBackAll();
    this.#options.parking.rolledBack();
    this.#writing = null;
  }

  /** A transaction for which the transforms have no value: set aside if the route says so, else it halts. */
  async #parkUnmapped(group: Group, part: TransactionPart | undefined): Promise<void> {
    if (part?.unmapped === undefined) return;
    const { route } = this.#options;
    const error = mappingError(part.unmapped);
    const end = group.parts.findLast(({ commit }) => commit !== null) ?? part;
    if (route.apply.onError !== 'park') throw haltAt(error, end, route.name);
    const { code, message, remedy } = part.unmapped;
    await this.#park(group, { cause: 'error', code, message, remedy, reason: null, askedBy: null });
  }

  /**
   * Sets a transaction aside, as far as it is there: the rest goes the same way. `refused`: it was tried, and there is
   * a target transaction to be rolled back.
   */
  async #park(group: Group, why: ParkWhy, refused = false): Promise<void> {
    const { client, route, logger, plans, loads, target, parking, writer } = this.#options;
    const [part] = group.parts;
    if (loads.active) throw fail(targetErrors.loadWhileParked, { route: route.name });
    // What was refused has left the target transaction in pieces, with the definitions that were followed in it.
    const isInPieces = refused && (target.open || group.commit === null);
    const isPartOfIt = isInPieces || writer.holdsRows;
    if (refused || isPartOfIt) await this.rollBackAll();
    if (isPartOfIt) await this.#readAgain(group, why);
    const batch = new Batch(client);
    if (!target.open) target.begin(batch, group);
    await batch.settle();
    this.#writing = why;
    await parking.write(group.parts, why, plans);
    if (group.commit === null) {
      target.stayOpen();
      return;
    }
    writer.sendCheckpoint(batch, group);
    await batch.settle();
    await writer.commit(group, group.commit);
    this.#writing = null;
    parking.committed(group.commit.position);
    const fields = { transaction: part?.id, position: group.commit.position, code: why.code, rows: group.rows };
    // What follows a parked transaction may be all that the source does.
    logger[why.cause === 'behind' ? 'debug' : 'warn'](fields, 'transaction parked');
  }

  /** Parts of it were applied and are no longer in memory: what was decided is stored, and the stream read again. */
  async #readAgain(group: Group, why: ParkWhy): Promise<never> {
    const { target, parking, route } = this.#options;
    const part = group.parts.at(-1);
    if (part === undefined) throw new RangeError('no parts are left to set aside');
    await target.run(() => parking.decide(part, why));
    throw fail(targetErrors.readAgain, { route: route.name, transaction: part.id });
  }
}
