import { ByteReader } from './byte-reader.ts';
import type { BinlogEvent } from './event-framer.ts';
import { eventTypes as t } from './event-types.ts';
import { inflateMariadb } from './mariadb-compressed.ts';

export type RowsKind = 'insert' | 'update' | 'delete';

interface RowsType {
  readonly kind: RowsKind;
  /** The second version has room for more in its head. */
  readonly version: 1 | 2;
  readonly compressed?: true;
  readonly partial?: true;
}

/** By the number of the event's type, of which each event is asked. */
const rowsTypes: readonly (RowsType | undefined)[] = listed([
  [t.writeRows, { kind: 'insert', version: 2 }],
  [t.updateRows, { kind: 'update', version: 2 }],
  [t.deleteRows, { kind: 'delete', version: 2 }],
  [t.partialUpdateRows, { kind: 'update', version: 2, partial: true }],
  [t.writeRowsV1, { kind: 'insert', version: 1 }],
  [t.updateRowsV1, { kind: 'update', version: 1 }],
  [t.deleteRowsV1, { kind: 'delete', version: 1 }],
  [t.mariadbWriteRowsCompressedV1, { kind: 'insert', version: 1, compressed: true }],
  [t.mariadbUpdateRowsCompressedV1, { kind: 'update', version: 1, compressed: true }],
  [t.mariadbDeleteRowsCompressedV1, { kind: 'delete', version: 1, compressed: true }],
  [t.mariadbWriteRowsCompressed, { kind: 'insert', version: 2, compressed: true }],
  [t.mariadbUpdateRowsCompressed, { kind: 'update', version: 2, compressed: true }],
  [t.mariadbDeleteRowsCompressed, { kind: 'delete', version: 2, compressed: true }],
]);

function listed(types: readonly (readonly [number, RowsType])[]): (RowsType | undefined)[] {
  const list = new Array<RowsType | undefined>(256).fill(undefined);
  for (const [number, type] of types) list[number] = type;
  return list;
}

const tableIdBytes = 6;
const noForeignKeyChecks = 0x02;

/** The session that has written these rows had switched foreign keys off. */
export function isUnchecked({ bytes, start }: BinlogEvent): boolean {
  return (bytes.readUInt16LE(start + tableIdBytes) & noForeignKeyChecks) !== 0;
}

export function isRowsEvent(type: number): boolean {
  return rowsTypes[type] !== undefined;
}

/** A rows event, taken apart as far as its rows. */
export interface RowsEvent {
  readonly kind: RowsKind;
  readonly columns: number;
  /** Which columns the images hold, a bit each; null: all. Of an update, `before` is of the old image. */
  readonly before: Uint8Array | null;
  readonly after: Uint8Array | null;
  /** New images begin with a field of their own that says which JSON documents they change only in part. */
  readonly partial: boolean;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export function readRowsEvent(event: BinlogEvent, maxBytes: number): RowsEvent {
  const type = rowsTypes[event.type];
  if (type === undefined) throw new RangeError(`no rows event: ${event.type}`);
  const reader = new ByteReader(event.bytes, event.start, event.end);
  reader.skip(8);
  if (type.version === 2) reader.skip(reader.uint(2) - 2);
  const columns = reader.lengthEncoded();
  const first = readBits(reader, columns);
  const second = type.kind === 'update' ? readBits(reader, columns) : first;
  const place = type.compressed
    ? wholeOf(inflateMariadb(event.bytes, reader.at, event.end, maxBytes))
    : { bytes: event.bytes, start: reader.at, end: event.end };
  const { bytes, start, end } = place;
  return { kind: type.kind, columns, before: first, after: second, partial: type.partial === true, bytes, start, end };
}

function wholeOf(bytes: Buffer): { readonly bytes: Buffer; readonly start: number; readonly end: number } {
  return { bytes, start: 0, end: bytes.length };
}

function readBits(reader: ByteReader, columns: number): Uint8Array | null {
  const length = (columns + 7) >> 3;
  const start = reader.skip(length);
  const { bytes } = reader;
  const whole = columns >> 3;
  for (let i = 0; i < whole; i++) if (bytes[start + i] !== 0xff) return bytes.subarray(start, start + length);
  const rest = (1 << (columns & 7)) - 1;
  return rest === 0 || ((bytes[start + whole] as number) & rest) === rest
    ? null
    : bytes.subarray(start, start + length);
}

/** Bytes of the new image that come before its rows' values, in a partial update: the JSON columns that it changes in part. */
export function readPartialColumns(reader: ByteReader, json: readonly number[]): ReadonlySet<number> {
  const options = reader.lengthEncoded();
  const found = new Set<number>();
  if ((options & 1) === 0) return found;
  const bits = reader.view((json.length + 7) >> 3);
  for (const [n, column] of json.entries()) if (((bits[n >> 3] ?? 0) & (1 << (n & 7))) !== 0) found.add(column);
  return found;
}
