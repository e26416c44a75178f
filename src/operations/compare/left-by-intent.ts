import type { Output, TableBinding } from '../../pipeline/mapping/table-binding.ts';
import type { Judgement } from './judge.ts';

/** Rows that a route leaves at the target though the source has deleted them. */
export interface LeftByIntent {
  /** Those whose column, of the compared ones, has this value; null: all. */
  readonly mark: { readonly column: number; readonly name: string; readonly value: string | null } | null;
}

/** Null where none are left. Columns are compared in the order of the target table. */
export function leftByIntent({ kept, dropped }: TableBinding, { table }: Output): LeftByIntent | null {
  const mark = kept === null ? null : (table.kept?.mark ?? null);
  if (mark !== null) {
    const { column, value } = mark;
    return { mark: { column, name: table.columns[column]?.name ?? '', value } };
  }
  return kept !== null || dropped.has('delete') || dropped.has('truncate') ? { mark: null } : null;
}

/** In the language of the route's conditions: rows at the target that are there. Null: all. */
export function thereCondition(left: LeftByIntent | null): string | null {
  if (left === null || left.mark === null) return null;
  const { name, value } = left.mark;
  const column = `"${name.replaceAll('"', '""')}"`;
  return value === null ? `${column} is not null` : `${column} is distinct from '${value.replaceAll("'", "''")}'`;
}

/** What was judged as if nothing were left. */
export function asIntended(left: LeftByIntent | null, judgements: readonly Judgement[]): readonly Judgement[] {
  if (left === null) return judgements;
  return judgements.map((one) => (isIntended(left, one) ? { ...one, verdict: 'equal' } : one));
}

function isIntended({ mark }: LeftByIntent, { verdict, seen }: Judgement): boolean {
  if (verdict !== 'extra') return false;
  return mark === null || (seen?.target != null && seen.target[mark.column] === mark.value);
}
