import { ABSENT, type Cell, type Row, UNCHANGED } from '../core/cell.ts';
import type { Change, TruncateChange, UpdateChange } from '../core/change.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import type { RowOperation } from '../core/table-mapping.ts';
import type { TransactionPart } from '../core/transaction.ts';

export interface LoadingTable {
  /** Names of the columns that tell its rows apart; none where only all that is in them does. */
  readonly key: readonly string[];
  /** What the route does about operations. */
  treatment(table: TableVersion): Treatment;
  /** The target's rows of it go, one after the other, and nothing of the source was read yet. */
  isEmptying(): boolean;
  /** All of its rows are loaded, and not a part of them. */
  readonly isWhole: boolean;
  /** Whether a row with this key is loaded; null where nobody can tell any more. */
  isLoaded(table: TableVersion, row: Row): boolean | null;
  /** A key has to be read again. */
  onAgain(key: readonly string[]): void;
  /** The stream has come to where all of its rows go. `isOwn`: by the source's own doing, which the target follows. */
  onTruncate?(isOwn: boolean): void;
  /** Whatever is at the target of it goes before anything else comes: nothing that comes for it meanwhile is of use. */
  isLeft?(): boolean;
}

/** As TableBinding has it. */
export interface Treatment {
  /** Operations that are left out. */
  readonly dropped: ReadonlySet<RowOperation>;
  /** Not null where rows stay that the source deletes. */
  readonly kept: object | null;
}

/**
 * Tables of which the target has a part. What it has of them is what the source has at the same position, but rows are missing: an
 * update or delete of one of those finds nothing there, and that is right, since the row will be loaded as it is later.
 *
 * Not so for a row that changes its key: it leaves a range that may still be loaded for one that may be loaded already. So it goes
 * and comes. Where the log lacks cells of it they can only be at the target if the row is; its new key is then read again.
 *
 * A row that nothing but all of its values tells apart goes and comes with each update, since it may be loaded or not: the target tells whether the old one
 * was there, and leaves it out of what is loaded later where it was not.
 *
 * While the rows that a load replaces still go, what comes for the rows that it will bring is left out: they are read later, as they are then. So
 * nothing moves an old row out of the way of its deletion, and none is in the way of a new one. One that goes or changes goes at once:
 * what it has given up of unique values may come to a row that is not replaced. That is so whatever the route does about operations: rows that it would
 * keep, or leave as they are, are among those that go.
 */
export class LoadingTables {
  readonly #tables = new Map<string, LoadingTable>();

  set(label: string, table: LoadingTable): void {
    this.#tables.set(label, table);
  }

  /** The stream has come to where the table has another name. */
  rename(from: string, to: string): void {
    const table = this.#tables.get(from);
    if (table === undefined) return;
    this.#tables.delete(from);
    this.#tables.set(to, table);
  }

  delete(label: string): void {
    this.#tables.delete(label);
  }

  has(label: string): boolean {
    return this.#tables.has(label);
  }

  /** Each part of the stream, before it is mapped. */
  pass(part: TransactionPart): TransactionPart {
    if (this.#tables.size === 0) return part;
    for (const change of part.changes)
      if (change.kind === 'truncate')
        for (const table of change.tables) this.#tables.get(tableLabel(table))?.onTruncate?.(part.origin.length === 0);
    if (part.rows === 0) return part;
    let made: Change[] | null = null;
    const again: { source: string; key: readonly string[] }[] = [];
    for (const [at, change] of part.changes.entries()) {
      const moved = this.#whileEmptying(change) ?? (change.kind === 'update' ? this.#moved(change) : null);
      if (moved === null) {
        made?.push(change);
        continue;
      }
      made ??= part.changes.slice(0, at);
      made.push(...moved.changes);
      if (moved.again === null) continue;
      again.push({ source: tableLabel(moved.table), key: moved.again });
      this.#tables.get(tableLabel(moved.table))?.onAgain(moved.again);
    }
    if (made === null) return part;
    return {
      ...part,
      changes: made,
      rows: part.rows + made.length - part.changes.length,
      ...(again.length > 0 && { again }),
    };
  }

  /** Null where it goes on as any other. */
  #whileEmptying(change: Change): Moved | null {
    if (change.kind === 'truncate') return this.#emptied(change);
    if (change.kind !== 'insert' && change.kind !== 'update' && change.kind !== 'delete') return null;
    const { table } = change;
    const loading = this.#tables.get(tableLabel(table));
    const leftOut: Moved = { table, changes: [], again: null };
    if (loading?.isLeft?.() === true) return leftOut;
    if (loading === undefined || !loading.isEmptying()) return null;
    if (change.kind === 'insert') return loading.isLoaded(table, change.after) === true ? leftOut : null;
    if (change.kind === 'delete')
      return loading.isLoaded(table, change.before) === true
        ? { ...leftOut, changes: [{ ...change, replaced: true }] }
        : null;
    const { before, after } = change;
    const now = filled(after, before);
    const was = before === null ? now : before.map((cell, at) => (cell === ABSENT ? (now[at] as Cell) : cell));
    const [wasLoaded, isLoaded] = [loading.isLoaded(table, was), loading.isLoaded(table, now)];
    const goes = (row: Row): Change => ({ kind: 'delete', table, before: row, replaced: true });
    if (wasLoaded === true && isLoaded === true) {
      const identity = before ?? identityOf(table, after);
      return identity === null ? leftOut : { ...leftOut, changes: [goes(identity)] };
    }
    if (before === null || wasLoaded === isLoaded || wasLoaded === null || isLoaded === null) return null;
    const { dropped, kept } = loading.treatment(table);
    if (isLoaded) {
      // It is read with the part. What is at the target of it is not of the part.
      if (kept !== null) return { ...leftOut, changes: [{ kind: 'delete', table, before }] };
      return dropped.has('update') ? leftOut : { ...leftOut, changes: [goes(before)] };
    }
    if (dropped.has('update')) return { ...leftOut, changes: [goes(before)] };
    // What the old row at the target has of it may be anything; and inserts may not travel where updates do.
    if (now.includes(UNCHANGED) || dropped.has('insert')) {
      const key = keyIndexes(table, loading.key);
      return { table, changes: [goes(before)], again: key.map((at) => readKeyText(now[at])) };
    }
    return { table, changes: [goes(before), { kind: 'insert', table, after: now }], again: null };
  }

