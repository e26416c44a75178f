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

/** Bytes that are decoded by single characters at once. */
const pieceBytes = 4_096;

/**
 * A text that has grown by single characters is a chain of as many objects, each many times as large as its character: of a long value pieces are made one
 * string each. `decode` goes on from `start` until `until`, or as far behind it as its last character has bytes, and says where it is.
 */
function inPieces(decode: (bytes: Buffer, start: number, until: number, end: number) => Decoded): DecodeText {
  return (bytes, start, end) => {
    if (end - start <= pieceBytes) return decode(bytes, start, end, end).text;
    const pieces: string[] = [];
    for (let at = start; at < end; ) {
      const { text, next } = decode(bytes, at, Math.min(at + pieceBytes, end), end);
      // As bytes and back: what joins them would keep the chains until its end.
      pieces.push(Buffer.from(text).toString());
      at = next;
    }
    return pieces.join('');
  };
}

interface Decoded {
  readonly text: string;
  readonly next: number;
}

/** A charset of one byte a character: `table` has the character of each. */
export function singleByte(table: readonly (string | undefined)[]): DecodeText {
  return inPieces((bytes, start, until) => {
    let text = '';
    for (let i = start; i < until; i++) {
      const character = table[bytes[i] ?? 0];
      if (character === undefined) throw new InvalidTextError();
      text += character;
    }
    return { text, next: until };
  });
}

/** A charset whose characters have one to three bytes, as a table of them by their bytes as one number. */
export function multiByte(table: ReadonlyMap<number, string>): DecodeText {
  return inPieces((bytes, start, until, end) => {
    let text = '';
    let i = start;
    while (i < until) {
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
    return { text, next: i };
  });
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

const decodeUtf32 = inPieces((bytes, start, until, end) => {
  let text = '';
  for (let i = start; i < until; i += 4) {
    const code = bytes.readUInt32BE(i);
    if (i + 4 > end || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) throw new InvalidTextError();
    text += String.fromCodePoint(code);
  }
  return { text, next: until };
});

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
