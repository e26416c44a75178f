/** What a replication session's bytes are made of. The bytes are only good until the call returns. */
export interface FrameReceiver {
  /** One message of pgoutput: `bytes` from `start` to `end`. */
  onLogData(bytes: Buffer, start: number, end: number): void;
  /** Any other message of the protocol, whole. */
  onOther(message: Buffer): void;
}

const typeCopyData = 0x64;
const kindLogData = 0x77;
/** Type and length of a message of the protocol. */
const headerBytes = 5;
/** Of XLogData: its letter, where it begins, the end of the log, the server's clock. */
const logDataHeaderBytes = 25;

/**
 * Cuts the server's bytes, as the socket gives them, into messages. Nothing is made for a message that lies within one
 * chunk; one that does not is put together in a buffer of its own size.
 */
export class CopyFramer {
  readonly #receiver: FrameReceiver;
  /** The beginning of a message whose length is known, in a buffer that takes all of it. */
  #message: Buffer | null = null;
  /** The beginning of a message whose length is not known yet. */
  readonly #header = Buffer.alloc(headerBytes);
  /** How much of either is there. */
  #filled = 0;

  constructor(receiver: FrameReceiver) {
    this.#receiver = receiver;
  }

  push(chunk: Buffer): void {
    let at = this.#filled > 0 ? this.#complete(chunk) : 0;
    const { length } = chunk;
    while (at + headerBytes <= length) {
      const end = at + messageBytes(chunk, at);
      if (end > length) break;
      this.#give(chunk, at, end);
      at = end;
    }
    if (at < length) this.#keep(chunk, at);
  }

  /** Adds to what is there; returns how many bytes of the chunk were taken. */
  #complete(chunk: Buffer): number {
    let at = 0;
    if (this.#message === null) {
      at = this.#fill(this.#header, chunk, 0);
      if (this.#filled < headerBytes) return at;
      this.#message = Buffer.allocUnsafe(messageBytes(this.#header, 0));
      this.#header.copy(this.#message);
    }
    const message = this.#message;
    at = this.#fill(message, chunk, at);
    if (this.#filled < message.length) return at;
    this.#message = null;
    this.#filled = 0;
    this.#give(message, 0, message.length);
    return at;
  }

  #fill(buffer: Buffer, chunk: Buffer, at: number): number {
    const copied = chunk.copy(buffer, this.#filled, at);
    this.#filled += copied;
    return at + copied;
  }

  #keep(chunk: Buffer, at: number): void {
    if (chunk.length - at >= headerBytes) this.#message = Buffer.allocUnsafe(messageBytes(chunk, at));
    this.#filled = chunk.copy(this.#message ?? this.#header, 0, at);
  }

  #give(bytes: Buffer, start: number, end: number): void {
    const body = start + headerBytes;
    if (bytes[start] === typeCopyData && bytes[body] === kindLogData && end - body >= logDataHeaderBytes)
      this.#receiver.onLogData(bytes, body + logDataHeaderBytes, end);
    else this.#receiver.onOther(bytes.subarray(start, end));
  }
}

/** With its letter, which the length in the message leaves out. */
function messageBytes(bytes: Buffer, at: number): number {
  const length = bytes.readUInt32BE(at + 1);
  if (length < 4) throw new RangeError(`a message of ${length} bytes`);
  return length + 1;
}
