import type { Change } from '../../../src/core/change.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { evolutionOf } from '../../sql/apply/evolutions.ts';
import { type Group, isIdle, isOfLoad } from '../../sql/apply/group.ts';
import { PreparedGroup } from './prepared-group.ts';
import { sendRowsAsSets } from './set-apply.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';

const isTruncate = ({ kind }: Change): boolean => kind === 'truncate';

export interface GroupAheadOptions {
  readonly plans: TablePlans;
  readonly replicaRole: boolean;
  /** As RowApplier. */
  isPartial(plan: TablePlan): boolean;
  /** A larger group is not made ready: its values would be in memory twice. */
  readonly mostBytes: number;
}

/**
 * The group behind the one that is being applied: its net effect and its values are computed while the server works. It
 * is of use only if that one goes through as it is, and no plan changes.
 */
export class GroupAhead {
  readonly #options: GroupAheadOptions;
  #made: {
    readonly group: Group;
    readonly before: Group;
    readonly generation: number;
    readonly statements: PreparedGroup;
  } | null = null;

  constructor(options: GroupAheadOptions) {
    this.#options = options;
  }

  /** The group that was made ready, if it begins with this part. */
  of(first: TransactionPart | undefined, open: boolean): Group | null {
    const made = this.#made;
    if (made !== null && (made.group.parts[0] !== first || (made.before.commit === null) !== open)) this.#made = null;
    return this.#made?.group ?? null;
  }

  /** The group that was made ready to come right behind this one, which ends its transaction. */
  after(before: Group): Group | null {
    return this.#made?.before === before && before.commit !== null ? this.#made.group : null;
  }

  /** Statements of this very group, once; null where there are none that still hold. */
  take(group: Group): PreparedGroup | null {
    const made = this.#made;
    if (made?.group !== group) return null;
    this.#made = null;
    return made.generation === this.#options.plans.generation ? made.statements : null;
  }

  /** Something is ready to come behind this group. */
  isMade(before: Group): boolean {
    return this.#made?.before === before;
  }

  /** Makes the group ready that follows this one, where nothing has to be read or decided for it. */
  make(before: Group, group: Group): void {
    if (!this.#isPlain(group, before.commit === null)) return;
    const { plans, replicaRole, isPartial } = this.#options;
    const statements = new PreparedGroup();
    try {
      sendRowsAsSets({ batch: statements, plans, replicaRole, isPartial }, group.parts);
    } catch {
      // Comes again in the group's own turn: those before it are not at fault.
      return;
    }
    this.#made = { group, before, generation: plans.generation, statements };
  }

  #isPlain({ parts }: Group, open: boolean): boolean {
    const { plans, mostBytes } = this.#options;
    const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
    return (
      bytes <= mostBytes &&
      evolutionOf(parts[0]) === null &&
      !parts.some(isOfLoad) &&
      !parts.every(isIdle) &&
      parts.every(({ unmapped, changes }) => unmapped === undefined && !changes.some(isTruncate)) &&
      plans.areMade(parts, open)
    );
  }
}
