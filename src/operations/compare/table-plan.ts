import type { Row } from '../../core/cell.ts';
import type {
  CanonicalText,
  ComparedColumn,
  ComparedShape,
  SideColumn,
  SideKeyColumn,
  SideTable,
} from '../../core/compare-side.ts';
import { tableLabel } from '../../core/table.ts';
import type { KeyCarrier, TableCarrier } from '../../core/target.ts';
import type { Output, TableBinding } from '../../pipeline/mapping/table-binding.ts';
import { type LeftByIntent, leftByIntent } from './left-by-intent.ts';

/** How one target table is compared with what its source table's rows become. */
export interface TablePlan {
  readonly kind: 'plan';
  /** Labels. */
  readonly name: string;
  readonly target: string;
  readonly binding: TableBinding;
  readonly output: Output;
  /**
   * `ranges`: both sides order the key alike, so that a range of keys is the same rows. `buckets`: rows are told apart by
   * their key's text, in whatever order, or by the whole row where there is no key.
   */
  readonly by: 'ranges' | 'buckets';
  /** The source's rows pass through the route's transforms, or into the forms of another vendor, first. */
  readonly isStreamed: boolean;
  /** Between vendors: keys in `sourceShape` are as the source writes them, all others as the target does. */
  readonly carrier: PlanCarrier | null;
  /** Of a streamed table only its key and its place count. */
  readonly sourceShape: ComparedShape;
  readonly targetShape: ComparedShape;
  /** Rows that the target has by intent; they are no differences, and nothing of such a table is repaired. */
  readonly left: LeftByIntent | null;
  /** Rows at the source, or at the target where that has more, by statistics. */
  readonly estimatedRows: number;
}

/** Puts mapped rows, and keys, into the target's forms. */
export interface PlanCarrier {
  /** As TableCarrier.row. */
  row(row: Row, onRefused: (column: string) => void): Row;
  /** Null where rows of the target can't be looked up at the source by their keys. */
  readonly keys: KeyCarrier | null;
}

export interface UnverifiedTable {
  readonly kind: 'unverified';
  readonly name: string;
  readonly target: string;
  readonly why: string;
}

export interface PlanSides {
  readonly source: SideTable;
  readonly target: SideTable | null;
  /** Condition in SQL of either side; null for all rows. */
  readonly conditions: { readonly source: string | null; readonly target: string | null };
  /** Why the condition that was asked for can't be asked of this table; null where it can. */
  readonly refusal: string | null;
  /** Null where both sides are of one family. */
  readonly carrier: TableCarrier | null;
}

/** What is to be done for each target table of a source table. */
export function planTable(
  binding: TableBinding,
  sides: (output: Output) => PlanSides,
): readonly (TablePlan | UnverifiedTable)[] {
  const outputs = [...new Map(binding.outputs.map((output) => [output.table, output])).values()];
  return outputs.map((output) => planOutput(binding, output, sides(output)));
}

function planOutput(
  binding: TableBinding,
  output: Output,
  { source, target, conditions, refusal, carrier }: PlanSides,
): TablePlan | UnverifiedTable {
  const names = { name: tableLabel(binding.source), target: tableLabel(output.table) };
  const unverified = (why: string): UnverifiedTable => ({ kind: 'unverified', ...names, why });
  if (target === null) return unverified('it is not there at the target');
  if (refusal !== null) return unverified(refusal);
  const lost = ['insert', 'update'].filter((operation) => binding.dropped.has(operation as 'insert'));
  if (lost.length > 0)
    return unverified(`not all operations travel (${lost.join(', ')} dropped), so that the target differs by intent`);
  const columns: Paired[] = [];
  for (const [at, { name }] of output.table.columns.entries()) {
    const there = target.columns.find((column) => column.name === name);
    if (there === undefined) return unverified(`the target has no column ${name}`);
    const from = plainSource(binding, output, at);
    const here = from === null ? undefined : source.columns.find((column) => column.name === from);
    if (from !== null && here === undefined) return unverified(`the source has no column ${from} any more`);
    const canonical = commonText(here, there);
    columns.push({
      from,
      to: name,
      form: carrier === null ? formOf(here, there) : ofValue(there),
      canonical: carrier?.keeps(name) === true ? canonical : null,
    });
  }
  const logged = bucketKey(output);
  const key = sharedKey(source, target, { columns, logged, inOrder: true, carrier });
  // With whole rows in the log any key tells them apart, in whatever order the sides have it.
  const told =
    key ?? (logged.length === 0 ? sharedKey(source, target, { columns, logged, inOrder: false, carrier }) : null);
  const targetKey = told?.target ?? logged;
  const keys = carrier?.keys(targetKey) ?? null;
  const isPlain = binding.steps.length === 0;
  const isCanonical =
    isPlain && columns.length > 0 && keys !== null && columns.every(({ canonical }) => canonical !== null);
  const compared = (name: string, { form, canonical }: Paired): ComparedColumn => ({
    name,
    form,
    ...(isCanonical && canonical !== null && { canonical }),
  });
  const targetShape: ComparedShape = {
    table: target,
    key: targetKey,
    columns: columns.map((column) => compared(column.to, column)),
    condition: conditions.target,
  };
  return {
    kind: 'plan',
    ...names,
    binding,
    output,
    by: key === null ? 'buckets' : 'ranges',
    isStreamed: carrier === null ? !isPlain : !isCanonical,
    carrier: carrier && { row: carrier.row, keys },
    sourceShape: {
      table: source,
      key: told?.source ?? sourceNames(targetKey, columns),
      columns: columns.flatMap((column) => (column.from === null ? [] : [compared(column.from, column)])),
      condition: conditions.source,
    },
    targetShape,
    left: leftByIntent(binding, output),
    estimatedRows: Math.max(source.estimatedRows, target.estimatedRows),
  };
}

