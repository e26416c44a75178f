import type { PortableExpression } from '../../../src/core/portable-expression.ts';
import type { NodeType } from '../../../src/core/route.ts';
import type { LogicalType } from '../../../src/core/types/logical-type.ts';
import type { DefaultValue, MadeType, TypeUse, VendorSchema } from '../../../src/core/types/vendor-schema.ts';
import type { NativeValue } from '../../../src/core/types/vendor-types.ts';
import type { PortableDialect } from '../../sql/portable/portable-dialect.ts';
import { readPortable } from '../../sql/portable/read-portable.ts';
import { type PortableWords, writePortable } from '../../sql/portable/write-portable.ts';
import { quoteMember } from '../catalogue/column-type.ts';
import { quoteText } from '../schema/sql-pieces.ts';

const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', 0: '\0', Z: '\x1a', t: '\t', b: '\b' };

const dialect: PortableDialect = {
  quoted: /(?:_[a-z0-9]+\s*|n)?'(?:[^'\\]|''|\\.)*'/isy,
  unquoted: (found) =>
    found
      .slice(found.indexOf("'") + 1, -1)
      .replaceAll(/''|\\(.)/gs, (pair, after: string | undefined) =>
        after === undefined ? pair.slice(1) : (escapes[after] ?? after),
      ),
  made: {
    now: 'now',
    current_timestamp: 'now',
    localtimestamp: 'now',
    localtime: 'now',
    curdate: 'today',
    current_date: 'today',
    uuid: 'uuid',
  },
  functions: {
    char_length: 'length',
    character_length: 'length',
    lower: 'lower',
    lcase: 'lower',
    upper: 'upper',
    ucase: 'upper',
    abs: 'abs',
  },
  casts: false,
};

const words: PortableWords = {
  length: 'char_length',
  literal: ({ of, text }) => {
    if (of === 'number' || of === 'boolean') return text;
    if (of === 'bits') return `b'${text}'`;
    return of === 'bytes' ? `x'${text}'` : quoteText(text);
  },
  made: (what) => ({ now: 'CURRENT_TIMESTAMP', today: '(curdate())', uuid: '(uuid())' })[what],
};

/** What MySQL's and MariaDB's tables are made of where their description comes from another vendor. */
export const mysqlSchemaWords: VendorSchema = {
  typesFor,
  read: (text) => readPortable(text, dialect),
  write: (expression) => writePortable(expression, words),
  writeDefault,
  valueOfLiteral,
  countsByIndex: true,
  indexes: {
    prefixOf: ({ type }) => (/^(?:long)?(?:text|blob)/.test(type) ? prefixCharacters : null),
    functional: (vendor) => vendor === 'mysql',
    primaryName: 'PRIMARY',
    uniqueIsConstraint: false,
    prefix: () => null,
  },
};

/** An index holds 3,072 bytes: of several texts of four bytes a character, too. */
const prefixCharacters = 190;
const indexedCharacters = 190;

/** Rows hold 65,535 bytes, of which texts of this length take few; longer ones lie elsewhere. */
const longestVarchar = 1_000;

/** Compares characters as PostgreSQL does: no two that differ are equal, and blanks at the end count. */
const exactCollation: Readonly<Partial<Record<NodeType, string>>> = {
  mysql: 'utf8mb4_0900_bin',
  mariadb: 'utf8mb4_nopad_bin',
};
/** As citext: in any case, with all accents. */
const foldingCollation: Readonly<Partial<Record<NodeType, string>>> = {
  mysql: 'utf8mb4_0900_as_ci',
  mariadb: 'utf8mb4_uca1400_nopad_as_ci',
};

function typesFor(type: LogicalType, use: TypeUse): readonly MadeType[] {
  const { vendor, indexed } = use;
  const folds = type.kind === 'text' && type.folds && !type.padded;
  const collation = (folds ? foldingCollation : exactCollation)[vendor] ?? 'utf8mb4_bin';
  const text = (typeText: string): MadeType => ({ ...made(`${typeText} collate ${collation}`, typeText), collation });
  const anyText = indexed ? text(`varchar(${indexedCharacters})`) : text('longtext');
  return [...ownTypes(type, use, text), anyText, indexed ? made('varbinary(255)') : made('longblob')];
}

