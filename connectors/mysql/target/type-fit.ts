import { blobBytes, integerBits, textBytes } from '../catalogue/column-sizes.ts';
import { tellsMembers } from '../catalogue/members.ts';
import { type ColumnType, charsetOf, integerBases, parseType } from './column-kind.ts';

const integerDigits: Readonly<Record<string, number>> = { tinyint: 3, smallint: 5, mediumint: 8, int: 10, bigint: 20 };
const charBytes: Readonly<Record<string, number>> = { utf8mb4: 4, utf16: 4, utf32: 4, utf16le: 4, utf8mb3: 3 };
const temporal: ReadonlySet<string> = new Set(['time', 'datetime', 'timestamp']);
const texts = ['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext'];

/** Types of expressions (docs/expressions.md), and the columns whose texts theirs are. */
const madeTypes: Readonly<Record<string, ReadonlySet<string>>> = {
  'pg_catalog.int2': new Set([...integerBases, 'decimal']),
  'pg_catalog.int4': new Set([...integerBases, 'decimal']),
  'pg_catalog.int8': new Set([...integerBases, 'decimal']),
  'pg_catalog.numeric': new Set(['decimal']),
  'pg_catalog.float4': new Set(['float', 'double']),
  'pg_catalog.float8': new Set(['double']),
  'pg_catalog.text': new Set(texts),
  'pg_catalog.varchar': new Set(texts),
  'pg_catalog.date': new Set(['date']),
  'pg_catalog.timestamp': new Set(['datetime']),
  'pg_catalog.uuid': new Set(['uuid']),
};

/**
 * True where the target's column holds every value of the source's exactly, by the names of their types (catalogue/column-type.ts); of what transforms have made, where it holds
 * or refuses each (altered-value.ts).
 */
export function typeFits(source: string, target: string): boolean {
  const isListed = /^(?:enum|set)\(/.test(source);
  if (isListed && !(tellsMembers(parseType(source)) && tellsMembers(parseType(target)))) return false;
  if (source === target) return true;
  const made = madeTypes[source];
  if (made !== undefined) return made.has(parseType(target).base);
  const from = parseType(source);
  const to = parseType(target);
  // Documents that MySQL has parsed have one text.
  if (from.base === 'json') return to.base === 'longtext' && charsetOf(to.collation ?? '') === 'utf8mb4';
  if (integerBases.has(from.base)) return integerFits(from, to);
  if (from.base === 'decimal') return to.base === 'decimal' && decimalFits(from, to);
  // One with digits rounds what it is given.
  if (from.base === 'float' || from.base === 'double')
    return to.base === from.base && to.size === null && (from.unsigned || !to.unsigned);
  if (temporal.has(from.base)) return to.base === from.base && (to.size ?? 0) >= (from.size ?? 0);
  if (from.base === 'bit') return to.base === 'bit' && (to.size ?? 1) >= (from.size ?? 1);
  if (from.base === 'enum' || from.base === 'set')
    return to.base === from.base && charsetFits(from, to) && membersFit(from, to);
  if (from.collation !== null) return textFits(from, to);
  return bytesFit(from, to);
}

function integerFits(from: ColumnType, to: ColumnType): boolean {
  if (to.base === 'decimal') {
    const whole = (to.size ?? 10) - to.scale;
    return whole >= (integerDigits[from.base] ?? 99) && (from.unsigned || !to.unsigned);
  }
  const [had = 64, has = 0] = [integerBits[from.base], integerBits[to.base]];
  if (from.unsigned === to.unsigned) return has >= had;
  return from.unsigned && has > had;
}

function decimalFits(from: ColumnType, to: ColumnType): boolean {
  const whole = ({ size, scale }: ColumnType): number => (size ?? 10) - scale;
  return to.scale >= from.scale && whole(to) >= whole(from) && (from.unsigned || !to.unsigned);
}

/** A set shows its members in the order of its definition: in another one the same members are another text. */
function membersFit(from: ColumnType, to: ColumnType): boolean {
  const places = from.members.map((member) => to.members.indexOf(member));
  return places.every((place, at) => place >= 0 && (from.base === 'enum' || place > (places[at - 1] ?? -1)));
}

/** Every charset is within Unicode. */
function charsetFits(from: ColumnType, to: ColumnType): boolean {
  if (from.collation === null || to.collation === null) return false;
  const [had, has] = [charsetOf(from.collation), charsetOf(to.collation)];
  return (
    had === has || has === 'utf8mb4' || has === 'utf32' || has === 'utf16' || (has === 'utf8mb3' && had === 'latin1')
  );
}

/** A text that becomes a CHAR would lose the blanks at its end. */
function textFits(from: ColumnType, to: ColumnType): boolean {
  if (!charsetFits(from, to)) return false;
  const [had, has] = [textBytes[from.base], textBytes[to.base]];
  const perCharacter = charBytes[charsetOf(to.collation ?? '')] ?? 2;
  if (had === undefined) {
    if (has !== undefined) return has >= (from.size ?? 0) * perCharacter;
    return (to.base === 'varchar' || to.base === from.base) && (to.size ?? 0) >= (from.size ?? 0);
  }
  if (has === undefined) return false;
  // The limits count bytes: the same text may take more of them in another charset.
  const isSame = charsetOf(from.collation ?? '') === charsetOf(to.collation ?? '');
  return isSame ? has >= had : has >= had * 4;
}

function bytesFit(from: ColumnType, to: ColumnType): boolean {
  const [had, has] = [blobBytes[from.base], blobBytes[to.base]];
  if (had !== undefined) return has !== undefined && has >= had;
  if (from.base !== 'binary' && from.base !== 'varbinary') return false;
  if (has !== undefined) return has >= (from.size ?? 0);
  return to.base === 'varbinary' && (to.size ?? 0) >= (from.size ?? 0);
}
