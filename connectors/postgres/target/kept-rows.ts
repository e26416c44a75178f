import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import type { BoundColumn } from './row-statements.ts';
import type { TargetTable } from './target-table.ts';

export interface KeptTable {
  readonly target: Pick<TargetTable, 'uniqueIndexes'>;
  readonly columns: readonly BoundColumn[];
  readonly key: readonly BoundColumn[];
  readonly isKeyDeferrable: boolean;
}

/** Throws (halt) where a row that stays when the source deletes it could not be replaced later, or another one in its place. */
export function checkKept(
  { target, columns, key, isKeyDeferrable }: KeptTable,
  place: { readonly route: string; readonly table: string },
): void {
  const names = key.map(({ column }) => column.name);
  const refuse = (why: string): Error => fail(targetErrors.keptNeedsKey, { ...place, columns: names.join(', '), why });
  if (key.length === 0) throw refuse('has no unique index');
  if (isKeyDeferrable) throw refuse('has one that is only checked at commit');
  // ON CONFLICT takes any index over these columns.
  const isOver = (list: readonly string[]): boolean =>
    list.length === names.length && list.every((name) => names.includes(name));
  if (target.uniqueIndexes.some(({ partial, folded, columns: list }) => !partial && folded && isOver(list)))
    throw refuse('has one by whose collation two keys of the source may be equal');
  const fixed = columns.filter(({ column }) => column.identity === 'a');
  const other = fixed.length === columns.length ? fixed[0] : fixed.find((bound) => !key.includes(bound));
  if (other !== undefined) throw fail(targetErrors.columnGenerated, { ...place, column: other.column.name });
}

export interface ReplacedRow {
  readonly key: readonly BoundColumn[];
  readonly columns: readonly BoundColumn[];
  /** Only a row with this mark is replaced; null: any. */
  readonly mark: { readonly column: BoundColumn; readonly value: string | null } | null;
}

/**
 * What makes of an insert one that replaces the row of its key, where there is one. The key is assigned, too: two texts of it may
 * be equal (1.0 and 1.00), and so that a row of nothing but its key counts.
 */
export function replaceKept({ key, columns, mark }: ReplacedRow): string {
  const name = ({ column }: BoundColumn): string => quoteIdentifier(column.name);
  const values = columns.filter(({ column }) => column.identity !== 'a').map((c) => `${name(c)} = excluded.${name(c)}`);
  const where = mark === null ? '' : ` where ${isMarked(mark)}`;
  return ` on conflict (${key.map(name).join(', ')}) do update set ${values.join(', ')}${where}`;
}

/** Of the row `t`. The mark is the configuration's, no row's. */
function isMarked({ column: { column }, value }: NonNullable<ReplacedRow['mark']>): string {
  if (value === null) return `t.${quoteIdentifier(column.name)} is null`;
  // By a collation of its own two marks may be equal.
  const exact = column.collation === null && column.deterministic ? '' : ' collate pg_catalog."C"';
  return `t.${quoteIdentifier(column.name)}${exact} = ${quoteLiteral(value)}::${column.typeSql}`;
}

/** The column that says of a row that the source has deleted it, with its value then; null of a table without. */
export function markOf({ kept }: TableVersion, columns: readonly BoundColumn[]): ReplacedRow['mark'] {
  const column = columns.find(({ index }) => index === kept?.mark?.column);
  return column === undefined || kept?.mark == null ? null : { column, value: kept.mark.value };
}

/** Marks all rows, with the mark as parameter; null of a table whose deleted rows are not marked. */
export function markAll({ kept }: TableVersion, relation: string, columns: readonly BoundColumn[]): string | null {
  const mark = columns.find(({ index }) => index === kept?.mark?.column)?.column;
  if (mark === undefined) return null;
  return `update ${relation} set ${quoteIdentifier(mark.name)} = $1::pg_catalog.text::${mark.typeSql}`;
}