/** Nothing where one of them is not what the source has: no row can be looked up there by it, whatever the source's columns are called. */
function sourceNames(key: readonly string[], columns: readonly Paired[]): readonly string[] {
  const names = key.map((name) => columns.find(({ to }) => to === name)?.from ?? null);
  return names.includes(null) ? [] : names.flatMap((name) => name ?? []);
}

interface Paired {
  /** The source's column that it is, without a change; null where a transform has made it. */
  readonly from: string | null;
  readonly to: string;
  readonly form: ComparedColumn['form'];
  /** Between vendors, where both sides can compute it and it is equal for equal values only. */
  readonly canonical: CanonicalText | null;
}

function commonText(source: SideColumn | undefined, target: SideColumn): CanonicalText | null {
  return target.canonicalTexts?.find((text) => source?.canonicalTexts?.includes(text)) ?? null;
}

/** Another vendor's number has no zeros that only a column's definition shows. */
function ofValue({ type }: SideColumn): ComparedColumn['form'] {
  return type === 'pg_catalog.numeric' ? 'number' : 'text';
}

function plainSource({ source }: TableBinding, { lineage }: Output, at: number): string | null {
  const { by, injectiveOf } = lineage[at] ?? { by: '?', injectiveOf: null };
  return by !== '' || injectiveOf === null ? null : (source.columns[injectiveOf]?.name ?? null);
}

/**
 * The same text at both sides, but for what the target writes with more digits: numeric(10,2) in a numeric(12,4). Of one
 * type 1.0 and 1.00 are different values of an application, and the stream carries them as they are.
 */
function formOf(source: SideColumn | undefined, target: SideColumn): ComparedColumn['form'] {
  const isNumeric = source?.type === 'pg_catalog.numeric' && target.type === 'pg_catalog.numeric';
  return isNumeric && source.modifier !== target.modifier && target.modifier !== -1 ? 'number' : 'text';
}

/**
 * A unique key that both sides have, of columns that travel unchanged and, `inOrder`, are ordered alike. Only the one that the change queue tells
 * rows apart by: by another one nobody could say what has become of a row meanwhile, and what differs would never be decided.
 */
function sharedKey(
  source: SideTable,
  target: SideTable,
  {
    columns,
    logged,
    inOrder,
    carrier,
  }: {
    readonly columns: readonly Paired[];
    readonly logged: readonly string[];
    readonly inOrder: boolean;
    readonly carrier: TableCarrier | null;
  },
): { readonly source: readonly string[]; readonly target: readonly string[] } | null {
  for (const key of source.keys) {
    const pairs = key.map((column) => ({ column, to: columns.find(({ from }) => from === column.name)?.to }));
    const there = target.keys.find(
      (other) => other.length === key.length && other.every(({ name }) => pairs.some(({ to }) => to === name)),
    );
    if (there === undefined) continue;
    const isLogged = logged.length === there.length && there.every(({ name }) => logged.includes(name));
    if (logged.length > 0 && !isLogged) continue;
    const isAlike =
      !inOrder ||
      pairs.every(
        ({ column, to }) =>
          column.order !== null &&
          orderOf(
            there.find(({ name }) => name === to),
            carrier,
          ) === orderOf(column, carrier),
      );
    const isTold = !inOrder || carrier === null || carrier.keys(pairs.map(({ to = '' }) => to)) !== null;
    if (isAlike && isTold) return { source: key.map(({ name }) => name), target: pairs.map(({ to = '' }) => to) };
  }
  return null;
}

/** A UUID is ordered as its bytes are, which another vendor may keep instead. */
function orderOf(column: SideKeyColumn | undefined, carrier: TableCarrier | null): string | null {
  const order = column?.order ?? null;
  return carrier !== null && order === 'uuid' ? 'bytea' : order;
}

/** What identifies a row at the target, whatever its order; nothing where only the whole row does. */
function bucketKey({ key, table }: Output): readonly string[] {
  return key.map((at) => table.columns[at]?.name ?? '');
}
