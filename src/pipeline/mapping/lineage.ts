import type { CellRule } from '../../core/cell-rule.ts';

/** Where a column of the chain comes from. */
export interface Lineage {
  /** Indexes of the source columns that its value depends on. */
  readonly sources: readonly number[];
  /** The source column whose different values give different values here; null where there is none. */
  readonly injectiveOf: number | null;
  /** The transform that wrote it last, '' for none. */
  readonly by: string;
}

export function sourceLineage(columns: number): Lineage[] {
  return Array.from({ length: columns }, (_, index) => ({ sources: [index], injectiveOf: index, by: '' }));
}

/** The lineage after rules that all read the row as it was before. */
export function extendLineage(
  before: readonly Lineage[],
  rules: readonly Pick<CellRule, 'index' | 'reads' | 'injective'>[],
  by: string,
): Lineage[] {
  const after = [...before];
  for (const { index, reads, injective } of rules) {
    const [only] = reads;
    after[index] = {
      sources: [...new Set(reads.flatMap((read) => before[read]?.sources ?? []))],
      injectiveOf: injective && reads.length === 1 && only !== undefined ? (before[only]?.injectiveOf ?? null) : null,
      by,
    };
  }
  return after;
}
