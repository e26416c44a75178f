import { backlogRows, type PartFeed } from '../../../src/core/consumer.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { bytesOf, type Group, nextGroup } from '../../sql/apply/group.ts';
import type { GroupSize } from '../../sql/apply/group-size.ts';
import type { IncomingParts } from '../../sql/apply/incoming-parts.ts';
import type { Batch } from './batch.ts';
import type { PreparedGroup } from './prepared-group.ts';
import type { StatementsAhead } from './statements-ahead.ts';
import type { TablePlans } from './table-plans.ts';

/** A group that is being applied, with what comes behind it. */
export interface Current {
  readonly group: Group;
  /** Begins with the group's parts. */
  readonly incoming: IncomingParts;
  readonly feed: PartFeed;
  readonly signal: AbortSignal;
}

export interface NextPartOptions {
  readonly ahead: StatementsAhead;
  readonly plans: TablePlans;
  readonly size: GroupSize;
  readonly groupRows: number;
}

/**
 * Of a source transaction that is larger than a group: while the server works on one part of it, the net effect and the values of
 * the next one are computed. They are of use only if no plan changes.
 */
export class NextPart {
  readonly #options: NextPartOptions;
  #made: { readonly group: Group; readonly generation: number; readonly statements: PreparedGroup } | null = null;
  /** The group that is being applied, and where those after it come from; null while people's requests are carried out. */
  #current: Current | null = null;
  /** It was looked at whether the next one can be made ready: what stands against it stays. */
  #isTried = false;

  constructor(options: NextPartOptions) {
    this.#options = options;
  }

  /** The group that was made ready, if it begins with this part of an open transaction. */
  of(first: TransactionPart | undefined, open: boolean): Group | null {
    if (!open || this.#made?.group.parts[0] !== first) this.#made = null;
    return this.#made?.group ?? null;
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
    const made = this.#made;
    if (made?.group !== group) return null;
    this.#made = null;
    return made.generation === this.#options.plans.generation ? made.statements : null;
  }

  /** Waits for the answers. */
  async makeWhile(group: Group, batch: Batch): Promise<void> {
    const current = this.#current?.group === group && group.commit === null ? this.#current : null;
    const answered = batch.settle();
    if (current === null) return await answered;
    answered.catch(() => {});
    current.feed.onMore(() => this.#make(current));
    // What the socket didn't take at once goes out first.
    if (group.rows >= backlogRows(this.#options.groupRows)) await new Promise((resolve) => setImmediate(resolve));
    this.#make(current);
    try {
      await answered;
    } finally {
      current.feed.onMore(null);
    }
  }

  /** Where it is worth a group of its own. */
  #make({ group, incoming, feed, signal }: Current): void {
    if (signal.aborted || this.#isTried) return;
    const { size, ahead, plans } = this.#options;
    incoming.add(feed.take());
    const at = group.parts.length;
    if (incoming.parts.length <= at) return;
    const { limits } = size;
    const isLarge =
      incoming.rows - group.rows >= limits.rows / 2 || incoming.bytes - bytesOf(group) >= limits.bytes / 2;
    if (!isLarge) return;
    this.#isTried = true;
    const next = nextGroup(incoming.parts, at, limits, true);
    const statements = ahead.statements(next, 'open');
    if (statements !== null) this.#made = { group: next, generation: plans.generation, statements };
  }
}
