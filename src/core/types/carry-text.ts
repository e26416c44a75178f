import { type Carrying, type Check, checked, exact, refused } from './carrying.ts';
import type { Conversions } from './conversions.ts';
import type { CanonicalValue, LogicalType, Repertoire } from './logical-type.ts';
import { ValueRefused } from './value-refused.ts';
import { isGeometry } from './well-known-binary.ts';

type Text = Extract<LogicalType, { kind: 'text' }>;

/** Texts and bytes, and whatever travels as its text; null where it is not about these. */
export function carryText(from: LogicalType, to: LogicalType, conversions: Conversions): Carrying | null {
  if (from.kind === 'text') return to.kind === 'text' ? checked(textChecks(from, to, conversions)) : null;
  if (from.kind === 'bytes' || from.kind === 'geometry') return carryBytes(from, to, conversions);
  if (to.kind === 'text' && from.kind !== 'json') return checked(textChecks(asText(from), to, conversions));
  return null;
}

/** What a value's canonical text can be. Only labels and elements may end in blanks. */
function asText(from: LogicalType): Text {
  const { repertoire, padded } = shapes[from.kind] ?? { repertoire: 'ascii' as const, padded: true };
  const own = from.kind === 'enum' || from.kind === 'set' ? from.repertoire : repertoire;
  return { kind: 'text', characters: longest(from), bytes: null, repertoire: own, nul: false, padded, folds: false };
}

const shapes: Partial<Record<LogicalType['kind'], { readonly repertoire: Repertoire; readonly padded: boolean }>> = {
  enum: { repertoire: 'unicode', padded: false },
  set: { repertoire: 'unicode', padded: false },
  array: { repertoire: 'unicode', padded: true },
};

function longest(type: LogicalType): number | null {
  switch (type.kind) {
    case 'boolean':
      return 5;
    case 'integer':
      return Math.max(type.min.toString().length, type.max.toString().length);
    case 'decimal':
      return type.digits === null ? null : Math.max(type.digits.precision + 3, 9);
    case 'float':
      return 25;
    case 'uuid':
      return 36;
    case 'enum':
      return Math.max(...type.labels.map((label) => [...label].length), 0);
    case 'set':
      return type.labels.join(',').length;
    case 'bits':
      return type.max;
    case 'date':
    case 'time':
      return 20;
    case 'timestamp':
      return 40;
    default:
      return null;
  }
}

const loneSurrogate = /[\ud800-\udfff]/u;
const beyond: Readonly<Record<Exclude<Repertoire, 'unicode' | 'server'>, RegExp>> = {
  basicPlane: /[\u{10000}-\u{10ffff}]/gu,
  // MySQL's latin1 is cp1252, whose five holes are the control characters there.
  latin1: /[^\p{ASCII}\u0081\u008d\u008f\u0090\u009d\u00a0-\u00ff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]/gu,
  ascii: /\P{ASCII}/gu,
};

const within: Readonly<Record<Repertoire, readonly Repertoire[]>> = {
  unicode: ['unicode', 'server'],
  basicPlane: ['unicode', 'basicPlane', 'server'],
  latin1: ['unicode', 'basicPlane', 'latin1', 'server'],
  ascii: ['unicode', 'basicPlane', 'latin1', 'ascii', 'server'],
  server: ['unicode', 'server'],
};

export function textChecks(from: Text, to: Text, { nul, charset, length, blanks }: Conversions): Check[] {
  const lacks = to.repertoire === 'unicode' || to.repertoire === 'server' ? loneSurrogate : beyond[to.repertoire];
  return [
    {
      condition: 'nul',
      applies: from.nul && !to.nul,
      fails: (value) => value.includes('\0'),
      convert: nul && ((value) => value.replaceAll('\0', '')),
    },
    {
      condition: 'charset',
      applies: !within[from.repertoire].includes(to.repertoire),
      fails: (value) => value.search(lacks) >= 0,
      convert: charset && ((value) => value.replaceAll(lacks, '?')),
    },
    {
      condition: 'blanks',
      applies: to.padded && !from.padded,
      fails: (value) => value.endsWith(' '),
      convert: blanks && ((value) => value.replace(/ +$/, '')),
    },
    {
      condition: 'length',
      applies: mayBeLonger(from, to),
      fails: (value) => isLonger(value, to),
      convert: length && ((value) => cut(value, to)),
    },
  ];
}

function mayBeLonger(from: Text, to: Text): boolean {
  if (to.characters !== null && (from.characters === null || from.characters > to.characters)) return true;
  if (to.bytes === null) return false;
  const characters = from.characters ?? (from.bytes === null ? null : from.bytes.max);
  return characters === null || characters * widest[to.bytes.encoding] > to.bytes.max;
}

const widest = { utf8: 4, one: 1, two: 4, four: 4 } as const;

function charactersOf(value: string): number {
  let count = 0;
  for (const _ of value) count++;
  return count;
}

function bytesOf(value: string, encoding: keyof typeof widest): number {
  if (encoding === 'utf8') return Buffer.byteLength(value);
  return encoding === 'two' ? value.length * 2 : charactersOf(value) * (encoding === 'one' ? 1 : 4);
}

function isLonger(value: string, { characters, bytes }: Text): boolean {
  if (characters !== null && value.length > characters && charactersOf(value) > characters) return true;
  return bytes !== null && value.length * 4 > bytes.max && bytesOf(value, bytes.encoding) > bytes.max;
}

function cut(value: string, to: Text): string {
  let kept = to.characters === null ? value : [...value].slice(0, to.characters).join('');
  if (to.bytes !== null) {
    let bytes = 0;
    let end = 0;
    for (const character of kept) {
      bytes += bytesOf(character, to.bytes.encoding);
      if (bytes > to.bytes.max) break;
      end += character.length;
    }
    kept = kept.slice(0, end);
  }
  return to.padded ? kept.replace(/ +$/, '') : kept;
}

type Bytes = Extract<LogicalType, { kind: 'bytes' | 'geometry' }>;

function carryBytes(from: Bytes, to: LogicalType, { length }: Conversions): Carrying | null {
  if (from.kind === 'geometry' && to.kind === 'geometry') return exact();
  if (to.kind === 'uuid' && from.kind === 'bytes' && from.fixed && from.max === 16)
    return exact((value) => uuidOf(value as Buffer));
  if (to.kind === 'geometry') return toGeometry;
  if (to.kind === 'text') return refused('bytes are no text: use a column of bytes');
  if (to.kind !== 'bytes') return null;
  const { max, fixed } = to;
  const fits = max === null || (from.kind === 'bytes' && from.max !== null && from.max <= max);
  if (fits && (!fixed || (from.kind === 'bytes' && from.fixed && from.max === max))) return exact();
  const cuts = length !== undefined && !fixed;
  const step = (value: CanonicalValue): CanonicalValue => {
    const isWrong = fixed ? value.length !== max : value.length > (max ?? value.length);
    if (!isWrong) return value;
    if (cuts) return (value as Buffer).subarray(0, max ?? value.length);
    throw new ValueRefused('length');
  };
  return {
    kind: 'carried',
    conditions: cuts ? [] : ['length'],
    converted: cuts ? ['length'] : [],
    injective: !cuts,
    step,
  };
}

/** Bytes that a geometry has become, or that are made like one. */
const toGeometry: Carrying = {
  ...{ kind: 'carried', conditions: ['form'], converted: [], injective: true },
  step: (value) => {
    if (!isGeometry(value as Buffer)) throw new ValueRefused('form');
    return value;
  },
};

function uuidOf(bytes: Buffer): string {
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