function ownTypes(
  type: LogicalType,
  { vendor, indexed }: TypeUse,
  text: (typeText: string) => MadeType,
): readonly MadeType[] {
  switch (type.kind) {
    case 'boolean':
      return [made('tinyint', 'tinyint(1)')];
    case 'integer':
      return ['smallint', 'int', 'int unsigned', 'bigint', 'bigint unsigned', 'decimal(65,0)']
        .filter((name) => holds(name, type))
        .map((name) => made(name));
    case 'decimal': {
      const { digits } = type;
      if (digits === null) return [made('decimal(65,30)')];
      const { scale } = digits;
      const precision = Math.max(digits.precision, scale);
      return scale >= 0 && scale <= 30 && precision <= 65 ? [made(`decimal(${precision},${scale})`)] : [];
    }
    case 'float':
      return [made(type.bits === 32 ? 'float' : 'double')];
    case 'text': {
      const { characters, padded } = type;
      if (characters === null) return [];
      if (padded && characters <= 255) return [text(`char(${characters})`)];
      const most = indexed ? 768 : longestVarchar;
      return characters <= most ? [text(`varchar(${characters})`)] : [];
    }
    case 'bytes':
      if (type.max === null || type.max > longestVarchar) return [];
      return [made(`${type.fixed && type.max <= 255 ? 'binary' : 'varbinary'}(${type.max})`)];
    case 'bits':
      if (type.max === null) return [];
      return type.fixed && type.max <= 64 ? [made(`bit(${type.max})`)] : [text(`varchar(${type.max})`)];
    case 'date':
      return [made('date')];
    case 'time':
      return [made(withDigits('time', type.digits))];
    case 'timestamp':
      return type.moment
        ? [made(withDigits('timestamp', type.digits)), made(withDigits('datetime', type.digits))]
        : [made(withDigits('datetime', type.digits))];
    case 'uuid':
      return [vendor === 'mariadb' ? made('uuid') : made('binary(16)')];
    case 'json':
    case 'array':
      return vendor === 'mysql' && !indexed ? [made('json')] : [];
    case 'enum': {
      const members = `enum(${type.labels.map(quoteMember).join(',')})`;
      return [text(members)];
    }
    default:
      return [];
  }
}

const limits: Readonly<Record<string, readonly [bigint, bigint]>> = {
  smallint: [-(2n ** 15n), 2n ** 15n - 1n],
  int: [-(2n ** 31n), 2n ** 31n - 1n],
  'int unsigned': [0n, 2n ** 32n - 1n],
  bigint: [-(2n ** 63n), 2n ** 63n - 1n],
  'bigint unsigned': [0n, 2n ** 64n - 1n],
};

function holds(name: string, { min, max }: Extract<LogicalType, { kind: 'integer' }>): boolean {
  const [least, most] = limits[name] ?? [min, max];
  return min >= least && max <= most;
}

function withDigits(name: string, digits: number): string {
  return digits === 0 ? name : `${name}(${digits})`;
}

function made(type: string, typeText = type): MadeType {
  return { type, modifier: -1, typeText, collation: null };
}

function writeDefault(value: DefaultValue, { type }: MadeType) {
  const [base = ''] = /^[a-z]+/.exec(type) ?? [];
  if (value.kind === 'made') {
    const { what } = value;
    const digits = /\((\d)\)/.exec(type)?.[1];
    if (what === 'now')
      return /^(?:datetime|timestamp)$/.test(base)
        ? [`CURRENT_TIMESTAMP${digits === undefined ? '' : `(${digits})`}`]
        : null;
    if (what === 'today') return base === 'date' ? ['(curdate())'] : null;
    if (base === 'uuid') return ['(uuid())'];
    return type === 'binary(16)' ? ['(uuid_to_bin(uuid()))'] : /^(?:var)?char$/.test(base) ? ['(uuid())'] : null;
  }
  if (Buffer.isBuffer(value.value)) {
    const bytes = `x'${value.value.toString('hex')}'`;
    return [base.endsWith('blob') ? `(${bytes})` : bytes];
  }
  const text = value.value;
  if (base === 'bit') return [`b'${text}'`];
  if (/^(?:tinyint|smallint|int|bigint|decimal|float|double)$/.test(base)) return [`'${text}'`];
  // Long texts and documents take expressions only.
  return [/text$|^json$/.test(base) ? `(${quoteText(text)})` : quoteText(text)];
}

function valueOfLiteral(
  { of, text }: Extract<PortableExpression, { kind: 'literal' }>,
  type: LogicalType,
): NativeValue | null {
  if (of === 'boolean') return text === 'true' ? '1' : '0';
  if (type.kind === 'bits') return of === 'bits' ? text.padStart(type.max ?? text.length, '0') : null;
  if (type.kind === 'bytes') {
    const bytes = of === 'bytes' ? Buffer.from(text, 'hex') : Buffer.from(text, 'utf8');
    return type.fixed && type.max !== null
      ? Buffer.concat([bytes, Buffer.alloc(Math.max(0, type.max - bytes.length))])
      : bytes;
  }
  return of === 'bits' || of === 'bytes' ? null : text;
}
