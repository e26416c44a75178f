import { failpoint } from '../../../src/core/failpoint.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { ConsumerOptions } from '../../../src/core/target.ts';
import type { Commit } from '../../../src/core/transaction.ts';
import type { ApplyCounter } from '../../sql/apply/apply-counter.ts';
import { evolutionOf } from '../../sql/apply/evolutions.ts';
import { type Group, transactionsOf } from '../../sql/apply/group.ts';
import type { GroupSize } from '../../sql/apply/group-size.ts';
import type { ParkedWork } from '../../sql/parking/parked-work.ts';
import type { Tried } from '../../sql/parking/set-aside.ts';
import { againStatement } from '../state/stored-loads.ts';
import type { ApplyConnection } from './apply-connection.ts';
import { Batch } from './batch.ts';
import { boundStatements } from './bound-statements.ts';
import { applyCarefully } from './careful-apply.ts';
import { carryCommand } from './carry-command.ts';
import type { DisplacedRows } from './displaced-rows.ts';
import { evolveTable } from './evolve-table.ts';
import type { LoadApply } from './load-apply.ts';
import { sendAsSets, sendInOrder } from './set-apply.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';
import { isOff, offBecause, type TargetTransaction } from './target-transaction.ts';

/**
 * How a group is applied. `set`: net effect in few statements. `ordered`: every change by itself in source order, all
 * written at once, constraints deferred. `careful`: one by one behind savepoints, with collisions resolved. Each is
 * tried after the one before has failed and was rolled back.
 */
export type Mode = 'set' | 'ordered' | 'careful';
const modes: readonly Mode[] = ['set', 'ordered', 'careful'];

export interface GroupWriterOptions {
  readonly connection: ApplyConnection;
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly logger: Logger;
  readonly plans: TablePlans;
  readonly loads: LoadApply;
  readonly target: TargetTransaction;
  readonly size: GroupSize;
  readonly displaced: DisplacedRows;
  readonly counter: ApplyCounter;
  readonly parkedWork: ParkedWork;
  readonly share: ConsumerOptions['share'];
  /** Something is parked, or being parked. */
  parksAny(): boolean;
}

/** Writes groups into target transactions, each in the quickest way that goes through. */
export class GroupWriter {
  readonly #options: GroupWriterOptions;
  readonly #connection: ApplyConnection;
  readonly #target: TargetTransaction;
  #idle: (Pick<Group, 'lastCommit'> & { readonly commit: Commit }) | null = null;
  /** Parts of a source transaction were applied in the open target transaction, and not only definitions followed. */
  #holdsRows = false;

  constructor(options: GroupWriterOptions) {
    this.#options = options;
    this.#connection = options.connection;
    this.#target = options.target;
  }

  /** Rows of the source transaction that is under way are in the open target transaction. */
  get holdsRows(): boolean {
    return this.#holdsRows;
  }

  /** An advance without changes rides with the next change, unless somebody waits for it. */
  async rest(group: Group): Promise<void> {
    const { commit, lastCommit } = group;
    if (commit === null) return;
    // Of heartbeats, too: after a stretch without changes nothing else tells this history from a restored one.
    this.#idle = { commit, lastCommit: lastCommit ?? this.#idle?.lastCommit ?? null };
    if (group.parts.some((part) => part.urgency === 'now')) await this.flushIdle(true);
  }

