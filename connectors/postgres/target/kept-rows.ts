import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import { quoteIdentifier } from '../identifiers.ts';
import type { BoundColumn } from './row-statements.ts';

export interface KeptTable {
  readonly columns: readonly BoundColumn[];
  readonly key: readonly BoundColumn[];
  readonly isKeyDeferrable: boolean;
}

/** Throws (halt) where a row that stays when the source deletes it could not be replaced later. */
export function checkKept(
  { columns, key, isKeyDeferrable }: KeptTable,
  place: { readonly route: string; readonly table: string },
): void {
  const names = key.map(({ column }) => column.name).join(', ');
  if (key.length === 0) throw fail(targetErrors.keptNeedsKey, { ...place, columns: names, why: 'has no unique index' });
  if (isKeyDeferrable)
    throw fail(targetErrors.keptNeedsKey, { ...place, columns: names, why: 'has one that is only checked at commit' });
  const fixed = columns.find((bound) => bound.column.identity === 'a' && !key.includes(bound));
  if (fixed !== undefined) throw fail(targetErrors.columnGenerated, { ...place, column: fixed.column.name });
}

/** What makes of an insert one that replaces the row of its key, where there is one. */
export function replaceKept(key: readonly BoundColumn[], columns: readonly BoundColumn[]): string {
  const name = ({ column }: BoundColumn): string => quoteIdentifier(column.name);
  const others = columns.filter((bound) => !key.includes(bound));
  // A row of nothing but its key is assigned too, so that it counts.
  const values = (others.length > 0 ? others : key).map((bound) => `${name(bound)} = excluded.${name(bound)}`);
  return ` on conflict (${key.map(name).join(', ')}) do update set ${values.join(', ')}`;
}

/** Marks all rows, with the mark as parameter; null of a table whose deleted rows are not marked. */
export function markAll({ kept }: TableVersion, relation: string, columns: readonly BoundColumn[]): string | null {
  const mark = columns.find(({ index }) => index === kept?.mark?.column)?.column;
  if (mark === undefined) return null;
  return `update ${relation} set ${quoteIdentifier(mark.name)} = $1::pg_catalog.text::${mark.typeSql}`;
}
