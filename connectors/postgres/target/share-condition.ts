import { transformErrors } from '../../../src/core/errors/catalogue/transform.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { BoundColumn } from './row-statements.ts';
import { numericModifier } from './type-fit.ts';

/** Types whose equal values are one text, so that a row is in one share only. */
const exact: ReadonlySet<string> = new Set(
  ['int2', 'int4', 'int8', 'text', 'varchar', 'uuid', 'bool'].map((name) => `pg_catalog.${name}`),
);

/** As the columns that hold a `bigint unsigned`. */
function isWhole({ baseType, modifier }: BoundColumn['column']): boolean {
  return baseType === 'pg_catalog.numeric' && modifier !== -1 && numericModifier(modifier).scale === 0;
}

/**
 * The rows of a target table that are the route's, as a condition of its server: the language of shares means the same there, where a
 * column holds the values apart that the route does. Throws (halt) where it does not.
 */
export function shareCondition(
  { text, columns: names }: Pick<NonNullable<TableVersion['owns']>, 'text' | 'columns'>,
  columns: readonly BoundColumn[],
  place: { readonly route: string; readonly table: string },
): string {
  for (const name of names) {
    const column = columns.find((one) => one.column.name === name)?.column;
    if (column?.deterministic && (exact.has(column.baseType) || isWhole(column))) continue;
    const problem = `at the target ${name} is ${column?.type ?? 'missing'}${column?.deterministic === false ? ' with a nondeterministic collation' : ''}, by which the server may hold values equal that the route tells apart`;
    throw fail(transformErrors.share, { ...place, owns: text, problem });
  }
  // It may end with a comment.
  return `(${text}\n)`;
}

/** Of a statement over the whole table, or over a part of it that `shareCondition` has told. */
export function whereShared({ share }: { readonly share: string | null }, part: string | null = null): string {
  const conditions = [share, part].filter((condition) => condition !== null);
  return conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
}
