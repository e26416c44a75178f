import type { ComparedRow, CompareSide, RowKey } from '../../core/compare-side.ts';
import type { DifferenceKind } from './compare-document.ts';
import type { Suspect } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';

/** What has become of a suspect. `undecided`: nobody could see both sides as of one moment. */
export interface Judgement {
  readonly key: RowKey;
  readonly verdict: DifferenceKind | 'equal' | 'undecided';
  /** Both rows where they were seen as of one moment, else null. */
  readonly seen: { readonly source: ComparedRow | null; readonly target: ComparedRow | null } | null;
  /** CompareSide.versions of the target's row, where they were asked for; null: no such row. */
  readonly version?: string | null;
  /** Columns whose values at the source have no form at the target; the row is not equal, and nobody can make it so. */
  readonly refused?: readonly string[];
}

/** Decides about suspects: looks at both sides as of one position of the source's queue. */
export interface Judge {
  /** False where it can't look up the table's rows one by one, and all of them would be undecided. */
  tells?(plan: TablePlan): Promise<boolean>;
  /** False where applications write at both sides. */
  readonly isOneWay?: boolean;
  judge(plan: TablePlan, suspects: readonly Suspect[]): Promise<readonly Judgement[]>;
}

export function verdictOf(source: ComparedRow | null, target: ComparedRow | null): DifferenceKind | 'equal' {
  if (source === null) return target === null ? 'equal' : 'extra';
  if (target === null) return 'missing';
  return source.every((cell, at) => cell === target[at]) ? 'equal' : 'different';
}

export interface JudgedSides {
  readonly source: CompareSide;
  readonly target: CompareSide;
}
