import type { SchemaStep } from '../../../src/core/schema-step.ts';
import type { Vendor } from '../schema/table-ddl.ts';
import { namesBefore } from './alter-statement.ts';
import { charsetOf, parseType } from './column-kind.ts';
import { givesValue } from './stored-default.ts';
import { typeFits } from './type-fit.ts';

/** Columns in their order, with their types and the defaults that the catalogue tells; an older engine has stored none. */
export type Shape = readonly (readonly [name: string, type: string, byDefault?: string | null])[];

/**
 * Whether the steps were carried out at a table that was `was` before them. `unclear` where it is neither that nor exactly what they make of it: somebody
 * else has altered it since, and names that are there may be of columns from before or from behind them.
 */
export function outcomeOf(
  steps: readonly SchemaStep[],
  { was, now, vendor }: { readonly was: Shape; readonly now: Shape; readonly vendor: Vendor },
): 'done' | 'undone' | 'unclear' {
  if (was.length === now.length && was.every(([name, type], at) => now[at]?.[0] === name && now[at]?.[1] === type))
    return 'undone';
  const expected = shapeAfter(steps, was);
  if (expected.length !== now.length) return 'unclear';
  return expected.every((column, at) => isMade(column, now[at] ?? ['', ''], vendor)) ? 'done' : 'unclear';
}

interface ExpectedColumn {
  readonly name: string;
  readonly type: string;
  /** Of a column that is added: what its default gives to the rows that are there. */
  readonly existing?: string | null;
}

/** As alterStatement has the server do it: what is added comes last, everything else stays in its place. */
function shapeAfter(steps: readonly SchemaStep[], was: Shape): readonly ExpectedColumn[] {
  const dropped = new Set(steps.flatMap((step) => (step.kind === 'drop' ? [lower(step.column)] : [])));
  const renamed = new Map([...namesBefore(steps)].map(([name, old]) => [lower(old), name]));
  const kept = was.filter(([name]) => !dropped.has(lower(name)));
  return [
    ...kept.map(([old, type]) => {
      const name = renamed.get(lower(old)) ?? old;
      const step = steps.find((one) => one.kind === 'retype' && lower(one.column.name) === lower(name));
      return { name, type: step?.kind === 'retype' ? typeAfter(step.column.type, type) : type };
    }),
    ...steps.flatMap((step) =>
      step.kind === 'add' ? [{ name: step.column.name, type: step.column.type, existing: step.existing }] : [],
    ),
  ];
}

/** As alterStatement decides: else it is left as it is. */
function typeAfter(type: string, old: string): string {
  return typeFits(type, old) || !typeFits(old, type) ? old : type;
}

/** Names of columns are the same in any case at these servers: the route may write them otherwise than the table. */
function lower(name: string): string {
  return name.toLowerCase();
}

function isMade(
  { name, type, existing }: ExpectedColumn,
  [found, foundType, byDefault = null]: Shape[number],
  vendor: Vendor,
): boolean {
  if (lower(name) !== lower(found) || !isOfType(type, foundType)) return false;
  return existing === undefined || givesValue(byDefault, existing, foundType, vendor);
}

/** The target has its own collations, and MariaDB's JSON is a text. */
function isOfType(type: string, found: string): boolean {
  const [{ collation }, { base, collation: itsOwn }] = [parseType(type), parseType(found)];
  if (type === 'json' && base === 'longtext') return true;
  const plain = (text: string): string => text.replace(/ collate \w+$/, '');
  return plain(type) === plain(found) && charsetOf(collation ?? '') === charsetOf(itsOwn ?? '');
}
