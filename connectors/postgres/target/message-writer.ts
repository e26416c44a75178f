const firstBytes = 4_096;

/** A value's text, already in UTF-8. */
export class TextBytes {
  readonly bytes: Buffer;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
}

/** A value of a parameter: text, or bytes in the type's binary format. */
export type Value = string | number | bigint | Buffer | TextBytes | null | undefined;

/** Messages of the frontend of PostgreSQL's protocol (3.0), one behind the other in as few buffers as they fit. */
export class MessageWriter {
  #full: Buffer[] = [];
  #buffer = Buffer.allocUnsafe(firstBytes);
  /** Where the buffer begins that is not taken yet. */
  #from = 0;
  #at = 0;
  #bytes = 0;
  #lent = 0;

  /** Values among them that are sent from where they lie. */
  get lentBytes(): number {
    return this.#lent;
  }

  /** Not taken yet. */
  get bytes(): number {
    return this.#bytes + this.#at - this.#from;
  }

  parse(name: string, text: string): void {
    this.#begin('P', Buffer.byteLength(name) + Buffer.byteLength(text) + 4);
    this.#cString(name);
    this.#cString(text);
    // The types of the parameters are the server's to find out.
    this.#int16(0);
  }

  /** Binds the unnamed portal. All columns of the answer are text. */
  bind(name: string, values: readonly Value[]): void {
    const texts = values.map(encodable);
    const formats = values.some(Buffer.isBuffer) ? texts.length : 0;
    const sizes = texts.map((value) => (value === null ? -1 : Buffer.byteLength(value)));
    const head = 1 + Buffer.byteLength(name) + 1 + 2 + 2 * formats + 2;
    const body = sizes.reduce((sum, size) => sum + 4 + Math.max(0, size), 0);
    const lent = texts.reduce(
      (sum, value) => sum + (typeof value === 'object' && value !== null && isLent(value) ? value.length : 0),
      0,
    );
    this.#begin('B', head + body + 2, lent);
    this.#cString('');
    this.#cString(name);
    this.#int16(formats);
    if (formats > 0) for (const value of values) this.#int16(Buffer.isBuffer(value) ? 1 : 0);
    this.#int16(texts.length);
    for (const [at, value] of texts.entries()) {
      this.#at = this.#buffer.writeInt32BE(sizes[at] ?? -1, this.#at);
      if (typeof value === 'string') this.#at += this.#buffer.write(value, this.#at);
      else if (value !== null && isLent(value)) {
        this.append([value]);
        this.#lent += value.length;
      } else if (value !== null) this.#at += value.copy(this.#buffer, this.#at);
    }
    this.#int16(0);
  }

  /** Executes the unnamed portal to its end. */
  execute(): void {
    this.#begin('E', 5);
    this.#cString('');
    this.#at = this.#buffer.writeInt32BE(0, this.#at);
  }

  /** What is made already is not copied. Nobody writes to it any more. */
  append(pieces: readonly Buffer[]): void {
    this.#close();
    for (const piece of pieces) {
      this.#full.push(piece);
      this.#bytes += piece.length;
    }
  }

  copyDone(): void {
    this.#begin('c', 0);
  }

  sync(): void {
    this.#begin('S', 0);
  }

  /** Everything that was written since. */
  take(): Buffer[] {
    this.#close();
    const taken = this.#full;
    this.#full = [];
    this.#bytes = 0;
    this.#lent = 0;
    return taken;
  }

  #close(): void {
    if (this.#at === this.#from) return;
    this.#full.push(this.#buffer.subarray(this.#from, this.#at));
    this.#bytes += this.#at - this.#from;
    this.#from = this.#at;
  }

  /** `lentBytes` of the body are sent from where they lie. */
  #begin(code: string, bodyBytes: number, lentBytes = 0): void {
    const ownBytes = bodyBytes - lentBytes + 5;
    if (this.#buffer.length - this.#at < ownBytes) {
      this.#close();
      this.#buffer = Buffer.allocUnsafe(Math.max(firstBytes, ownBytes));
      this.#from = 0;
      this.#at = 0;
    }
    this.#buffer[this.#at++] = code.charCodeAt(0);
    this.#at = this.#buffer.writeInt32BE(bodyBytes + 4, this.#at);
  }

  #cString(text: string): void {
    this.#at += this.#buffer.write(text, this.#at);
    this.#buffer[this.#at++] = 0;
  }

  #int16(value: number): void {
    this.#at = this.#buffer.writeUInt16BE(value, this.#at);
  }
}

/** A value of so many bytes is sent from where it lies: what is copied is also garbage of so many bytes. */
const lentBytes = 16_384;

function isLent(value: Buffer): boolean {
  return value.length >= lentBytes;
}

function encodable(value: Value): string | Buffer | null {
  if (value === null || value === undefined) return null;
  if (value instanceof TextBytes) return value.bytes;
  return Buffer.isBuffer(value) ? value : String(value);
}
