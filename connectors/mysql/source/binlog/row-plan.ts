import type { Column, TableVersion } from '../../../../src/core/table.ts';
import { charBytes, columnTypes as t } from './column-types.ts';
import * as kind from './row-kinds.ts';
import type { MappedColumn, TableMap } from './table-map.ts';
import type { Collation, Collations } from './values/charsets.ts';
import { decimalBytes } from './values/decimal.ts';
import { fractionBytes } from './values/temporal.ts';
import { type DecodeText, decodeUtf8, InvalidTextError } from './values/text-decoder.ts';

/** The log does not tell enough of a column to read or name its values. */
export class UndescribedColumnError extends Error {
  /** Null where it has no name either. */
  readonly column: string | null;

  constructor(column: string | null, message: string) {
    super(message);
    this.column = column;
  }
}

/**
 * How the rows of one table version are read: flat arrays, indexed by column, so that reading a row is one loop over
 * small integers without a call through a column's own object.
 */
export interface RowPlan {
  readonly table: TableVersion;
  /** Columns of a logged row, those that do not travel among them. */
  readonly columns: number;
  readonly names: readonly string[];
  /** Where each logged column goes in a row, -1 of those that do not travel; null where all do. */
  readonly places: Int32Array | null;
  readonly kinds: Uint8Array;
  /** A length, a number of bytes or digits: see row-kinds.ts. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  /** Bytes of a column's values; where they begin with a length, how many bytes it has, as a negative number; 0 where an unchanged one is read anew. */
  readonly widths: Int32Array;
  readonly decoders: readonly (DecodeText | null)[];
  readonly members: readonly (readonly string[] | null)[];
  /** Indexes of JSON columns: partial updates have a bit for each. */
  readonly json: readonly number[];
}

interface PlannedColumn {
  readonly type: string;
  readonly kind: number;
  readonly first?: number;
  readonly second?: number;
  readonly decode?: DecodeText;
  readonly members?: readonly string[];
}

/** What the catalogue knows of a table's columns, and the binlog does not tell. */
export interface UnloggedFacts {
  /** Names of columns whose values are computed, which are logged like others. */
  readonly generated: ReadonlySet<string>;
  /** By name, types of MariaDB that are logged as the bytes that they are stored as, and floats with digits that they are rounded to. */
  readonly types: ReadonlyMap<string, string>;
  /** Names of all columns, where the server logs some that nobody has defined; else null. */
  readonly defined: ReadonlySet<string> | null;
}

export const nothingUnlogged: UnloggedFacts = { generated: new Set(), types: new Map(), defined: null };

export function makeRowPlan(map: TableMap, collations: Collations, facts: UnloggedFacts): RowPlan {
  const { generated, types } = facts;
  const defined = definedColumns(map, facts);
  const columns: Column[] = [];
  const names: string[] = [];
  const places = new Int32Array(map.columns.length);
  const planned = map.columns.map((column, i) => {
    if (column.name === null)
      throw new UndescribedColumnError(null, `column ${i + 1} has no name: binlog_row_metadata was not FULL`);
    const plan = storedType(planColumn(column, collations), types.get(column.name));
    names.push(column.name);
    places[i] = i >= defined || generated.has(column.name) ? -1 : columns.length;
    if (places[i] !== -1) columns.push({ name: column.name, type: plan.type, modifier: -1, key: column.key });
    return plan;
  });
  const left = names.filter((name, i) => i < defined && generated.has(name));
  return {
    table: {
      schema: map.schema,
      name: map.name,
      columns,
      identity: 'full',
      ...(left.length > 0 && { generated: left }),
    },
    columns: names.length,
    names,
    places: columns.length < names.length ? places : null,
    kinds: Uint8Array.from(planned, (plan) => plan.kind),
    first: Int32Array.from(planned, (plan) => plan.first ?? 0),
    second: Int32Array.from(planned, (plan) => plan.second ?? 0),
    widths: Int32Array.from(planned, widthOf),
    decoders: planned.map((plan) => plan.decode ?? null),
    members: planned.map((plan) => plan.members ?? null),
    json: map.columns.flatMap(({ type }, i) => (type === t.json ? [i] : [])),
  };
}

/** How many of the logged columns are the table's. Behind them MariaDB logs the hash of each unique key that is too long for an index. */
function definedColumns({ columns }: TableMap, { defined }: UnloggedFacts): number {
  let count = columns.length;
  const isHash = (column: MappedColumn | undefined): boolean =>
    column?.type === t.longLong && /^DB_ROW_HASH_\d+$/.test(column.name ?? '') && !defined?.has(column.name ?? '');
  while (defined !== null && isHash(columns[count - 1])) count--;
  return count;
}

