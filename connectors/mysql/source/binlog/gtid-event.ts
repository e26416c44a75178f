import { ByteReader, readUint32 } from './byte-reader.ts';
import type { BinlogEvent } from './event-framer.ts';

/** What begins a transaction of MySQL. */
export interface GtidEvent {
  /** `uuid` or `uuid:tag`; null of an anonymous transaction. */
  readonly source: string | null;
  readonly number: number;
  /** At the server that is read, microseconds since 1970; null where an old server does not tell. */
  readonly committedAtMicros: number | null;
  /** At the server that has given out the GTID: the same on each server of the topology. */
  readonly firstAtMicros: number | null;
}

export function readGtid({ bytes, start, end, type }: BinlogEvent, anonymousType: number): GtidEvent {
  const reader = new ByteReader(bytes, start, end);
  reader.skip(1);
  const source = uuidAt(bytes, reader.skip(16));
  const number = readWholeNumber(bytes, reader.skip(8));
  let committedAtMicros: number | null = null;
  let firstAtMicros: number | null = null;
  if (reader.left >= 17 + 7) {
    reader.skip(17);
    const low = reader.uint(4);
    // The highest bit says that the time of the first commit follows, which is another server's.
    const high = reader.uint(3);
    committedAtMicros = (high & 0x7fffff) * 2 ** 32 + low;
    firstAtMicros = committedAtMicros;
    if (high > 0x7fffff && reader.left >= 7) {
      const firstLow = reader.uint(4);
      firstAtMicros = reader.uint(3) * 2 ** 32 + firstLow;
    }
  }
  return { source: type === anonymousType ? null : source, number, committedAtMicros, firstAtMicros };
}

let lastUuid = Buffer.alloc(16);
let lastUuidText = uuidText(lastUuid);

/** Most transactions are of the server that the one before was of. */
function uuidAt(bytes: Buffer, at: number): string {
  let i = 0;
  while (i < 16 && bytes[at + i] === lastUuid[i]) i++;
  if (i < 16) {
    lastUuid = Buffer.from(bytes.subarray(at, at + 16));
    lastUuidText = uuidText(lastUuid);
  }
  return lastUuidText;
}

function readWholeNumber(bytes: Buffer, at: number): number {
  const high = readUint32(bytes, at + 4);
  if (high >= 2 ** 21) throw new RangeError('a GTID beyond 2^53');
  return high * 2 ** 32 + readUint32(bytes, at);
}

export function uuidText(bytes: Buffer): string {
  const hex = bytes.hexSlice(0, 16);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

function readNumber(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('a GTID beyond 2^53');
  return Number(value);
}

const taggedFields = { flags: 0, uuid: 1, number: 2, tag: 3, committedAt: 6, firstAt: 7 } as const;

/**
 * A GTID that may have a tag is written field by field, each with its number in front. Integers have as many bytes as their
 * first one has ones at its low end, plus one; signed ones have their sign in the lowest bit.
 */
export function readTaggedGtid({ bytes, start, end }: BinlogEvent): GtidEvent {
  const reader = new ByteReader(bytes, start, end);
  const version = unsigned(reader);
  if (version !== 1n && version !== 0n) throw new RangeError(`a tagged GTID of version ${version}`);
  unsigned(reader);
  unsigned(reader);
  let uuid = '';
  let tag = '';
  let number = 0;
  let committedAtMicros: number | null = null;
  let firstAtMicros: number | null = null;
  while (reader.left > 0 && firstAtMicros === null) {
    const field = Number(unsigned(reader));
    if (field === taggedFields.flags) reader.skip(1);
    else if (field === taggedFields.uuid)
      uuid = uuidText(Buffer.from(Array.from({ length: 16 }, () => Number(unsigned(reader)))));
    else if (field === taggedFields.number) number = readNumber(signed(reader));
    else if (field === taggedFields.tag) tag = reader.text(Number(unsigned(reader)));
    else if (field === taggedFields.committedAt) committedAtMicros = Number(unsigned(reader));
    else if (field === taggedFields.firstAt) firstAtMicros = Number(unsigned(reader));
    // Where it is not there the commit is the first.
    else if (committedAtMicros !== null) break;
    // The two that group commits give, between the tag and the time.
    else if (field < taggedFields.committedAt) signed(reader);
    else throw new RangeError(`a tagged GTID without the time of its commit`);
  }
  if (uuid === '' || number < 1) throw new RangeError('a tagged GTID without its number');
  return {
    source: tag === '' ? uuid : `${uuid}:${tag}`,
    number,
    committedAtMicros,
    firstAtMicros: firstAtMicros ?? committedAtMicros,
  };
}

function unsigned(reader: ByteReader): bigint {
  const first = reader.uint(1);
  let extra = 0;
  while (extra < 8 && (first & (1 << extra)) !== 0) extra++;
  if (extra === 8) return reader.uint64();
  let value = BigInt(first >> (extra + 1));
  for (let i = 0; i < extra; i++) value |= BigInt(reader.uint(1)) << BigInt(7 - extra + 8 * i);
  return value;
}

function signed(reader: ByteReader): bigint {
  const value = unsigned(reader);
  return (value & 1n) === 0n ? value >> 1n : -(value >> 1n) - 1n;
}
