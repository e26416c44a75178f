import type { ListedRow, RowKey, RowPlace } from '../../core/compare-side.ts';
import { keyText } from '../../core/compare-side.ts';
import type { DifferenceKind } from './compare-document.ts';
import type { TablePlan } from './table-plan.ts';

/** A row that was not the same at both sides when each was looked at; they were not looked at in one moment. */
export interface Suspect {
  readonly key: RowKey;
  readonly kind: DifferenceKind;
  /** As ReadRow. */
  readonly refused?: readonly string[];
}

/** A row as it is listed, or of the source as the target is to have it. */
export interface ReadRow extends ListedRow {
  /**
   * Columns, by their names at the target, with values that have no form there: no row of the target is equal to it. Where one of them is in the key `key` is
   * as the source writes it.
   */
  readonly refused?: readonly string[];
}

/** The target has no such key: the row is missing there. */
export function isInKey(
  refused: readonly string[] | undefined,
  { targetShape }: Pick<TablePlan, 'targetShape'>,
): boolean {
  return refused?.some((column) => targetShape.key.includes(column)) === true;
}

export interface ListedSuspect extends Suspect {
  /** Of the row that there is, the source's where there are two. */
  readonly hash: string;
  /** Likewise. */
  readonly place?: RowPlace;
}

/**
 * The rows that two lists do not have in common. Rows with one key are the same row; where a key is there several times,
 * or there is none, rows are counted by their hash, and a changed one is one that is missing and one that is extra.
 */
export function suspectsOf(source: readonly ReadRow[], target: readonly ReadRow[]): ListedSuspect[] {
  const here = grouped(source);
  const there = grouped(target);
  const suspects: ListedSuspect[] = [];
  for (const [text, rows] of here) {
    const others = there.get(text) ?? [];
    const [row] = rows;
    const [other] = others;
    if (rows.length === 1 && others.length === 1 && row !== undefined && row.key.length > 0) {
      if (row.hash !== other?.hash) suspects.push({ ...row, kind: 'different' });
    } else suspects.push(...unmatched(rows, others, 'missing'), ...unmatched(others, rows, 'extra'));
  }
  for (const [text, rows] of there) if (!here.has(text)) suspects.push(...unmatched(rows, [], 'extra'));
  return suspects;
}

function unmatched(rows: readonly ReadRow[], others: readonly ReadRow[], kind: DifferenceKind): ListedSuspect[] {
  const left = new Map<string, number>();
  for (const { hash } of others) left.set(hash, (left.get(hash) ?? 0) + 1);
  return rows.flatMap((row) => {
    const count = left.get(row.hash) ?? 0;
    if (count === 0) return [{ ...row, kind }];
    left.set(row.hash, count - 1);
    return [];
  });
}

function grouped(rows: readonly ReadRow[]): Map<string, ReadRow[]> {
  const groups = new Map<string, ReadRow[]>();
  for (const row of rows) {
    const text = keyText(row.key);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, [row]);
    else group.push(row);
  }
  return groups;
}
