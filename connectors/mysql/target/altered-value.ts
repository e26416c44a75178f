import type { ColumnType } from './column-kind.ts';
import { keepsNumbers } from './json-numbers.ts';

/** Says why the server would store something else than the text, without an error; null where it would not. */
export type AlteredValue = (text: string) => string | null;

/**
 * What a column does to values without a word, strict mode or not: the stream's own fit by their types, those that transforms have made may not. What else
 * does not fit is the server's error. Null of a column that alters nothing.
 */
export function alteredValue({ base, size, scale }: ColumnType): AlteredValue | null {
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
    case 'decimal':
    case 'time':
    case 'datetime':
    case 'timestamp': {
      const digits = base === 'decimal' ? scale : (size ?? 0);
      return (text) => {
        const point = text.lastIndexOf('.');
        return point >= 0 && text.length - point - 1 > digits ? 'the target would round it' : null;
      };
    }
    default:
      return null;
  }
}