  async flushIdle(isAwaited = false): Promise<void> {
    if (this.#idle === null || this.#target.open) return;
    await this.attempt({ parts: [], rows: 0, isAwaited, ...this.#idle }, 'set');
  }

  /** A group was applied that was sent before its turn had come. */
  went({ commit }: Group): void {
    if (commit === null) this.#holdsRows = true;
    else this.#idle = null;
  }

  /**
   * Applies the group in one of the ways; `single` is given each of its transactions where that is what is left to be done.
   * `tried`: what it was refused with as a set, and was rolled back.
   */
  async apply(group: Group, single: (one: Group) => Promise<unknown>, tried: Tried | null = null): Promise<void> {
    const { displaced, counter, size, logger } = this.#options;
    for (const mode of modes) {
      // The key of a row that stands aside may be another row's by now: only `careful` tells them apart.
      if (mode !== 'careful' && displaced.size > 0) continue;
      try {
        if (mode === 'set' && tried !== null) throw tried.error;
        await this.attempt(group, mode);
        return;
      } catch (error) {
        if (mode === 'careful' || !isOff(error)) throw error;
        counter.replayed();
        size.replayed();
        logger.debug(
          { mode, rows: group.rows, ...offBecause(error) },
          'group did not go through as a whole, replaying',
        );
        if (mode !== 'set' || tried === null) await this.#target.rollBack();
      }
      // What halts is to halt alone: the transactions before it are committed, and the checkpoint is right before it.
      const alone = mode === 'ordered' && !this.#target.open ? transactionsOf(group) : [];
      if (alone.length > 1) {
        for (const one of alone) await single(one);
        return;
      }
    }
  }

  /** Runs one group in one mode. Throws with the target transaction still there, to be rolled back. */
  async attempt(group: Group, mode: Mode): Promise<void> {
    const { plans, loads, counter, share } = this.#options;
    const began = counter.now();
    const { client, replicaRole } = this.#connection;
    const batch = new Batch(client);
    loads.coming(group.parts);
    loads.owed.begin();
    this.#target.begin(batch, group);
    const isEvolving = await this.#evolve(group, batch);
    if (mode !== 'set') batch.send('set constraints all deferred');
    const isPartial = (plan: TablePlan): boolean => loads.ofTable(plan) !== null;
    const owing = (plan: TablePlan) => loads.owing(plan);
    const applier = { client, batch, plans, replicaRole, isPartial, owing, share };
    if (mode === 'set') await sendAsSets(applier, group.parts);
    else if (mode === 'ordered') await sendInOrder(applier, group.parts);
    this.#sendAgain(batch, group);
    const { commit } = group;
    // In one flight with the rows; one by one, they are answered first.
    if (mode !== 'careful') this.sendCheckpoint(batch, group);
    await batch.settle();
    const collisions = mode === 'careful' ? await this.#applyCarefully(group) : 0;
    if (mode === 'careful') {
      this.sendCheckpoint(batch, group);
      await batch.settle();
    }
    if (commit !== null) await this.commit(group, commit);
    else {
      this.#target.keepOpen();
      loads.owed.keep();
      this.#holdsRows ||= !isEvolving;
    }
    counter.applied(group, collisions);
    counter.trace(group, mode, began);
  }

  sendCheckpoint(batch: Batch, group: Group): void {
    if (group.commit !== null && group.parked === undefined) this.#target.sendCheckpoint(batch, group, group.commit);
  }

  async commit(group: Group, commit: Commit): Promise<void> {
    const { parkedWork, counter } = this.#options;
    const beganMs = performance.now();
    const { parked } = group;
    if (parked !== undefined) {
      await this.#target.unpark(async () => {
        await parkedWork.unpark(parked);
        failpoint('retry.taken');
      });
    }
    await this.#target.commit(group, commit);
    this.#options.loads.committed();
    counter.committed(performance.now() - beganMs);
    if (group.parked === undefined) this.#idle = null;
    else failpoint('retry.done');
    this.#holdsRows = false;
  }

  /** The whole target transaction, where there is one. */
  async rollBackAll(): Promise<void> {
    await this.#target.rollBackAll();
    this.#options.loads.rolledBack();
    this.#holdsRows = false;
    this.#options.displaced.takeAll();
  }

  /** Follows the definition, or carries out the command, that the group is. */
  async #evolve(group: Group, batch: Batch): Promise<boolean> {
    const evolving = evolutionOf(group.parts[0]);
    if (evolving === null) return false;
    const { route, routeId, logger, loads, plans, parksAny } = this.#options;
    const { client } = this.#connection;
    await batch.settle();
    const at = { client, route, routeId };
    if (evolving.kind === 'ddl') {
      await carryCommand(evolving, { ...at, logger, isParking: parksAny() });
      loads.carried(evolving);
      await boundStatements(client, 0);
    } else await evolveTable(evolving, { ...at, route: route.name, node: route.to.name });
    plans.forget();
    failpoint('evolve.altered');
    return true;
  }

  #sendAgain(batch: Batch, { parts }: Group): void {
    const again = parts.flatMap((part) => part.again ?? []);
    if (again.length > 0) batch.send(againStatement(this.#options.routeId, again));
  }

  async #applyCarefully(group: Group): Promise<number> {
    const { client, replicaRole } = this.#connection;
    const { plans, loads, displaced, share, logger, route } = this.#options;
    const { collisions, name, to } = route;
    const loading = (plan: TablePlan) => loads.ofTable(plan);
    const owing = (plan: TablePlan) => loads.owing(plan);
    const shared = { client, plans, replicaRole, displaced, share, loading, owing };
    return await applyCarefully({ ...shared, route: name, node: to.name, collisions, logger }, group.parts);
  }
}
