import type { SqlText } from '../../../src/core/table-schema.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { plainExpression } from './plain-expression.ts';

/** Texts are kept; a name between backticks that nothing qualifies is a column's: the server writes functions without. */
const parts = /'(?:[^'\\]|''|\\[\s\S])*'|(?:`(?:[^`]|``)*`\s*\.\s*)+`(?:[^`]|``)*`|`((?:[^`]|``)*)`/g;

/** Cuts what the server has written at the columns that it names. */
export function sqlPieces(text: string): SqlText {
  const pieces: (string | { readonly column: string })[] = [];
  let end = 0;
  for (const found of text.matchAll(parts)) {
    const [, name] = found;
    if (name === undefined) continue;
    if (found.index > end) pieces.push(text.slice(end, found.index));
    pieces.push({ column: name.replaceAll('``', '`') });
    end = found.index + found[0].length;
  }
  if (end < text.length) pieces.push(text.slice(end));
  return pieces;
}

/** As the server reads it. */
export function sqlText(text: SqlText): string {
  return text.map((piece) => (typeof piece === 'string' ? piece : quoteIdentifier(piece.column))).join('');
}

/** A text between quotes, whatever the session's sql_mode says of backslashes but NO_BACKSLASH_ESCAPES, which none of ours has. */
export function quoteText(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll('\0', '\\0').replaceAll('\n', '\\n').replaceAll('\r', '\\r')}'`;
}

/** The two texts say the same, as far as that shows without knowing what functions do: vendors write charsets, parentheses and case differently. */
export function saysTheSame(one: SqlText | null, other: SqlText | null): boolean {
  return plain(one) === plain(other);
}

function plain(text: SqlText | null): string {
  return text === null ? '' : plainExpression(withoutIntroducers(sqlText(text)));
}

/** MySQL writes `_utf8mb4` in front of each text; it is what they are in our sessions anyway. */
export function withoutIntroducers(text: string): string {
  return text.replaceAll(/'(?:[^'\\]|''|\\[\s\S])*'|\b_utf8mb[34]\s*(?=')/g, (found) =>
    found.startsWith("'") ? found : '',
  );
}
