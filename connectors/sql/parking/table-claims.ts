import { hash } from 'node:crypto';
import { ABSENT, type Row, UNCHANGED } from '../../../src/core/cell.ts';
import type { RowChange } from '../../../src/core/change.ts';
import type { TableVersion } from '../../../src/core/table.ts';
import type { NormaliseKey } from '../apply/row-key.ts';
import type { Claim } from './claim-set.ts';
import type { TableKeys } from './table-keys.ts';

/**
 * A digest; null for a NULL among the values, which equals nothing; undefined where a value is not in the image; `any` where
 * it is not known which other values the server holds equal.
 */
type Value = number | null | undefined | 'any';

/** What of a table's plan tells which keys its rows have. */
export interface ClaimedPlan {
  readonly label: string;
  readonly source: TableVersion;
  /** Columns that name a row at the target; empty where only the whole row does. */
  readonly keyIndexes: readonly number[];
}

/** What a connector knows of the target table's columns. */
export interface KeyColumns {
  /** In a mapped row; -1 where no source column fills it. */
  indexOf(name: string): number;
  /** Null where the server may hold values equal whose texts differ. */
  normaliser(index: number): NormaliseKey | null;
  /** Whether values of the column are equal to those of a column of `type` where their texts are. */
  isComparable(index: number, type: string): boolean;
  /**
   * Old values that the log does not carry: `fetched` from the row at the target; `ignored`; or their keys count as if they had
   * `every` value.
   */
  readonly unlogged: 'fetched' | 'ignored' | 'every';
}

interface KeyOf {
  readonly resource: string;
  readonly indexes: readonly number[];
  /** Null where equal values can't be told from others: every value counts then. */
  readonly read: ((row: Row) => Value) | null;
}

/**
 * What changes of one table claim. The conflicts are those of row locks as PostgreSQL has them: a row, a unique value and the
 * appearing or going of a key that foreign keys point to are claimed exclusively, the key that a row points to is
 * shared. So the orders of one customer don't wait for each other, nor for a change of his address; but they do for
 * his own insert, and his delete waits for them.
 *
 * A later change has to name only what it takes: the unique values and references of its new image. What it frees was
 * taken after whatever is parked, or else its row is parked itself. A parked change names its old values, too; those
 * that the log does not carry are read from the row at the target, which is as it was before the change.
 */
export class TableClaims {
  /** Columns whose old values have to be read at the target where the log does not carry them. */
  readonly fetched: readonly number[];
  readonly #plan: ClaimedPlan;
  readonly #row: KeyOf;
  readonly #unique: readonly KeyOf[];
  readonly #foreign: readonly KeyOf[];
  readonly #referenced: readonly KeyOf[];
  /** Claimed with every value by each insert and update: exclusion constraints, unique indexes over expressions. */
  readonly #unreadable: string | null;

