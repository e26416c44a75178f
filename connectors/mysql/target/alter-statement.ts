import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { SchemaStep } from '../../../src/core/schema-step.ts';
import { type Column, type TableName, tableLabel } from '../../../src/core/table.ts';
import type { ColumnSchema, LeftOut, TableSchema } from '../../../src/core/table-schema.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { collationFor } from '../schema/collations.ts';
import { quoteText } from '../schema/sql-pieces.ts';
import { checkDdl, columnDdl, type Vendor } from '../schema/table-ddl.ts';
import { charsetOf, integerBases, parseType } from './column-kind.ts';
import { typeFits } from './type-fit.ts';

export interface Altered {
  /** As the target has it now. */
  readonly schema: TableSchema;
  /** What is not read of it. */
  readonly left: readonly LeftOut[];
  readonly vendor: Vendor;
  readonly route: string;
}

/** Types that only one of the two has. */
const onlyOf: Readonly<Record<Vendor, RegExp>> = {
  mysql: /^vector\b/,
  mariadb: /^(?:uuid|inet4|inet6)\b/,
};

/**
 * All steps in one statement, which the server carries out whole or not at all; null where the table is what they make of it. Throws where a type is not
 * there. Added columns take NULL, as those of other targets do: a column that rows have to have is the target's own matter.
 */
export function alterStatement(table: TableName, steps: readonly SchemaStep[], altered: Altered): string | null {
  const { schema } = altered;
  const place = (column: string) => ({ route: altered.route, table: tableLabel(table), column });
  const before = namesBefore(steps);
  const parts: string[] = [];
  const rewritten = new Set<string>();
  for (const step of steps) if (step.kind === 'drop') parts.push(`drop column ${quoteIdentifier(step.column)}`);
  for (const step of steps) {
    if (step.kind === 'add') parts.push(`add column ${columnDdl(added(step, altered, place), altered.vendor)}`);
    if (step.kind !== 'retype') continue;
    const { name } = step.column;
    const old = before.get(name) ?? name;
    const found = schema.columns.find((column) => column.name === old);
    if (found === undefined) throw fail(targetErrors.columnMissing, place(old));
    // Only where every value that is there fits what it becomes; else the plan says what does not fit.
    if (typeFits(step.column.type, found.type) || !typeFits(found.type, step.column.type)) continue;
    demandRead(table, old, altered);
    rewritten.add(name);
    const type = { ...typeOf(step.column, altered, place), collation: collationOf(step.column, found, altered) };
    const check = checksOf(found.name, schema, before);
    parts.push(
      `change column ${quoteIdentifier(old)} ${columnDdl({ ...found, name, ...type }, altered.vendor, check)}`,
    );
  }
  for (const [name, old] of before)
    if (!rewritten.has(name)) parts.push(`rename column ${quoteIdentifier(old)} to ${quoteIdentifier(name)}`);
  return parts.length === 0 ? null : `alter table ${quoteTable(table)} ${parts.join(', ')}`;
}

/** Written anew, the column would lose what is not written with it. */
function demandRead(table: TableName, column: string, { left, route }: Altered): void {
  const label = tableLabel(table);
  if (!left.some(({ name }) => name === `${label}.${column}`)) return;
  throw fail(targetErrors.evolutionRefused, {
    route,
    table: label,
    step: 'to widen a column',
    sqlState: '0A000',
    message: `the definition of column ${column} says something that is not read here, and that it would lose`,
  });
}

/** Of MariaDB, where they are part of a column's definition. By the names from behind the statement. */
function checksOf(column: string, { checks }: TableSchema, before: ReadonlyMap<string, string>): string {
  const after = new Map([...before].map(([name, old]) => [old, name]));
  return checks
    .filter(({ partOf }) => partOf === column)
    .map((check) => {
      const condition = check.condition.map((piece) =>
        typeof piece === 'string' ? piece : { column: after.get(piece.column) ?? piece.column },
      );
      return ` ${checkDdl({ ...check, condition })}`;
    })
    .join('');
}

/** By the new names of columns, their old ones: all parts of a statement mean the names from before it, and need none in between. */
export function namesBefore(steps: readonly SchemaStep[]): ReadonlyMap<string, string> {
  const before = new Map<string, string>();
  for (const step of steps) {
    if (step.kind !== 'rename') continue;
    const old = before.get(step.from) ?? step.from;
    before.delete(step.from);
    before.set(step.to, old);
  }
  return before;
}

type Place = (column: string) => { readonly route: string; readonly table: string; readonly column: string };

function added(
  { column, existing }: Extract<SchemaStep, { kind: 'add' }>,
  altered: Altered,
  place: Place,
): ColumnSchema {
  return {
    ...typeOf(column, altered, place),
    name: column.name,
    modifier: -1,
    notNull: false,
    default: existing === null ? null : [valueText(existing, column.type)],
    nextOf: null,
    identity: null,
    generated: null,
    options: [],
    comment: null,
    collation: collationOf(column, null, altered),
  };
}

function valueText(value: string, type: string): string {
  const { base } = parseType(type);
  const isNumber = integerBases.has(base) || ['decimal', 'float', 'double', 'year'].includes(base);
  return isNumber ? value : quoteText(value);
}

function typeOf({ name, type }: Column, { vendor }: Altered, place: Place): Pick<ColumnSchema, 'type' | 'typeText'> {
  const other = vendor === 'mysql' ? 'mariadb' : 'mysql';
  if (onlyOf[other].test(type)) throw fail(targetErrors.typeUnknown, { ...place(name), type });
  // Members of enums and sets are written as texts are.
  return { type, typeText: type.replace(/ collate \w+$/, '').replaceAll('\\', '\\\\') };
}

/** The target's own, where it has one of that charset. */
function collationOf({ type }: Column, found: ColumnSchema | null, { vendor }: Altered): string | null {
  const { collation } = parseType(type);
  if (collation === null) return null;
  const own = found?.collation ?? null;
  return own !== null && charsetOf(own) === charsetOf(collation) ? own : collationFor(collation, vendor).name;
}
