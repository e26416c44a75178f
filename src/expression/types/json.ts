import { ExpressionFailure } from '../problem.ts';
import { parseNumeric } from './numeric.ts';
import { compareText } from './text.ts';

/**
 * Paths into a JSON text that the server printed. What they lead to is a piece of that text, so that numbers keep their
 * digits and json keeps its blanks, as at the server.
 */
export function jsonMember(text: string, wanted: string): string | null {
  let found: string | null = null;
  // Of equal names in a json the last one counts.
  eachPart(text, '{', (name, value) => {
    if (name === wanted) found = value;
  });
  return found;
}

/** An element counted from 0, or from -1 from the end. */
export function jsonElement(text: string, index: number): string | null {
  const elements: string[] = [];
  eachPart(text, '[', (_, value) => elements.push(value));
  return elements.at(index) ?? null;
}

/** As the above, but of a jsonb that is no array or object the server makes an array of one element. */
export function jsonbElement(text: string, index: number): string | null {
  if (text.startsWith('[') || text.startsWith('{')) return jsonElement(text, index);
  return index === 0 || index === -1 ? text : null;
}

/** The text of a string without its quotes; null for JSON's null. */
/** Whether a jsonb has a member of this name, or is this text or an array with it. */
export function jsonbHas(text: string, name: string): boolean {
  const value: unknown = JSON.parse(text);
  if (Array.isArray(value)) return value.includes(name);
  return typeof value === 'object' && value !== null ? Object.hasOwn(value, name) : value === name;
}

export function jsonText(value: string | null): string | null {
  if (value === null || value === 'null') return null;
  if (!value.startsWith('"')) return value;
  const text = JSON.parse(value) as string;
  // A json may hold what is no character; a jsonb never does.
  if (!text.isWellFormed() || text.includes('\0')) throw new ExpressionFailure('a json holds what is no text');
  return text;
}

/** The members of an object with their names, or the elements of an array. */
export function jsonParts(text: string): (readonly [name: string, value: string])[] {
  const parts: (readonly [string, string])[] = [];
  eachPart(text, text.startsWith('{') ? '{' : '[', (name, value) => parts.push([name, value]));
  return parts;
}

const blank = /[ \t\n\r]*/y;
const stringToken = /"(?:[^"\\]|\\.)*"/y;
const scalarToken = /[^\s,\]}]+/y;

function eachPart(text: string, open: '{' | '[', visit: (name: string, value: string) => void): void {
  let at = skipBlanks(text, 0);
  if (text[at] !== open) return;
  at = skipBlanks(text, at + 1);
  while (at < text.length && text[at] !== ']' && text[at] !== '}') {
    let name = '';
    if (open === '{') {
      const end = endOfValue(text, at);
      name = JSON.parse(text.slice(at, end)) as string;
      // The colon.
      at = skipBlanks(text, skipBlanks(text, end) + 1);
    }
    const end = endOfValue(text, at);
    visit(name, text.slice(at, end));
    at = skipBlanks(text, end);
    if (text[at] === ',') at = skipBlanks(text, at + 1);
  }
}

function skipBlanks(text: string, at: number): number {
  blank.lastIndex = at;
  blank.exec(text);
  return blank.lastIndex;
}

function endOfValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const character = text[at];
    if (character === '"') at = endOf(stringToken, text, at);
    else if (character === '{' || character === '[') {
      depth++;
      at++;
    } else if (character === '}' || character === ']') {
      depth--;
      at++;
    } else if (depth > 0 && (character === ',' || character === ':' || /\s/.test(character ?? ''))) at++;
    else at = endOf(scalarToken, text, at);
  } while (depth > 0 && at < text.length);
  return at;
}

function endOf(token: RegExp, text: string, at: number): number {
  token.lastIndex = at;
  return token.exec(text) === null ? text.length : token.lastIndex;
}

/** Whether a text is JSON. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** As jsonb prints it: names by length, then bytes, each once; numbers as numeric prints them. Null for what it does not take. */
export function canonicalJsonb(text: string): string | null {
  if (!isJson(text)) return null;
  try {
    return canonical(text.trim());
  } catch (error) {
    if (error instanceof ExpressionFailure) return null;
    throw error;
  }
}

function canonical(value: string): string {
  if (value.startsWith('{')) {
    const members = new Map<string, string>();
    eachPart(value, '{', (name, inner) => members.set(name, canonical(inner)));
    const names = [...members.keys()].sort((a, b) => Buffer.byteLength(a) - Buffer.byteLength(b) || compareText(a, b));
    return `{${names.map((name) => `${quotedJson(name)}: ${members.get(name)}`).join(', ')}}`;
  }
  if (value.startsWith('[')) {
    const elements: string[] = [];
    eachPart(value, '[', (_, inner) => elements.push(canonical(inner)));
    return `[${elements.join(', ')}]`;
  }
  if (value.startsWith('"')) return quotedJson(JSON.parse(value) as string);
  return /^[-\d]/.test(value) ? String(parseNumeric(value)) : value;
}

function quotedJson(text: string): string {
  if (!text.isWellFormed() || text.includes('\0')) throw new ExpressionFailure('a json holds what is no text');
  return JSON.stringify(text);
}
