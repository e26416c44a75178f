import { ExpressionFailure } from '../problem.ts';
import {
  anyCharacter,
  type CharacterSet,
  characterClasses,
  complement,
  single,
  union,
  withBothCases,
} from './character-set.ts';

export type Regex =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'all' | 'any'; readonly parts: readonly Regex[] }
  | { readonly kind: 'repeat'; readonly part: Regex; readonly min: number; readonly max: number | null }
  | { readonly kind: 'start' | 'end' };

export interface ParsedRegex {
  readonly regex: Regex;
  /** Round brackets that are not `(?:`. */
  readonly groups: number;
  /** A quantifier that takes as little as it can. */
  readonly isLazy: boolean;
}

const maxRepeats = 255;

/**
 * Reads what PostgreSQL's advanced regular expressions and this language both mean the same by: characters, brackets,
 * classes, groups, alternatives, anchors and quantifiers. The rest is refused by its name, and so is what a server
 * takes for an error.
 */
export function parseRegex(pattern: string, ignoresCase: boolean): ParsedRegex {
  return new RegexReader(pattern, ignoresCase).read();
}

class RegexReader {
  readonly #characters: readonly string[];
  readonly #ignoresCase: boolean;
  #at = 0;
  #groups = 0;
  #isLazy = false;

  constructor(pattern: string, ignoresCase: boolean) {
    this.#characters = [...pattern];
    this.#ignoresCase = ignoresCase;
  }

