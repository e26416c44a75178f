import { vectorType } from '../../../src/core/types/carry.ts';
import { decimalForm, padDecimal, plainDecimal } from '../../../src/core/types/decimal-text.ts';
import { withPlainNumbers } from '../../../src/core/types/json-text.ts';
import type { LogicalType, Repertoire } from '../../../src/core/types/logical-type.ts';
import type { ColumnCodec, VendorTypes } from '../../../src/core/types/vendor-types.ts';
import { blobBytes, integerBits, textBytes } from '../catalogue/column-sizes.ts';
import { tellsMembers } from '../catalogue/members.ts';
import { doubleText, floatText } from '../source/binlog/values/number-text.ts';
import { type ColumnType, charsetOf, integerBases, parseType } from '../target/column-kind.ts';

/** MySQL's and MariaDB's types by the names of catalogue/column-type.ts. */
export const mysqlTypes: VendorTypes = {
  family: 'mysql',
  codec: ({ type }) => codecOf(parseType(type)),
  describe: ({ type }) => type,
};

function codecOf(column: ColumnType): ColumnCodec {
  const { base, unsigned, size, scale } = column;
  if (integerBases.has(base)) return plain(integer(integerBits[base] ?? 64, unsigned));
  if (base in textBytes || base === 'char' || base === 'varchar') return plain(textOf(column));
  if (base in blobBytes) return plain({ kind: 'bytes', max: blobBytes[base] ?? null, fixed: false });
  switch (base) {
    case 'year':
      // 0000 comes from here; of what goes there 0 to 69 would be taken for years of two digits.
      return { ...plain({ kind: 'integer', min: 1901n, max: 2155n }), toCanonical: (value) => String(Number(value)) };
    case 'decimal':
      return {
        type: { kind: 'decimal', digits: { precision: size ?? 10, scale }, unsigned, specials: false },
        toCanonical: (value) => plainDecimal(value as string),
        fromCanonical: scale === 0 ? null : (value) => padDecimal(value as string, scale),
        form: decimalForm(scale),
      };
    case 'float':
    case 'double':
      return {
        type: {
          kind: 'float',
          bits: base === 'float' ? 32 : 64,
          unsigned,
          specials: false,
          ...(size !== null && { rounds: true }),
        },
        toCanonical: floatCanonical,
        fromCanonical: (value) => {
          const number = Number(value as string);
          return base === 'float' ? floatText(number) : doubleText(number);
        },
      };
    case 'bit':
      return plain({ kind: 'bits', max: size ?? 1, fixed: true });
    case 'binary':
    case 'varbinary':
      return plain({ kind: 'bytes', max: size ?? 1, fixed: base === 'binary' });
    case 'vector':
      return plain(vectorType);
    case 'geometry':
      return plain({ kind: 'geometry' });
    case 'date':
      return plain({ kind: 'date', era: 'fourDigits', zero: true, infinity: false });
    case 'time':
      return withFraction({ kind: 'time', digits: size ?? 0, span: true }, size ?? 0);
    case 'datetime':
    case 'timestamp':
      return withFraction(timestamp(base === 'timestamp', size ?? 0), size ?? 0);
    case 'enum':
      // Under a mode that is not strict what is no member is stored as an empty text.
      return plain({ ...membersOf(column), kind: base, empties: true });
    case 'set':
      return plain({ ...membersOf(column), kind: base });
    case 'json':
      return { ...plain({ kind: 'json', form: 'binary' }), toCanonical: (value) => withPlainNumbers(value as string) };
    case 'uuid':
      return plain({ kind: 'uuid' });
    default:
      return plain({ kind: 'own', name: base });
  }
}

function plain(type: LogicalType): ColumnCodec {
  return { type, toCanonical: null, fromCanonical: null };
}

function membersOf(column: ColumnType): { labels: readonly string[]; repertoire: Repertoire; merges?: true } {
  const { members, collation } = column;
  return {
    labels: members.map(unquoted),
    repertoire: repertoireOf(collation),
    ...(!tellsMembers(column) && { merges: true }),
  };
}

/** A member as the type's name writes it. */
function unquoted(member: string): string {
  return member.slice(1, -1).replaceAll("''", "'");
}

function integer(bits: number, unsigned: boolean): LogicalType {
  const half = 2n ** BigInt(bits - 1);
  return unsigned ? { kind: 'integer', min: 0n, max: half * 2n - 1n } : { kind: 'integer', min: -half, max: half - 1n };
}

function timestamp(moment: boolean, digits: number): LogicalType {
  return { kind: 'timestamp', moment, digits, era: moment ? 'unix32' : 'fourDigits', zero: true, infinity: false };
}

/** The server shows as many digits of a second as the column has. */
function withFraction(type: LogicalType, digits: number): ColumnCodec {
  if (digits === 0) return plain(type);
  return {
    type,
    toCanonical: (value) => withoutZeros(value as string),
    fromCanonical: (value) => {
      const [whole = '', fraction = ''] = (value as string).split('.');
      return `${whole}.${fraction.padEnd(digits, '0')}`;
    },
  };
}

/** Without those at the end of the fraction. */
function withoutZeros(text: string): string {
  const point = text.indexOf('.');
  if (point < 0) return text;
  let end = text.length;
  while (text.charCodeAt(end - 1) === zero) end--;
  return text.slice(0, end - 1 === point ? point : end);
}

const zero = '0'.charCodeAt(0);

function floatCanonical(value: string | Buffer): string {
  const number = Number(value as string);
  return number === 0 ? '0' : String(number);
}

const repertoires: Readonly<Record<string, Repertoire>> = {
  utf8mb4: 'unicode',
  utf16: 'unicode',
  utf16le: 'unicode',
  utf32: 'unicode',
  utf8mb3: 'basicPlane',
  ucs2: 'basicPlane',
  latin1: 'latin1',
  ascii: 'ascii',
};

function repertoireOf(collation: string | null): Repertoire {
  return collation === null ? 'unicode' : (repertoires[charsetOf(collation)] ?? 'server');
}

const encodings: Readonly<Record<string, 'utf8' | 'one' | 'two' | 'four'>> = {
  utf8mb4: 'utf8',
  utf8mb3: 'utf8',
  utf16: 'two',
  utf16le: 'two',
  ucs2: 'two',
  utf32: 'four',
  latin1: 'one',
  ascii: 'one',
};

function textOf({ base, size, collation }: ColumnType): LogicalType {
  const charset = charsetOf(collation ?? 'utf8mb4');
  const max = textBytes[base];
  return {
    kind: 'text',
    characters: max === undefined ? size : null,
    bytes: max === undefined ? null : { max, encoding: encodings[charset] ?? 'four' },
    repertoire: repertoireOf(collation),
    nul: true,
    padded: base === 'char',
    // Others of the binary ones count no blanks at the end.
    folds: collation !== null && !/_(?:0900|nopad)_bin$/.test(collation),
  };
}