  /** Rows that the route would mark as deleted go in any case; a marked one could come to where its deletion has been already, and stay. */
  #emptied(change: TruncateChange): Moved | null {
    const goes = (table: TableVersion): boolean => {
      const loading = this.#tables.get(tableLabel(table));
      return loading?.isWhole === true && loading.isEmptying() && loading.treatment(table).kept !== null;
    };
    const [table] = change.tables.filter(goes);
    if (table === undefined) return null;
    const tables = change.tables.filter((one) => !goes(one));
    return { table, changes: tables.length === 0 ? [] : [{ ...change, tables }], again: null };
  }

  /** Null where the key stays. */
  #moved(change: UpdateChange): Moved | null {
    const { table, before, after } = change;
    if (before === null) return null;
    const loading = this.#tables.get(tableLabel(table));
    if (loading === undefined) return null;
    const key = keyIndexes(table, loading.key);
    if (key.length === 0) {
      // The old row may be there, or among those that are loaded later; the new one is nowhere. What the log does not tell of them is for the target to refuse.
      const after = filled(change.after, before);
      if (before.includes(ABSENT) || after.includes(UNCHANGED)) return null;
      const changes: Change[] = [
        { kind: 'delete', table, before },
        { kind: 'insert', table, after },
      ];
      return { table, changes, again: null };
    }
    if (!key.some((at) => before[at] !== ABSENT && after[at] !== UNCHANGED && !isSameCell(before[at], after[at])))
      return null;
    const row = filled(after, before);
    const { dropped, kept } = loading.treatment(table);
    if (!row.includes(UNCHANGED) && dropped.size === 0 && kept === null) {
      const changes: Change[] = [
        { kind: 'delete', table, before },
        { kind: 'insert', table, after: row },
      ];
      return { table, changes, again: null };
    }
    return { table, changes: [change], again: key.map((at) => readKeyText(row[at])) };
  }
}

/** As readers take keys: bytes in hexadecimal. */
function readKeyText(cell: Cell | undefined): string {
  return Buffer.isBuffer(cell) ? `\\x${cell.toString('hex')}` : String(cell);
}

function isSameCell(a: Cell | undefined, b: Cell | undefined): boolean {
  return a === b || (Buffer.isBuffer(a) && Buffer.isBuffer(b) && a.equals(b));
}

interface Moved {
  readonly table: TableVersion;
  readonly changes: readonly Change[];
  readonly again: readonly string[] | null;
}

/** As a delete tells it of a row whose key stays; null where the image lacks some of it. */
function identityOf({ columns }: TableVersion, row: Row): Row | null {
  if (columns.some(({ key }, at) => key && !isCell(row[at]))) return null;
  return row.map((cell, at) => (columns[at]?.key === true ? cell : ABSENT));
}

/** A new image with what only the old one has. */
function filled(after: Row, before: Row | null): Row {
  return after.map((cell, at) => {
    const old = before?.[at];
    return cell === UNCHANGED && isCell(old) ? old : cell;
  });
}

export function keyIndexes(table: TableVersion, key: readonly string[]): readonly number[] {
  return key.map((name) => table.columns.findIndex((column) => column.name === name));
}

function isCell(cell: Cell | undefined): cell is string | Buffer | null {
  return cell !== undefined && cell !== ABSENT && cell !== UNCHANGED;
}
