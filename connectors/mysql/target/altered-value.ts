import { textBytes } from '../catalogue/column-sizes.ts';
import { type ColumnType, charsetOf } from './column-kind.ts';
import { keepsNumbers } from './json-numbers.ts';

/** Says why the server would store something else than the text, without an error; null where it would not. */
export type AlteredValue = (text: string) => string | null;

/**
 * What a column does to values without a word, strict mode or not: the stream's own fit by their types, those that transforms have made may not. What else
 * does not fit is the server's error. Null of a column that alters nothing.
 */
export function alteredValue({ base, size, scale, collation }: ColumnType): AlteredValue | null {
  switch (base) {
    case 'json':
      return (text) =>
        keepsNumbers(text)
          ? null
          : 'the target would round a number of the document, which has more digits than a double';
    case 'char':
      return (text) => (text.endsWith(' ') ? 'the target would leave out the blanks at the end' : null);
    case 'varchar':
      // More blanks than there is room for are cut off; of anything else that is an error.
      return (text) =>
        text.endsWith(' ') && text.length > (size ?? 0) && [...text].length > (size ?? 0)
          ? 'the target would cut off blanks at the end'
          : null;
    case 'tinytext':
    case 'text':
    case 'mediumtext': {
      // As with a varchar; the room is counted in bytes.
      const most = textBytes[base] ?? 0;
      const charset = charsetOf(collation ?? '');
      return (text) =>
        text.endsWith(' ') && mostBytes(text, charset) > most ? 'the target would cut off blanks at the end' : null;
    }
    case 'decimal':
    case 'time':
    case 'datetime':
    case 'timestamp': {
      const digits = base === 'decimal' ? scale : (size ?? 0);
      return (text) => (fractionDigits(text) > digits ? 'the target would round it' : null);
    }
    default:
      return null;
  }
}

/** What the text takes in the charset; of charsets beside Unicode's and latin1 no less than that. */
function mostBytes(text: string, charset: string): number {
  switch (charset) {
    case 'latin1':
      return text.length;
    case 'ucs2':
    case 'utf16':
    case 'utf16le':
      return text.length * 2;
    case 'utf32':
    case 'gb18030':
      return text.length * 4;
    default:
      return Buffer.byteLength(text);
  }
}

/** Those after the point, without zeros at the end: 11.0000 has none. */
function fractionDigits(text: string): number {
  const point = text.lastIndexOf('.');
  if (point < 0) return 0;
  let end = text.length;
  while (text[end - 1] === '0') end--;
  return end - point - 1;
}
