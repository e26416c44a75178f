import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Finding } from '../../../src/core/finding.ts';
import { type TableName, tableLabel } from '../../../src/core/table.ts';
import type { ForeignKeySchema, IndexSchema, SqlText, TableSchema } from '../../../src/core/table-schema.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { constraintDdl, constraintOfIndex, createIndex, foreignKeyDdl } from './index-ddl.ts';
import { checkDdl, isKey, isUnchecked, literal } from './table-ddl.ts';

type Parts = Pick<TableSchema, 'indexes' | 'checks' | 'foreignKeys'>;

interface PartsOptions {
  /** The table at the target is, or will be. */
  readonly isPartitioned: boolean;
  /** Labels of indexes that are there, of any table. */
  readonly taken: ReadonlySet<string>;
  readonly route: string;
  readonly node: string;
  saysTheSame(one: SqlText, other: SqlText): boolean;
  /** It would do a second time what the source has done, which the route does not run with. */
  stops(key: ForeignKeySchema): boolean;
}

interface Missing {
  readonly what: string;
  readonly text: string;
}

/** Keys, indexes and constraints that are missing. What is there under another name is there. */
export function compareParts(
  table: TableName & Parts,
  existing: Parts | undefined,
  options: PartsOptions,
): { readonly before: readonly Missing[]; readonly after: readonly Missing[]; readonly findings: readonly Finding[] } {
  const before: Missing[] = [];
  const after: Missing[] = [];
  const findings: Finding[] = [];
  const label = tableLabel(table);
  const alter = `ALTER TABLE ${quoteTable(table)}`;
  for (const index of table.indexes) {
    if (existing === undefined && isKey(index)) {
      before.push(...constraintComment(index, table));
      continue;
    }
    const half = isKey(index) || index.isIdentity ? before : after;
    half.push(...missingIndex(index, table, existing?.indexes ?? [], options));
  }
  for (const check of table.checks) {
    if (existing === undefined && !isUnchecked(check.suffix)) {
      before.push(...constraintComment(check, table));
      continue;
    }
    const there = existing?.checks.find((other) => options.saysTheSame(other.condition, check.condition));
    const what = `check constraint ${check.name} of ${label}`;
    const clash = existing?.checks.find(({ name }) => name === check.name);
    if (there === undefined && clash !== undefined) findings.push(otherPart(what, label, options));
    else if (there === undefined)
      after.push({ what, text: `${alter} ADD ${checkDdl({ ...check, suffix: notValid(check.suffix) })}` });
    if (there === undefined ? clash === undefined : there.comment === null)
      after.push(...constraintComment({ ...check, name: there?.name ?? check.name }, table));
    if (clash === undefined || there !== undefined)
      if (isHeld(check.suffix) && (there === undefined || isUnchecked(there.suffix)))
        after.push({
          what: `rows held to check constraint ${check.name} of ${label}`,
          text: `${alter} VALIDATE CONSTRAINT ${quoteIdentifier(there?.name ?? check.name)}`,
        });
  }
  for (const key of table.foreignKeys) {
    const missing = missingForeignKey(key, table, existing?.foreignKeys ?? [], options);
    const [add] = missing;
    if (add !== undefined && / ADD CONSTRAINT /.test(add.text) && options.stops(key))
      findings.push({ ...cascading(key, label, options), statement: `${add.text};` });
    else after.push(...missing);
  }
  return { before, after, findings };
}

function constraintComment(
  { name, comment }: { readonly name: string; readonly comment: string | null },
  table: TableName,
): Missing[] {
  if (comment === null || name === '') return [];
  const text = `COMMENT ON CONSTRAINT ${quoteIdentifier(name)} ON ${quoteTable(table)} IS${literal(comment)}`;
  return [{ what: `comment of constraint ${name} of ${tableLabel(table)}`, text }];
}

function otherPart(what: string, table: string, options: PartsOptions): Finding {
  return difference(`${what.replace(/ of .*/, '')} is another one`, table, options);
}

function cascading({ name }: ForeignKeySchema, table: string, options: PartsOptions): Finding {
  const why =
    'what it does would be done a second time, and the route would halt (TL-2108): add it when the route has ended';
  return difference(`foreign key ${name} is not there; ${why}`, table, options);
}

function difference(what: string, table: string, { route, node }: PartsOptions): Finding {
  const { code, message, remedy } = fail(targetErrors.schemaDiffers, { route, table, what });
  return { level: 'warning', code, node, table, message, remedy };
}

/** By the rows that are there, too. */
function isHeld(suffix: string): boolean {
  return !isUnchecked(suffix) && !suffix.includes('NOT ENFORCED');
}

function notValid(suffix: string): string {
  return isHeld(suffix) ? `${suffix} NOT VALID` : suffix;
}

