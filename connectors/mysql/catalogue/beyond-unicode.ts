import { type ColumnType, charsetOf } from '../target/column-kind.ts';

/** A text with characters that Unicode has not, in SQL. */
export interface BeyondUnicode {
  /** Whether a column has it. */
  readonly is: string;
  /** Its bytes behind a sign that no text of such a charset has: the server writes a question mark for each of these characters, so that different texts would show as one. */
  readonly text: string;
}

/** Each of their values is a character of Unicode, or comes with the bytes that it has. */
const whole: ReadonlySet<string> = new Set(['utf8mb4', 'utf8mb3', 'latin1', 'utf16', 'utf16le', 'utf32', 'ucs2']);

/** No character, and in no charset but Unicode's. */
export const noCharacter = '\ufffe';

/** Null of columns that have no such text. */
export function beyondUnicode(column: string, { base, collation }: ColumnType): BeyondUnicode | null {
  if (base === 'enum' || base === 'set' || collation === null || whole.has(charsetOf(collation))) return null;
  const without = (text: string): string => `CHAR_LENGTH(REPLACE(${text}, '?', ''))`;
  return {
    is: `${without(column)} <> ${without(`CONVERT(${column} USING utf8mb4)`)}`,
    text: `CONCAT('${noCharacter}', HEX(${column}))`,
  };
}
