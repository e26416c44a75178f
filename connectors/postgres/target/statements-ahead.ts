import { type Change, isRowChange } from '../../../src/core/change.ts';
import { packedInserts } from '../../../src/core/packed-part.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { evolutionOf } from '../../sql/apply/evolutions.ts';
import { bytesOf, type Group, isIdle, isOfLoad } from '../../sql/apply/group.ts';
import { PreparedGroup } from './prepared-group.ts';
import { sendRowsAsSets } from './set-apply.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';

export interface StatementsAheadOptions {
  readonly plans: TablePlans;
  readonly replicaRole: boolean;
  /** As RowApplier. */
  isPartial(plan: TablePlan): boolean;
  /** A table without a key that lacks rows: what became of each change is looked at before the COMMIT. */
  isOwing(plan: TablePlan): boolean;
  /** A larger group is not made ready: its values would be in memory twice. */
  readonly mostBytes: number;
}

/** Makes the statements of a group that is sent before others are answered, where nothing has to be read, decided or waited for. */
export class StatementsAhead {
  readonly #options: StatementsAheadOptions;

  constructor(options: StatementsAheadOptions) {
    this.#options = options;
  }

  /** Null where its values can't be made. Of a group that is plain. */
  statements(group: Group): PreparedGroup | null {
    const { plans, replicaRole, isPartial } = this.#options;
    const statements = new PreparedGroup();
    try {
      sendRowsAsSets({ batch: statements, plans, replicaRole, isPartial, isGuarded: true }, group.parts);
    } catch {
      // Comes again in the group's own turn: those before it are not at fault.
      return null;
    }
    return statements;
  }

  /** `open`: the group goes on in an open target transaction. */
  isPlain(group: Group, open: boolean): boolean {
    const { plans, mostBytes } = this.#options;
    const { parts } = group;
    return (
      bytesOf(group) <= mostBytes &&
      evolutionOf(parts[0]) === null &&
      !parts.some(isOfLoad) &&
      !parts.every(isIdle) &&
      parts.every((part) => part.unmapped === undefined && part.again === undefined && !holdsTruncate(part)) &&
      plans.areMade(parts, open) &&
      !parts.some((part) => this.#isRuled(part))
    );
  }

  /** A table with rules of its own, which a statement that tells what it has done does not go with; or one of which each answer counts. */
  #isRuled(part: TransactionPart): boolean {
    const { plans, isOwing } = this.#options;
    const isAlone = (plan: TablePlan): boolean => plan.hasRules || isOwing(plan);
    const inserts = packedInserts(part);
    if (inserts !== null) return isAlone(plans.get(inserts.table));
    const { changes } = part;
    let last: TableVersion | null = null;
    for (let at = 0; at < changes.length; at++) {
      const change = changes[at] as Change;
      if (!isRowChange(change) || change.table === last) continue;
      last = change.table;
      if (isAlone(plans.get(last))) return true;
    }
    return false;
  }
}

function holdsTruncate(part: TransactionPart): boolean {
  if (packedInserts(part) !== null) return false;
  const { changes } = part;
  for (let at = 0; at < changes.length; at++) if (changes[at]?.kind === 'truncate') return true;
  return false;
}
