import { ABSENT, type Cell, type Row, UNCHANGED } from '../core/cell.ts';
import { type Change, isRowChange, type RowChange } from '../core/change.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import type { TransactionPart } from '../core/transaction.ts';

export interface WindowOptions {
  /** Ids of its two watermarks. It is opened before the first is written. */
  readonly low: string;
  readonly high: string;
  /** Labels of source tables, and the names of the columns that tell their rows apart (SourceReader.key). */
  readonly tables: ReadonlyMap<string, readonly string[]>;
  /**
   * Called where the stream passes the high watermark, with the part that has brought it, as it came from the source: gives what
   * goes on in its place. Everything before it is with the Channel; nothing behind it is. It must not wait.
   */
  close(part: TransactionPart, changed: ReadonlyMap<string, ChangedRows>): TransactionPart;
}

/** What has become of a row that changed in a window. */
export interface ChangedRow {
  readonly key: readonly Cell[];
  /**
   * As the last change has left it, in the order of `table.columns`; a cell that no change has carried is UNCHANGED: it is as it was
   * before. Null where the row is gone.
   */
  readonly row: Row | null;
  /** The version of the table that `row` is of. */
  readonly table: TableVersion;
  /**
   * It came to this key from another one with cells that no change has carried: they are not those of any row that had this key before.
   * Or what has carried them was of another definition of the table, in which they stand elsewhere.
   */
  readonly moved: boolean;
}

/** What happened to one table between two watermarks. Keys are told apart by their text, exactly as the source writes it. */
export class ChangedRows {
  /** All rows of before are gone, whatever `rows` says of later ones. */
  truncated = false;
  /** More has changed than is kept: nothing is known of any row. */
  overflowed = false;
  #bytes = 0;
  readonly #rows = new Map<string, ChangedRow>();
  readonly #columns: readonly string[];
  #indexes: { readonly table: TableVersion; readonly key: readonly number[] | null } | null = null;

  /** `columns`: names of the key. */
  constructor(columns: readonly string[]) {
    this.#columns = columns;
  }

  /** Old and new keys of every change. */
  get rows(): ReadonlyMap<string, ChangedRow> {
    return this.#rows;
  }

  has(key: readonly Cell[]): boolean {
    return this.truncated || this.overflowed || this.#rows.has(keyText(key));
  }

  /** Keeps copies: the pipeline goes on to map the change in place. */
  note(change: RowChange): void {
    if (this.overflowed) return;
    const { table } = change;
    const key = this.#keyOf(table);
    // The key or what is logged of old rows has changed: who reads looks again, and the stream goes on.
    if (key === null || !isTold(change, key)) {
      this.#overflow();
      return;
    }
    if (change.kind === 'insert')
      this.#set(
        key.map((at) => cellOf(change.after, at)),
        change.after,
        table,
      );
    else if (change.kind === 'delete')
      this.#set(
        key.map((at) => cellOf(change.before, at)),
        null,
        table,
      );
    else this.#update(change.before, change.after, table, key);
    this.#bytes += bytesOf(change);
    if (this.#bytes > maxBytes) this.#overflow();
  }

  #overflow(): void {
    this.overflowed = true;
    this.#rows.clear();
  }

  truncate(): void {
    this.truncated = true;
    this.#rows.clear();
  }

  #update(before: Row | null, after: Row, table: TableVersion, indexes: readonly number[]): void {
    const given = (row: Row, at: number): Cell => cellOf(row, at);
    const oldKey = indexes.map((at) =>
      before === null || before[at] === ABSENT ? given(after, at) : given(before, at),
    );
    // A key value too large to be logged with the new image stands in the old one.
    const key = indexes.map((at, index) => (after[at] === UNCHANGED ? (oldKey[index] ?? null) : given(after, at)));
    const earlier = this.#rows.get(keyText(oldKey));
    const isAltered = earlier !== undefined && earlier.row !== null && earlier.table !== table;
    const row = after.map((cell, at) => {
      if (cell !== UNCHANGED) return cell;
      const old = before?.[at];
      if (old !== undefined && old !== ABSENT && old !== UNCHANGED) return old;
      const known = isAltered ? null : (earlier?.row ?? null);
      return known === null ? UNCHANGED : (known[at] ?? null);
    });
    const isMoved = keyText(key) !== keyText(oldKey);
    if (isMoved) this.#rows.set(keyText(oldKey), { key: oldKey, row: null, table, moved: false });
    const moved = (isMoved || isAltered || earlier?.moved === true) && row.includes(UNCHANGED);
    this.#rows.set(keyText(key), { key, row, table, moved });
  }

  #set(key: readonly Cell[], row: Row | null, table: TableVersion): void {
    this.#rows.set(keyText(key), { key, row: row === null ? null : [...row], table, moved: false });
  }

  /** Null where this version of the table has not all of its columns. */
  #keyOf(table: TableVersion): readonly number[] | null {
    if (this.#indexes?.table !== table) {
      const key = this.#columns.map((name) => table.columns.findIndex((column) => column.name === name));
      this.#indexes = { table, key: key.includes(-1) ? null : key };
    }
    return this.#indexes.key;
  }
}

