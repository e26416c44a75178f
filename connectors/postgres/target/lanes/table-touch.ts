import type { Row } from '../../../../src/core/cell.ts';
import type { RowChange } from '../../../../src/core/change.ts';
import { type PackedRow, packedAfter } from '../../../../src/core/packed-row.ts';
import { type KeyPart, type KeyReader, type RowKey, readerOfParts } from '../../../sql/apply/row-key.ts';
import type { TableKeys } from '../../../sql/parking/table-keys.ts';
import { isAlike } from '../comparable-types.ts';
import { normaliser } from '../key-form.ts';
import type { TablePlan } from '../table-plan.ts';
import type { TouchedKeys } from './touched-keys.ts';

interface Key {
  readonly resource: string;
  readonly read: KeyReader;
}

interface Referenced extends Key {
  /** A change that does not log it has not changed it. */
  readonly isLogged: boolean;
}

export interface TouchOptions {
  readonly plan: TablePlan;
  readonly keys: TableKeys;
  /** Foreign keys are not looked at by the server, so that no row waits for another's. */
  readonly replicaRole: boolean;
}

/**
 * Which keys the changes of one table touch. What is not told here the server tells, which refuses: a value that a change frees and the log does
 * not carry, an index over expressions. What the server would not tell makes the table a barrier.
 */
export class TableTouch {
  readonly #table: string;
  readonly #named: string;
  readonly #row: Key | null;
  readonly #unique: readonly Key[];
  readonly #foreign: readonly Key[];
  readonly #referenced: readonly Referenced[];

  private constructor(parts: {
    table: string;
    named: string;
    row: Key | null;
    unique: readonly Key[];
    foreign: readonly Key[];
    referenced: readonly Referenced[];
  }) {
    this.#table = parts.table;
    this.#named = parts.named;
    this.#row = parts.row;
    this.#unique = parts.unique;
    this.#foreign = parts.foreign;
    this.#referenced = parts.referenced;
  }

  /** Null of a table that is a barrier: nothing is carried out beside its changes. */
  static of({ plan, keys, replicaRole }: TouchOptions): TableTouch | null {
    const { target, source, keyIndexes, readKey } = plan;
    const acting = replicaRole ? target.replicaTriggers : target.ordinaryTriggers;
    if (acting.length > 0 || (!replicaRole && target.cascades.length > 0)) return null;
    // Checked as late as the COMMIT, against rows of groups that wait for it.
    if (target.hasDeferrableUnique || plan.isKeyDeferrable || keys.hasExclusion) return null;
    // Rows that stay, or whose equals are not known here.
    if (source.kept !== undefined || (readKey === null && keyIndexes.length > 0)) return null;
    const column = (index: number) => plan.columns.find((bound) => bound.index === index)?.column;
    const named = keyIndexes.map((index) => column(index)?.name ?? '').join(', ');
    const indexesOf = (columns: readonly string[]): number[] =>
      columns.map((name) => plan.columns.find((bound) => bound.column.name === name)?.index ?? -1);
    const unique: Key[] = [];
    for (const { columns, hasExpressions } of keys.unique) {
      const indexes = indexesOf(columns);
      if (hasExpressions || indexes.includes(-1) || columns.join(', ') === named) continue;
      const read = reader(plan, indexes);
      if (read !== null) unique.push({ resource: `unique ${keys.name} (${columns.join(', ')})`, read });
    }
    const foreign: Key[] = [];
    const referenced: Referenced[] = [];
    if (!replicaRole) {
      for (const key of keys.foreign) {
        const indexes = indexesOf(key.columns);
        if (indexes.every((index) => index < 0)) continue;
        const isComparable = indexes.every((index, at) => isAlike(column(index)?.baseType, key.parentTypes[at]));
        const read = isComparable ? reader(plan, indexes) : null;
        if (read === null) return null;
        foreign.push({ resource: referenceTo(key.parent, key.parentColumns), read });
      }
      for (const columns of keys.referenced) {
        const indexes = indexesOf(columns);
        const read = indexes.includes(-1) ? null : reader(plan, indexes);
        if (read === null) return null;
        const isLogged = indexes.every((index) => source.columns[index]?.key === true);
        referenced.push({ resource: referenceTo(keys.name, columns), read, isLogged });
      }
    }
    const row = readKey === null ? null : { resource: `row ${keys.name}`, read: readKey };
    return new TableTouch({ table: keys.name, named, row, unique, foreign, referenced });
  }

  /** Before the changes of a group. False where they can't be compared with others of it. */
  begin(touched: TouchedKeys): boolean {
    return touched.names(this.#table, this.#named);
  }

  /** False where there is no telling what the change touches. */
  touch(change: RowChange, touched: TouchedKeys): boolean {
    const next = change.kind === 'delete' ? null : imageOf(change);
    const before = change.kind === 'insert' ? null : change.before;
    if (!this.#touchRow(change, next, before, touched)) return false;
    for (const { resource, read } of this.#unique)
      for (const image of [next, before]) claim(read, image, (key) => touched.take(resource, key));
    for (const { resource, read } of this.#foreign)
      for (const image of [next, before]) claim(read, image, (key) => touched.need(resource, key));
    return this.#referenced.every((key) => touchReferenced(key, change, touched));
  }

  #touchRow(change: RowChange, next: Image, before: Row | null, touched: TouchedKeys): boolean {
    // Equal rows may be added beside each other; which of them another change means is decided when it is carried out.
    if (this.#row === null) return change.kind === 'insert';
    const { resource, read } = this.#row;
    const keys = [readImage(read, next), readImage(read, before)];
    for (const key of keys) if (key !== null) touched.take(resource, key);
    return keys.some((key) => key !== null);
  }
}

type Image = Row | PackedRow | null;

function readImage(read: KeyReader, image: Image): RowKey | null {
  if (image === null) return null;
  return 'bytes' in image ? read.packed(image) : read(image);
}

function claim(read: KeyReader, image: Image, note: (key: RowKey) => void): void {
  const key = readImage(read, image);
  if (key !== null) note(key);
}

/** A key that others point to comes, goes or becomes another; other columns of its row are nobody's reference. False where that can't be told. */
function touchReferenced({ resource, read, isLogged }: Referenced, change: RowChange, touched: TouchedKeys): boolean {
  if (change.kind === 'update' && change.before === null) return isLogged;
  const came = change.kind === 'delete' ? null : readImage(read, imageOf(change));
  const went = change.kind === 'insert' ? null : readImage(read, change.before);
  if (change.kind !== 'insert' && went === null) return false;
  if (change.kind === 'update' && came === null) return false;
  if (came === went) return true;
  for (const key of [came, went]) if (key !== null) touched.take(resource, key);
  return true;
}

function imageOf(change: RowChange & { kind: 'insert' | 'update' }): Image {
  return packedAfter(change) ?? change.after;
}

function referenceTo(parent: string, columns: readonly string[]): string {
  return `reference ${parent} (${columns.join(', ')})`;
}

/** As texts: integers of one side may be numerics of the other. */
function reader(plan: TablePlan, indexes: readonly number[]): KeyReader | null {
  const parts: KeyPart[] = [];
  for (const index of indexes) {
    const column = plan.columns.find((bound) => bound.index === index)?.column;
    const normalise = column === undefined ? null : normaliser(column);
    if (normalise === null) return null;
    parts.push({ index, normalise });
  }
  return parts.length === 0 ? null : readerOfParts(parts, false);
}
