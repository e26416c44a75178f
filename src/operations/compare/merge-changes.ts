import { type Row, UNCHANGED } from '../../core/cell.ts';
import { keyText, type RowKey } from '../../core/compare-side.ts';
import { keyForm } from '../../core/key-form.ts';
import type { Column } from '../../core/table.ts';
import type { ChangedRow, ChangedRows } from '../../pipeline/watermark-windows.ts';

export interface ComparedKey {
  /** Names of the columns, as ChangedRow.key has them. */
  readonly key: readonly string[];
  /** Of the rows that were read. */
  readonly columns: readonly Column[];
  /** The same columns, in the order in which the compare has them. */
  readonly names: readonly string[];
}

export interface MergedRows {
  readonly rows: readonly Row[];
  unsure(key: RowKey): boolean;
}

/** Keys that changed in a window. */
export function unsureKeys(changed: ChangedRows, own: ComparedKey): (key: RowKey) => boolean {
  if (changed.truncated || changed.overflowed) return () => true;
  const texts = new Set([...changed.rows.values()].map((row) => textOf(row, own)));
  return (key) => texts.has(keyText(key));
}

/** Rows that were read before some changes, as these have left them. Unsure is what the changes do not tell whole. */
export function mergeChanges(rows: readonly Row[], changed: ChangedRows, own: ComparedKey): MergedRows {
  if (changed.truncated || changed.overflowed) return { rows: [], unsure: () => true };
  const { columns, names } = own;
  const places = names.map((name) => columns.findIndex((column) => column.name === name));
  const changes = new Map([...changed.rows.values()].map((row) => [textOf(row, own), row]));
  const read = new Map<string, Row>();
  const merged: Row[] = [];
  for (const row of rows) {
    const text = keyText(places.map((at) => keyForm(row[at] ?? null, columns[at])));
    if (changes.has(text)) read.set(text, row);
    else merged.push(row);
  }
  const unsure = new Set<string>();
  for (const [text, change] of changes) {
    if (change.row === null) continue;
    const row = rowNow(change, columns, read.get(text) ?? null);
    if (row === null) unsure.add(text);
    else merged.push(row);
  }
  return { rows: merged, unsure: (key) => unsure.has(keyText(key)) };
}

/** Null where a cell is not known: it was never in the log, and what was read is not of this row. */
function rowNow({ row, table, moved }: ChangedRow, columns: readonly Column[], before: Row | null): Row | null {
  const now: Row = [];
  for (const [at, { name, type }] of columns.entries()) {
    const there = table.columns.findIndex((column) => column.name === name && column.type === type);
    let cell = there < 0 ? undefined : row?.[there];
    if (cell === UNCHANGED) cell = moved ? undefined : before?.[at];
    if (cell === undefined) return null;
    now.push(cell);
  }
  return now;
}

function textOf({ key }: ChangedRow, own: ComparedKey): string {
  return keyText(
    own.names.map((name) =>
      keyForm(
        key[own.key.indexOf(name)] ?? null,
        own.columns.find((column) => column.name === name),
      ),
    ),
  );
}