function missingIndex(
  index: IndexSchema,
  table: TableName,
  existing: readonly IndexSchema[],
  { isPartitioned, taken, saysTheSame }: PartsOptions,
): Missing[] {
  const label = tableLabel(table);
  const alter = `ALTER TABLE ${quoteTable(table)} ADD`;
  const what = `${index.constraint === null ? 'index' : `${index.constraint} constraint`} ${index.name || 'without a name'} of ${label}`;
  const comment = (name: string): Missing[] => {
    if (index.constraint !== null) return constraintComment({ ...index, name }, table);
    if (index.comment === null || name === '') return [];
    const on = quoteTable({ schema: table.schema, name });
    return [{ what: `comment of ${what}`, text: `COMMENT ON INDEX ${on} IS${literal(index.comment)}` }];
  };
  const there = existing.find(
    (other) => sameIndex(other, index, saysTheSame) && other.valid && satisfies(other, index),
  );
  if (there !== undefined) return there.comment === null ? comment(there.name) : [];
  // What CREATE INDEX CONCURRENTLY leaves where it was interrupted.
  const broken = existing.find(({ name, valid }) => name === index.name && !valid);
  const dropped: Missing[] =
    broken === undefined
      ? []
      : [
          {
            what: `remains of ${what}`,
            text: `DROP INDEX CONCURRENTLY ${quoteTable({ schema: table.schema, name: broken.name })}`,
          },
        ];
  const isTaken = broken === undefined && taken.has(tableLabel({ schema: table.schema, name: index.name }));
  const ready = existing.find(
    (other) => other.name === index.name && other.valid && sameIndex(other, index, saysTheSame),
  );
  const byIndex =
    (index.constraint === 'unique' || index.constraint === 'primary') &&
    !isPartitioned &&
    !index.withoutOverlaps &&
    index.name !== '';
  if (ready !== undefined && byIndex)
    return [{ what, text: `${alter} ${constraintOfIndex(index)}` }, ...comment(index.name)];
  const named = isTaken ? { ...index, name: '' } : index;
  if (index.constraint === null)
    return [...dropped, { what, text: createIndex(named, table, !isPartitioned) }, ...comment(named.name)];
  if (!byIndex || isTaken)
    return [...dropped, { what, text: `${alter} ${constraintDdl(named)}` }, ...comment(named.name)];
  return [
    ...dropped,
    { what: `index of ${what}`, text: createIndex({ ...index, constraint: null }, table, true) },
    { what, text: `${alter} ${constraintOfIndex(index)}` },
    ...comment(index.name),
  ];
}

/** A constraint is a property of the table, which a bare index is not. */
function satisfies(there: IndexSchema, wanted: IndexSchema): boolean {
  return wanted.constraint === null || there.constraint === wanted.constraint || there.constraint === 'primary';
}

function sameIndex(a: IndexSchema, b: IndexSchema, saysTheSame: PartsOptions['saysTheSame']): boolean {
  const print = ({
    unique,
    method,
    elements,
    include,
    where,
    nullsNotDistinct,
    withoutOverlaps,
  }: IndexSchema): string =>
    JSON.stringify([
      ...[unique, method, include, where, nullsNotDistinct, withoutOverlaps],
      elements.map(({ value, isColumn, ...rest }) => ({ ...rest, value: isColumn ? value : null })),
    ]);
  const expressions = ({ elements }: IndexSchema): SqlText[] =>
    elements.flatMap(({ value, isColumn }) => (isColumn ? [] : [value]));
  const others = expressions(b);
  return print(a) === print(b) && expressions(a).every((text, at) => saysTheSame(text, others[at] ?? []));
}

function missingForeignKey(
  key: ForeignKeySchema,
  table: TableName,
  existing: readonly ForeignKeySchema[],
  { isPartitioned }: PartsOptions,
): Missing[] {
  const print = ({ columns, references, referenced }: ForeignKeySchema): string =>
    JSON.stringify([columns, references.schema, references.name, referenced]);
  const there = existing.find((other) => print(other) === print(key));
  const what = `foreign key ${key.name} of ${tableLabel(table)}`;
  const alter = `ALTER TABLE ${quoteTable(table)}`;
  const validate: Missing[] =
    key.valid && key.enforced
      ? [
          {
            what: `${what}: rows held to it`,
            text: `${alter} VALIDATE CONSTRAINT ${quoteIdentifier(there?.name ?? key.name)}`,
          },
        ]
      : [];
  if (there !== undefined) return there.valid ? [] : validate;
  // A partitioned table takes none that is not valid at once before PostgreSQL 18.
  const isWhole = isPartitioned && key.valid;
  const add = { what, text: `${alter} ADD ${foreignKeyDdl(key, isWhole ? '' : ' NOT VALID')}` };
  // Told as of a foreign key, behind which it comes.
  const comments = constraintComment(key, table).map(({ text }) => ({ what: `${what}: its comment`, text }));
  return [add, ...(isWhole ? [] : validate), ...comments];
}
