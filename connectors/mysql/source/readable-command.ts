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
  /** A name that stands in it as the catalogue has it; `quoted`: between quotes. Throws UnreadCharsetError or InvalidTextError. */
  decode(name: string, quoted: boolean): string;
}

/** Charsets whose bytes are those of the catalogue's names; of `binary` the server takes them as they are. */
const asStored: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'utf8', 'binary']);

/** Values in it are not read, since servers know it otherwise in places; none of them are in names. */
const gb18030 = new TextDecoder('gb18030');
const bySystem: DecodeText = (bytes, start, end) => gb18030.decode(bytes.subarray(start, end));

const fromUtf8 = (name: string): string => Buffer.from(name, 'latin1').toString('utf8');
const toUtf8 = (name: string): string => Buffer.from(name, 'utf8').toString('latin1');

/**
 * Letters of swe7 where ASCII has signs. The servers take the first six for letters of a name that stands without quotes, too, and leave them as the signs that they
 * are in ASCII there; in a name between quotes all are what they are in swe7.
 */
const swedish: Readonly<Record<string, string>> = {
  ...{ '[': 'Ä', ']': 'Å', '^': 'Ü', '{': 'ä', '}': 'å', '~': 'ü' },
  ...{ '@': 'É', '\\': 'Ö', '|': 'ö', '`': 'é' },
};
const inNames = '[]^{}~';
/** In place of one of these until it is known where it stands: a letter that no name has. */
const standIn = 0xe000;

function swedishCommand(text: string): ReadableCommand {
  const letters = (latin1: string): string =>
    latin1.replace(/[[\]^{}~]/g, (sign) => toUtf8(String.fromCharCode(standIn + inNames.indexOf(sign))));
  return {
    text: letters(text),
    decode: (name, quoted) => {
      const signs = fromUtf8(name).replace(/[\ue000-\ue005]/g, (one) => inNames[one.charCodeAt(0) - standIn] ?? one);
      return quoted ? signs.replace(/[[\]^{}~@\\|`]/g, (sign) => swedish[sign] ?? sign) : signs;
    },
  };
}

/**
 * A command as it was given in the charset of its client, which the binlog keeps: names in it have to be found in the catalogue, whose own are in UTF-8.
 * `client`: null where the event does not say, or says what is not known. Throws UnreadCharsetError or InvalidTextError.
 */
export function readableCommand(text: string, client: Collation | null): ReadableCommand {
  if (client?.charset === 'swe7') return swedishCommand(text);
  if (client === null || asStored.has(client.charset) || !/[\x80-\xff]/.test(text)) return { text, decode: fromUtf8 };
  const { charset, maxBytes } = client;
  const decode = charset === 'gb18030' ? bySystem : client.decode;
  const inUtf8 = (latin1: string): string => {
    if (decode === null) throw new UnreadCharsetError(charset);
    const bytes = Buffer.from(latin1, 'latin1');
    return decode(bytes, 0, bytes.length);
  };
  if (maxBytes > 1) return { text: toUtf8(inUtf8(text)), decode: fromUtf8 };
  return { text, decode: (name) => (/[\x80-\xff]/.test(name) ? inUtf8(name) : name) };
}

/**
 * As the server stores a name that is not all text of its charset: with question marks for what is none. The whole text of a command may be read so, where
 * nothing depends on where its characters begin.
 */
export function asFarAsReadable(text: string, client: Collation | null): string {
  const decode = client?.charset === 'gb18030' ? bySystem : (client?.decode ?? null);
  if (client === null || asStored.has(client.charset) || decode === null) return fromUtf8(text);
  const bytes = Buffer.from(text, 'latin1');
  const characters: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [character, length] = characterAt(bytes, at, decode, client.maxBytes);
    characters.push(character);
    at += length;
  }
  return characters.join('');
}

function characterAt(bytes: Buffer, at: number, decode: DecodeText, maxBytes: number): readonly [string, number] {
  for (let length = 1; length <= maxBytes && at + length <= bytes.length; length++) {
    try {
      return [decode(bytes, at, at + length), length];
    } catch {}
  }
  return ['?', 1];
}
