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

/** The text of a string without its quotes; null for JSON's null. */
export function jsonText(value: string | null): string | null {
  if (value === null || value === 'null') return null;
  return value.startsWith('"') ? (JSON.parse(value) as string) : value;
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
