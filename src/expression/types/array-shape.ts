import { arrayElements } from './array.ts';

/** An array of any number of dimensions; of an empty one there are none. */
export interface ArrayShape {
  readonly dimensions: readonly { readonly lower: number; readonly length: number }[];
  /** In the order in which they are printed. */
  readonly elements: readonly (string | null)[];
}

/** Of an array as the server prints it or takes it; null for what is none, or whose rows differ in length. */
export function arrayShape(text: string): ArrayShape | null {
  const elements = arrayElements(text);
  if (elements === null) return null;
  if (elements.length === 0) return { dimensions: [], elements };
  const start = text.indexOf('{');
  const lengths = lengthsOf(text.slice(start));
  if (lengths === null || lengths.reduce((product, length) => product * length, 1) !== elements.length) return null;
  const bounds = [
    ...text.slice(0, Math.max(text.lastIndexOf('=', start), 0)).matchAll(/\[([+-]?\d+)(?::([+-]?\d+))?\]/g),
  ];
  if (bounds.length > 0 && bounds.length !== lengths.length) return null;
  const dimensions = lengths.map((length, at) => {
    const [, first = '1', last] = bounds[at] ?? [];
    return { lower: last === undefined ? 1 : Number(first), length };
  });
  return { dimensions, elements };
}

/** How many parts a pair of braces has at each depth; null where two of one depth differ, or elements stand beside braces. */
function lengthsOf(text: string): number[] | null {
  const lengths: (number | undefined)[] = [];
  const counts: number[] = [];
  let deepest = 0;
  for (const [token] of text.matchAll(/[{},]|"(?:[^"\\]|\\.)*"|(?:[^{},"\\]|\\.)+/gs)) {
    if (token === '{') {
      // A deeper one where elements were found before.
      if (deepest > 0 && counts.length >= deepest) return null;
      counts.push(1);
    } else if (token === '}') {
      if (deepest === 0) deepest = counts.length;
      const depth = counts.length - 1;
      const count = counts.pop();
      if (lengths[depth] !== undefined && lengths[depth] !== count) return null;
      lengths[depth] = count;
    } else if (token === ',') counts[counts.length - 1] = (counts.at(-1) ?? 0) + 1;
    else if (token.trim() !== '' && deepest > 0 && counts.length !== deepest) return null;
  }
  return lengths.map((length) => length ?? 0);
}

/** The place of an element in `elements`; null outside of the array, and where the subscripts are not as many as its dimensions. */
export function elementIndex({ dimensions }: ArrayShape, subscripts: readonly number[]): number | null {
  if (subscripts.length !== dimensions.length || dimensions.length === 0) return null;
  let index = 0;
  for (const [at, { lower, length }] of dimensions.entries()) {
    const offset = (subscripts[at] ?? 0) - lower;
    if (!(offset >= 0 && offset < length)) return null;
    index = index * length + offset;
  }
  return index;
}

type Bounds = readonly [lower: number | null, upper: number | null];

/** What lies within the bounds, of each dimension that has some and of all of the others; counted from 1. */
export function slice({ dimensions, elements }: ArrayShape, bounds: readonly Bounds[]): ArrayShape {
  const none = { dimensions: [], elements: [] };
  if (dimensions.length < bounds.length) return none;
  const kept = dimensions.map(({ lower, length }, at) => {
    const [from, to] = bounds[at] ?? [null, null];
    const first = Math.max(from ?? lower, lower);
    const last = Math.min(to ?? lower + length - 1, lower + length - 1);
    return { start: first - lower, count: last - first + 1, of: length };
  });
  if (kept.length === 0 || kept.some(({ count }) => count <= 0)) return none;
  let places = [0];
  for (const { start, count, of } of kept)
    places = places.flatMap((place) => Array.from({ length: count }, (_, at) => place * of + start + at));
  return {
    dimensions: kept.map(({ count }) => ({ lower: 1, length: count })),
    elements: places.map((place) => elements[place] ?? null),
  };
}

/** As the server prints an array whose dimensions are counted from 1 and whose elements are parted by commas. */
export function arrayText({ dimensions, elements }: ArrayShape): string {
  let parts = elements.map(elementText);
  if (dimensions.length === 0) return '{}';
  for (const { length } of dimensions.toReversed())
    parts = Array.from({ length: parts.length / length }, (_, at) => {
      const within = parts.slice(at * length, (at + 1) * length);
      return `{${within.join(',')}}`;
    });
  return parts.join('');
}

function elementText(text: string | null): string {
  if (text === null) return 'NULL';
  const isPlain = text !== '' && !/^null$/i.test(text) && !/["\\{}, \t\n\r\v\f]/.test(text);
  return isPlain ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}
