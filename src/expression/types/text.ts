import { ExpressionFailure } from '../problem.ts';

/** Longest text that an expression makes, in UTF-16 units. */
const maxLength = 2 ** 28;

const surrogate = /[\ud800-\udfff]/;

/** By code point, which is the order of collation "C": JavaScript's own order puts U+FF5E after U+1F600. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left !== right) return orderOf(left) - orderOf(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points above all others. */
function orderOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/** Number of characters (code points). */
export function characters(text: string): number {
  if (!surrogate.test(text)) return text.length;
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** UTF-16 units of the character at a place. */
export function unitsAt(text: string, at: number): 1 | 2 {
  const unit = text.charCodeAt(at);
  return unit >= 0xd800 && unit <= 0xdbff ? 2 : 1;
}

/** The characters from `start` up to and not including `end`, counted from 0. */
export function sliceCharacters(text: string, start: number, end: number): string {
  if (end <= start) return '';
  if (!surrogate.test(text)) return text.slice(start, end);
  const from = skipCharacters(text, 0, start);
  return text.slice(from, skipCharacters(text, from, end - start));
}

function skipCharacters(text: string, from: number, count: number): number {
  let at = from;
  for (let i = 0; i < count && at < text.length; i++) at += unitsAt(text, at);
  return at;
}

/** Letters of ASCII only, as collation "C" has it: what other letters become changes with the version of Unicode. */
export function lower(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

export function upper(text: string): string {
  return text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

export function initcap(text: string): string {
  return lower(text).replace(/[a-z0-9]+/g, (word) => `${word[0]?.toUpperCase()}${word.slice(1)}`);
}

export function trimStart(text: string, set: string): string {
  if (set === ' ') return text.replace(/^ +/, '');
  const unwanted = new Set(set);
  let start = 0;
  for (const character of text) {
    if (!unwanted.has(character)) break;
    start += character.length;
  }
  return text.slice(start);
}

export function trimEnd(text: string, set: string): string {
  if (set === ' ') return trimBlanks(text);
  const unwanted = new Set(set);
  let end = text.length;
  while (end > 0) {
    const unit = text.charCodeAt(end - 1);
    const start = end - (unit >= 0xdc00 && unit <= 0xdfff ? 2 : 1);
    if (!unwanted.has(text.slice(start, end))) break;
    end = start;
  }
  return text.slice(0, end);
}

/** Without blanks at its end, which count for nothing in a char(n). */
export function trimBlanks(text: string): string {
  let end = text.length;
  while (end > 0 && text.charCodeAt(end - 1) === 32) end--;
  return end === text.length ? text : text.slice(0, end);
}

export function repeat(text: string, times: number): string {
  if (times <= 0) return '';
  checkLength(text.length * times);
  return text.repeat(times);
}

export function checkLength(length: number): void {
  if (length > maxLength) throw new ExpressionFailure(`a text is longer than ${maxLength} characters`);
}

export function concatenate(a: string, b: string): string {
  checkLength(a.length + b.length);
  return a + b;
}

/** Filled up with `fill`, or cut, to a number of characters. */
export function pad(text: string, length: number, fill: string, where: 'left' | 'right'): string {
  const wanted = Math.max(length, 0);
  checkLength(wanted);
  const missing = wanted - characters(text);
  if (missing <= 0) return sliceCharacters(text, 0, wanted);
  if (fill === '') return text;
  const times = Math.ceil(missing / characters(fill));
  checkLength(times * fill.length);
  const filler = sliceCharacters(fill.repeat(times), 0, missing);
  return where === 'left' ? filler + text : text + filler;
}

/** From a character counted from 1; before 1 it takes away from the length. */
export function substring(text: string, start: number, length: number | null): string {
  if (length !== null && length < 0) throw new ExpressionFailure('a negative length of a substring');
  const end = length === null ? Number.POSITIVE_INFINITY : start + length - 1;
  return sliceCharacters(text, Math.max(start - 1, 0), Math.max(end, 0));
}

export function replace(text: string, from: string, to: string): string {
  if (from === '') return text;
  const parts = text.split(from);
  checkLength(text.length + (parts.length - 1) * (to.length - from.length));
  return parts.join(to);
}

export function translate(text: string, from: string, to: string): string {
  const targets = [...to];
  const map = new Map<string, string>();
  for (const [index, character] of [...from].entries())
    if (!map.has(character)) map.set(character, targets[index] ?? '');
  let result = '';
  for (const character of text) result += map.get(character) ?? character;
  return result;
}

/** A part counted from 1, or from -1 from the end. */
export function splitPart(text: string, separator: string, field: number): string {
  if (field === 0) throw new ExpressionFailure('a field of split_part is 0');
  const parts = separator === '' ? [text] : text.split(separator);
  return (field > 0 ? parts[field - 1] : parts[parts.length + field]) ?? '';
}

/** Where a text is found, in characters from 1; 0 where it is not. */
export function position(text: string, wanted: string): number {
  const at = text.indexOf(wanted);
  return at < 0 ? 0 : characters(text.slice(0, at)) + 1;
}

export function reverse(text: string): string {
  return surrogate.test(text) ? [...text].reverse().join('') : text.split('').reverse().join('');
}
