import { ABSENT, type Cell, type Row } from '../core/cell.ts';
import type { SchemaStep } from '../core/schema-step.ts';
import type { Column } from '../core/table.ts';
import { sameColumn } from './assign-columns.ts';
import { mapRow } from './mapping/map-rows.ts';
import type { TableBinding } from './mapping/table-binding.ts';

/** A table's binding with the ids of its source columns. */
export interface Identified {
  readonly binding: TableBinding;
  readonly ids: readonly number[];
}

/**
 * What makes the target's table of the one version into that of the other, null where that can't be told: rows that transforms take
 * apart or send to several tables have no column for a column, and a column that did not travel has no values there. Columns are told apart by their ids, those that
 * transforms have added by their names; those that do not travel are not looked at. Drops come first, so that their names are free, then
 * renames, which may trade names.
 */
export function schemaSteps(
  from: Identified,
  to: Identified,
  existing: ReadonlyMap<number, string | null>,
): SchemaStep[] | null {
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
      const mapped = value === null ? null : mappedValue(to, id, value);
      if (mapped === undefined) return null;
      steps.push({ kind: 'add', column, existing: mapped });
    } else if (!sameColumn({ ...was, name: column.name }, column)) steps.push({ kind: 'retype', column });
  }
  return steps;
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

/** The value as the transforms would have made it; undefined where they need more of the row. */
function mappedValue({ binding, ids }: Identified, id: ColumnId, value: string): string | null | undefined {
  const { projection } = binding.outputs[0];
  const row: Row = binding.source.columns.map((_, at): Cell => (ids[at] === id ? value : ABSENT));
  const mapped = mapRow(binding, row);
  const cell = mapped[mapped.findIndex((_, at) => ids[projection === null ? at : (projection[at] ?? -1)] === id)];
  return typeof cell === 'string' || cell === null ? cell : undefined;
}
