import { ABSENT, type Cell, type Row } from '../core/cell.ts';
import type { SchemaStep } from '../core/schema-step.ts';
import type { Column } from '../core/table.ts';
import { sameColumn } from './assign-columns.ts';
import { mapRow, type TableBinding } from './table-mapper.ts';

/** A table's binding with the ids of its source columns. */
export interface Identified {
  readonly binding: TableBinding;
  readonly ids: readonly number[];
}

/**
 * What makes the target's table of the one version into that of the other. Columns are told apart by their ids; those
 * that do not travel are not looked at. Drops come first, so that their names are free, then renames, which may trade names.
 */
export function schemaSteps(
  from: Identified,
  to: Identified,
  existing: ReadonlyMap<number, string | null>,
): SchemaStep[] {
  const before = targetColumns(from);
  const after = targetColumns(to);
  const steps: SchemaStep[] = [];
  for (const [id, { name }] of before) if (!after.has(id)) steps.push({ kind: 'drop', column: name });
  steps.push(...renames(before, after));
  for (const [id, column] of after) {
    const was = before.get(id);
    if (was === undefined) {
      const value = existing.get(id) ?? null;
      steps.push({ kind: 'add', column, existing: value === null ? null : mappedValue(to, id, value) });
    } else if (!sameColumn({ ...was, name: column.name }, column)) steps.push({ kind: 'retype', column });
  }
  return steps;
}

function targetColumns({ binding, ids }: Identified): Map<number, Column> {
  const columns = binding.mapped.columns.map((column, at): [number, Column] => {
    const index = binding.kept === null ? at : (binding.kept[at] ?? -1);
    return [ids[index] ?? -1, column];
  });
  return new Map(columns);
}

/** In an order in which each new name is free; where names are traded, over one that no table has. */
function renames(before: ReadonlyMap<number, Column>, after: ReadonlyMap<number, Column>): SchemaStep[] {
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

/** The value as the transforms would have made it. */
function mappedValue({ binding, ids }: Identified, id: number, value: string): string | null {
  const row: Row = binding.source.columns.map((_, at): Cell => (ids[at] === id ? value : ABSENT));
  const mapped = mapRow(binding, row);
  const cell = mapped[mapped.findIndex((_, at) => ids[binding.kept?.[at] ?? at] === id)];
  return typeof cell === 'string' ? cell : null;
}
