import { tableLabel } from '../../../src/core/table.ts';
import type { CheckSchema, ForeignKeySchema, IndexSchema, TableSchema } from '../../../src/core/table-schema.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { saysTheSame, sqlText } from './sql-pieces.ts';
import { checkDdl, foreignKeyDdl, indexDdl, isMadeWithTable, type Vendor } from './table-ddl.ts';

export interface MissingPart {
  readonly what: string;
  readonly text: string;
}

export interface PartDifference {
  readonly what: string;
  readonly statement: string;
}

export interface PartsOptions {
  readonly vendor: Vendor;
  /** Foreign keys do at the target what they do at the source: those that change rows have to be there before the route writes. */
  readonly foreignKeysAct: boolean;
  /** Names of constraints that other tables of the database have, or will have: the server finds one for those. */
  isTaken(name: string): boolean;
}

export interface ComparedParts {
  readonly before: readonly MissingPart[];
  readonly after: readonly MissingPart[];
  readonly differences: readonly PartDifference[];
}

/** Indexes, checks and foreign keys that are missing. What is there under another name is there. */
export function compareParts(
  table: TableSchema,
  existing: TableSchema | undefined,
  options: PartsOptions,
): ComparedParts {
  const before: MissingPart[] = [];
  const after: MissingPart[] = [];
  const differences: PartDifference[] = [];
  const label = tableLabel(table);
  const alter = `ALTER TABLE ${quoteTable(table)}`;
  for (const index of table.indexes) {
    const isWhole = isMadeWithTable(index, table);
    if (existing === undefined ? isWhole : existing.indexes.some((other) => serves(other, index))) continue;
    const kind = index.constraint === 'primary' ? 'primary key' : `index ${index.name}`;
    const add = `ADD ${indexDdl(index, options.vendor)}`;
    if (existing?.indexes.some(({ name }) => isSameName(name, index.name))) {
      const drop = index.constraint === 'primary' ? 'DROP PRIMARY KEY' : `DROP KEY ${quoteIdentifier(index.name)}`;
      differences.push({ what: `${kind} is another one`, statement: `${alter} ${drop}, ${add}` });
    } else (isWhole ? before : after).push({ what: `${kind} of ${label}`, text: `${alter} ${add}` });
  }
  for (const check of existing === undefined ? [] : table.checks) {
    const there = existing?.checks.find((other) => isSameCheck(other, check));
    if (there === undefined)
      after.push({
        what: `check constraint ${check.name} of ${label}`,
        text: `${alter} ADD ${checkDdl(named(check, options))}`,
      });
    else if (!saysTheSame(there.condition, check.condition) || there.suffix !== check.suffix)
      differences.push({
        what: `check constraint ${there.name} is another one`,
        statement: `${alter} DROP CONSTRAINT ${quoteIdentifier(there.name)}, ADD ${checkDdl(check)}`,
      });
  }
  for (const key of table.foreignKeys) {
    const there = existing?.foreignKeys.find((other) => pointsAlike(other, key));
    const add = `${alter} ADD ${foreignKeyDdl(named(key, options))}`;
    if (there === undefined) {
      const half = options.foreignKeysAct && acts(key) ? before : after;
      half.push({ what: `foreign key ${key.name} of ${label}`, text: add });
    } else if (actionsOf(there) !== actionsOf(key))
      differences.push({
        what: `foreign key ${there.name} does something else`,
        statement: `${alter} DROP FOREIGN KEY ${quoteIdentifier(there.name)}, ADD ${foreignKeyDdl({ ...key, name: '' })}`,
      });
  }
  return { before, after, differences };
}

function named<P extends CheckSchema | ForeignKeySchema>(part: P, { isTaken }: PartsOptions): P {
  return part.name !== '' && isTaken(part.name) ? { ...part, name: '' } : part;
}

/** It finds the same rows, and restricts them no less and no more. */
function serves(there: IndexSchema, wanted: IndexSchema): boolean {
  const isUnique = there.unique === wanted.unique || (there.unique && there.constraint === 'primary' && !wanted.unique);
  if (
    !isUnique ||
    there.method !== wanted.method ||
    (wanted.constraint === 'primary') !== (there.constraint === 'primary')
  )
    return wanted.isIdentity && there.constraint === 'primary' && hasSameElements(there, wanted);
  return hasSameElements(there, wanted);
}

function hasSameElements(there: IndexSchema, wanted: IndexSchema): boolean {
  return (
    there.elements.length === wanted.elements.length &&
    wanted.elements.every((element, at) => {
      const other = there.elements[at];
      if (other === undefined || other.isColumn !== element.isColumn || other.order !== element.order) return false;
      if (!element.isColumn) return saysTheSame(other.value, element.value);
      return isSameName(sqlText(other.value), sqlText(element.value)) && other.length === element.length;
    })
  );
}

function isSameCheck(there: CheckSchema, wanted: CheckSchema): boolean {
  return saysTheSame(there.condition, wanted.condition) || (wanted.name !== '' && isSameName(there.name, wanted.name));
}

function pointsAlike(there: ForeignKeySchema, wanted: ForeignKeySchema): boolean {
  const print = ({ columns, references, referenced }: ForeignKeySchema): string =>
    JSON.stringify([columns, references.schema, references.name, referenced]).toLowerCase();
  return print(there) === print(wanted);
}

/** To refuse is what a foreign key does anyway. */
function actionsOf({ actions }: ForeignKeySchema): string {
  return [...actions.matchAll(/ ON (DELETE|UPDATE) (CASCADE|SET NULL|SET DEFAULT)/g)]
    .map(([, event, action]) => `${event} ${action}`)
    .sort()
    .join();
}

function acts(key: ForeignKeySchema): boolean {
  return actionsOf(key) !== '';
}

/** Names of columns and indexes are compared without case. */
function isSameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}
