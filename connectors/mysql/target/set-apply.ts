import type { Row } from '../../../src/core/cell.ts';
import { isRowChange, type RowChange, type TruncateChange, type UpdateChange } from '../../../src/core/change.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { NetEffect, type NetTable, type SplitRows, splitByKind, updateKeyImage } from '../../sql/apply/net-effect.ts';
import { quoteTable } from '../identifiers.ts';
import { LongValues, longBytes, type Statement } from '../long-value.ts';
import type { SetStatement } from './row-statements.ts';
import { whereShared } from './share-condition.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';

/** A statement that is on its way, and how many rows it has to find. */
export interface CountedStatement {
  readonly text: Statement;
  /** Null where any number will do. */
  readonly rows: number | null;
  readonly label: string;
}

/** As a session is between two groups. */
export const checkForeignKeys = 'set foreign_key_checks = 1';

export interface SetOptions {
  readonly plans: TablePlans;
  /** Rows of the table are still to be loaded: a change of one of those finds nothing, and that is right. */
  isPartial(plan: TablePlan): boolean;
  /** Rows may not come in any order: parents before their children, which go first. */
  readonly foreignKeysAct: boolean;
  /** No statement is longer where its rows allow that. */
  readonly maxBytes: number;
}

/** The net effect of the parts as few statements, in the order in which they are to be carried out. */
export function* setStatements(
  options: SetOptions,
  parts: readonly TransactionPart[],
): Generator<CountedStatement, void, undefined> {
  const net = new NetEffect<TablePlan>();
  const checks = new ForeignKeyChecks(options);
  for (const { changes, unchecked = false } of parts) {
    if (checks.differ(unchecked)) {
      yield* netStatements(options, net.drain());
      yield* checks.set(unchecked);
    }
    for (const change of changes) {
      if (isRowChange(change)) {
        const plan = options.plans.get(change.table);
        if (net.offer(plan, change) === 'taken') continue;
        yield* netStatements(options, net.drain());
        yield singleStatement(plan, change, options.isPartial(plan));
      } else if (change.kind === 'truncate') {
        yield* netStatements(options, net.drain());
        yield* truncateStatements(options, change, checks);
      }
    }
  }
  yield* netStatements(options, net.drain());
  yield* checks.set(false);
}

/** Each change by itself, in source order. */
export function* orderedStatements(
  options: SetOptions,
  parts: readonly TransactionPart[],
): Generator<CountedStatement, void, undefined> {
  const checks = new ForeignKeyChecks(options);
  for (const { changes, unchecked = false } of parts) {
    yield* checks.set(unchecked);
    for (const change of changes) {
      if (isRowChange(change)) {
        const plan = options.plans.get(change.table);
        yield singleStatement(plan, change, options.isPartial(plan));
      } else if (change.kind === 'truncate') yield* truncateStatements(options, change, checks);
    }
  }
  yield* checks.set(false);
}

export function singleStatement(plan: TablePlan, change: RowChange, isPartial: boolean): CountedStatement {
  const rows = isPartial && change.kind !== 'insert' ? null : 1;
  return { text: singleText(plan, change), rows, label: plan.label };
}

function singleText({ statements, keyIndexes }: TablePlan, change: RowChange): Statement {
  if (change.kind === 'insert') return statements.insertOne(change.after);
  if (change.kind === 'delete') return statements.deleteOne(change.before);
  return statements.updateOne(updateKeyImage({ keyIndexes }, change), change.after);
}

/**
 * TRUNCATE commits by itself here: rows that were written before it would be at the target without those after it, and without their checkpoint. DELETE is part
 * of the transaction, and takes its time with large tables. Foreign keys are never acted upon by TRUNCATE, which the source has refused where they would count.
 */
function* truncateStatements(
  { plans }: SetOptions,
  change: TruncateChange,
  checks: ForeignKeyChecks,
): Generator<CountedStatement, void, undefined> {
  const tables = change.tables.map((table) => plans.get(table));
  // Rows that never came from here would go with the others. Of what the route owns the server can be asked.
  const unknown = change.shares?.find(({ table }) => plans.get(table).share === null);
  if (unknown !== undefined) throw fail(targetErrors.truncateOfShare, { table: tableLabel(unknown.table) });
  const { unchecked } = checks;
  yield* checks.set(true);
  for (const { target, share, label } of plans.parentsFirst([...new Set(tables)]).reverse())
    yield { text: `delete from ${quoteTable(target)}${whereShared(share)}`, rows: null, label };
  yield* checks.set(unchecked);
}

/** Deletes before updates before inserts frees unique values before they are taken again. */
function* netStatements(
  options: SetOptions,
  tables: readonly NetTable<TablePlan>[],
): Generator<CountedStatement, void, undefined> {
  if (!options.foreignKeysAct) {
    for (const table of tables) {
      const { deletes, updates, inserts } = splitByKind(table);
      yield* deleteStatements(options, table.plan, deletes);
      yield* updateStatements(options, table.plan, updates);
      yield* insertStatements(options, table.plan, inserts);
    }
    return;
  }
  const split = new Map(tables.map((table) => [table.plan, splitByKind(table)]));
  const none: SplitRows = { inserts: [], updates: [], deletes: [] };
  const parentsFirst = options.plans.parentsFirst(tables.map(({ plan }) => plan));
  for (const plan of parentsFirst) yield* insertStatements(options, plan, (split.get(plan) ?? none).inserts);
  for (const plan of parentsFirst) yield* updateStatements(options, plan, (split.get(plan) ?? none).updates);
  for (const plan of parentsFirst.reverse()) yield* deleteStatements(options, plan, (split.get(plan) ?? none).deletes);
}

interface RowPair {
  readonly old: Row;
  readonly after: Row;
}

