import { type Token, UnreadableStatementError } from './alter-tokens.ts';

/** Goes through the tokens of one statement. */
export class AlterReader {
  readonly #tokens: readonly Token[];
  #at = 0;
  /** A foreign key was passed over that does something to the rows below those that it points to. */
  foreignKeyActs = false;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get ended(): boolean {
    return this.#at >= this.#tokens.length;
  }

  /** The keyword that comes `ahead` tokens from here, in capitals; '' where none comes. */
  keyword(ahead = 0): string {
    const token = this.#tokens[this.#at + ahead];
    return token?.kind === 'word' ? token.text.toUpperCase() : '';
  }

  isSign(sign: string, ahead = 0): boolean {
    const token = this.#tokens[this.#at + ahead];
    return token?.kind === 'sign' && token.text === sign;
  }

  peek(): Token | null {
    return this.#tokens[this.#at] ?? null;
  }

  /** The keywords come next: they are passed. */
  take(words: string): boolean {
    const wanted = words.split(' ');
    if (!wanted.every((word, ahead) => this.keyword(ahead) === word)) return false;
    this.#at += wanted.length;
    return true;
  }

  takeSign(sign: string): boolean {
    if (!this.isSign(sign)) return false;
    this.#at++;
    return true;
  }

  next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new UnreadableStatementError('it ends early');
    return token;
  }

  /** A name, with or without quotes. */
  name(): string {
    const { kind, text } = this.next();
    if (kind !== 'word' && kind !== 'name') throw new UnreadableStatementError('a name is missing in it');
    return Buffer.from(text, 'latin1').toString('utf8');
  }

  /** What stands between parentheses, where some come next; else nothing. */
  parentheses(): readonly Token[] {
    const from = this.#at + 1;
    return this.skipParentheses() ? this.#tokens.slice(from, this.#at - 1) : [];
  }

  /** Passes over what stands between parentheses, where some come next. */
  skipParentheses(): boolean {
    if (!this.takeSign('(')) return false;
    for (let depth = 1; depth > 0; ) {
      const { kind, text } = this.next();
      if (kind === 'sign' && text === '(') depth++;
      else if (kind === 'sign' && text === ')') depth--;
    }
    return true;
  }

  /** What a foreign key does, behind what it points to, where it says so. */
  takeActions(): void {
    while (this.keyword() === 'ON' && ['DELETE', 'UPDATE'].includes(this.keyword(1))) {
      this.next();
      this.next();
      if (this.take('RESTRICT') || this.take('NO ACTION')) continue;
      this.foreignKeyActs = true;
      if (!this.take('SET NULL') && !this.take('SET DEFAULT')) this.next();
    }
  }

  /** Up to the next comma, or the end, of this list. */
  skipPart(): void {
    while (!this.ended && !this.isSign(',') && !this.isSign(')') && !this.isSign(';')) {
      if (!this.skipParentheses()) this.#at++;
      this.takeActions();
    }
  }

  skipAll(): void {
    this.#at = this.#tokens.length;
  }
}
