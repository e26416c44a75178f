import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Finding } from '../../../src/core/finding.ts';
import { isSameExpression } from '../../../src/core/portable-expression.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type {
  ColumnSchema,
  DatabaseSchema,
  SchemaComparison,
  SchemaStatement,
  TableSchema,
} from '../../../src/core/table-schema.ts';
import type { MysqlSession } from '../connect.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { mysqlSchemaWords } from '../types/mysql-schema-words.ts';
import { adaptTable } from './adapt-schema.ts';
import { compareParts } from './compare-parts.ts';
import { readSchema } from './read-schema.ts';
import { saysTheSame } from './sql-pieces.ts';
import { columnDdl, createTable, type Vendor } from './table-ddl.ts';

export interface ComparisonOptions {
  readonly route: string;
  readonly node: string;
  /** Whose dialect the description is in. */
  readonly from: Vendor;
  readonly to: Vendor;
  readonly foreignKeysAct: boolean;
}

/** What the server lacks of the description, and what of it is otherwise there. Reads only. */
export async function compareSchema(
  session: MysqlSession,
  expected: DatabaseSchema,
  options: ComparisonOptions,
): Promise<SchemaComparison> {
  const { route, node, from, to, foreignKeysAct } = options;
  const there = await readSchema(session, expected.tables);
  const taken = await readConstraintNames(session, expected);
  const before: Omit<SchemaStatement, 'half'>[] = [];
  const after: Omit<SchemaStatement, 'half'>[] = [];
  const keys: Omit<SchemaStatement, 'half'>[] = [];
  const findings: Finding[] = [];
  const finding = (table: string, { level, what, statement }: Difference): void => {
    const { code, message, remedy } = fail(targetErrors.schemaDiffers, { route, table, what });
    findings.push({ level, code, node, table, message, remedy, ...(statement && { statement: `${statement};` }) });
  };
  for (const schema of await missingSchemas(session, expected))
    before.push({ what: `database ${schema}`, text: `CREATE DATABASE ${quoteIdentifier(schema)}` });
  for (const wanted of expected.tables) {
    const { table, adaptations } = adaptTable(wanted, from, to);
    const label = tableLabel(table);
    const existing = there.tables.find(({ schema, name }) => schema === table.schema && name === table.name);
    for (const { level, what } of adaptations) finding(label, { level, what });
    const isTaken = (name: string): boolean => {
      const owner = taken.get(nameIn(table.schema, name));
      if (owner === undefined) taken.set(nameIn(table.schema, name), table.name);
      return owner !== undefined && owner !== table.name;
    };
    // A table that can't be made is told, with all that would hang on it.
    if (existing === undefined && adaptations.some(({ level }) => level === 'error')) continue;
    if (existing === undefined) {
      const checks = table.checks.map((check) => (isTaken(check.name) ? { ...check, name: '' } : check));
      before.push({ what: `table ${label}`, text: createTable({ ...table, checks }, to) });
    } else for (const difference of differences(table, existing, to)) finding(label, difference);
    const parts = compareParts(table, existing, { vendor: to, foreignKeysAct, isTaken });
    const isKey = ({ what }: { readonly what: string }): boolean => what.startsWith('foreign key');
    before.push(...parts.before.filter((part) => !isKey(part)));
    // Whatever they point to comes before them.
    keys.push(...parts.before.filter(isKey));
    after.push(...parts.after);
    for (const { what, statement } of parts.differences) finding(label, { level: 'warning', what, statement });
  }
  const isForeign = ({ what }: { readonly what: string }): number => Number(what.startsWith('foreign key'));
  return {
    statements: [
      ...[...before, ...keys].map((statement) => ({ half: 'before' as const, ...statement })),
      ...after
        .toSorted((a, b) => isForeign(a) - isForeign(b))
        .map((statement) => ({ half: 'after' as const, ...statement })),
    ],
    findings,
  };
}

interface Difference {
  readonly level: Finding['level'];
  readonly what: string;
  readonly statement?: string;
}

