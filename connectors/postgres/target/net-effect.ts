import { ABSENT, type Row, UNCHANGED } from '../../../src/core/cell.ts';
import type { RowChange } from '../../../src/core/change.ts';
import type { TablePlan } from './table-plan.ts';

/** Changes of one table reduced to at most one a row; the order between rows is gone. */
export interface NetTable {
  readonly plan: TablePlan;
  readonly changes: Map<string, RowChange>;
  /** New rows of a table whose keys can't be told apart here, in source order. Nothing else is held of such a table. */
  readonly added: Row[];
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
 * rows stay at the target, an insert replaces all that came before.
 */
export class NetEffect {
  readonly #tables = new Map<TablePlan, NetTable>();
  #last: NetTable | null = null;

  offer(plan: TablePlan, change: RowChange): Reduction {
    if (plan.readKey === null) {
      if (change.kind !== 'insert' || !plan.insertsMany) return 'barrier';
      this.#table(plan).added.push(change.after);
      return 'taken';
    }
    const key = rowKey(plan, change);
    if (key === null) return 'barrier';
    const table = this.#table(plan);
    const earlier = table.changes.get(key);
    if (earlier === undefined) {
      table.changes.set(key, change);
      return 'taken';
    }
    return this.#merge(table, key, earlier, change);
  }

  #merge(table: NetTable, key: string, earlier: RowChange, change: RowChange): Reduction {
    const { changes } = table;
    if (change.kind === 'insert' && change.table.kept !== undefined) {
      // It replaces whatever row of the key is there.
      changes.set(key, change);
      return 'taken';
    }
    if (earlier.kind === 'delete') {
      if (change.kind !== 'insert' || !table.plan.canReplace) return 'barrier';
      changes.set(key, { kind: 'update', table: change.table, before: earlier.before, after: change.after });
      return 'taken';
    }
    if (change.kind === 'insert') return 'barrier';
    if (change.kind === 'update') {
      changes.set(key, { ...earlier, after: mergeRow(earlier.after, change.after) });
      return 'taken';
    }
    if (earlier.kind === 'insert') {
      changes.delete(key);
      return 'taken';
    }
    changes.set(key, { kind: 'delete', table: change.table, before: earlier.before ?? change.before });
    return 'taken';
  }

  /** Takes everything out, table by table in the order in which they were first met; or only what is of one relation. */
  drain(oid?: number): NetTable[] {
    this.#last = null;
    const taken: NetTable[] = [];
    for (const [plan, table] of this.#tables) {
      if (oid !== undefined && plan.target.oid !== oid) continue;
      this.#tables.delete(plan);
      if (table.changes.size + table.added.length > 0) taken.push(table);
    }
    return taken;
  }

  #table(plan: TablePlan): NetTable {
    // Most changes are of the table of the one before.
    if (this.#last?.plan === plan) return this.#last;
    let table = this.#tables.get(plan);
    if (table === undefined) {
      table = { plan, changes: new Map(), added: [] };
      this.#tables.set(plan, table);
    }
    this.#last = table;
    return table;
  }
}

/** The later image over the earlier: cells that the later one does not carry keep their value. */
function mergeRow(earlier: Row, later: Row): Row {
  if (!later.includes(UNCHANGED)) return later;
  return later.map((cell, index) => (cell === UNCHANGED ? (earlier[index] ?? null) : cell));
}

/** Key of the row that a change is about; null for an update of the key itself and where it can't be read. */
function rowKey(plan: TablePlan, change: RowChange): string | null {
  const read = plan.readKey;
  if (read === null) return null;
  if (change.kind === 'insert') return read(change.after);
  if (change.kind === 'delete') return read(change.before);
  const { before, after } = change;
  if (before === null) return read(after);
  const old = read(before);
  // A key value too large to be logged with the new image stands in the old one.
  const isMoved = plan.keyIndexes.some((index) => after[index] !== UNCHANGED && after[index] !== before[index]);
  if (!isMoved) return old;
  return old === read(after) ? old : null;
}

/** The image that names the row of an update: the old one where it carries the key, else the new. */
export function updateKeyImage(plan: TablePlan, change: RowChange & { kind: 'update' }): Row {
  const { before, after } = change;
  if (before === null) return after;
  return plan.keyIndexes.some((index) => before[index] === ABSENT) ? after : before;
}
