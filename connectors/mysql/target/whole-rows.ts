import { ABSENT, type Row, UNCHANGED } from '../../../src/core/cell.ts';
import { type Change, isRowChange, type RowChange } from '../../../src/core/change.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { updateKeyImage } from '../../sql/apply/net-effect.ts';
import type { RowKey } from '../../sql/apply/row-key.ts';
import { isImageOf, over } from './contested-keys.ts';
import { type CountedStatement, deleteRows, insertRows, orderedStatements, type SetOptions } from './set-apply.ts';
import type { TablePlan } from './table-plan.ts';

/**
 * The parts as rows that go and rows that come, all of the former first. A source that checks a unique key at the end of a statement, or of a transaction, lets
 * rows trade their values, and may have one value twice meanwhile; so does one that has no such key. This server checks each row as it is written, and lets no
 * session put that off.
 *
 * Exact as the net effect is: each row that goes has to be there, and what comes is refused where it meets any other. What can't be told as whole rows
 * goes change by change, in front of the others: tables without triggers, whose foreign keys rest, know nothing of each other.
 */
export function* wholeStatements(
  options: SetOptions,
  parts: readonly TransactionPart[],
): Generator<CountedStatement, void, undefined> {
  const moved = movedRows(options, parts);
  const isMoved = (change: Change): boolean => isRowChange(change) && moved.has(options.plans.get(change.table));
  const others = parts.map((part) => ({ ...part, changes: part.changes.filter((change) => !isMoved(change)) }));
  yield* orderedStatements(options, others);
  for (const [plan, { gone }] of moved) yield* deleteRows(plan, gone, options.maxBytes);
  for (const [plan, { come }] of moved) yield* insertRows(plan, come, options.maxBytes);
}

export interface MovedRows {
  /** By the values of their keys: of these nothing else is looked at. */
  readonly gone: readonly Row[];
  readonly come: readonly Row[];
}

/** Of the tables of which that can be told. */
export function movedRows(
  options: Pick<SetOptions, 'plans' | 'isPartial' | 'foreignKeysAct'>,
  parts: readonly Pick<TransactionPart, 'changes'>[],
): ReadonlyMap<TablePlan, MovedRows> {
  const { plans } = options;
  // By name: of two versions of a table neither knows what the other has changed.
  const tables = new Map<string, { readonly plan: TablePlan; readonly moving: Moving | null }>();
  for (const { changes } of parts)
    for (const change of changes) {
      if (change.kind === 'truncate')
        for (const plan of change.tables.map((table) => plans.get(table)))
          tables.set(plan.label, { plan, moving: null });
      if (!isRowChange(change)) continue;
      const plan = plans.get(change.table);
      const known = tables.get(plan.label);
      const moving = known === undefined ? movingOf(plan, options) : known.moving;
      const isTold = moving !== null && (known === undefined || known.plan === plan) && moving.take(change);
      tables.set(plan.label, { plan, moving: isTold ? moving : null });
    }
  const told = [...tables.values()].flatMap(({ plan, moving }) =>
    moving === null ? [] : [[plan, moving.rows] as const],
  );
  return new Map(told);
}

/** Null of a table whose rows can't go and come: what the target alone has of one would be lost, and triggers and foreign keys would be told of it. */
function movingOf(
  plan: TablePlan,
  { isPartial, foreignKeysAct }: Omit<SetOptions, 'plans' | 'maxBytes'>,
): Moving | null {
  const { tellKey, columns, target } = plan;
  const isOurs = (name: string): boolean => columns.some(({ column }) => column.name === name);
  const isKept = target.columns.some(({ generated, name }) => !generated && !isOurs(name));
  const acts = target.triggers.length > 0 || (foreignKeysAct && target.references.length + target.cascades.length > 0);
  // Of rows that are still to be loaded those that are not there must not come.
  return tellKey === null || isKept || acts || isPartial(plan) ? null : new Moving(plan);
}

/** The rows of one table while its changes come by. */
class Moving {
  readonly #plan: TablePlan;
  readonly #gone = new Map<RowKey, Row>();
  /** More than one of a key where the source has them meanwhile. */
  readonly #come = new Map<RowKey, Row[]>();

  constructor(plan: TablePlan) {
    this.#plan = plan;
  }

  get rows(): MovedRows {
    return { gone: [...this.#gone.values()], come: [...this.#come.values()].flat() };
  }

  /** False where it is not known of which row the change is, or what the row is behind it. */
  take(change: RowChange): boolean {
    if (change.kind === 'insert') return this.#put(change.after);
    const named = change.kind === 'delete' ? change.before : updateKeyImage(this.#plan, change);
    const before = this.#remove(named, change.table.identity === 'full');
    if (before === null) return false;
    return change.kind === 'delete' || this.#put(over(before, change.after));
  }

  #put(row: Row): boolean {
    const key = this.#keyOf(row);
    if (key === null || row.includes(UNCHANGED) || row.includes(ABSENT)) return false;
    const all = this.#come.get(key);
    if (all === undefined) this.#come.set(key, [row]);
    else all.push(row);
    return true;
  }

  /** Takes out the row that an old image names, or lets it go from the target. `isWhole`: all of it is in the image. */
  #remove(named: Row, isWhole: boolean): Row | null {
    const key = this.#keyOf(named);
    if (key === null) return null;
    const come = this.#come.get(key) ?? [];
    const found = come.map((row) => (isWhole ? isImageOf(this.#plan, named, row) : this.#isNamed(named, row)));
    if (found.includes('unsure')) return null;
    const at = found.indexOf(true);
    if (at >= 0) return come.splice(at, 1)[0] ?? null;
    // The target has one row of a key.
    if (this.#gone.has(key)) return null;
    this.#gone.set(key, named);
    return named;
  }

  /** Of a key that the source checks with each row. Texts that are one here may be two there. */
  #isNamed(named: Row, row: Row): true | 'unsure' {
    const { keyIndexes } = this.#plan;
    return keyIndexes.every((index) => named[index] === row[index]) || 'unsure';
  }

  #keyOf(row: Row): RowKey | null {
    return this.#plan.tellKey?.(row) ?? null;
  }
}
