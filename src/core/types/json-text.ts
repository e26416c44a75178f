import { plainDecimal } from './decimal-text.ts';
import { ValueRefused } from './value-refused.ts';

/** Strings, which are passed over, and numbers. */
const token = /"(?:[^"\\]|\\.)*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/gs;

/** The document with its numbers as plain decimals, the rest as the server wrote it. */
export function withPlainNumbers(text: string): string {
  return text.replace(token, (found) => (found.startsWith('"') ? found : plainDecimal(found)));
}

/** A double has no more digits before or behind the point. */
const mostPower = 400;

/** True where each number is a 64-bit integer, or one that a double shows as it is. */
export function hasBinaryNumbers(text: string): boolean {
  for (const [found] of text.matchAll(token)) {
    if (found.startsWith('"')) continue;
    // No double in any case, and of any length as a plain decimal.
    if (Math.abs(Number(/[eE](.*)$/.exec(found)?.[1] ?? 0)) > mostPower || !isBinary(plainDecimal(found))) return false;
  }
  return true;
}

function isBinary(plain: string): boolean {
  if (!plain.includes('.') && plain.length <= 20) {
    const value = BigInt(plain);
    if (value >= -(2n ** 63n) && value < 2n ** 64n) return true;
  }
  const value = Number(plain);
  return Number.isFinite(value) && plainDecimal(String(value)) === plain;
}

export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** An element of an array: its text, whether that was a JSON string, or an array of more. */
export type ArrayElement = null | { readonly text: string; readonly quoted: boolean } | readonly ArrayElement[];

/** What a JSON array holds; numbers, and whatever is no array and no string, as their JSON. Throws a ValueRefused where it is none. */
export function readArray(json: string): readonly ArrayElement[] {
  const reader = new ArrayReader(json);
  const elements = reader.element();
  if (!Array.isArray(elements) || !reader.ended) throw new ValueRefused('form');
  return elements;
}

const atom = /[ \t\r\n]*(?:("(?:[^"\\]|\\.)*")|([-+.0-9a-zA-Z]+))[ \t\r\n]*/sy;

class ArrayReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get ended(): boolean {
    this.#blanks();
    return this.#at === this.#text.length;
  }

  element(): ArrayElement {
    this.#blanks();
    if (this.#text[this.#at] === '[') return this.#array();
    if (this.#text[this.#at] === '{') return { text: this.#object(), quoted: false };
    atom.lastIndex = this.#at;
    const [found, quoted, bare = ''] = atom.exec(this.#text) ?? [];
    if (found === undefined) throw new ValueRefused('form');
    this.#at += found.length;
    if (quoted !== undefined) return { text: JSON.parse(quoted) as string, quoted: true };
    return bare === 'null' ? null : { text: bare, quoted: false };
  }

  #array(): readonly ArrayElement[] {
    const elements: ArrayElement[] = [];
    this.#at++;
    this.#blanks();
    if (this.#take(']')) return elements;
    do elements.push(this.element());
    while (this.#take(','));
    if (!this.#take(']')) throw new ValueRefused('form');
    return elements;
  }

  #object(): string {
    const begin = this.#at;
    let depth = 0;
    for (const { 0: found, index } of this.#text.slice(begin).matchAll(/"(?:[^"\\]|\\.)*"|[{}]/gs)) {
      if (found.startsWith('"')) continue;
      depth += found === '{' ? 1 : -1;
      if (depth > 0) continue;
      this.#at = begin + index + 1;
      return this.#text.slice(begin, this.#at);
    }
    throw new ValueRefused('form');
  }

  #take(character: string): boolean {
    this.#blanks();
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #blanks(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++;
  }
}