const fixedBytes: ReadonlyMap<number, number> = new Map([
  ...[kind.int8, kind.uint8, kind.year].map((one) => [one, 1] as const),
  ...[kind.int16, kind.uint16].map((one) => [one, 2] as const),
  ...[kind.int24, kind.uint24, kind.date].map((one) => [one, 3] as const),
  ...[kind.int32, kind.uint32, kind.float].map((one) => [one, 4] as const),
  ...[kind.int64, kind.uint64, kind.double].map((one) => [one, 8] as const),
]);

const lengthKinds: ReadonlySet<number> = new Set([
  ...[kind.utf8, kind.text, kind.blob, kind.padded, kind.compressed],
  ...[kind.uuid, kind.inet4, kind.inet6],
]);

/** RowPlan.widths of one column. */
function widthOf({ kind: of, first = 0, second = 0 }: PlannedColumn): number {
  const fixed = fixedBytes.get(of);
  if (fixed !== undefined) return fixed;
  if (lengthKinds.has(of)) return -first;
  if (of === kind.decimal) return decimalBytes(first, second);
  if (of === kind.time) return 3 + fractionBytes(first);
  if (of === kind.dateTime) return 5 + fractionBytes(first);
  if (of === kind.timestamp) return 4 + fractionBytes(first);
  if (of === kind.bit) return (first + 7) >> 3;
  return of === kind.enumeration || of === kind.set ? first : 0;
}

const storedTypes: Readonly<Record<string, readonly [kind: number, stored: string]>> = {
  uuid: [kind.uuid, 'binary(16)'],
  inet4: [kind.inet4, 'binary(4)'],
  inet6: [kind.inet6, 'binary(16)'],
};

/** Only where the log has it as the type is stored: the catalogue may be newer. */
function storedType(plan: PlannedColumn, type: string | undefined): PlannedColumn {
  // DOUBLE(M,D) is logged as a double.
  if (type !== undefined && type.replace(/\(\d+,\d+\)/, '') === plan.type && isFloating(plan)) return { ...plan, type };
  const stored = type === undefined ? undefined : storedTypes[type];
  return type === undefined || stored?.[1] !== plan.type ? plan : { ...plan, type, kind: stored[0] };
}

function isFloating(plan: PlannedColumn): boolean {
  return plan.kind === kind.float || plan.kind === kind.double;
}

const integers: Readonly<Record<number, readonly [name: string, signed: number, unsigned: number]>> = {
  [t.tiny]: ['tinyint', kind.int8, kind.uint8],
  [t.short]: ['smallint', kind.int16, kind.uint16],
  [t.int24]: ['mediumint', kind.int24, kind.uint24],
  [t.long]: ['int', kind.int32, kind.uint32],
  [t.longLong]: ['bigint', kind.int64, kind.uint64],
};

function planColumn(column: MappedColumn, collations: Collations): PlannedColumn {
  const { type, metadata } = column;
  const integer = integers[type];
  if (integer !== undefined) {
    const [name, signed, unsigned] = integer;
    return isUnsigned(column) ? { type: `${name} unsigned`, kind: unsigned } : { type: name, kind: signed };
  }
  const sign = (name: string): string => (isUnsigned(column) ? `${name} unsigned` : name);
  if (type === t.newDecimal) {
    const precision = metadata & 0xff;
    const scale = metadata >> 8;
    if (scale > precision) throw new RangeError('a decimal with more digits behind its point than it has');
    return { type: sign(`decimal(${precision},${scale})`), kind: kind.decimal, first: precision, second: scale };
  }
  if (type === t.float) return { type: sign('float'), kind: kind.float };
  if (type === t.double) return { type: sign('double'), kind: kind.double };
  return planTemporal(column) ?? planMembers(column, collations) ?? planBytes(column, collations);
}

function isUnsigned({ name, unsigned }: MappedColumn): boolean {
  if (unsigned === null) throw new UndescribedColumnError(name, 'whether it is signed is not logged');
  return unsigned;
}

function planTemporal({ name, type, metadata }: MappedColumn): PlannedColumn | null {
  const withDigits = (text: string): string => (metadata === 0 ? text : `${text}(${metadata})`);
  if (type === t.date) return { type: 'date', kind: kind.date };
  if (type === t.year) return { type: 'year', kind: kind.year };
  if (type === t.time2 || type === t.dateTime2 || type === t.timestamp2) {
    if (metadata > 6) throw new RangeError('a time with more than six digits');
    if (type === t.time2) return { type: withDigits('time'), kind: kind.time, first: metadata };
    if (type === t.dateTime2) return { type: withDigits('datetime'), kind: kind.dateTime, first: metadata };
    return { type: withDigits('timestamp'), kind: kind.timestamp, first: metadata };
  }
  // Their fractions, which MariaDB's have, are not logged.
  if (type === t.time || type === t.dateTime || type === t.timestamp)
    throw new UndescribedColumnError(
      name,
      'it is stored in the form of MySQL 5.5; ALTER TABLE ... FORCE stores it anew',
    );
  return null;
}

