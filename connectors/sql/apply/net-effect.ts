import { ABSENT, type Cell, type Row, UNCHANGED } from '../../../src/core/cell.ts';
import type { InsertChange, RowChange, UpdateChange } from '../../../src/core/change.ts';
import type { PackedInserts } from '../../../src/core/packed-inserts.ts';
import { PackedInsert, packedAfter } from '../../../src/core/packed-row.ts';
import type { KeyReader, RowKey } from './row-key.ts';

/** What decides how the changes of one version of one table can be reduced. */
export interface NetPlan {
  /** Columns that name a row at the target; empty where only the whole row does. */
  readonly keyIndexes: readonly number[];
  /** Null where changes of this table can't be reduced to a net effect: but for inserts they are applied one by one, in order. */
  readonly readKey: KeyReader | null;
  /** One statement may insert several rows whose keys were not compared. */
  readonly insertsMany: boolean;
  /** The server refuses a second row of a key with the statement that brings it. */
  readonly findsTwins: boolean;
  /** A deleted and reinserted row can become one update: no column refuses to be assigned. */
  readonly canReplace: boolean;
}

/** Changes of one table reduced to at most one a row; the order between rows is gone. */
export interface NetTable<P extends NetPlan> {
  readonly plan: P;
  readonly changes: Map<RowKey, RowChange>;
  /**
   * New rows, in source order: of a table whose keys can't be told apart here, of which nothing else is held, or of one that
   * nothing else has happened to yet. The server finds two of one key among them.
   */
  added: InsertChange[];
  /** More of them, as they came: only of a consumer that offers such. */
  packed: PackedInserts[];
}

/** What became of a change that was offered: `barrier` has to be applied by itself, after all that came before it. */
export type Reduction = 'taken' | 'barrier';

/**
 * Collects consecutive changes and reduces each row to its net effect. A change that stays
 * alone is kept as it is; no object is made for it. None is altered, since exact replay may need them as they were.
 *
 * insert+update = insert; insert+delete = nothing; update+update = update; update+delete = delete;
 * delete+insert = update of every column. Without a key that can be told apart here rows are only added: everything
 * else on such a table is a barrier. Any other pair can't come from a source whose rows we have counted right
 * (insert+insert, delete+update ...): it is a barrier, so that exact replay meets it and can report it. Where deleted
 * rows stay at the target, an insert replaces the one that was marked before, or any where none is. A change that names its row by another text than the
 * one before has left is of another row at the source, though the target holds both texts equal: a barrier, too. Where the
 * source logs whole rows the key may be the target's alone, or one that the source defers: what tells rows apart is all of them.
 */
export class NetEffect<P extends NetPlan> {
  readonly #tables = new Map<P, NetTable<P>>();
  #last: NetTable<P> | null = null;

  offer(plan: P, change: RowChange): Reduction {
    const read = plan.readKey;
    if (read === null) {
      if (change.kind !== 'insert' || !plan.insertsMany) return 'barrier';
      this.#table(plan).added.push(change);
      return 'taken';
    }
    const table = this.#table(plan);
    if (change.kind === 'insert' && table.changes.size === 0 && plan.findsTwins) {
      table.added.push(change);
      return 'taken';
    }
    if (table.packed.length > 0) unpackAdded(table);
    if (table.added.length > 0 && !tellApart(table, read)) return 'barrier';
    const key = rowKey(plan, read, change);
    if (key === null) return 'barrier';
    const earlier = table.changes.get(key);
    if (earlier === undefined) {
      table.changes.set(key, change);
      return 'taken';
    }
    return this.#merge(table, key, earlier, change);
  }

  /** New rows of one table as they came. False where they have to be offered one by one. */
  offerPacked(plan: P, inserts: PackedInserts): boolean {
    const table = plan.readKey === null ? null : this.#table(plan);
    const isAdded = table === null ? plan.insertsMany : table.changes.size === 0 && plan.findsTwins;
    if (isAdded) this.#table(plan).packed.push(inserts);
    return isAdded;
  }

  #merge(table: NetTable<P>, key: RowKey, earlier: RowChange, change: RowChange): Reduction {
    const { changes } = table;
    if (change.kind === 'insert' && earlier.kind !== 'delete' && isKept(earlier, change)) {
      // The row of the key is there, or comes with the earlier change.
      const isNew = earlier.kind === 'insert' || change.table.kept?.mark === null;
      if (!isNew && !table.plan.canReplace) return 'barrier';
      const { table: version, after } = change;
      changes.set(key, isNew ? change : { kind: 'update', table: version, before: earlier.before, after });
      return 'taken';
    }
    if (earlier.kind === 'delete') {
      if (change.kind !== 'insert' || !table.plan.canReplace) return 'barrier';
      changes.set(key, { kind: 'update', table: change.table, before: earlier.before, after: change.after });
      return 'taken';
    }
    if (change.kind === 'insert' || !isSameRow(table.plan, earlier, change)) return 'barrier';
    if (change.kind === 'update') {
      changes.set(key, merged(earlier, change));
      return 'taken';
    }
    if (earlier.kind === 'insert') {
      changes.delete(key);
      return 'taken';
    }
    changes.set(key, { kind: 'delete', table: change.table, before: earlier.before ?? change.before });
    return 'taken';
  }

  /** Takes everything out, table by table in the order in which they were first met; or only what is of some. */
  drain(isMeant: (plan: P) => boolean = () => true): NetTable<P>[] {
    this.#last = null;
    const taken: NetTable<P>[] = [];
    for (const [plan, table] of this.#tables) {
      if (!isMeant(plan)) continue;
      this.#tables.delete(plan);
      if (table.changes.size + table.added.length + table.packed.length > 0) taken.push(table);
    }
    return taken;
  }

  #table(plan: P): NetTable<P> {
    // Most changes are of the table of the one before.
    if (this.#last?.plan === plan) return this.#last;
    let table = this.#tables.get(plan);
    if (table === undefined) {
      table = { plan, changes: new Map(), added: [], packed: [] };
      this.#tables.set(plan, table);
    }
    this.#last = table;
    return table;
  }
}

