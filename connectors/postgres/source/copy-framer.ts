/** What a replication session's bytes are made of. They are never written to again, so that rows may go on lying in them. */
export interface FrameReceiver {
  /** One message of pgoutput: `bytes` from `start` to `end`. */
  onLogData(bytes: Buffer, start: number, end: number): void;
  /**
   * The beginning of a large message of pgoutput, which has not come yet. True where the whole of it is wanted, which then comes by
   * `onLogData`; where it is false nothing more of it comes.
   */
  onLargeLogData(bytes: Buffer, start: number, end: number): boolean;
  /** Any other message of the protocol, whole. */
  onOther(message: Buffer): void;
}

export interface FrameSizes {
  /** Whether a larger message is wanted is asked before room is made for it. */
  readonly askedBytes: number;
  /** By so much of it. */
  readonly headBytes: number;
}

/** Somebody else's logical message, or another table's row, of a gigabyte must not cost us one. */
const sizesOfRoutes: FrameSizes = { askedBytes: 1_000_000, headBytes: 256 };

const typeCopyData = 0x64;
const kindLogData = 0x77;
/** Type and length of a message of the protocol. */
const headerBytes = 5;
/** Of XLogData: its letter, where it begins, the end of the log, the server's clock. */
const logDataHeaderBytes = 25;

/**
 * Cuts the server's bytes, as the socket gives them, into messages. Nothing is made for a message that lies within one
 * chunk; one that does not is put together in a buffer of its own size.
 *
 *   whole messages of a chunk --the last is cut--> header --> message --> whole messages
 *                                                    |           ^
 *                                                    +--> head --+ wanted; else the rest is skipped
 */
export class CopyFramer {
  readonly #receiver: FrameReceiver;
  readonly #sizes: FrameSizes;
  readonly #header = Buffer.alloc(headerBytes);
  /** Takes what is there of a message that is cut: its header, its head, or all of it. */
  #part: Buffer = this.#header;
  #filled = 0;
  /** Of the whole message, once its header is there. */
  #bytes = 0;
  /** What is still to come of a message that is not wanted. */
  #skipped = 0;

  constructor(receiver: FrameReceiver, sizes: FrameSizes = sizesOfRoutes) {
    this.#receiver = receiver;
    this.#sizes = sizes;
  }

  push(chunk: Buffer): void {
    const { length } = chunk;
    for (let at = 0; at < length; ) {
      if (this.#filled > 0 || this.#skipped > 0) {
        at = this.#goOn(chunk, at);
        continue;
      }
      const end = at + headerBytes > length ? Number.POSITIVE_INFINITY : at + messageBytes(chunk, at);
      if (end > length) {
        at = this.#goOn(chunk, at);
      } else {
        this.#give(chunk, at, end);
        at = end;
      }
    }
  }

  /** Takes more of a message that is cut. Returns where the rest of the chunk begins. */
  #goOn(chunk: Buffer, at: number): number {
    if (this.#skipped > 0) {
      const taken = Math.min(this.#skipped, chunk.length - at);
      this.#skipped -= taken;
      return at + taken;
    }
    const copied = chunk.copy(this.#part, this.#filled, at);
    this.#filled += copied;
    if (this.#filled === this.#part.length) this.#filledUp();
    return at + copied;
  }

  #filledUp(): void {
    const part = this.#part;
    if (part === this.#header) {
      this.#bytes = messageBytes(part, 0);
      const { askedBytes, headBytes } = this.#sizes;
      this.#grow(this.#bytes > askedBytes && part[0] === typeCopyData ? headerBytes + headBytes : this.#bytes);
    } else if (part.length < this.#bytes) {
      if (this.#isWanted(part)) this.#grow(this.#bytes);
      else this.#begin(this.#bytes - part.length);
    } else {
      this.#begin(0);
      this.#give(part, 0, part.length);
    }
  }

  /** Makes room for so much of the message. */
  #grow(bytes: number): void {
    const part = this.#part;
    this.#part = Buffer.allocUnsafe(bytes);
    part.copy(this.#part);
    // A header may be all of a message.
    if (this.#filled === bytes) this.#filledUp();
  }

  #begin(skipped: number): void {
    this.#part = this.#header;
    this.#filled = 0;
    this.#skipped = skipped;
  }

  #isWanted(head: Buffer): boolean {
    if (!isLogData(head, 0)) return true;
    return this.#receiver.onLargeLogData(head, headerBytes + logDataHeaderBytes, head.length);
  }

  #give(bytes: Buffer, start: number, end: number): void {
    const message = start + headerBytes + logDataHeaderBytes;
    if (message <= end && isLogData(bytes, start)) this.#receiver.onLogData(bytes, message, end);
    else this.#receiver.onOther(bytes.subarray(start, end));
  }
}

function isLogData(bytes: Buffer, start: number): boolean {
  return bytes[start] === typeCopyData && bytes[start + headerBytes] === kindLogData;
}

/** With its letter, which the length in the message leaves out. */
function messageBytes(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at + 1);
  if (length < 4) throw new RangeError(`a message of ${length} bytes`);
  return length + 1;
}
