import { jsonElement, jsonMember, jsonParts, jsonText } from './json.ts';
import { compareNumeric, parseNumeric } from './numeric.ts';

/** As the server reads the step of a path that meets an array (strtoint). */
const index = /^[ \t\n\v\f\r]*[+-]?\d+$/;

/** A part of a JSON text by names of members and numbers of elements; null where there is none. */
export function jsonAt(text: string, path: readonly string[]): string | null {
  let value: string | null = text.trim();
  for (const step of path) {
    if (value === null) return null;
    if (value.startsWith('{')) value = jsonMember(value, step);
    else if (value.startsWith('[') && index.test(step) && Math.abs(Number(step)) <= 2_147_483_647)
      value = jsonElement(value, Number(step));
    else return null;
  }
  return value;
}

export function jsonTextAt(text: string, path: readonly string[]): string | null {
  return jsonText(jsonAt(text, path));
}

/** Whether a jsonb contains another, as `@>` has it: an array also what is one of its elements. */
export function jsonbContains(whole: string, part: string): boolean {
  const [left, right] = [kindOf(whole), kindOf(part)];
  if (left === 'scalar') return right === 'scalar' && isSame(whole, part);
  if (left === 'array' && right === 'scalar') return jsonParts(whole).some(([, value]) => isSame(value, part));
  return contains(whole, part);
}

/** Of two parts, neither of which is a whole document. */
function contains(whole: string, part: string): boolean {
  const kind = kindOf(whole);
  if (kind !== kindOf(part)) return false;
  if (kind === 'scalar') return isSame(whole, part);
  const have = jsonParts(whole);
  if (kind === 'object') {
    const members = new Map(have);
    return jsonParts(part).every(([name, value]) => {
      const found = members.get(name);
      return found !== undefined && contains(found, value);
    });
  }
  return jsonParts(part).every(([, value]) => have.some(([, other]) => contains(other, value)));
}

function kindOf(text: string): 'object' | 'array' | 'scalar' {
  return text.startsWith('{') ? 'object' : text.startsWith('[') ? 'array' : 'scalar';
}

/** Two scalars that the server has printed: numbers have one text for each of their scales. */
function isSame(a: string, b: string): boolean {
  if (a === b) return true;
  if (a.startsWith('"') && b.startsWith('"')) return JSON.parse(a) === JSON.parse(b);
  const [left, right] = [a, b].map((text) => (/^[-\d]/.test(text) ? parseNumeric(text) : null));
  return left != null && right != null && compareNumeric(left, right) === 0;
}