/** Where rows stay when the source deletes them: the earlier change has left one that an insert replaces. */
function isKept({ after }: InsertChange | UpdateChange, { table: { kept } }: InsertChange): boolean {
  if (kept === undefined) return false;
  return kept.mark === null || after[kept.mark.column] === kept.mark.value;
}

/** The later image over the earlier: cells that the later one does not carry keep their value. */
function mergeRow(earlier: Row, later: Row): Row {
  if (!later.includes(UNCHANGED)) return later;
  return later.map((cell, index) => (cell === UNCHANGED ? (earlier[index] ?? null) : cell));
}

/** What the later of two changes of a row leaves to be done. A row that came whole replaces all that was before, and is not looked into. */
function merged(earlier: InsertChange | UpdateChange, later: UpdateChange): RowChange {
  const packed = packedAfter(later);
  const { table } = earlier;
  if (earlier.kind === 'insert')
    return packed === null
      ? { kind: 'insert', table, after: mergeRow(earlier.after, later.after) }
      : new PackedInsert(table, packed);
  if (packed !== null && earlier.before === null && later.table === table) return later;
  return { kind: 'update', table, before: earlier.before, after: mergeRow(earlier.after, later.after) };
}

/** The order among new rows says nothing: they are of keys that the server tells apart, or of a table without. */
function unpackAdded(table: NetTable<NetPlan>): void {
  for (const inserts of takePacked(table)) for (const change of inserts.changes()) table.added.push(change);
}

/** For whoever writes them as they came, before `splitByKind`. */
export function takePacked(table: NetTable<NetPlan>): readonly PackedInserts[] {
  const { packed } = table;
  if (packed.length > 0) table.packed = [];
  return packed;
}

/** New rows under their keys, now that something else happens to their table. False where they have to go as they are. */
function tellApart(table: NetTable<NetPlan>, read: KeyReader): boolean {
  const { changes, added } = table;
  for (const change of added) {
    const key = afterKey(read, change);
    if (key === null || changes.has(key)) {
      changes.clear();
      return false;
    }
    changes.set(key, change);
  }
  table.added = [];
  return true;
}

function afterKey(read: KeyReader, change: InsertChange | UpdateChange): RowKey | null {
  const packed = packedAfter(change);
  return packed === null ? read(change.after) : read.packed(packed);
}

/** Key of the row that a change is about; null for an update of the key itself and where it can't be read. */
function rowKey(plan: NetPlan, read: KeyReader, change: RowChange): RowKey | null {
  if (change.kind === 'insert') return afterKey(read, change);
  if (change.kind === 'delete') return read(change.before);
  const { before } = change;
  if (before === null) return afterKey(read, change);
  const { after } = change;
  const old = read(before);
  // A key value too large to be logged with the new image stands in the old one.
  const isMoved = plan.keyIndexes.some((index) => after[index] !== UNCHANGED && after[index] !== before[index]);
  if (!isMoved) return old;
  return old === read(after) ? old : null;
}

/** False where the source tells the row of a change from the one that an earlier change of the same key has left. */
function isSameRow(
  { keyIndexes, readKey }: NetPlan,
  earlier: InsertChange | UpdateChange,
  change: Exclude<RowChange, InsertChange>,
): boolean {
  const left = (index: number): Cell | undefined => {
    const { [index]: cell } = earlier.after;
    return cell === UNCHANGED && earlier.kind === 'update' ? earlier.before?.[index] : cell;
  };
  if (change.table.identity === 'full' && change.before !== null)
    return change.before.every((cell, index) => cell === ABSENT || isSameCell(cell, left(index)));
  if (readKey === null || readKey.folded.length === 0) return true;
  const named = change.kind === 'delete' ? change.before : updateKeyImage({ keyIndexes }, change);
  return readKey.folded.every((index) => named[index] === left(index));
}

function isSameCell(cell: Cell, other: Cell | undefined): boolean {
  return cell === other || (Buffer.isBuffer(cell) && Buffer.isBuffer(other) && cell.equals(other));
}

/** The image that names the row of an update: the old one where it carries the key, else the new. */
export function updateKeyImage(plan: Pick<NetPlan, 'keyIndexes'>, change: RowChange & { kind: 'update' }): Row {
  const { before, after } = change;
  if (before === null) return after;
  return plan.keyIndexes.some((index) => before[index] === ABSENT) ? after : before;
}

/** The changes of a table by what is to be done. */
export interface SplitRows {
  readonly inserts: InsertChange[];
  readonly updates: (RowChange & { kind: 'update' })[];
  readonly deletes: Row[];
}

export function splitByKind(table: NetTable<NetPlan>): SplitRows {
  unpackAdded(table);
  const { changes, added } = table;
  const rows: SplitRows = { inserts: added, updates: [], deletes: [] };
  for (const change of changes.values()) {
    if (change.kind === 'insert') rows.inserts.push(change);
    else if (change.kind === 'delete') rows.deletes.push(change.before);
    else rows.updates.push(change);
  }
  return rows;
}