const nothing: Row = [];

/** New rows, of a load. */
export function insertRows(
  plan: TablePlan,
  rows: readonly Row[],
  maxBytes: number,
): Generator<CountedStatement, void, undefined> {
  const pairs = rows.map((after) => ({ old: nothing, after }));
  return rowStatements({ maxBytes }, plan, plan.statements.insert, pairs);
}

/** Rows that have to be there, by their keys. */
export function deleteRows(
  plan: TablePlan,
  rows: readonly Row[],
  maxBytes: number,
): Generator<CountedStatement, void, undefined> {
  const pairs = rows.map((old) => ({ old, after: nothing }));
  return rowStatements({ maxBytes }, plan, plan.statements.delete, pairs);
}

/** As `insertRows`, where some of them may be there. */
export function insertMissingRows(
  plan: TablePlan,
  rows: readonly Row[],
  maxBytes: number,
): Generator<CountedStatement, void, undefined> {
  const { insertMissing } = plan.statements;
  if (insertMissing === null) throw new RangeError(`rows of ${plan.label} are not told apart by a key`);
  const pairs = rows.map((after) => ({ old: after, after }));
  return rowStatements({ maxBytes, anyNumber: true }, plan, insertMissing, pairs);
}

/** As `insertMissingRows`, and those that are there become what is loaded. */
export function* replaceRows(
  plan: TablePlan,
  rows: readonly Row[],
  maxBytes: number,
): Generator<CountedStatement, void, undefined> {
  const [first] = rows;
  if (first === undefined) return;
  const pairs = rows.map((after) => ({ old: after, after }));
  yield* rowStatements({ maxBytes, anyNumber: true }, plan, plan.statements.update(first), pairs);
  yield* insertMissingRows(plan, rows, maxBytes);
}

function insertStatements(options: SetOptions, plan: TablePlan, inserts: SplitRows['inserts']) {
  return rowStatements(
    options,
    plan,
    plan.statements.insert,
    inserts.map(({ after }) => ({ old: nothing, after })),
  );
}

function deleteStatements(options: SetOptions, plan: TablePlan, rows: SplitRows['deletes']) {
  return rowStatements(
    { ...options, anyNumber: options.isPartial(plan) },
    plan,
    plan.statements.delete,
    rows.map((old) => ({ old, after: nothing })),
  );
}

/** Rows that carry the same columns share a statement. */
function* updateStatements(
  options: SetOptions,
  plan: TablePlan,
  changes: SplitRows['updates'],
): Generator<CountedStatement, void, undefined> {
  const byStatement = new Map<SetStatement, RowPair[]>();
  for (const change of changes) {
    const statement = plan.statements.update(change.after);
    const pairs = byStatement.get(statement) ?? [];
    byStatement.set(statement, pairs);
    pairs.push(imagesOf(plan, change));
  }
  const anyNumber = options.isPartial(plan);
  for (const [statement, pairs] of byStatement) yield* rowStatements({ ...options, anyNumber }, plan, statement, pairs);
}

function imagesOf({ keyIndexes }: TablePlan, change: UpdateChange): RowPair {
  return { old: updateKeyImage({ keyIndexes }, change), after: change.after };
}

/** Of one unit of a string as UTF-8. */
const mostBytesEach = 3;

/** Cut where a statement would be longer than the server takes, in bytes as it gets them. */
function* rowStatements(
  { maxBytes, anyNumber = false }: Pick<SetOptions, 'maxBytes'> & { readonly anyNumber?: boolean },
  { label }: TablePlan,
  { head, behindFirst, tail, firstRow, row }: SetStatement,
  pairs: readonly RowPair[],
): Generator<CountedStatement, void, undefined> {
  const tailBytes = Buffer.byteLength(tail);
  const long = new LongValues();
  let text = '';
  let bytes = 0;
  let rows = 0;
  for (const { old, after } of pairs) {
    if (rows > 0) {
      // One with a long value has a statement of its own, which is written when it is sent.
      const next = isLong(after) ? null : (rows === 1 ? behindFirst : ',') + row(old, after, long);
      if (next !== null) {
        let more = next.length * mostBytesEach;
        if (bytes + more > maxBytes) {
          // Counted only where it may matter: that takes as long as writing the row.
          bytes = Buffer.byteLength(text) + tailBytes + long.moreBytes;
          more = Buffer.byteLength(next);
        }
        if (bytes + more <= maxBytes) {
          text += next;
          bytes += more;
          rows++;
          continue;
        }
      }
      yield { text: long.statement(text + tail), rows: anyNumber ? null : rows, label };
    }
    const first = firstRow(old, after, long);
    text = head + first;
    bytes = text.length * mostBytesEach + tailBytes + long.moreBytes;
    rows = 1;
  }
  if (rows > 0) yield { text: long.statement(text + tail), rows: anyNumber ? null : rows, label };
}

function isLong(row: Row): boolean {
  for (const cell of row)
    if ((typeof cell === 'string' || Buffer.isBuffer(cell)) && cell.length > longBytes) return true;
  return false;
}

/** Whether foreign keys are checked and act for the statements that come next; only where they do at all. */
class ForeignKeyChecks {
  readonly #act: boolean;
  unchecked = false;

  constructor({ foreignKeysAct }: Pick<SetOptions, 'foreignKeysAct'>) {
    this.#act = foreignKeysAct;
  }

  differ(unchecked: boolean): boolean {
    return this.#act && this.unchecked !== unchecked;
  }

  *set(unchecked: boolean): Generator<CountedStatement, void, undefined> {
    if (!this.differ(unchecked)) return;
    this.unchecked = unchecked;
    yield { text: unchecked ? 'set foreign_key_checks = 0' : checkForeignKeys, rows: null, label: '' };
  }
}
