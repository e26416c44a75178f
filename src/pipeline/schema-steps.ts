import { ABSENT, type Cell, type Row } from '../core/cell.ts';
import type { SchemaStep } from '../core/schema-step.ts';
import type { Column } from '../core/table.ts';
import { sameColumn } from './assign-columns.ts';
import { mapRow, OutsideShare, StepFailure } from './mapping/map-rows.ts';
import type { TableBinding } from './mapping/table-binding.ts';

/** A table's binding with the ids of its source columns. */
export interface Identified {
  readonly binding: TableBinding;
  readonly ids: readonly number[];
}

/**
 * What makes the target's table of the one version into that of the other, null where that can't be told: rows that transforms take
 * apart or send to several tables have no column for a column, a column that did not travel has no values there, and what transforms made
 * of a column by its name is not what they make of it by another. Columns are told apart by their ids, those that
 * transforms have added by their names; those that do not travel are not looked at. Drops come first, so that their names are free, then
 * renames, which may trade names.
 */
export function schemaSteps(
  from: Identified,
  to: Identified,
  existing: ReadonlyMap<number, string | null>,
): SchemaStep[] | null {
  if (madeOtherwise(from, to) !== null) return null;
  // Also by the ids: columns that trade names and places leave a table that looks the same.
  const tables = [from, to].map((side) =>
    JSON.stringify([side.binding.tables.map(({ columns }) => columns), travelling(side)]),
  );
  if (tables[0] === tables[1] && existing.size === 0) return [];
  if ([from, to].some(({ binding }) => binding.tables.length > 1 || binding.steps.some(({ kind }) => kind === 'rows')))
    return null;
  const before = targetColumns(from);
  const after = targetColumns(to);
  const steps: SchemaStep[] = [];
  for (const [id, { name }] of before) if (!after.has(id)) steps.push({ kind: 'drop', column: name });
  steps.push(...renames(before, after));
  for (const [id, column] of after) {
    const was = before.get(id);
    if (was === undefined) {
      // Its rows have values that the target has never had.
      if (from.ids.some((other) => other === id)) return null;
      const value = typeof id === 'number' ? (existing.get(id) ?? null) : null;
      const mapped = mappedValue(to, id, value);
      if (mapped === undefined) return null;
      steps.push({ kind: 'add', column, existing: mapped });
    } else if (!sameColumn({ ...was, name: column.name }, column)) steps.push({ kind: 'retype', column });
  }
  return steps;
}

/**
 * The name of a transform that would have made other values than those at the target: of a column that stays, or that transforms add,
 * another one writes its cell, or of other columns, or it is found by another name; or a name has gone from a column of the source to one
 * that they add, or back. Null where there is none.
 */
export function madeOtherwise(from: Identified, to: Identified): string | null {
  const before = waysOf(from);
  for (const [id, way] of waysOf(to)) {
    const was = before.get(id) ?? way;
    if (was.text !== way.text) return way.by || was.by;
  }
  const names = new Map(from.binding.outputs.flatMap((_, at) => namedIds(from, at)));
  for (const at of to.binding.outputs.keys())
    for (const [name, { id, by }] of namedIds(to, at)) {
      const was = names.get(name);
      if (was !== undefined && typeof was.id !== typeof id) return by || was.by;
    }
  return null;
}

/** By the column: how the cell comes about, '' where the column travels as it is, and the transform that wrote it last. */
function waysOf({ binding: { source, lineage }, ids }: Identified): Map<ColumnId, { text: string; by: string }> {
  const { columns } = source;
  return new Map(
    lineage.map(({ by, sources }, at) => {
      const read = sources.map((index) => ids[index] ?? -1).sort((a, b) => a - b);
      const text = by === '' ? '' : JSON.stringify([by, columns[at]?.name, read]);
      return [ids[at] ?? `made ${at - columns.length}`, { text, by }] as const;
    }),
  );
}

/** What the columns of an output are called at its table. */
function namedIds(side: Identified, output: number): [string, { id: ColumnId; by: string }][] {
  const { table, lineage } = side.binding.outputs[output] ?? {};
  const ids = travelling(side)[output] ?? [];
  return ids.map((id, at) => [
    `${table?.schema}\0${table?.name}\0${table?.columns[at]?.name}`,
    { id, by: lineage?.[at]?.by ?? '' },
  ]);
}

type ColumnId = number | string;

/** For each output, by the places of its columns. */
function travelling({ binding, ids }: Identified): ColumnId[][] {
  return binding.outputs.map(({ table, projection }) =>
    table.columns.map(({ name }, at) => ids[projection === null ? at : (projection[at] ?? -1)] ?? name),
  );
}

function targetColumns(side: Identified): Map<ColumnId, Column> {
  const [ids = []] = travelling(side);
  return new Map(side.binding.outputs[0].table.columns.map((column, at) => [ids[at] ?? column.name, column]));
}

/** In an order in which each new name is free; where names are traded, over one that no table has. */
function renames(before: ReadonlyMap<ColumnId, Column>, after: ReadonlyMap<ColumnId, Column>): SchemaStep[] {
  const left = new Map<string, string>();
  for (const [id, { name }] of before) {
    const now = after.get(id);
    if (now !== undefined && now.name !== name) left.set(name, now.name);
  }
  const steps: SchemaStep[] = [];
  while (left.size > 0) {
    const free = [...left].find(([, to]) => !left.has(to));
    const [from, to] = free ?? ([...left][0] as [string, string]);
    left.delete(from);
    if (free !== undefined) steps.push({ kind: 'rename', from, to });
    else {
      const aside = `tidelock_${steps.length}_${from}`.slice(0, 60);
      steps.push({ kind: 'rename', from, to: aside });
      left.set(aside, to);
    }
  }
  return steps;
}

/** The value as the transforms would have made it; undefined where they need more of the row, or have none. */
function mappedValue(side: Identified, id: ColumnId, value: string | null): string | null | undefined {
  const { binding, ids } = side;
  const row: Row = binding.source.columns.map((_, at): Cell => (ids[at] === id ? value : ABSENT));
  try {
    const cell = mapRow(binding, row)[travelling(side)[0]?.indexOf(id) ?? -1];
    return typeof cell === 'string' || cell === null ? cell : undefined;
  } catch (error) {
    if (error instanceof StepFailure || error instanceof OutsideShare) return undefined;
    throw error;
  }
}
