import { type Row, UNCHANGED } from '../../../src/core/cell.ts';
import { type Change, type InsertChange, isRowChange, type RowChange } from '../../../src/core/change.ts';
import type { PackedInserts } from '../../../src/core/packed-inserts.ts';
import { packedInserts } from '../../../src/core/packed-part.ts';
import { type PackedRow, packedAfter } from '../../../src/core/packed-row.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import {
  NetEffect,
  type NetTable,
  type SplitRows,
  splitByKind,
  takePacked,
  updateKeyImage,
} from '../../sql/apply/net-effect.ts';
import type { StatementSink } from './batch.ts';
import { copyMessages } from './copy-messages.ts';
import { guardedStatement, untouchedCopy } from './guarded-statement.ts';
import type { OwedRows } from './owed-rows.ts';
import { cellsOf, isPacked, type RowImage } from './row-image.ts';
import { bindRows, type Statement } from './statement.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';
import { type TruncateOptions, truncateTables } from './truncate-tables.ts';

const noRows: readonly Row[] = [];

/**
 * COPY is planned anew each time; below so many rows the prepared statement takes less. Rows of large values are never copied: the server looks at each character of a line
 * twice, and at none of a parameter.
 */
const worthCopying = 50;

/** Sends statements for rows; `replicaRole` as in ApplyConnection. */
export interface RowApplier {
  readonly batch: StatementSink;
  readonly plans: TablePlans;
  readonly replicaRole: boolean;
  /** Statements refuse by themselves what they don't find: nobody looks at their counts before the COMMIT. */
  readonly isGuarded?: boolean;
  /** True of a table that lacks rows which are still to be loaded: a change may find none. */
  isPartial(plan: TablePlan): boolean;
  /** Null but for tables without a key that lack rows: a row of theirs is deleted by all that is in it, and whether it was there is told. */
  readonly owing?: (plan: TablePlan) => OwedRows | null;
}

export type Applier = TruncateOptions & RowApplier;

/** Sends the net effect of the parts as few statements, without waiting for answers but at the truncate of a share. */
export async function sendAsSets(applier: Applier, parts: readonly TransactionPart[]): Promise<void> {
  const net = new NetEffect<TablePlan>();
  for (const part of parts) {
    if (reducePacked(applier, net, part)) continue;
    for (const change of part.changes) {
      if (isRowChange(change)) reduce(applier, net, change);
      else if (change.kind === 'truncate') {
        sendNet(applier, net.drain());
        await truncateTables(applier, change);
      }
    }
  }
  sendNet(applier, net.drain());
}

/** The same of parts without a truncate. */
export function sendRowsAsSets(applier: RowApplier, parts: readonly TransactionPart[]): void {
  const net = new NetEffect<TablePlan>();
  for (const part of parts) {
    if (reducePacked(applier, net, part)) continue;
    const { changes } = part;
    for (let at = 0; at < changes.length; at++) {
      const change = changes[at] as Change;
      if (isRowChange(change)) reduce(applier, net, change);
    }
  }
  sendNet(applier, net.drain());
}

/** False where the part's changes have to be looked at one by one. */
function reducePacked(applier: RowApplier, net: NetEffect<TablePlan>, part: TransactionPart): boolean {
  const inserts = packedInserts(part);
  if (inserts === null) return false;
  const plan = applier.plans.get(inserts.table);
  return plan.copy !== null && net.offerPacked(plan, inserts);
}

function reduce(applier: RowApplier, net: NetEffect<TablePlan>, change: RowChange): void {
  const plan = applier.plans.get(change.table);
  const isOwed = change.kind !== 'insert' && applier.owing?.(plan) != null;
  if (!isOwed && net.offer(plan, change) === 'taken') return;
  // Without foreign keys and triggers no table's rows depend on another's.
  sendNet(applier, applier.replicaRole ? net.drain(({ target }) => target.oid === plan.target.oid) : net.drain());
  sendSingle(applier, plan, change);
}

