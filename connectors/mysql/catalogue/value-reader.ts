/** In place of a length. */
export const isNull = -1;

/** The values of one row of the text protocol: each has its length in front. Source: dev.mysql.com/doc/dev/mysql-server/latest (Protocol::LengthEncodedString) */
export class ValueReader {
  readonly #bytes: Buffer;
  /** Behind the last value. */
  end: number;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.end = start;
  }

  /** How long the next value is, behind which `end` is then; `isNull` of NULL. */
  next(): number {
    const first = this.#bytes[this.end++] as number;
    if (first === 0xfb) return isNull;
    const length = first < 0xfb ? first : this.#long(first);
    this.end += length;
    return length;
  }

  #long(first: number): number {
    const at = this.end;
    const width = first === 0xfc ? 2 : first === 0xfd ? 3 : 8;
    this.end += width;
    return width === 8 ? Number(this.#bytes.readBigUInt64LE(at)) : this.#bytes.readUIntLE(at, width);
  }
}
