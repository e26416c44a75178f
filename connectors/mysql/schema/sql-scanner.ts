/**
 * Reads what SHOW CREATE writes, piece by piece: words, names between backticks, texts between quotes, and what stands between
 * parentheses. No more of SQL's grammar is needed for it.
 */
export class SqlScanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get rest(): string {
    this.#skipSpace();
    return this.#text.slice(this.#at);
  }

  get ended(): boolean {
    return this.rest === '';
  }

  /** The words come next, in any case and with any blanks between them: they are passed. */
  take(words: string): boolean {
    this.#skipSpace();
    const pattern = new RegExp(`${words.replaceAll(' ', '\\s+')}(?![\\w$])`, 'iy');
    return this.#match(pattern) !== null;
  }

  /** A sign that comes next is passed. */
  takeSign(sign: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(sign, this.#at)) return false;
    this.#at += sign.length;
    return true;
  }

  /** A name, between backticks or plain; null where none comes. */
  name(): string | null {
    this.#skipSpace();
    const quoted = this.#match(/`((?:[^`]|``)*)`/y);
    if (quoted !== null) return (quoted[1] ?? '').replaceAll('``', '`');
    return this.#match(/[\p{L}\p{N}_$]+/uy)?.[0] ?? null;
  }

  /** A text between quotes, as it was meant; null where none comes. */
  text(): string | null {
    this.#skipSpace();
    const quoted = this.#match(/'(?:[^'\\]|''|\\[\s\S])*'/y);
    return quoted === null ? null : unquoted(quoted[0]);
  }

  /** What stands between parentheses, without them; null where none come. */
  parentheses(): string | null {
    this.#skipSpace();
    if (this.#text[this.#at] !== '(') return null;
    const end = this.#closing(this.#at);
    const inside = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return inside.trim();
  }

  /** One value as it is written: a literal, a name, a call of a function, an expression between parentheses. */
  value(): string {
    this.#skipSpace();
    const start = this.#at;
    this.#match(/[-+]/y);
    const isText = this.#match(/(?:_\w+\s*|[bxn])?'(?:[^'\\]|''|\\[\s\S])*'/iy) !== null;
    if (!isText) this.#match(/[\w$.]*(?:`(?:[^`]|``)*`\.?)*[\w$.]*/y);
    if (!isText && this.#text[this.#at] === '(') this.#at = this.#closing(this.#at) + 1;
    return this.#text.slice(start, this.#at);
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text);
    if (found !== null) this.#at += found[0].length;
    return found;
  }

  #skipSpace(): void {
    this.#match(/\s*/y);
  }

  #closing(open: number): number {
    let depth = 0;
    for (const { sign, at } of signs(this.#text, open)) {
      if (sign === '(') depth++;
      else if (sign === ')' && --depth === 0) return at;
    }
    return this.#text.length;
  }
}

/** Cut at the commas that stand between no parentheses and no quotes. */
export function splitList(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (const { sign, at } of signs(text, 0)) {
    if (sign === '(') depth++;
    else if (sign === ')') depth--;
    else if (depth === 0) {
      parts.push(text.slice(start, at).trim());
      start = at + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts.filter((part) => part !== '');
}

/** Parentheses and commas outside of quotes. */
function* signs(text: string, from: number): Generator<{ readonly sign: string; readonly at: number }> {
  const pattern = /'(?:[^'\\]|''|\\[\s\S])*'|`(?:[^`]|``)*`|[(),]/g;
  pattern.lastIndex = from;
  for (let found = pattern.exec(text); found !== null; found = pattern.exec(text)) {
    if (found[0].length === 1) yield { sign: found[0], at: found.index };
  }
}

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', 0: '\0', Z: '\x1a', t: '\t', b: '\b' };

function unquoted(literal: string): string {
  return literal
    .slice(1, -1)
    .replaceAll(/''|\\([\s\S])/g, (found, after: string | undefined) =>
      after === undefined ? found.slice(1) : (escapes[after] ?? after),
    );
}

/** Comments that only some versions read are what is written in them, to the server that has written them. */
export function withoutVersionComments(text: string): string {
  return text.replaceAll(/'(?:[^'\\]|''|\\[\s\S])*'|`(?:[^`]|``)*`|\/\*M?!\d*|\*\//g, (found) =>
    found.startsWith('/*') || found === '*/' ? ' ' : found,
  );
}