/** Sends each change by itself, in source order, without waiting for answers but at the truncate of a share. */
export async function sendInOrder(applier: Applier, parts: readonly TransactionPart[]): Promise<void> {
  for (const part of parts) {
    for (const change of part.changes) {
      if (isRowChange(change)) sendSingle(applier, applier.plans.get(change.table), change);
      else if (change.kind === 'truncate') await truncateTables(applier, change);
    }
  }
}

/** The statement for one change, with the images that it reads. */
export function singleStatement(
  plan: TablePlan,
  change: RowChange,
  { update, delete: remove }: Pick<TablePlan, 'update' | 'delete'> = plan,
): { statement: Statement; old: Row[]; next: Row[] } {
  switch (change.kind) {
    case 'insert':
      return { statement: plan.insert, old: [], next: [change.after] };
    case 'update':
      return { statement: update(change.after), old: [updateKeyImage(plan, change)], next: [change.after] };
    case 'delete':
      return { statement: remove, old: [change.before], next: [] };
  }
}

/** A row of a table that is being loaded may be somebody else's until its chunk has come. */
function rowsOf(applier: RowApplier, plan: TablePlan): Pick<TablePlan, 'update' | 'delete'> {
  return plan.same !== null && applier.isPartial(plan) ? plan.byKey : plan;
}

export function sendSingle(applier: RowApplier, plan: TablePlan, change: RowChange): void {
  const owed = change.kind === 'delete' ? (applier.owing?.(plan) ?? null) : null;
  if (owed !== null && change.kind === 'delete') {
    const statement = plan.deleteImage();
    const told = owed.deleting(plan, change.before);
    const query = { name: statement.name, text: statement.text, values: bindRows(statement, [change.before], []) };
    withRole(applier, plan, () => applier.batch.send(query, ({ rowCount }) => told(rowCount)));
    return;
  }
  const { statement, old, next } = singleStatement(plan, change, rowsOf(applier, plan));
  withRole(applier, plan, () => sendRows(applier, plan, statement, { old, next, count: 1 }));
}

/**
 * Deletes before updates before inserts frees unique values before they are taken again. Where foreign keys are
 * checked, a row must come before those that point to it and go after them: inserts, updates, deletes.
 */
function sendNet(applier: RowApplier, tables: readonly NetTable<TablePlan>[]): void {
  if (tables.length === 0) return;
  if (applier.replicaRole) {
    for (const table of tables) {
      withRole(applier, table.plan, () => {
        const packed = packedOf(table);
        const rows = splitByKind(table);
        sendDeletes(applier, table.plan, rows.deletes);
        sendUpdates(applier, table.plan, rows.updates);
        sendInserts(applier, table.plan, rows.inserts, packed);
      });
    }
    return;
  }
  const parentsFirst = applier.plans.parentsFirst(tables.map((table) => table.plan));
  const packed = new Map(tables.map((table) => [table.plan, packedOf(table)]));
  const split = new Map(tables.map((table) => [table.plan, splitByKind(table)]));
  const empty: SplitRows = { inserts: [], updates: [], deletes: [] };
  for (const plan of parentsFirst)
    sendInserts(applier, plan, (split.get(plan) ?? empty).inserts, packed.get(plan) ?? []);
  for (const plan of parentsFirst) sendUpdates(applier, plan, (split.get(plan) ?? empty).updates);
  for (const plan of parentsFirst.reverse()) sendDeletes(applier, plan, (split.get(plan) ?? empty).deletes);
}

/** What stays packed is written by COPY alone: of any other table it is left for `splitByKind`. */
function packedOf(table: NetTable<TablePlan>): readonly PackedInserts[] {
  return table.plan.copy === null ? [] : takePacked(table);
}

