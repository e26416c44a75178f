import '../buffer-slices.ts';

/** Turns bytes of one charset into text; throws InvalidTextError where they are none. */
export type DecodeText = (bytes: Buffer, start: number, end: number) => string;

/** A value is no text of its column's charset. The value itself is never told. */
export class InvalidTextError extends Error {
  constructor() {
    super('a value that is no text of its charset');
  }
}

const replacement = '�';
const replacementBytes = Buffer.from(replacement);

export function decodeUtf8(bytes: Buffer, start: number, end: number): string {
  const text = bytes.utf8Slice(start, end);
  if (text.includes(replacement)) checkReplacements(text, bytes.subarray(start, end));
  return text;
}

/** What Node puts in for bytes that are no text may also have been there. */
function checkReplacements(text: string, bytes: Buffer): void {
  if (bytes.indexOf(replacementBytes) < 0 || !Buffer.from(text).equals(bytes)) throw new InvalidTextError();
}

/** A charset of one byte a character: `table` has the character of each. */
export function singleByte(table: readonly (string | undefined)[]): DecodeText {
  return (bytes, start, end) => {
    let text = '';
    for (let i = start; i < end; i++) {
      const character = table[bytes[i] ?? 0];
      if (character === undefined) throw new InvalidTextError();
      text += character;
    }
    return text;
  };
}

/** A charset whose characters have one to three bytes, as a table of them by their bytes as one number. */
export function multiByte(table: ReadonlyMap<number, string>): DecodeText {
  return (bytes, start, end) => {
    let text = '';
    for (let i = start; i < end; ) {
      let code = 0;
      let character: string | undefined;
      for (let length = 1; length <= 4 && character === undefined && i + length <= end; length++) {
        code = code * 256 + (bytes[i + length - 1] ?? 0);
        character = table.get(code + length * 2 ** 32);
        if (character !== undefined) i += length;
      }
      if (character === undefined) throw new InvalidTextError();
      text += character;
    }
    return text;
  };
}

const strict = (encoding: string): InstanceType<typeof TextDecoder> =>
  new TextDecoder(encoding, { fatal: true, ignoreBOM: true });

function bySystem(decoder: InstanceType<typeof TextDecoder>): DecodeText {
  return (bytes, start, end) => {
    try {
      return decoder.decode(bytes.subarray(start, end));
    } catch {
      throw new InvalidTextError();
    }
  };
}

function decodeUtf32(bytes: Buffer, start: number, end: number): string {
  let text = '';
  for (let i = start; i < end; i += 4) {
    const code = bytes.readUInt32BE(i);
    if (i + 4 > end || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw new InvalidTextError();
    text += String.fromCodePoint(code);
  }
  return text;
}

/** Charsets whose text needs no table of the server's. */
export const knownCharsets: ReadonlyMap<string, DecodeText> = new Map([
  ['utf8mb4', decodeUtf8],
  ['utf8mb3', decodeUtf8],
  ['utf8', decodeUtf8],
  ['ascii', decodeUtf8],
  ['ucs2', bySystem(strict('utf-16be'))],
  ['utf16', bySystem(strict('utf-16be'))],
  ['utf16le', bySystem(strict('utf-16le'))],
  ['utf32', decodeUtf32],
]);
