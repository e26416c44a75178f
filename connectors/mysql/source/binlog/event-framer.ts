import { crc32 } from 'node:zlib';
import { ByteReader } from './byte-reader.ts';
import { eventTypes } from './event-types.ts';

export const headerBytes = 19;
const checksumBytes = 4;

/** One event without its header and checksum. The bytes are only good until whoever was given it returns. */
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

  constructor(checksums: boolean) {
    this.#checksums = checksums;
  }

  get format(): FormatDescription | null {
    return this.#format;
  }

  event(bytes: Buffer, start: number, end: number): BinlogEvent {
    const type = bytes[start + 4];
    if (type === eventTypes.formatDescription) this.#describe(bytes, start, end);
    const event = readEvent(bytes, start, end, this.#checksums);
    if (this.#checksums) verify(bytes, start, end);
    return event;
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

/** One event that lies in `bytes` from `start` to `end`. */
export function readEvent(bytes: Buffer, start: number, end: number, checksums: boolean): BinlogEvent {
  const size = end - start;
  if (size < headerBytes + (checksums ? checksumBytes : 0)) throw new RangeError(`an event of ${size} bytes`);
  const told = bytes.readUInt32LE(start + 9);
  if (told !== size) throw new RangeError(`an event of ${size} bytes that should have ${told}`);
  return {
    type: bytes[start + 4] ?? 0,
    timestamp: bytes.readUInt32LE(start),
    serverId: bytes.readUInt32LE(start + 5),
    flags: bytes.readUInt16LE(start + 17),
    nextOffset: bytes.readUInt32LE(start + 13),
    size,
    bytes,
    start: start + headerBytes,
    end: checksums ? end - checksumBytes : end,
  };
}

function verify(bytes: Buffer, start: number, end: number): void {
  const at = end - checksumBytes;
  const found = crc32(bytes.subarray(start, at));
  const told = bytes.readUInt32LE(at);
  if (found !== told) throw new RangeError(`the checksum of an event of type ${bytes[start + 4]} is wrong`);
}