/** `packed`: more of them, of a table that can be copied to. */
function sendInserts(
  applier: RowApplier,
  plan: TablePlan,
  inserts: readonly InsertChange[],
  packed: readonly PackedInserts[],
): void {
  const count = packed.reduce((sum, { rows }) => sum + rows, inserts.length);
  if (plan.copy !== null && (count >= worthCopying || packed.length > 0)) {
    const large: PackedRow[] = [];
    // One that points to another row of the table may come before it: the server looks when the statement is over.
    const isWhole = plan.target.referencesItself && (!applier.replicaRole || plan.target.hasDeferrableUnique);
    const data = copyMessages(inserts, packed, isWhole ? null : (row) => large.push(row));
    const copied = count - large.length;
    if (copied > 0) {
      applier.batch.sendCopy(plan.copy, data, copied, plan.label);
      if (applier.isGuarded) applier.batch.sendGuarded(untouchedCopy(plan), copied, plan.label);
    }
    for (const row of large) sendRows(applier, plan, plan.insertOne, { old: noRows, next: [row], count: 1 });
  } else if (count > 0) {
    const next = inserts.map(imageOf);
    sendRows(applier, plan, plan.insert, { old: noRows, next, count });
  }
}

function sendDeletes(applier: RowApplier, plan: TablePlan, rows: readonly Row[]): void {
  const { delete: statement } = rowsOf(applier, plan);
  if (rows.length > 0) sendRows(applier, plan, statement, { old: rows, next: noRows, count: rows.length });
}

/** Rows that carry the same columns share a statement. */
function sendUpdates(applier: RowApplier, plan: TablePlan, changes: readonly (RowChange & { kind: 'update' })[]): void {
  const { update } = rowsOf(applier, plan);
  const byStatement = new Map<Statement, { old: RowImage[]; next: RowImage[] }>();
  for (const change of changes) {
    const image = imageOf(change);
    const statement = update(isPacked(image) ? null : image);
    let images = byStatement.get(statement);
    if (images === undefined) {
      images = { old: [], next: [] };
      byStatement.set(statement, images);
    }
    images.old.push(change.before === null ? image : updateKeyImage(plan, change));
    images.next.push(image);
  }
  for (const [statement, { old, next }] of byStatement) {
    sendRows(applier, plan, statement, { old, next, count: next.length });
  }
}

/** The new row, as it came where nobody has looked into it. */
function imageOf(change: RowChange & { kind: 'insert' | 'update' }): RowImage {
  return packedAfter(change) ?? change.after;
}

interface RowImages {
  readonly old: readonly RowImage[];
  readonly next: readonly RowImage[];
  readonly count: number;
}

function sendRows(applier: RowApplier, plan: TablePlan, statement: Statement, rows: RowImages): void {
  const { batch, isGuarded = false } = applier;
  const values = bindRows(statement, rows.old, rows.next);
  const query = { name: statement.name, text: statement.text, values };
  const inserts = statement === plan.insert || statement === plan.insertOne;
  // What is owed is told above; of nothing else of such a table it may be passed over that it was not there.
  const mayMiss = !inserts && applier.isPartial(plan) && applier.owing?.(plan) == null;
  if (mayMiss && isAssignable(plan, rows)) batch.send(query);
  else if (isGuarded) batch.sendGuarded(guardedStatement(statement, values, rows.count), rows.count, plan.label);
  else batch.sendCounted(query, rows.count, plan.label);
}

/**
 * False for an update that may have to assign an identity that is always generated: its row counts as missing, and is replaced one by one. A
 * row that is still to be loaded is told from it there.
 */
function isAssignable(plan: TablePlan, { old: [oldImage], next: [image], count }: RowImages): boolean {
  if (image === undefined) return true;
  const [old, next] = [oldImage && cellsOf(oldImage), cellsOf(image)];
  const stays = (index: number): boolean =>
    plan.keyIndexes.includes(index) && (count > 1 || next[index] === UNCHANGED || next[index] === old?.[index]);
  return plan.columns.every(({ index, column }) => column.identity !== 'a' || stays(index));
}

/**
 * The replica role switches off the trigger that rechecks a deferred unique constraint, and a duplicate would be
 * committed without an error (AfterTriggerSaveEvent asks TriggerEnabled when the row changes). Statements on such a
 * table run under the ordinary role.
 */
function withRole(applier: RowApplier, plan: TablePlan, send: () => void): void {
  const isOrdinary = applier.replicaRole && plan.target.hasDeferrableUnique;
  if (isOrdinary) applier.batch.send('set local session_replication_role = origin');
  send();
  if (isOrdinary) applier.batch.send('set local session_replication_role = replica');
}
