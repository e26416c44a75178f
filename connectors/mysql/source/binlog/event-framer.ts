import { ByteReader, readUint32 } from './byte-reader.ts';
import { checksumOf } from './checksum.ts';
import { eventTypes } from './event-types.ts';

export const headerBytes = 19;
const checksumBytes = 4;

/** One event without its header and checksum. It and its bytes are only good until whoever was given it returns. */
export interface BinlogEvent {
  readonly type: number;
  /** Seconds since 1970. */
  readonly timestamp: number;
  readonly serverId: number;
  readonly flags: number;
  /** Where the next event begins in the binlog, modulo 2^32; 0 of what the server makes up for its reader. */
  readonly nextOffset: number;
  /** With header and checksum, as it is in the binlog. */
  readonly size: number;
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
}

export interface FormatDescription {
  readonly serverVersion: string;
  readonly checksums: boolean;
}

/**
 * Takes events apart and verifies their checksums. Each binlog says by its first event whether its events carry one;
 * until then it is as the session has asked for.
 */
export class EventFramer {
  #checksums: boolean;
  /** Events inside a compressed transaction carry none: the one around them does. */
  #format: FormatDescription | null = null;
  /** One for all events: there are several for each row. */
  readonly #event: Writable<BinlogEvent> = { ...noEvent };

  constructor(checksums: boolean) {
    this.#checksums = checksums;
  }

  get format(): FormatDescription | null {
    return this.#format;
  }

  event(bytes: Buffer, start: number, end: number): BinlogEvent {
    const type = bytes[start + 4];
    if (type === eventTypes.formatDescription) this.#describe(bytes, start, end);
    readInto(this.#event, bytes, start, end, this.#checksums);
    if (this.#checksums) verify(bytes, start, end);
    return this.#event;
  }

  #describe(bytes: Buffer, start: number, end: number): void {
    const reader = new ByteReader(bytes, start + headerBytes, end);
    const version = reader.uint(2);
    if (version !== 4) throw new RangeError(`binlog of version ${version}`);
    const serverVersion = reader.text(50).replace(/\0.*$/s, '');
    reader.skip(4);
    const length = reader.uint(1);
    if (length !== headerBytes) throw new RangeError(`event headers of ${length} bytes`);
    // The algorithm stands before the checksum, for which there is room also where none is used.
    const algorithm = bytes[end - checksumBytes - 1];
    if (reader.left < checksumBytes + 1 || algorithm === undefined || algorithm > 1)
      throw new RangeError(`checksums of algorithm ${algorithm}`);
    this.#checksums = algorithm === 1;
    this.#format = { serverVersion, checksums: this.#checksums };
  }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const noEvent: BinlogEvent = {
  ...{ type: 0, timestamp: 0, serverId: 0, flags: 0, nextOffset: 0, size: 0 },
  ...{ bytes: Buffer.alloc(0), start: 0, end: 0 },
};

/** One event that lies in `bytes` from `start` to `end`. */
export function readEvent(bytes: Buffer, start: number, end: number, checksums: boolean): BinlogEvent {
  const event = { ...noEvent };
  readInto(event, bytes, start, end, checksums);
  return event;
}

function readInto(event: Writable<BinlogEvent>, bytes: Buffer, start: number, end: number, checksums: boolean): void {
  const size = end - start;
  if (size < headerBytes + (checksums ? checksumBytes : 0)) throw new RangeError(`an event of ${size} bytes`);
  const told = readUint32(bytes, start + 9);
  if (told !== size) throw new RangeError(`an event of ${size} bytes that should have ${told}`);
  event.type = bytes[start + 4] as number;
  event.timestamp = readUint32(bytes, start);
  event.serverId = readUint32(bytes, start + 5);
  event.flags = (bytes[start + 17] as number) | ((bytes[start + 18] as number) << 8);
  event.nextOffset = readUint32(bytes, start + 13);
  event.size = size;
  event.bytes = bytes;
  event.start = start + headerBytes;
  event.end = checksums ? end - checksumBytes : end;
}

function verify(bytes: Buffer, start: number, end: number): void {
  const at = end - checksumBytes;
  const found = checksumOf(bytes, start, at);
  const told = readUint32(bytes, at);
  if (found !== told) throw new RangeError(`the checksum of an event of type ${bytes[start + 4]} is wrong`);
}
