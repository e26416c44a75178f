import { backlogRows, type PartFeed } from '../../../src/core/consumer.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { bytesOf, type Group, nextGroup } from '../../sql/apply/group.ts';
import type { GroupSize } from '../../sql/apply/group-size.ts';
import type { IncomingParts } from '../../sql/apply/incoming-parts.ts';
import type { ApplyConnection } from './apply-connection.ts';
import { Batch } from './batch.ts';
import { isBounded, mostStatements } from './bound-statements.ts';
import { GroupAhead } from './group-ahead.ts';
import type { PreparedGroup } from './prepared-group.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';
import type { TargetTransaction } from './target-transaction.ts';

/** A group that is being applied, with what comes behind it. */
export interface Current {
  readonly group: Group;
  /** Begins with the group's parts. */
  readonly incoming: IncomingParts;
  readonly feed: PartFeed;
  readonly signal: AbortSignal;
}

export interface NextGroupOptions {
  readonly connection: ApplyConnection;
  readonly target: TargetTransaction;
  readonly plans: TablePlans;
  readonly size: GroupSize;
  readonly groupRows: number;
  readonly mostBytes: number;
  /** As RowApplier. */
  isPartial(plan: TablePlan): boolean;
  /** What follows has to be looked at first: something is parked. */
  parksAny(): boolean;
}

/** The group behind the one that is being applied: made ready while the server works, and sent behind its COMMIT. */
export class NextGroup {
  readonly #options: NextGroupOptions;
  readonly #ahead: GroupAhead;
  /** The next group, sent behind the COMMIT of the one before: in a target transaction that ends with a COMMIT of its own or not at all. */
  #begun: { readonly group: Group; readonly batch: Batch; readonly generation: number } | null = null;
  /** The group that is being applied, and where those after it come from; null while people's requests are carried out. */
  #current: Current | null = null;
  /** It was looked at whether the next group can be made ready early: what stands against it stays. */
  #isTried = false;

  constructor(options: NextGroupOptions) {
    this.#options = options;
    const { plans, connection, isPartial, mostBytes } = options;
    this.#ahead = new GroupAhead({ plans, replicaRole: connection.replicaRole, isPartial, mostBytes });
  }

  get isBegun(): boolean {
    return this.#begun !== null;
  }

  /** The group that begins with this part, where it is there already. */
  of(first: TransactionPart | undefined): Group | null {
    const begun = this.#begun?.group;
    if (begun !== undefined && begun.parts[0] === first) return begun;
    return this.#ahead.of(first, this.#options.target.open);
  }

  /** While `run` applies a group, what comes behind it is looked for here. */
  async during<T>(current: Current, run: () => Promise<T>): Promise<T> {
    this.#current = current;
    this.#isTried = false;
    try {
      return await run();
    } finally {
      this.#current = null;
    }
  }

  /** Statements of this very group, once; null where there are none that still hold. */
  take(group: Group): PreparedGroup | null {
    return this.#ahead.take(group);
  }

  /** What the group was begun with, where that is how it is to be applied now. Anything else that was begun is taken back. */
  async takeBegun(group: Group, asSet: boolean): Promise<Batch | null> {
    const begun = this.#begun;
    if (begun === null) return null;
    if (begun.group !== group || !asSet || begun.generation !== this.#options.plans.generation) {
      await this.takeBack();
      return null;
    }
    this.#begun = null;
    return begun.batch;
  }

  /** The group was begun, and nothing has to be done before it goes on. */
  holds(group: Group): boolean {
    if (this.#begun?.group !== group) return false;
    const { plans, connection } = this.#options;
    return plans.areMade(group.parts, false) && isBounded(connection.client, mostStatements);
  }

  async takeBack(): Promise<void> {
    const begun = this.#begun;
    this.#begun = null;
    if (begun === null) return;
    // Written at once, so that whatever is asked next comes behind it.
    const batch = new Batch(this.#options.connection.client);
    batch.send('rollback');
    batch.flush();
    await begun.batch.settle().catch(() => {});
    await batch.settle();
  }

  /** Behind a COMMIT that is on its way. Whether it went through is known before this group is looked at. */
  sendBehind(before: Group): void {
    const { connection, target, plans, parksAny } = this.#options;
    if (parksAny()) return;
    if (!this.#ahead.isMade(before)) this.#make(before, 'behind');
    const group = this.#ahead.after(before);
    const ready = group === null ? null : this.#ahead.take(group);
    if (group === null || ready === null) return;
    const batch = new Batch(connection.client);
    target.beginNew(batch, group);
    ready.sendTo(batch);
    if (group.commit !== null) target.sendCheckpoint(batch, group, group.commit, before);
    batch.flush();
    this.#begun = { group, batch, generation: plans.generation };
  }

  /** Waits for the answers. While the server works on this group, the next one is made ready. */
  async makeWhile(group: Group, batch: Batch): Promise<void> {
    const current = this.#current?.group === group ? this.#current : null;
    const answered = batch.settle();
    if (current === null) return await answered;
    answered.catch(() => {});
    current.feed.onMore(() => this.#make(group, 'early'));
    // What the socket didn't take at once goes out first.
    if (group.rows >= backlogRows(this.#options.groupRows)) await new Promise((resolve) => setImmediate(resolve));
    this.#make(group, 'early');
    try {
      await answered;
    } finally {
      current.feed.onMore(null);
    }
  }

  /**
   * Makes ready what is to follow this group. Early where it is worth a group of its own; behind the group's COMMIT also
   * what little has come, which would be late otherwise, and what there is at all of a transaction that is under way.
   */
  #make(before: Group, when: 'early' | 'behind'): void {
    const current = this.#current?.group === before ? this.#current : null;
    if (current === null || current.signal.aborted || this.#ahead.isMade(before)) return;
    const { incoming, feed } = current;
    const { size, groupRows } = this.#options;
    incoming.add(feed.take());
    const at = before.parts.length;
    if (incoming.parts.length <= at) return;
    const [rows, bytes] = [incoming.rows - before.rows, incoming.bytes - bytesOf(before)];
    const { limits } = size;
    const isLarge = rows >= limits.rows / 2 || bytes >= limits.bytes / 2;
    const isBehind = when === 'behind' && (rows < backlogRows(groupRows) || rows >= groupRows / 2);
    if (!isBehind && (!isLarge || this.#isTried)) return;
    this.#isTried = true;
    this.#ahead.make(before, nextGroup(incoming.parts, at, limits, before.commit === null));
  }
}
