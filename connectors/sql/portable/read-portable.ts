import type { PortableExpression, PortableSign } from '../../../src/core/portable-expression.ts';
import type { SqlText } from '../../../src/core/table-schema.ts';
import type { PortableDialect } from './portable-dialect.ts';

type Token =
  | { readonly kind: 'column' | 'text' | 'number' | 'bits' | 'bytes' | 'sign'; readonly text: string }
  | { readonly kind: 'word'; readonly text: string; readonly raw: string };

/** Of what a server has written of a table, what all of them can say; null where it says more. */
export function readPortable(text: SqlText, dialect: PortableDialect): PortableExpression | null {
  try {
    return new PortableReader(tokensOf(text, dialect), dialect).whole();
  } catch (error) {
    if (error instanceof NotPortable) return null;
    throw error;
  }
}

class NotPortable extends Error {}

function tokensOf(text: SqlText, dialect: PortableDialect): Token[] {
  return text.flatMap((piece): Token[] =>
    typeof piece === 'string' ? [...tokens(piece, dialect)] : [{ kind: 'column', text: piece.column }],
  );
}

const patterns = {
  bits: /b'([01]*)'/iy,
  bytes: /(?:x'([0-9a-f]*)'|0x([0-9a-f]+))/iy,
  number: /\d+(?:\.\d*)?(?:e[-+]?\d+)?/iy,
  word: /(?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")*")(?:\.(?:[\p{L}_][\p{L}\p{N}_$]*|"(?:[^"]|"")*"))*/uy,
  sign: /::|<>|!=|<=|>=|[-+*=<>(),[\]]/y,
};

function* tokens(text: string, { quoted, unquoted }: PortableDialect): Generator<Token> {
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found;
  };
  for (match(/\s*/y); at < text.length; match(/\s*/y)) {
    const bits = match(patterns.bits);
    const bytes = bits === null ? match(patterns.bytes) : null;
    const literal = bits === null && bytes === null ? match(quoted) : null;
    if (bits !== null) yield { kind: 'bits', text: bits[1] ?? '' };
    else if (bytes !== null) yield { kind: 'bytes', text: bytes[1] ?? bytes[2] ?? '' };
    else if (literal !== null) yield { kind: 'text', text: unquoted(literal[0]) };
    else {
      const number = match(patterns.number);
      const word = number === null ? match(patterns.word) : null;
      const sign = number === null && word === null ? match(patterns.sign) : null;
      if (number !== null) yield { kind: 'number', text: number[0] };
      else if (word !== null) yield { kind: 'word', text: word[0].toLowerCase(), raw: word[0] };
      else if (sign !== null) yield { kind: 'sign', text: sign[0] === '!=' ? '<>' : sign[0] };
      else throw new NotPortable();
    }
  }
}

/** What orders texts by their characters in any collation. */
const looksLikeTime = /^\d{4}-\d\d-\d\d/;

/** Casts of a column that change nothing of what a comparison finds. */
const textCasts: ReadonlySet<string> = new Set(['text', 'character varying', 'varchar', 'bpchar', 'character']);

class PortableReader {
  readonly #tokens: readonly Token[];
  readonly #dialect: PortableDialect;
  #at = 0;

  constructor(tokens: readonly Token[], dialect: PortableDialect) {
    this.#tokens = tokens;
    this.#dialect = dialect;
  }

  whole(): PortableExpression {
    const found = this.#or();
    if (this.#at < this.#tokens.length) throw new NotPortable();
    return found;
  }

  #or(): PortableExpression {
    let left = this.#and();
    while (this.#word('or')) left = { kind: 'binary', sign: 'or', left, right: this.#and() };
    return left;
  }

  #and(): PortableExpression {
    let left = this.#not();
    while (this.#word('and')) left = { kind: 'binary', sign: 'and', left, right: this.#not() };
    return left;
  }

  #not(): PortableExpression {
    return this.#word('not') ? { kind: 'not', of: this.#not() } : this.#comparison();
  }