  read(): ParsedRegex {
    const regex = this.#alternatives();
    if (this.#at < this.#characters.length) throw refused('")" without "("');
    return { regex, groups: this.#groups, isLazy: this.#isLazy };
  }

  #alternatives(): Regex {
    const parts = [this.#branch()];
    while (this.#takes('|')) parts.push(this.#branch());
    return parts.length === 1 ? (parts[0] as Regex) : { kind: 'any', parts };
  }

  #branch(): Regex {
    const parts: Regex[] = [];
    for (let next = this.#peek(); next !== undefined && next !== '|' && next !== ')'; next = this.#peek())
      parts.push(this.#quantified());
    return { kind: 'all', parts };
  }

  #quantified(): Regex {
    const atom = this.#atom();
    const bounds = this.#quantifier();
    if (bounds === null) return atom;
    if (atom.kind === 'start' || atom.kind === 'end') throw refused('a quantifier after an anchor');
    if (this.#takes('?')) this.#isLazy = true;
    if (/^[*+?{]$/.test(this.#peek() ?? '')) throw refused('a quantifier after a quantifier');
    return { kind: 'repeat', part: atom, ...bounds };
  }

  #quantifier(): { readonly min: number; readonly max: number | null } | null {
    if (this.#takes('*')) return { min: 0, max: null };
    if (this.#takes('+')) return { min: 1, max: null };
    if (this.#takes('?')) return { min: 0, max: 1 };
    if (!this.#takes('{')) return null;
    const min = this.#number();
    let max: number | null = min;
    if (this.#takes(',')) max = this.#peek() === '}' ? null : this.#number();
    if (!this.#takes('}')) throw refused('a bound that is not {m}, {m,} or {m,n}');
    if (max !== null && max < min) throw refused('a bound whose end is before its start');
    return { min, max };
  }

  #number(): number {
    let digits = '';
    while (/^[0-9]$/.test(this.#peek() ?? '')) digits += this.#next();
    if (digits === '') throw refused('a "{" that begins no bound (write "\\{")');
    if (Number(digits) > maxRepeats) throw refused(`a bound above ${maxRepeats}`);
    return Number(digits);
  }

  #atom(): Regex {
    const character = this.#next();
    switch (character) {
      case '(':
        return this.#group();
      case '[':
        return { kind: 'set', set: this.#bracket() };
      case '.':
        return { kind: 'set', set: anyCharacter };
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'end' };
      case '\\':
        return this.#escape();
      case '*':
      case '+':
      case '?':
        throw refused('a quantifier of nothing');
      case '{':
        throw refused('a "{" that follows nothing (write "\\{")');
      default:
        return this.#one(single(character.codePointAt(0) ?? 0));
    }
  }

  #group(): Regex {
    if (this.#takes('?')) {
      if (!this.#takes(':')) throw refused('"(?" other than "(?:": options, and conditions on what stands around');
    } else this.#groups++;
    const inner = this.#alternatives();
    if (!this.#takes(')')) throw refused('"(" without ")"');
    return inner;
  }

  #one(set: CharacterSet): Regex {
    return { kind: 'set', set: this.#ignoresCase ? withBothCases(set) : set };
  }

  #escape(): Regex {
    const character = this.#peek() ?? '';
    if (character === 'A' || character === 'Z') {
      this.#at++;
      return { kind: character === 'A' ? 'start' : 'end' };
    }
    const negated = /^[DSW]$/.test(character) ? this.#shorthand(character.toLowerCase()) : null;
    if (negated === null) return this.#one(this.#escaped());
    return { kind: 'set', set: complement(negated) };
  }

  #shorthand(character: string): CharacterSet {
    this.#at++;
    return characterClasses.get({ d: 'digit', s: 'space', w: 'word' }[character] ?? '') ?? [];
  }

  /** What stands behind a backslash, within brackets or not. */
  #escaped(): CharacterSet {
    const character = this.#peek();
    if (character === undefined) throw refused('a "\\" at the end');
    if (/^[dsw]$/.test(character)) return this.#shorthand(character);
    this.#at++;
    const control = { t: 9, n: 10, v: 11, f: 12, r: 13 }[character];
    if (control !== undefined) return single(control);
    if (character === 'u') {
      const digits = this.#characters.slice(this.#at, this.#at + 4).join('');
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw refused('"\\u" without four hexadecimal digits');
      this.#at += 4;
      const code = Number.parseInt(digits, 16);
      if (code === 0 || (code >= 0xd800 && code < 0xe000)) throw refused('a character that SQL has not');
      return single(code);
    }
    if (/^[a-zA-Z0-9]$/.test(character)) throw refused(escapeNames[character] ?? `"\\${character}"`);
    return single(character.codePointAt(0) ?? 0);
  }

  #bracket(): CharacterSet {
    const isNegated = this.#takes('^');
    const sets: CharacterSet[] = [];
    for (let isFirst = true; isFirst || this.#peek() !== ']'; isFirst = false) {
      const from = this.#element(isFirst);
      const isRange = this.#peek() === '-' && this.#peek(1) !== ']';
      if (!isRange) {
        sets.push(from.set);
        continue;
      }
      this.#at++;
      const to = this.#element(false);
      if (from.code === null || to.code === null) throw refused('a range of classes');
      if (to.code < from.code) throw refused('a range whose end is before its start');
      if (this.#peek() === '-' && this.#peek(1) !== ']') throw refused('a range that goes on ("a-c-e")');
      sets.push([[from.code, to.code]]);
    }
    this.#at++;
    const set = union(...sets);
    const all = this.#ignoresCase ? withBothCases(set) : set;
    return isNegated ? complement(all) : all;
  }

  /** `code`: null of what is more than one character. */
  #element(isFirst: boolean): { readonly set: CharacterSet; readonly code: number | null } {
    const character = this.#peek();
    if (character === undefined) throw refused('"[" without "]"');
    if (character === '-' && !isFirst && this.#peek(1) !== ']')
      throw refused('a "-" within brackets that is not at an end (write "\\-")');
    this.#at++;
    if (character === '[' && /^[.:=]$/.test(this.#peek() ?? '')) return { set: this.#named(), code: null };
    if (character === '\\') {
      const isClass = /^[dsw]$/.test(this.#peek() ?? '');
      if (/^[DSWAZ]$/.test(this.#peek() ?? '')) throw refused(`"\\${this.#peek()}" within brackets`);
      const set = this.#escaped();
      return { set, code: isClass ? null : (set[0]?.[0] ?? null) };
    }
    const code = character.codePointAt(0) ?? 0;
    return { set: single(code), code };
  }

  #named(): CharacterSet {
    if (!this.#takes(':')) throw refused('"[." and "[=" within brackets');
    let name = '';
    while (/^[a-z]$/.test(this.#peek() ?? '')) name += this.#next();
    const set = characterClasses.get(name);
    if (set === undefined || !this.#takes(':') || !this.#takes(']')) throw refused(`the class "[:${name}"`);
    return set;
  }

  #peek(ahead = 0): string | undefined {
    return this.#characters[this.#at + ahead];
  }

  #next(): string {
    return this.#characters[this.#at++] ?? '';
  }

  #takes(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at++;
    return true;
  }
}

const escapeNames: Readonly<Record<string, string>> = {
  m: '"\\m" (where a word begins)',
  M: '"\\M" (where a word ends)',
  y: '"\\y" (where a word begins or ends)',
  Y: '"\\Y" (where no word begins or ends)',
  x: '"\\x" (write "\\u" and four digits)',
};
for (const digit of '123456789') Object.assign(escapeNames, { [digit]: `"\\${digit}" (what a group has matched)` });

function refused(what: string): ExpressionFailure {
  return new ExpressionFailure(`${what} is not in the language of regular expressions here`);
}
