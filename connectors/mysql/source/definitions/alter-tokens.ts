import { everyMariadb, everyVersion } from '../statement-readings.ts';

/** How a server reads the texts of a session. */
export interface SqlDialect {
  readonly mariadb: boolean;
  /** What stands between double quotes is a name. */
  readonly ansiQuotes: boolean;
  readonly noBackslashEscapes: boolean;
  /** An empty text is NULL. */
  readonly emptyIsNull: boolean;
  /** A CHAR has blanks up to its length where it is read. */
  readonly padsCharacters: boolean;
}

export interface Token {
  /** `word`: a keyword, or a name without quotes. `name`: one between quotes. */
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'sign';
  /** What it means: without quotes, escapes undone. As latin1, as the whole text. */
  readonly text: string;
}

/** The text can't be told apart, or not for certain. */
export class UnreadableStatementError extends Error {}

/** Of patterns the backslash stays: the pattern needs it. */
const escapes: Readonly<Record<string, string>> = {
  ...{ n: '\n', r: '\r', 0: '\0', Z: '\x1a', t: '\t', b: '\b' },
  ...{ '%': '\\%', _: '\\_' },
};

/**
 * Takes a statement apart. The text is latin1, one character a byte: in the charsets whose statements come here no byte of a longer character is a sign
 * of the grammar. Comments that only some versions read are refused unless every version does.
 */
export function alterTokens(text: string, dialect: SqlDialect): Token[] {
  const tokens: Token[] = [];
  const { ansiQuotes, noBackslashEscapes } = dialect;
  const literals = noBackslashEscapes
    ? { "'": /'((?:[^']|'')*)'/y, '"': /"((?:[^"]|"")*)"/y }
    : { "'": /'((?:[^'\\]|''|\\[\s\S])*)'/y, '"': /"((?:[^"\\]|""|\\[\s\S])*)"/y };
  let at = 0;
  /** Inside of a comment that every version reads: its end is passed over. */
  let conditional = false;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found;
  };
  const unquote = (inside: string, quote: string): string => {
    const doubled = noBackslashEscapes
      ? new RegExp(quote + quote, 'g')
      : new RegExp(`${quote}${quote}|\\\\([\\s\\S])`, 'g');
    return inside.replace(doubled, (_, after: string | undefined) =>
      after === undefined ? quote : (escapes[after] ?? after),
    );
  };
  while (at < text.length) {
    if (match(/[\s\0]+|--(?=[\s\0]|$)[^\n]*|#[^\n]*/y) !== null) continue;
    const versioned = match(/\/\*(M?)!(\d*)/y);
    if (versioned !== null) {
      if (conditional) throw new UnreadableStatementError('a comment in a comment that only some versions read');
      const [, isMariadbs, version = ''] = versioned;
      // Of fewer digits they are part of the statement, of more the rest is.
      if (version !== '' && !/^[1-9]\d{4,5}$/.test(version))
        throw new UnreadableStatementError('a comment in it is for versions whose number is not read');
      if (isMariadbs !== '' && !dialect.mariadb) skipComment();
      else if (version === '' || Number(version) <= (isMariadbs === '' ? everyVersion : everyMariadb))
        conditional = true;
      else throw new UnreadableStatementError('a part of it stands in a comment that only some versions read');
      continue;
    }
    if (text.startsWith('/*', at)) {
      skipComment();
      continue;
    }
    if (conditional && text.startsWith('*/', at)) {
      conditional = false;
      at += 2;
      continue;
    }
    const name = match(/`((?:[^`]|``)*)`/y);
    if (name !== null) {
      tokens.push({ kind: 'name', text: (name[1] ?? '').replaceAll('``', '`') });
      continue;
    }
    const sign = text[at] ?? '';
    if (sign === "'" || sign === '"') {
      const literal = match(ansiQuotes && sign === '"' ? /"((?:[^"]|"")*)"/y : literals[sign]);
      if (literal === null) throw new UnreadableStatementError('a quoted text in it has no end');
      const inside = literal[1] ?? '';
      if (ansiQuotes && sign === '"') tokens.push({ kind: 'name', text: inside.replaceAll('""', '"') });
      else tokens.push({ kind: 'text', text: unquote(inside, sign) });
      continue;
    }
    const number = match(/(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?(?![\w$\x80-\xff])/iy);
    if (number !== null) {
      tokens.push({ kind: 'number', text: number[0] });
      continue;
    }
    const word = match(/[\w$\x80-\xff]+/y);
    if (word !== null) tokens.push({ kind: 'word', text: word[0] });
    else if (sign === '`') throw new UnreadableStatementError('a quoted name in it has no end');
    else {
      tokens.push({ kind: 'sign', text: sign });
      at++;
    }
  }
  if (conditional) throw new UnreadableStatementError('a comment in it has no end');
  return tokens;

  function skipComment(): void {
    const end = text.indexOf('*/', at);
    if (end < 0) throw new UnreadableStatementError('a comment in it has no end');
    at = end + 2;
  }
}
