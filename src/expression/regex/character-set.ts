/** Code points as ranges, both ends in it, in order and apart. */
export type CharacterSet = readonly (readonly [number, number])[];

const highest = 0x10ffff;

export const anyCharacter: CharacterSet = [[0, highest]];

export function single(code: number): CharacterSet {
  return [[code, code]];
}

export function union(...sets: readonly CharacterSet[]): CharacterSet {
  const merged: [number, number][] = [];
  for (const [from, to] of sets.flat().sort((a, b) => a[0] - b[0])) {
    const last = merged.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else merged.push([from, to]);
  }
  return merged;
}

export function complement(set: CharacterSet): CharacterSet {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [from, to] of set) {
    if (from > next) gaps.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= highest) gaps.push([next, highest]);
  return gaps;
}

/** With the letters A to Z in both cases, which is all that collation "C" knows of case. */
export function withBothCases(set: CharacterSet): CharacterSet {
  const moved = (first: number, last: number, by: number): CharacterSet =>
    set.flatMap(([from, to]) => {
      const low = Math.max(from, first);
      const high = Math.min(to, last);
      return low <= high ? [[low + by, high + by] as const] : [];
    });
  return union(set, moved(0x41, 0x5a, 32), moved(0x61, 0x7a, -32));
}

const range = (from: string, to: string): CharacterSet => [[from.charCodeAt(0), to.charCodeAt(0)]];
const digit = range('0', '9');
const upper = range('A', 'Z');
const lower = range('a', 'z');
const alpha = union(upper, lower);
const alnum = union(alpha, digit);

/** The classes as collation "C" has them: ASCII alone. */
export const characterClasses: ReadonlyMap<string, CharacterSet> = new Map([
  ['alnum', alnum],
  ['alpha', alpha],
  ['blank', union(single(9), single(32))],
  ['digit', digit],
  ['graph', range('!', '~')],
  ['lower', lower],
  ['print', range(' ', '~')],
  ['punct', union(range('!', '/'), range(':', '@'), range('[', '`'), range('{', '~'))],
  ['space', union([[9, 13]], single(32))],
  ['upper', upper],
  ['word', union(alnum, single(0x5f))],
  ['xdigit', union(digit, range('A', 'F'), range('a', 'f'))],
]);
