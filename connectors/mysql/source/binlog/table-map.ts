import type { TableName } from '../../../../src/core/table.ts';
import { ByteReader, readUint32 } from './byte-reader.ts';
import { columnTypes, isCharacter, isNumeric, metadataBytes, realType } from './column-types.ts';
import type { BinlogEvent } from './event-framer.ts';

export interface MappedColumn {
  /** columnTypes, after what the metadata makes of it (a char column's may say that it is an enum). */
  readonly type: number;
  readonly metadata: number;
  readonly nullable: boolean;
  /** Null where the log does not say. */
  readonly name: string | null;
  readonly unsigned: boolean | null;
  /** Id of the collation; null where the column is none of text, or the log does not say. */
  readonly collation: number | null;
  /** Of an enum or set, in the bytes of its charset; null where the log does not say. */
  readonly members: readonly Buffer[] | null;
  /** Part of the primary key, with `binlog_row_metadata=FULL`. */
  readonly key: boolean;
  readonly visible: boolean;
}

/** What a table map event says of a table. */
export interface TableMap extends TableName {
  readonly columns: readonly MappedColumn[];
}

/** Id and flags. */
const headBytes = 8;

export function readTableId({ bytes, start, end }: BinlogEvent): number {
  if (end - start < 6) throw new RangeError('an event without the id of its table');
  return readUint32(bytes, start) + ((bytes[start + 4] as number) | ((bytes[start + 5] as number) << 8)) * 2 ** 32;
}

/** The part of the event that describes the table: the same bytes describe the same table version. */
export function descriptionOf({ bytes, start, end }: BinlogEvent): Buffer {
  return bytes.subarray(start + headBytes, end);
}

/** Whether the event describes the table in these bytes. */
export function describesAs({ bytes, start, end }: BinlogEvent, description: Buffer): boolean {
  const from = start + headBytes;
  const { length } = description;
  if (end - from !== length) return false;
  for (let i = 0; i < length; i++) if (bytes[from + i] !== description[i]) return false;
  return true;
}

/** Which table it is: of one that nobody follows no more is read, whatever its columns are. */
export function readTableName({ bytes, start, end }: BinlogEvent): TableName {
  return nameIn(new ByteReader(bytes, start, end));
}

function nameIn(reader: ByteReader): TableName {
  reader.skip(headBytes);
  const schema = reader.text(reader.uint(1));
  reader.skip(1);
  const name = reader.text(reader.uint(1));
  reader.skip(1);
  return { schema, name };
}

export function readTableMap(event: BinlogEvent, mariadb: boolean): TableMap {
  const reader = new ByteReader(event.bytes, event.start, event.end);
  const { schema, name } = nameIn(reader);
  const count = reader.lengthEncoded();
  const types = [...reader.view(count)];
  const metadata = readMetadata(new ByteReader(reader.view(reader.lengthEncoded())), types);
  const nullable = reader.view((count + 7) >> 3);
  const real = types.map((type, i) => realType(type, metadata[i] ?? 0));
  const optional = readOptional(reader, real, mariadb);
  const columns = real.map(
    (type, i): MappedColumn => ({
      type,
      metadata: metadata[i] ?? 0,
      nullable: isSet(nullable, i),
      name: optional.names[i] ?? null,
      unsigned: optional.unsigned.get(i) ?? null,
      collation: optional.collations.get(i) ?? null,
      members: optional.members.get(i) ?? null,
      key: optional.keys.has(i),
      visible: optional.hidden === null || !optional.hidden.has(i),
    }),
  );
  return { schema, name, columns };
}

function readMetadata(reader: ByteReader, types: readonly number[]): number[] {
  const found = types.map((type) => {
    const length = metadataBytes(type);
    return length === 0 ? 0 : reader.uint(length);
  });
  if (reader.left > 0) throw new RangeError(`${reader.left} bytes of metadata belong to no column`);
  return found;
}