function planMembers(column: MappedColumn, collations: Collations): PlannedColumn | null {
  const { name, type, metadata, members } = column;
  if (type === t.bit) {
    const bits = (metadata >> 8) * 8 + (metadata & 0xff);
    if (bits < 1 || bits > 64) throw new RangeError(`a bit column of ${bits} bits`);
    return { type: `bit(${bits})`, kind: kind.bit, first: bits };
  }
  if (type !== t.enum && type !== t.set) return null;
  if (members === null) throw new UndescribedColumnError(name, 'its members are not logged');
  const collation = collationOf(column, collations);
  const texts = memberTexts(column, collation, members);
  const list = texts.map((text) => `'${text.replaceAll("'", "''")}'`).join(',');
  const length = metadata >> 8;
  if (type === t.enum) {
    if (length !== 1 && length !== 2) throw new RangeError(`an enum of ${length} bytes`);
    return { type: `enum(${list}) collate ${collation.name}`, kind: kind.enumeration, first: length, members: texts };
  }
  if (length < 1 || length > 8) throw new RangeError(`a set of ${length} bytes`);
  return { type: `set(${list}) collate ${collation.name}`, kind: kind.set, first: length, members: texts };
}

function memberTexts(column: MappedColumn, collation: Collation, members: readonly Buffer[]): string[] {
  const decode = decoderOf(column, collation);
  try {
    return members.map((bytes) => decode(bytes, 0, bytes.length));
  } catch (error) {
    if (!(error instanceof InvalidTextError)) throw error;
    throw new UndescribedColumnError(column.name, 'its members are no text of their charset');
  }
}

/** JSON documents, geometries, and everything that is text or bytes. */
function planBytes(column: MappedColumn, collations: Collations): PlannedColumn {
  const { name, type, metadata } = column;
  if (type === t.json) return { type: 'json', kind: kind.json, first: metadata };
  if (type === t.geometry) return { type: 'geometry', kind: kind.blob, first: metadata };
  if (type === t.vector) return { type: 'vector', kind: kind.blob, first: metadata };
  const collation = collationOf(column, collations);
  const isBinary = collation.charset === 'binary';
  const suffix = isBinary ? '' : ` collate ${collation.name}`;
  const characters = (bytes: number): number => Math.floor(bytes / collation.maxBytes);
  const decode = isBinary ? undefined : decoderOf(column, collation);
  const text = decode === decodeUtf8 ? kind.utf8 : kind.text;
  const more = decode === undefined ? {} : { decode };
  if (type === t.string) {
    const length = charBytes(metadata);
    const first = length > 255 ? 2 : 1;
    if (isBinary) return { type: `binary(${length})`, kind: kind.padded, first, second: length };
    return { type: `char(${characters(length)})${suffix}`, kind: text, first, ...more };
  }
  if (type === t.varchar || type === t.varString || type === t.varcharCompressed) {
    // Of a compressed one a byte is the header's.
    const length = type === t.varcharCompressed ? metadata - 1 : metadata;
    const first = metadata > 255 ? 2 : 1;
    const named = isBinary ? `varbinary(${length})` : `varchar(${characters(length)})${suffix}`;
    if (type === t.varcharCompressed) return { type: named, kind: kind.compressed, first, ...more };
    return { type: named, kind: isBinary ? kind.blob : text, first, ...more };
  }
  const size = blobSizes[metadata];
  if ((type !== t.blob && type !== t.blobCompressed) || size === undefined)
    throw new UndescribedColumnError(name, `its type ${type} is not known`);
  const named = isBinary ? `${size}blob` : `${size}text${suffix}`;
  if (type === t.blobCompressed) return { type: named, kind: kind.compressed, first: metadata, ...more };
  return { type: named, kind: isBinary ? kind.blob : text, first: metadata, ...more };
}

const blobSizes: Readonly<Record<number, string>> = { 1: 'tiny', 2: '', 3: 'medium', 4: 'long' };

function collationOf({ name, collation }: MappedColumn, collations: Collations): Collation {
  if (collation === null) throw new UndescribedColumnError(name, 'its charset is not logged');
  const found = collations.get(collation);
  if (found === undefined) throw new UndescribedColumnError(name, `the server has no collation ${collation}`);
  return found;
}

function decoderOf({ name }: MappedColumn, { charset, decode }: Collation): DecodeText {
  if (decode === null) throw new UndescribedColumnError(name, `text in the charset ${charset} is not read`);
  return decode;
}

/** Bytes that a value takes where its kind alone says so; decimals and fractions are computed. */
export function decimalLength(plan: RowPlan, column: number): number {
  return decimalBytes(plan.first[column] ?? 0, plan.second[column] ?? 0);
}
