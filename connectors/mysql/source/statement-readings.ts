import type { SqlDialect } from './definitions/alter-tokens.ts';

/** How quotes of a statement are read, and which comments are part of it. */
export type QuoteDialect = Pick<SqlDialect, 'mariadb' | 'ansiQuotes' | 'noBackslashEscapes'>;

/** Every server that is a source reads what is meant for this version or an older one. */
export const everyVersion = 50_699;
export const everyMariadb = 100_303;

/** Versions that MariaDB never takes for its own. */
const otherVendors = [50_700, 99_999] as const;

/** What stands in quotes, as one pattern without a group around it. */
export function quotedPattern({ ansiQuotes, noBackslashEscapes }: QuoteDialect): string {
  const escaped = (quote: string): string =>
    noBackslashEscapes
      ? `${quote}(?:[^${quote}]|${quote}${quote})*${quote}`
      : `${quote}(?:[^${quote}\\\\]|${quote}${quote}|\\\\[\\s\\S])*${quote}`;
  return `${escaped("'")}|${ansiQuotes ? '"(?:[^"]|"")*"' : escaped('"')}|\`(?:[^\`]|\`\`)*\``;
}

/** A piece of the statement, and the versions that a server has to have for it. */
interface Piece {
  readonly text: string;
  readonly since: readonly number[];
}

/**
 * The statement without its comments, as servers may read it: what stands in a comment that is only for some versions is part of it or not. One reading where
 * all servers read the same; else one for each version from which on they read another one, the oldest first. Throws RangeError where that can't be told.
 */
export function statementReadings(text: string, dialect: QuoteDialect): readonly string[] {
  if (!/\/\*|--|#/.test(text)) return [text];
  const pieces = piecesOf(text, dialect);
  const versions = [...new Set(pieces.flatMap(({ since }) => since))].sort((a, b) => a - b);
  const reading = (version: number): string =>
    pieces.map(({ text: piece, since }) => (since.every((one) => one <= version) ? piece : '')).join('');
  return [0, ...versions].map(reading);
}

function piecesOf(text: string, dialect: QuoteDialect): readonly Piece[] {
  const part = new RegExp(
    `(?<quoted>${quotedPattern(dialect)})|\\/\\*(?<mariadb>M?)!(?<version>\\d*)|(?<comment>\\/\\*[\\s\\S]*?\\*\\/|--(?=[\\s\\0]|$)[^\\n]*|#[^\\n]*)|(?<end>\\*\\/)|[^'"\`/*#-]+|[\\s\\S]`,
    'gy',
  );
  const pieces: Piece[] = [];
  /** Of the comments that are open, the inner one last; `null`: no server leaves it out. */
  const open: (number | null)[] = [];
  for (let found = part.exec(text); found !== null; found = part.exec(text)) {
    const { version, mariadb, comment, end } = found.groups ?? {};
    const since = open.flatMap((one) => one ?? []);
    if (comment !== undefined) pieces.push({ text: ' ', since });
    else if (version !== undefined) {
      const least = leastVersion(version, mariadb !== '', dialect);
      // As any other comment.
      if (least === 'never') part.lastIndex = endOfComment(text, found.index);
      else open.push(least);
      pieces.push({ text: ' ', since });
    } else if (end !== undefined && open.length > 0) {
      open.pop();
      pieces.push({ text: ' ', since });
    } else pieces.push({ text: found[0], since });
  }
  return pieces;
}

/** From which version on servers read it; null: all do. */
function leastVersion(version: string, isMariadbs: boolean, { mariadb }: QuoteDialect): number | 'never' | null {
  if (isMariadbs && !mariadb) return 'never';
  if (version === '') return null;
  // Of fewer digits they are part of the statement, of more the rest is.
  if (!/^[1-9]\d{4,5}$/.test(version)) throw new RangeError('a comment for versions whose number is not read');
  const least = Number(version);
  const [from, to] = otherVendors;
  if (mariadb && !isMariadbs && least >= from && least <= to) return 'never';
  return least <= (isMariadbs ? everyMariadb : everyVersion) ? null : least;
}

function endOfComment(text: string, start: number): number {
  const end = text.indexOf('*/', start);
  return end < 0 ? text.length : end + 2;
}
