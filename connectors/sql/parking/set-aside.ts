import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { Commit, TransactionPart } from '../../../src/core/transaction.ts';
import type { Evolving } from '../apply/evolutions.ts';
import { type Group, groupOf, isIdle, transactionsOf } from '../apply/group.ts';
import { mappingError } from '../apply/mapping-error.ts';
import { haltAt, parkableCause } from './parkable.ts';
import type { Parking, PlansOf } from './parking.ts';
import type { ParkWhy } from './parking-store.ts';
import type { ClaimedPlan } from './table-claims.ts';

/** What a group that was sent with others was refused with, and was rolled back. */
export interface Tried {
  readonly error: unknown;
}

/** How the Consumer applies what is free, and what it does in a target transaction around what is not. */
export interface GroupApplier {
  /** Parts of the source transaction that is under way are in the open target transaction. */
  readonly holdsRows: boolean;
  apply(group: Group, tried?: Tried | null): Promise<void>;
  rest(group: Group): Promise<void>;
  /** Begins the target transaction of this group. */
  begin(group: Group): Promise<void>;
  /** Ends it, with the checkpoint behind this group. */
  commit(group: Group, commit: Commit): Promise<void>;
  rollBackAll(): Promise<void>;
}

/** The target transactions of one Consumer. */
export interface ParkingTransaction {
  /** One is open and holds parts of a source transaction, or where they are kept. */
  readonly open: boolean;
  /** It goes on with the next group, which is not to be replayed by itself. */
  stayOpen(): void;
  /** Statements in one of their own, under the route's epoch. */
  run(work: () => Promise<void>): Promise<void>;
  classify(error: unknown): TidelockError;
}

export interface SetAsideOptions<P extends ClaimedPlan> {
  readonly route: RouteDefinition;
  readonly logger: Logger;
  readonly plans: PlansOf<P>;
  readonly loads: { readonly active: boolean };
  readonly target: ParkingTransaction;
  readonly parking: Parking<P>;
  readonly applier: GroupApplier;
  /** Whether a refusal is of the rows, and not of a definition or of the server; as PostgreSQL's SQLSTATEs have it where it is not given. */
  isOfTheData?(sqlState: string, error: TidelockError): boolean;
}

/** Decides which transactions of a group are applied and which are set aside, and does both. */
export class SetAside<P extends ClaimedPlan> {
  readonly #options: SetAsideOptions<P>;
  /** Why the parts in the open target transaction are written to the store, and not applied; null where they are applied. */
  #writing: ParkWhy | null = null;

  constructor(options: SetAsideOptions<P>) {
    this.#options = options;
  }

  get parksAny(): boolean {
    return this.#writing !== null || this.isWatched;
  }

  /** What comes has to be looked at, transaction by transaction. */
  get isWatched(): boolean {
    const { parking } = this.#options;
    return parking.writing || parking.active;
  }

  /** Throws (halt) where columns would go, or take other names, while rows are set aside: a retry finds columns by the names that they had. */
  demandNames(change: Evolving, position: string): void {
    const { parking, route } = this.#options;
    if (change.kind === 'ddl' || !(parking.writing || parking.count.count > 0)) return;
    const step = change.evolution.steps.find(({ kind }) => kind === 'drop' || kind === 'rename');
    if (step === undefined) return;
    const column = step.kind === 'rename' ? step.from : step.kind === 'drop' ? step.column : '';
    throw fail(targetErrors.parkedColumns, { route: route.name, table: tableLabel(change.to), column, position });
  }

  /** With something parked or unmapped: what is free before the first transaction that is not, or that one. Returns how many parts are done with. */
  async sort(group: Group): Promise<number> {
    const { parking, plans, target, applier } = this.#options;
    let free = 0;
    for (const one of transactionsOf(group)) {
      const unmapped = one.parts.find((part) => part.unmapped !== undefined);
      const why = this.#writing ?? (await parking.verdict(one.parts, plans));
      if (why === null && unmapped === undefined) {
        free += one.parts.length;
        continue;
      }
      if (free > 0) break;
      if (why === null) await this.#parkUnmapped(one, unmapped);
      else await this.#park(one, why);
      return one.parts.length;
    }
    const ahead = free === group.parts.length ? group : groupOf(group.parts.slice(0, free));
    if (!target.open && ahead.parts.every(isIdle)) await applier.rest(ahead);
    else await this.applyOrPark(ahead);
    return free;
  }

  /** Where the target refuses rows of a single transaction: sets it aside if the route says so, else halts at it. */
  async applyOrPark(group: Group, tried: Tried | null = null): Promise<void> {
    const { applier, target, route, loads, isOfTheData } = this.#options;
    try {
      await applier.apply(group, tried);
    } catch (reason) {
      const error = target.classify(reason);
      const cause = parkableCause(error, isOfTheData);
      const part = group.parts.findLast(({ commit }) => commit !== null) ?? group.parts.at(-1);
      if (cause === null || part === undefined || 'transaction' in error.place) throw error;
      if (route.apply.onError !== 'park' || loads.active) throw haltAt(error, part, route.name);
      const { code, message, remedy } = error;
      await this.#park(group, { cause, code, message, remedy, reason: null, askedBy: null }, true);
    }
  }

  /** The whole target transaction, where there is one. */
  async rollBackAll(): Promise<void> {
    await this.#options.applier.rollBackAll();
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

  /** Sets a transaction aside, as far as it is there: the rest goes the same way. `refused`: it was tried, and there is a target transaction to be rolled back. */
  async #park(group: Group, why: ParkWhy, refused = false): Promise<void> {
    const { route, logger, plans, loads, target, parking, applier } = this.#options;
    const [part] = group.parts;
    if (loads.active) throw fail(targetErrors.loadWhileParked, { route: route.name });
    // What was refused has left the target transaction in pieces, with the definitions that were followed in it.
    const isPartOfIt = (refused && (target.open || group.commit === null)) || applier.holdsRows;
    if (refused || isPartOfIt) await this.rollBackAll();
    if (isPartOfIt) await this.#readAgain(group, why);
    if (!target.open) await applier.begin(group);
    this.#writing = why;
    await parking.write(group.parts, why, plans).catch((error: unknown) => this.#voidStale(error));
    if (group.commit === null) {
      target.stayOpen();
      return;
    }
    await applier.commit(group, group.commit);
    this.#writing = null;
    parking.committed(group.commit.position);
    const fields = { transaction: part?.id, position: group.commit.position, code: why.code, rows: group.rows };
    // What follows a parked transaction may be all that the source does.
    logger[why.cause === 'behind' ? 'debug' : 'warn'](fields, 'transaction parked');
  }

  /** By its end it is not the transaction that was to be skipped: what was asked is void before it is read again, and then it is applied. */
  async #voidStale(error: unknown): Promise<never> {
    if (!(error instanceof TidelockError) || error.code !== targetErrors.skipStale.code) throw error;
    await this.rollBackAll();
    await this.#options.target.run(() => this.#options.parking.forgetDecision());
    throw error;
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