  constructor(plan: ClaimedPlan, keys: TableKeys, columns: KeyColumns) {
    this.#plan = plan;
    const isKnown = (index: number): boolean =>
      columns.unlogged !== 'every' || plan.source.identity === 'full' || plan.source.columns[index]?.key === true;
    const keyOf = (resource: string, indexes: readonly number[], nullsDistinct = true): KeyOf =>
      indexes.every(isKnown)
        ? readableKey(columns, resource, indexes, nullsDistinct)
        : { resource, indexes, read: null };
    this.#row = keyOf(`row ${keys.name}`, [...plan.keyIndexes]);
    const indexesOf = (names: readonly string[]): number[] => names.map((name) => columns.indexOf(name));
    const isRowKey = (indexes: readonly number[]): boolean =>
      indexes.length === plan.keyIndexes.length && indexes.every((index) => plan.keyIndexes.includes(index));
    const readable = keys.unique.filter(({ hasExpressions }) => !hasExpressions);
    this.#unique = readable.flatMap(({ columns: names, nullsDistinct }) => {
      // A column that no source column fills can't be read: fewer columns only make more values equal.
      const indexes = indexesOf(names).filter((index) => index >= 0);
      if (indexes.length === 0 || (isRowKey(indexes) && indexes.length === names.length)) return [];
      return [keyOf(`unique ${keys.name} (${names.join(', ')})`, indexes, nullsDistinct)];
    });
    this.#foreign = keys.foreign.flatMap((key): KeyOf[] => {
      const indexes = indexesOf(key.columns);
      const resource = referenceTo(key.parent, key.parentColumns);
      // None of its columns is filled by the route.
      if (indexes.every((index) => index < 0)) return [];
      const isComparable = indexes.every(
        (index, at) => index >= 0 && columns.isComparable(index, key.parentTypes[at] ?? ''),
      );
      return [isComparable ? keyOf(resource, indexes) : { resource, indexes: [], read: null }];
    });
    this.#referenced = keys.referenced.map((names) => {
      const indexes = indexesOf(names);
      const resource = referenceTo(keys.name, names);
      return indexes.includes(-1) ? { resource, indexes: [], read: null } : keyOf(resource, indexes);
    });
    const isUnreadable = keys.hasExclusion || readable.length < keys.unique.length;
    this.#unreadable = isUnreadable ? `exclusion ${keys.name}` : null;
    const needed = [...this.#unique, ...this.#foreign, ...this.#referenced].flatMap(({ indexes }) => indexes);
    const isLogged = (index: number): boolean => plan.source.columns[index]?.key === true;
    this.fetched =
      plan.keyIndexes.length === 0 || columns.unlogged !== 'fetched' || plan.source.identity === 'full'
        ? []
        : [...new Set(needed)].filter((index) => !isLogged(index)).sort((a, b) => a - b);
  }

  get resources(): readonly string[] {
    const keys = [this.#row, ...this.#unique, ...this.#foreign, ...this.#referenced];
    return [...keys.map(({ resource }) => resource), ...(this.#unreadable === null ? [] : [this.#unreadable])];
  }

  /** Whether a value of one of these columns, as a mapped row names them, is part of what tells keys apart. */
  hasKeyOf(names: readonly string[]): boolean {
    const { columns } = this.#plan.source;
    const isNamed = (index: number): boolean => names.includes(columns[index]?.name ?? '');
    return [this.#row, ...this.#unique, ...this.#foreign, ...this.#referenced].some(({ indexes }) =>
      indexes.some(isNamed),
    );
  }

  /** What a change that comes later claims, to be held against what is parked. */
  later(change: RowChange, claim: (claim: Claim) => void): void {
    this.#claimRow(change, claim);
    const next = change.kind === 'delete' ? null : change.after;
    if (next !== null) this.#claimTaken(next, claim);
    for (const key of this.#referenced) this.#claimReferenced(key, change, null, claim);
  }

  /** What a parked change claims; `old` is the target's row before it, null where that is not there. */
  parked(change: RowChange, old: Row | null, claim: (claim: Claim) => void): void {
    this.#claimRow(change, claim);
    const before = change.kind === 'insert' ? null : change.before;
    for (const image of [before, old]) if (image !== null) this.#claimTaken(image, claim);
    if (change.kind !== 'delete') {
      const next =
        old === null ? change.after : change.after.map((cell, at) => (cell === UNCHANGED ? (old[at] ?? cell) : cell));
      this.#claimTaken(next, claim);
    }
    for (const key of this.#referenced) this.#claimReferenced(key, change, old, claim);
  }

  /** Every row, now and before. */
  truncate(claim: (claim: Claim) => void): void {
    for (const { resource } of [this.#row, ...this.#referenced]) claim({ resource, exclusive: true, digest: null });
    for (const { resource } of this.#foreign) claim({ resource, exclusive: false, digest: null });
  }

  #claimRow(change: RowChange, claim: (claim: Claim) => void): void {
    const { resource, read } = this.#row;
    const images = change.kind === 'insert' ? [change.after] : [change.before];
    if (change.kind === 'update') images.push(change.after);
    const digests = read === null ? [] : images.flatMap((image) => (image === null ? [] : (read(image) ?? [])));
    // Without one readable key there is no telling which row it is.
    if (digests.length === 0) claim({ resource, exclusive: true, digest: null });
    for (const digest of digests) claim({ resource, exclusive: true, digest: digest === 'any' ? null : digest });
  }

  #claimTaken(row: Row, claim: (claim: Claim) => void): void {
    for (const { resource, read } of this.#unique) {
      const digest = read === null ? null : read(row);
      if (read === null || digest === 'any') claim({ resource, exclusive: true, digest: null });
      else if (typeof digest === 'number') claim({ resource, exclusive: true, digest });
    }
    for (const { resource, read } of this.#foreign) {
      const digest = read === null ? null : read(row);
      if (read === null || digest === 'any') claim({ resource, exclusive: false, digest: null });
      else if (typeof digest === 'number') claim({ resource, exclusive: false, digest });
    }
    if (this.#unreadable !== null) claim({ resource: this.#unreadable, exclusive: true, digest: null });
  }

  /** Only where the key comes, goes or becomes another: other columns of the row are nobody's reference. */
  #claimReferenced(key: KeyOf, change: RowChange, old: Row | null, claim: (claim: Claim) => void): void {
    const { resource, read, indexes } = key;
    const exclusive = true;
    const images: Row[] = [];
    if (change.kind === 'update') {
      const { before, after } = change;
      const isLogged = indexes.every((index) => this.#plan.source.columns[index]?.key === true);
      if (read !== null && before === null && isLogged) return;
      const was = before !== null && read?.(before) !== undefined ? before : old;
      if (read !== null && indexes.every((index) => after[index] === UNCHANGED)) return;
      if (read === null || was === null) {
        claim({ resource, exclusive, digest: null });
        return;
      }
      const digest = read(was);
      if (digest !== 'any' && digest === read(after)) return;
      images.push(was, after);
    } else {
      const image = change.kind === 'insert' ? change.after : change.before;
      const isThere = read !== null && read(image) !== undefined;
      if (!isThere && old === null) {
        claim({ resource, exclusive, digest: null });
        return;
      }
      images.push(isThere || old === null ? image : old);
    }
    for (const image of images) {
      const digest = read?.(image);
      if (digest === undefined || digest === 'any') claim({ resource, exclusive, digest: null });
      else if (digest !== null) claim({ resource, exclusive, digest });
    }
  }
}

function referenceTo(parent: string, columns: readonly string[]): string {
  return `reference ${parent} (${columns.join(', ')})`;
}

function readableKey(columns: KeyColumns, resource: string, indexes: readonly number[], nullsDistinct: boolean): KeyOf {
  const normalisers: NormaliseKey[] = [];
  for (const index of indexes) {
    const normalise = columns.normaliser(index);
    if (normalise === null) return { resource, indexes, read: null };
    normalisers.push(normalise);
  }
  if (indexes.length === 0) return { resource, indexes, read: null };
  return { resource, indexes, read: (row) => digestOf(row, { resource, indexes, normalisers, nullsDistinct }) };
}

interface DigestOptions {
  readonly resource: string;
  readonly indexes: readonly number[];
  readonly normalisers: readonly NormaliseKey[];
  readonly nullsDistinct: boolean;
}

function digestOf(row: Row, { resource, indexes, normalisers, nullsDistinct }: DigestOptions): Value {
  let text = resource;
  let isNull = false;
  for (let at = 0; at < indexes.length; at++) {
    const cell = row[indexes[at] ?? -1];
    if (cell === undefined || cell === UNCHANGED || cell === ABSENT) return undefined;
    if (cell === null) isNull = true;
    // No normaliser leaves a NUL in a text, so that no two keys run together. Bytes are compared as PostgreSQL writes them.
    const value = Buffer.isBuffer(cell) ? `\\x${cell.toString('hex')}` : cell === null ? null : normalisers[at]?.(cell);
    if (value === null && cell !== null) return 'any';
    text += value === null ? '\0' : `\0${value}`;
  }
  if (isNull && nullsDistinct) return null;
  // 48 bits: two values that meet by chance only make a transaction wait that would not have to.
  return Number.parseInt(hash('sha256', text, 'hex').slice(0, 12), 16);
}