function isSet(bits: Buffer, index: number): boolean {
  return ((bits[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
}

interface OptionalMetadata {
  names: readonly string[];
  readonly unsigned: Map<number, boolean>;
  readonly collations: Map<number, number>;
  readonly members: Map<number, readonly Buffer[]>;
  readonly keys: Set<number>;
  hidden: Set<number> | null;
}

const fields = {
  signedness: 1,
  defaultCharset: 2,
  columnCharset: 3,
  columnName: 4,
  setMembers: 5,
  enumMembers: 6,
  geometryType: 7,
  primaryKey: 8,
  primaryKeyWithPrefix: 9,
  enumAndSetDefaultCharset: 10,
  enumAndSetColumnCharset: 11,
  columnVisibility: 12,
};

function readOptional(reader: ByteReader, types: readonly number[], mariadb: boolean): OptionalMetadata {
  const found: OptionalMetadata = {
    names: [],
    unsigned: new Map(),
    collations: new Map(),
    members: new Map(),
    keys: new Set(),
    hidden: null,
  };
  const { enum: enumType, set: setType } = columnTypes;
  const where = (test: (type: number) => boolean): number[] => types.flatMap((type, i) => (test(type) ? [i] : []));
  while (reader.left > 0) {
    const field = reader.uint(1);
    const value = new ByteReader(reader.view(reader.lengthEncoded()));
    if (field === fields.signedness) readSignedness(value, where(isNumeric), found);
    else if (field === fields.defaultCharset)
      readDefaultCharset(
        value,
        where((type) => isCharacter(type, mariadb)),
        found,
      );
    else if (field === fields.columnCharset)
      readCharsets(
        value,
        where((type) => isCharacter(type, mariadb)),
        found,
      );
    else if (field === fields.columnName) found.names = readAll(value, () => value.text(value.lengthEncoded()));
    else if (field === fields.setMembers)
      readMembers(
        value,
        where((type) => type === setType),
        found,
      );
    else if (field === fields.enumMembers)
      readMembers(
        value,
        where((type) => type === enumType),
        found,
      );
    else if (field === fields.primaryKey)
      for (const i of readAll(value, () => value.lengthEncoded())) found.keys.add(i);
    else if (field === fields.primaryKeyWithPrefix) {
      for (const i of readAll(value, () => [value.lengthEncoded(), value.lengthEncoded()])) found.keys.add(i[0] ?? 0);
    } else if (field === fields.enumAndSetDefaultCharset)
      readDefaultCharset(
        value,
        where((type) => type === enumType || type === setType),
        found,
      );
    else if (field === fields.enumAndSetColumnCharset)
      readCharsets(
        value,
        where((type) => type === enumType || type === setType),
        found,
      );
    else if (field === fields.columnVisibility) found.hidden = readHidden(value, types.length);
    // What newer servers tell besides (dimensions of vectors, types of geometries) is not needed to read a row.
  }
  return found;
}

function readAll<T>(reader: ByteReader, read: () => T): T[] {
  const all: T[] = [];
  while (reader.left > 0) all.push(read());
  return all;
}

/** One bit for each numeric column, the first column's the highest. */
function readSignedness(reader: ByteReader, numeric: readonly number[], found: OptionalMetadata): void {
  const bits = reader.view((numeric.length + 7) >> 3);
  for (const [n, column] of numeric.entries())
    found.unsigned.set(column, ((bits[n >> 3] ?? 0) & (0x80 >> (n & 7))) !== 0);
}

function readHidden(reader: ByteReader, count: number): Set<number> {
  const bits = reader.view((count + 7) >> 3);
  const hidden = new Set<number>();
  for (let i = 0; i < count; i++) if (((bits[i >> 3] ?? 0) & (0x80 >> (i & 7))) === 0) hidden.add(i);
  return hidden;
}

function readDefaultCharset(reader: ByteReader, columns: readonly number[], found: OptionalMetadata): void {
  const byDefault = reader.lengthEncoded();
  for (const column of columns) found.collations.set(column, byDefault);
  while (reader.left > 0) {
    const column = columns[reader.lengthEncoded()];
    const collation = reader.lengthEncoded();
    if (column === undefined) throw new RangeError('a collation of no column');
    found.collations.set(column, collation);
  }
}

function readCharsets(reader: ByteReader, columns: readonly number[], found: OptionalMetadata): void {
  for (const column of columns) found.collations.set(column, reader.lengthEncoded());
}

function readMembers(reader: ByteReader, columns: readonly number[], found: OptionalMetadata): void {
  for (const column of columns) {
    const count = reader.lengthEncoded();
    // Each takes a byte at least.
    if (count > reader.left) throw new RangeError('members of an enum or set end early');
    const members = Array.from({ length: count }, () => Buffer.from(reader.view(reader.lengthEncoded())));
    found.members.set(column, members);
  }
}
