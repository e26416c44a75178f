import { ABSENT, type Row, UNCHANGED } from '../../core/cell.ts';
import type { Change, DeleteChange, InsertChange, RowChange, UpdateChange } from '../../core/change.ts';
import { mapRow, mapRows } from './map-rows.ts';
import type { MappedRow, Output, TableBinding } from './table-binding.ts';

/** An update brings a row to the target, and the named cell of it is not in the log. */
export class IncompleteRow extends Error {
  readonly column: string;

  constructor(column: string) {
    super('a value that did not change is not in the log');
    this.column = column;
  }
}

/** True where each change stays one change of the same kind, so that it is mapped in place. */
export function isPlain({ reshapes, dropped, kept }: TableBinding): boolean {
  return !reshapes && dropped.size === 0 && kept === null;
}

/** True where the rows of a plain binding stay what they are: nobody has to look into them. */
export function isUntouched({ steps, outputs: [{ projection, owns }], fill: filled }: TableBinding): boolean {
  return steps.length === 0 && projection === null && owns === null && filled.length === 0;
}

/** Maps a change of a plain binding in place. */
export function mapInPlace(binding: TableBinding, change: RowChange): void {
  change.table = binding.outputs[0].table;
  if (isUntouched(binding)) return;
  if (change.kind === 'insert') {
    change.after = mapRow(binding, change.after);
  } else if (change.kind === 'delete') {
    change.before = mapRow(binding, change.before);
  } else {
    fill(binding, change);
    if (change.before !== null) change.before = mapRow(binding, change.before);
    change.after = mapRow(binding, change.after);
  }
}

/**
 * Appends what becomes of a change of any binding. The rows that were made of the old image are the target's rows by
 * now; those of the new image are to be. Rows of the same slot are the same row; the others go and come. Of one source
 * change, rows go before rows change before rows come.
 */
export function mapAny(binding: TableBinding, change: RowChange, out: Change[]): void {
  if (change.kind === 'insert') {
    for (const row of mapRows(binding, change.after)) emitInsert(binding, row, out);
    return;
  }
  if (change.kind === 'delete') {
    for (const row of mapRows(binding, change.before)) {
      if (change.replaced === true) out.push({ kind: 'delete', table: row.output.table, before: row.row });
      else emitDelete(binding, row, out);
    }
    return;
  }
  fill(binding, change);
  if (change.before === null) {
    // The key is the same, and nothing but the key decides which rows there are.
    for (const row of mapRows(binding, change.after)) emitUpdate(binding, null, row, out);
    return;
  }
  const before = new Map(mapRows(binding, change.before).map((row) => [row.slot, row]));
  const after = mapRows(binding, change.after);
  const there = new Set(after.map(({ slot }) => slot));
  for (const row of before.values()) if (!there.has(row.slot)) emitDelete(binding, row, out);
  for (const row of after) {
    const old = before.get(row.slot);
    if (old !== undefined) emitUpdate(binding, old, row, out);
  }
  for (const row of after) if (!before.has(row.slot)) emitInsert(binding, row, out);
}

/** Cells that transforms need together with others come from the old image where the new one lacks them. */
function fill({ fill: indexes }: TableBinding, { before, after }: UpdateChange): void {
  if (before === null) return;
  for (const index of indexes) {
    if (after[index] !== UNCHANGED) continue;
    const old = before[index];
    if (old !== undefined && old !== ABSENT) after[index] = old;
  }
}

function emitInsert({ dropped }: TableBinding, { output, row }: MappedRow, out: Change[]): void {
  if (dropped.has('insert')) return;
  checkComplete(output, row);
  out.push({ kind: 'insert', table: output.table, after: row } satisfies InsertChange);
}

function emitDelete({ dropped, kept }: TableBinding, { output, row }: MappedRow, out: Change[]): void {
  if (dropped.has('delete')) return;
  if (kept === null) {
    out.push({ kind: 'delete', table: output.table, before: row } satisfies DeleteChange);
    return;
  }
  const mark = output.table.kept?.mark ?? null;
  if (mark === null) return;
  const after: Row = row.map(() => UNCHANGED);
  after[mark.column] = mark.value;
  out.push({ kind: 'update', table: output.table, before: row, after } satisfies UpdateChange);
}

function emitUpdate(binding: TableBinding, old: MappedRow | null, row: MappedRow, out: Change[]): void {
  const { output } = row;
  if (binding.kept !== null && old !== null && hasMoved(output, old.row, row.row)) {
    // The row of the old key stays at the target; the one of the new key may be there from before.
    emitDelete(binding, old, out);
    emitInsert(binding, row, out);
    return;
  }
  if (binding.dropped.has('update')) return;
  const before = old?.row ?? null;
  out.push({ kind: 'update', table: output.table, before, after: row.row } satisfies UpdateChange);
}

function hasMoved({ key }: Output, old: Row, next: Row): boolean {
  return key.some((index) => next[index] !== UNCHANGED && old[index] !== next[index]);
}

function checkComplete({ table }: Output, row: Row): void {
  const index = row.findIndex((cell) => cell === UNCHANGED || cell === ABSENT);
  if (index >= 0) throw new IncompleteRow(table.columns[index]?.name ?? '');
}