/** The images carry the key, old and new. */
function isTold(change: RowChange, key: readonly number[]): boolean {
  if (change.kind === 'insert') return key.every((at) => isKnown(change.after[at]));
  if (change.kind === 'delete') return key.every((at) => isKnown(change.before[at]));
  const { before, after } = change;
  return key.every((at) => (before === null ? isKnown(after[at]) : isKnown(before[at]) && after[at] !== ABSENT));
}

function isKnown(cell: Cell | undefined): boolean {
  return cell !== undefined && cell !== ABSENT && cell !== UNCHANGED;
}

/** Of the images, about; that a row changed before and takes its place is no matter. */
function bytesOf(change: RowChange): number {
  const row = change.kind === 'delete' ? change.before : change.after;
  let bytes = 200;
  for (const cell of row) if (typeof cell === 'string' || Buffer.isBuffer(cell)) bytes += 2 * cell.length;
  return bytes;
}

/**
 * Tells keys apart, and rows that have none by all of their cells: NULL is no text, whatever it is written as. A zero byte, which MySQL's texts may hold,
 * is never followed by what stands behind one here.
 */
export function keyText(key: readonly Cell[]): string {
  return key.map(cellText).join('\0,');
}

function cellText(cell: Cell): string {
  if (cell === null) return '\0n';
  if (Buffer.isBuffer(cell)) return `\\x${cell.toString('hex')}`;
  const text = String(cell);
  return text.includes('\0') ? text.replaceAll('\0', '\0z') : text;
}

function cellOf(row: Row, at: number): Cell {
  const cell = row[at];
  if (cell === undefined || cell === ABSENT || cell === UNCHANGED) throw new RangeError('an image without its key');
  return cell;
}

/** Of the changed rows of one table in one window. A transaction may be of any size; what was read is read again then. */
const maxBytes = 8_000_000;

interface OpenWindow extends WindowOptions {
  /** Null until the stream has passed the low watermark. */
  changed: Map<string, ChangedRows> | null;
}

/**
 * Notes which rows the stream changes between two watermarks, so that what was read of the source in between can be brought
 * into its order: at the high watermark everything that was read is true but for these.
 *
 * A window lives as long as the session of the stream that it was opened for. Watermarks of others, or of a session before, mean nothing.
 */
export class WatermarkWindows {
  readonly #open = new Map<string, OpenWindow>();
  /** Most changes are of a table that was met before. */
  readonly #met = new Map<TableVersion, readonly ChangedRows[]>();

  /** Returns what takes the window back; after that `close` is not called. */
  open(options: WindowOptions): () => void {
    const window: OpenWindow = { ...options, changed: null };
    this.#open.set(options.high, window);
    return () => {
      this.#open.delete(options.high);
      this.#met.clear();
    };
  }

  get size(): number {
    return this.#open.size;
  }

  /** Every part of the stream, in its order and before it is mapped. Gives what is to go on. */
  pass(part: TransactionPart): TransactionPart {
    let passed = part;
    if (this.#open.size > 0) for (const change of part.changes) passed = this.#pass(change, passed);
    // Of no use any more to anybody; what the queue announces with them is.
    if (!passed.replicated) return passed;
    return { ...passed, changes: passed.changes.filter(isOfDefinitions), rows: 0 };
  }

  #pass(change: Change, part: TransactionPart): TransactionPart {
    if (change.kind === 'watermark') return this.#watermark(change.id, part);
    if (isRowChange(change)) {
      for (const rows of this.#changed(change.table)) rows.note(change);
    } else if (change.kind === 'truncate') {
      for (const table of change.tables) for (const rows of this.#changed(table)) rows.truncate();
    }
    return part;
  }

  #watermark(id: string, part: TransactionPart): TransactionPart {
    this.#met.clear();
    for (const window of this.#open.values())
      if (window.low === id)
        window.changed = new Map([...window.tables].map(([label, key]) => [label, new ChangedRows(key)]));
    const window = this.#open.get(id);
    if (window === undefined || window.changed === null) return part;
    this.#open.delete(id);
    return window.close(part, window.changed);
  }

  #changed(table: TableVersion): readonly ChangedRows[] {
    let changed = this.#met.get(table);
    if (changed === undefined) {
      const label = tableLabel(table);
      changed = [...this.#open.values()].flatMap((window) => window.changed?.get(label) ?? []);
      this.#met.set(table, changed);
    }
    return changed;
  }
}

function isOfDefinitions({ kind }: Change): boolean {
  return kind === 'schemaChange' || kind === 'ddl';
}
