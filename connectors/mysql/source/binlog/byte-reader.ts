import './buffer-slices.ts';

/** Four bytes that are there, the lowest first. */
export function readUint32(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)) >>>
    0
  );
}

/**
 * Reads one event front to back. Whatever would lie beyond its end is a RangeError: an event that was cut off must never
 * be completed with the bytes of the next one.
 */
export class ByteReader {
  readonly bytes: Buffer;
  readonly end: number;
  at: number;

  constructor(bytes: Buffer, start = 0, end = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** Little-endian and unsigned, of 1 to 6 bytes. */
  uint(length: number): number {
    const start = this.skip(length);
    const { bytes } = this;
    if (length === 1) return bytes[start] as number;
    if (length === 2) return (bytes[start] as number) | ((bytes[start + 1] as number) << 8);
    return bytes.readUIntLE(start, length);
  }

  uint64(): bigint {
    return this.bytes.readBigUInt64LE(this.skip(8));
  }

  /** MySQL's length-encoded integer. */
  lengthEncoded(): number {
    const first = this.uint(1);
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.uint(2);
    if (first === 0xfd) return this.uint(3);
    if (first !== 0xfe) throw new RangeError(`no length begins with ${first}`);
    const value = this.uint64();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('a length beyond 2^53');
    return Number(value);
  }

  text(length: number): string {
    const start = this.skip(length);
    return this.bytes.utf8Slice(start, start + length);
  }

  /** A view: only good as long as the event's bytes are. */
  view(length: number): Buffer {
    const start = this.skip(length);
    return this.bytes.subarray(start, start + length);
  }

  /** Where the skipped bytes begin. */
  skip(length: number): number {
    const start = this.at;
    if (length < 0 || length > this.end - start) {
      throw new RangeError(`the event ends ${length - (this.end - start)} bytes early`);
    }
    this.at = start + length;
    return start;
  }
}