  #comparison(): PortableExpression {
    const left = this.#sum();
    if (this.#word('is')) {
      const isNot = this.#word('not');
      if (!this.#word('null')) throw new NotPortable();
      const found: PortableExpression = { kind: 'isNull', of: left };
      return isNot ? { kind: 'not', of: found } : found;
    }
    const isNot = this.#word('not');
    if (this.#word('in')) return negated(isNot, { kind: 'in', of: left, list: this.#list('(', ')') });
    if (this.#word('between')) {
      const low = this.#sum();
      if (!this.#word('and')) throw new NotPortable();
      const right = ordered('<=', left, this.#sum());
      return negated(isNot, { kind: 'binary', sign: 'and', left: ordered('>=', left, low), right });
    }
    if (isNot) throw new NotPortable();
    const sign = (['=', '<>', '<=', '>=', '<', '>'] as const).find((one) => this.#sign(one));
    if (sign === undefined) return left;
    if ((sign === '=' && this.#word('any')) || (sign === '<>' && this.#word('all'))) {
      this.#demand('(');
      const list = this.#array();
      this.#demand(')');
      return negated(sign === '<>', { kind: 'in', of: left, list });
    }
    return ordered(sign, left, this.#sum());
  }

  #sum(): PortableExpression {
    let left = this.#product();
    for (;;) {
      const sign = (['+', '-'] as const).find((one) => this.#sign(one));
      if (sign === undefined) return left;
      left = { kind: 'binary', sign, left, right: this.#product() };
    }
  }

  #product(): PortableExpression {
    let left = this.#unary();
    while (this.#sign('*')) left = { kind: 'binary', sign: '*', left, right: this.#unary() };
    return left;
  }

  #unary(): PortableExpression {
    if (!this.#sign('-')) return this.#cast(this.#primary());
    const of = this.#cast(this.#primary());
    if (of.kind !== 'literal' || of.of !== 'number') throw new NotPortable();
    return { ...of, text: `-${of.text}` };
  }

  #cast(value: PortableExpression): PortableExpression {
    if (!this.#dialect.casts) return value;
    let made = value;
    while (this.#sign('::')) {
      const type = this.#type();
      if (value.kind === 'literal' && value.of === 'text' && /^timestamp|^date$/.test(type)) {
        if (/^(?:now|today)$/.test(value.text)) throw new NotPortable();
      } else if (value.kind === 'literal' || value.kind === 'null') made = value;
      else if (value.kind === 'made' && value.what === 'now' && type === 'date') made = { kind: 'made', what: 'today' };
      else if (value.kind === 'made') made = value;
      else if (!textCasts.has(type)) throw new NotPortable();
    }
    return made;
  }

  /** Its words, without modifiers. */
  #type(): string {
    const words: string[] = [];
    for (;;) {
      const token = this.#tokens[this.#at];
      if (token?.kind === 'column') words.push(token.text);
      else if (
        token?.kind === 'word' &&
        (words.length === 0 || /^(?:varying|precision|without|with|time|zone)$/.test(token.text))
      )
        words.push(token.text);
      else break;
      this.#at++;
      if (this.#sign('(')) while (!this.#sign(')')) this.#next();
    }
    while (this.#sign('[')) this.#demand(']');
    if (words.length === 0) throw new NotPortable();
    return words.join(' ');
  }

  #primary(): PortableExpression {
    if (this.#sign('(')) {
      const inside = this.#or();
      this.#demand(')');
      return inside;
    }
    const token = this.#next();
    switch (token.kind) {
      case 'column':
        return { kind: 'column', name: token.text };
      case 'sign':
        throw new NotPortable();
      case 'word':
        return this.#named(token.text);
      default:
        return { kind: 'literal', of: token.kind, text: token.text };
    }
  }

  #named(word: string): PortableExpression {
    if (word === 'null') return { kind: 'null' };
    if (word === 'true' || word === 'false') return { kind: 'literal', of: 'boolean', text: word };
    const what = this.#dialect.made[word];
    if (what !== undefined) {
      if (this.#sign('(')) while (!this.#sign(')')) if (this.#next().kind !== 'number') throw new NotPortable();
      return { kind: 'made', what };
    }
    const name = this.#dialect.functions[word];
    if (name === undefined) throw new NotPortable();
    this.#demand('(');
    const argument = this.#or();
    this.#demand(')');
    return { kind: 'call', name, argument };
  }

  #list(open: string, close: string): PortableExpression[] {
    this.#demand(open);
    const list = [this.#literal()];
    while (this.#sign(',')) list.push(this.#literal());
    this.#demand(close);
    return list;
  }

  /** `ARRAY['a'::text, …]`, perhaps between parentheses and cast. */
  #array(): PortableExpression[] {
    let list: PortableExpression[];
    if (this.#sign('(')) {
      list = this.#array();
      this.#demand(')');
    } else if (this.#word('array')) list = this.#list('[', ']');
    else throw new NotPortable();
    while (this.#sign('::')) this.#type();
    return list;
  }

  #literal(): PortableExpression {
    const found = this.#sum();
    if (found.kind !== 'literal') throw new NotPortable();
    return found;
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new NotPortable();
    return token;
  }

  #word(text: string): boolean {
    const token = this.#tokens[this.#at];
    const isIt = token?.kind === 'word' && token.text === text;
    if (isIt) this.#at++;
    return isIt;
  }

  #sign(text: string): boolean {
    const token = this.#tokens[this.#at];
    const isIt = token?.kind === 'sign' && token.text === text;
    if (isIt) this.#at++;
    return isIt;
  }

  #demand(sign: string): void {
    if (!this.#sign(sign)) throw new NotPortable();
  }
}

function negated(isNot: boolean, of: PortableExpression): PortableExpression {
  return isNot ? { kind: 'not', of } : of;
}

/** Which text comes first is a matter of collations, but for dates. */
function ordered(sign: PortableSign, left: PortableExpression, right: PortableExpression): PortableExpression {
  const isText = (side: PortableExpression): boolean =>
    side.kind === 'literal' && side.of === 'text' && !looksLikeTime.test(side.text);
  if (sign !== '=' && sign !== '<>' && (isText(left) || isText(right))) throw new NotPortable();
  return { kind: 'binary', sign, left, right };
}