/** Of the columns of a table that is there. Types that do not fit are told by the preflight, which knows which do. */
function differences(table: TableSchema, existing: TableSchema, vendor: Vendor): Difference[] {
  const alter = `ALTER TABLE ${quoteTable(table)}`;
  return table.columns.flatMap((column): Difference[] => {
    const there = existing.columns.find(({ name }) => name.toLowerCase() === column.name.toLowerCase());
    const said = `column ${column.name}`;
    if (there === undefined)
      return [
        { level: 'error', what: `${said} is not there`, statement: `${alter} ADD COLUMN ${columnDdl(column, vendor)}` },
      ];
    const found: Omit<Difference, 'statement'>[] = [];
    // The statement changes what the differences are about, all of the column at once, and leaves the rest as it is.
    let mended: ColumnSchema = { ...there, name: column.name };
    const add = (level: Difference['level'], what: string, change: Partial<ColumnSchema>): void => {
      found.push({ level, what: `${said} ${what}` });
      mended = { ...mended, ...change };
    };
    if (column.generated !== null || there.generated !== null) {
      if (column.generated !== null && there.generated !== null)
        if (!saysTheSame(column.generated.value, there.generated.value))
          add('warning', 'is computed in another way', { generated: column.generated });
    } else {
      if (column.notNull && !there.notNull) add('warning', 'takes NULL', { notNull: true });
      if (!column.notNull && there.notNull) add('error', 'does not take NULL', { notNull: false });
      if (column.collation !== null && there.collation !== null && column.collation !== there.collation)
        add('warning', 'has another collation', { collation: column.collation });
      if (column.identity !== null && there.identity === null)
        add('warning', 'does not count by itself', { identity: column.identity, default: null });
      else if (!hasSameDefault(column, there) && there.identity === null)
        add('warning', column.default === null ? 'has a default' : 'has another default', { default: column.default });
      const own = onUpdate(column);
      if (!saysTheSame([own], [onUpdate(there)])) {
        const others = there.options.filter((one) => !one.startsWith('ON UPDATE'));
        const options = own === '' ? others : [...others, own];
        add('warning', own === '' ? 'changes by itself' : 'does not change by itself', { options });
      }
    }
    const statement = `${alter} MODIFY COLUMN ${columnDdl(mended, vendor)}`;
    return found.map((difference) => ({ ...difference, statement }));
  });
}

function onUpdate({ options }: ColumnSchema): string {
  return options.find((one) => one.startsWith('ON UPDATE')) ?? '';
}

/** Bytes that are no text are not told by MariaDB: a default of theirs is taken for the right one. */
function hasSameDefault(column: ColumnSchema, there: ColumnSchema): boolean {
  if (/^(?:var)?binary\b/.test(there.type) && (column.default === null || there.default === null)) return true;
  if (column.default === null || there.default === null) return column.default === there.default;
  if (saysTheSame(column.default, there.default)) return true;
  // Bytes are shown in another way than they are written.
  const [wanted, found] = [mysqlSchemaWords.read(column.default), mysqlSchemaWords.read(there.default)];
  return wanted !== null && found !== null && isSameExpression(wanted, found);
}

async function missingSchemas(session: MysqlSession, { tables }: DatabaseSchema): Promise<readonly string[]> {
  const wanted = [...new Set(tables.map(({ schema }) => schema))];
  if (wanted.length === 0) return [];
  const rows = await session.query(
    `SELECT schema_name FROM information_schema.schemata WHERE schema_name IN (${wanted.map(() => '?').join(', ')})`,
    wanted,
  );
  const found = new Set(rows.map(([name]) => name));
  return wanted.filter((schema) => !found.has(schema));
}

/** Checks (on MySQL) and foreign keys are named for a whole database. By database and name: the table. */
async function readConstraintNames(session: MysqlSession, { tables }: DatabaseSchema): Promise<Map<string, string>> {
  const schemas = [...new Set(tables.map(({ schema }) => schema))];
  if (schemas.length === 0) return new Map();
  const rows = await session.query(
    `SELECT constraint_schema, constraint_name, table_name FROM information_schema.table_constraints
      WHERE constraint_type IN ('CHECK', 'FOREIGN KEY') AND constraint_schema IN (${schemas.map(() => '?').join(', ')})`,
    schemas,
  );
  return new Map(rows.map(([schema, name, table]) => [nameIn(String(schema), String(name)), String(table)]));
}

function nameIn(schema: string, name: string): string {
  return JSON.stringify([schema, name.toLowerCase()]);
}
