import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { transformErrors } from '../../../src/core/errors/catalogue/transform.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { ReplacedPart } from '../../../src/core/load.ts';
import { type SharedTable, tableLabel } from '../../../src/core/table.ts';
import { conditionSql } from '../condition-sql.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { isExact } from './column-kind.ts';
import type { TargetColumn } from './target-table.ts';

/**
 * The rows of a target table that are the route's, as a condition of its server over the table itself. Null where all of them are. Throws (halt) where a column
 * does not hold the values apart that the route does: a row of its share would have the key of another route's.
 *
 * `keyColumn`: of what names a row there. The log has whole rows, so that it may be another key of the target's than the route has been given.
 */
export function shareCondition(
  table: SharedTable,
  route: string,
  keyColumn: (name: string) => TargetColumn | undefined,
): string | null {
  const { owns } = table;
  if (owns === undefined) return null;
  const refusal = (problem: string): Error =>
    fail(transformErrors.share, { route, table: tableLabel(table), owns: owns.text, problem });
  for (const name of owns.columns) {
    const column = keyColumn(name);
    if (column === undefined) throw refusal(`${name} is not part of what identifies a row at the target`);
    if (isExact(column.type)) continue;
    throw refusal(
      `at the target ${name} is ${column.typeName}, by which the server may hold values equal that the route tells apart (it has to be a whole number, a UUID, or a varchar or text in utf8mb4_0900_bin or a _nopad_bin collation)`,
    );
  }
  const sql =
    owns.plain === null
      ? null
      : conditionSql(owns.plain, (name) => {
          const column = keyColumn(name);
          return column && { sql: quoteIdentifier(column.name), type: column.type };
        });
  if (sql === null) throw refusal('the server can not be asked for it in words that mean the same');
  return sql;
}

/** The part of a table that a load replaces, on the rows of one of its target tables. Throws (usage) where the server does not hold them apart as the source does. */
export function partCondition({ plain, names }: ReplacedPart, { columns, route, table, at }: PartPlace): string {
  const refusal = (problem: string): Error => fail(routeErrors.loadPart, { route, table, problem });
  const here = names[at] ?? new Map<string, string>();
  const columnOf = (name: string): TargetColumn | undefined =>
    columns.find(({ column }) => column.name.toLowerCase() === (here.get(name) ?? name).toLowerCase())?.column;
  const folded = [...here.keys()].find((name) => {
    const column = columnOf(name);
    return column === undefined || !isExact(column.type);
  });
  if (folded !== undefined)
    throw refusal(`at the target the server may hold values of ${here.get(folded)} equal that are told apart here`);
  const sql =
    plain &&
    conditionSql(plain, (name) => {
      const column = columnOf(name);
      return column && { sql: quoteIdentifier(column.name), type: column.type };
    });
  if (sql === null) throw refusal('the target can not be asked for it in words that mean the same');
  return sql;
}

export interface PartPlace {
  readonly columns: readonly { readonly column: TargetColumn }[];
  readonly route: string;
  readonly table: string;
  /** Which one it is of the load's target tables. */
  readonly at: number;
}

/** Of a statement over a whole table: behind its name. */
export function whereShared(share: string | null, ...more: readonly (string | null)[]): string {
  const conditions = [share, ...more].filter((condition) => condition !== null);
  return conditions.length === 0 ? '' : ` where ${conditions.join(' and ')}`;
}
