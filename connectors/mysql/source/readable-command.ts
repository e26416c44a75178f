import type { Collation } from './binlog/values/charsets.ts';
import type { DecodeText } from './binlog/values/text-decoder.ts';

/** What is needed to read a command is not known of this charset. */
export class UnreadCharsetError extends Error {
  readonly charset: string;

  constructor(charset: string) {
    super(`a command in ${charset}, which is not read`);
    this.charset = charset;
  }
}

export interface ReadableCommand {
  /** As latin1, a character for each byte; of charsets in which a byte of a longer character may be a sign of the grammar the bytes are those of UTF-8. */
  readonly text: string;
  /** A name that stands in it as the catalogue has it. Throws UnreadCharsetError or InvalidTextError. */
  decode(name: string): string;
}

/** Charsets whose bytes are those of the catalogue's names; of `binary` the server takes them as they are. */
const asStored: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'binary']);

/** Values in it are not read, since servers know it otherwise in places; none of them are in names. */
const gb18030 = new TextDecoder('gb18030');
const bySystem: DecodeText = (bytes, start, end) => gb18030.decode(bytes.subarray(start, end));

const fromUtf8 = (name: string): string => Buffer.from(name, 'latin1').toString('utf8');

/**
 * A command as it was given in the charset of its client, which the binlog keeps: names in it have to be found in the catalogue, whose own are in UTF-8.
 * `client`: null where the event does not say, or says what is not known. Throws UnreadCharsetError or InvalidTextError.
 */
export function readableCommand(text: string, client: Collation | null): ReadableCommand {
  // In this one brackets and quotes are letters.
  if (client?.charset === 'swe7') throw new UnreadCharsetError(client.charset);
  if (client === null || asStored.has(client.charset) || !/[\x80-\xff]/.test(text)) return { text, decode: fromUtf8 };
  const { charset, maxBytes } = client;
  const decode = charset === 'gb18030' ? bySystem : client.decode;
  const inUtf8 = (latin1: string): string => {
    if (decode === null) throw new UnreadCharsetError(charset);
    const bytes = Buffer.from(latin1, 'latin1');
    return decode(bytes, 0, bytes.length);
  };
  if (maxBytes > 1) return { text: Buffer.from(inUtf8(text), 'utf8').toString('latin1'), decode: fromUtf8 };
  return { text, decode: (name) => (/[\x80-\xff]/.test(name) ? inUtf8(name) : name) };
}
