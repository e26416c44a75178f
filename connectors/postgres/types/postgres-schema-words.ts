import type { PortableExpression } from '../../../src/core/portable-expression.ts';
import type { LogicalType } from '../../../src/core/types/logical-type.ts';
import type { DefaultValue, MadeType, TypeUse, VendorSchema } from '../../../src/core/types/vendor-schema.ts';
import type { NativeValue } from '../../../src/core/types/vendor-types.ts';
import type { PortableDialect } from '../../sql/portable/portable-dialect.ts';
import { readPortable } from '../../sql/portable/read-portable.ts';
import { type PortableWords, writePortable } from '../../sql/portable/write-portable.ts';
import { quoteLiteral } from '../identifiers.ts';

const dialect: PortableDialect = {
  quoted: /E?'(?:[^']|'')*'/iy,
  unquoted: (found) => {
    const text = found.replace(/^E?'/i, '').slice(0, -1).replaceAll("''", "'");
    // What pg_get_expr writes has no other escapes.
    return /^E/i.test(found) ? text.replaceAll('\\\\', '\\') : text;
  },
  made: {
    now: 'now',
    transaction_timestamp: 'now',
    current_timestamp: 'now',
    localtimestamp: 'now',
    current_date: 'today',
    gen_random_uuid: 'uuid',
  },
  functions: { length: 'length', char_length: 'length', lower: 'lower', upper: 'upper', abs: 'abs' },
  casts: true,
};

const words: PortableWords = {
  length: 'char_length',
  literal: ({ of, text }) => {
    if (of === 'number' || of === 'boolean') return text;
    if (of === 'bits') return `B'${text}'`;
    return of === 'bytes' ? `'\\x${text}'::bytea` : quoteLiteral(text).trimStart();
  },
  made: (what) => ({ now: 'now()', today: 'CURRENT_DATE', uuid: 'gen_random_uuid()' })[what],
};

/** The expression that a server's text says, as far as all databases can say it. */
export const readPostgresExpression: VendorSchema['read'] = (text) => readPortable(text, dialect);

/** What PostgreSQL's tables are made of where their description comes from another vendor. */
export const postgresSchemaWords: VendorSchema = {
  typesFor,
  read: readPostgresExpression,
  write: (expression) => writePortable(expression, words),
  writeDefault,
  valueOfLiteral,
  countsByIndex: false,
  indexes: {
    prefixOf: () => null,
    functional: () => true,
    primaryName: '',
    uniqueIsConstraint: true,
    prefix: (column, length, { kind }) =>
      kind === 'text' ? ['"left"(', { column }, `, ${length})`] : ['"substring"(', { column }, `, 1, ${length})`],
  },
};

function typesFor(type: LogicalType, { counts }: TypeUse): readonly MadeType[] {
  // What has no numbers of its own counts up to the greatest one that a column can count to; each value is checked.
  if (counts && type.kind === 'integer') return [...fitting(type), made('int8', 'bigint')];
  return [...ownTypes(type), made('text', 'text'), made('bytea', 'bytea')];
}

function ownTypes(type: LogicalType): readonly MadeType[] {
  switch (type.kind) {
    case 'boolean':
      return [made('bool', 'boolean')];
    case 'integer':
      return [...fitting(type), made('numeric', 'numeric(20,0)', numericModifier(20, 0))];
    case 'decimal': {
      const { digits } = type;
      if (digits === null) return [made('numeric', 'numeric')];
      const { precision, scale } = digits;
      return [made('numeric', `numeric(${precision},${scale})`, numericModifier(precision, scale))];
    }
    case 'float':
      return [type.bits === 32 ? made('float4', 'real') : made('float8', 'double precision')];
    case 'text':
      if (type.characters === null || type.characters > longestVarchar) return [];
      return type.padded && type.characters > 0
        ? [made('bpchar', `character(${type.characters})`, type.characters + 4)]
        : [made('varchar', `character varying(${Math.max(1, type.characters)})`, Math.max(1, type.characters) + 4)];
    case 'bits':
      if (type.max === null) return [made('varbit', 'bit varying')];
      return type.fixed
        ? [made('bit', `bit(${type.max})`, type.max)]
        : [made('varbit', `bit varying(${type.max})`, type.max)];
    case 'date':
      return [made('date', 'date')];
    case 'time':
      return [made('time', `time(${type.digits}) without time zone`, type.digits)];
    case 'timestamp':
      return type.moment
        ? [made('timestamptz', `timestamp(${type.digits}) with time zone`, type.digits)]
        : [made('timestamp', `timestamp(${type.digits}) without time zone`, type.digits)];
    case 'uuid':
      return [made('uuid', 'uuid')];
    case 'json':
      return type.form === 'text' ? [made('json', 'json')] : [made('jsonb', 'jsonb')];
    default:
      return [];
  }
}

const longestVarchar = 10_485_760;

function fitting({ min, max }: Extract<LogicalType, { kind: 'integer' }>): readonly MadeType[] {
  return (
    [
      [15n, 'int2', 'smallint'],
      [31n, 'int4', 'integer'],
      [63n, 'int8', 'bigint'],
    ] as const
  ).flatMap(([bits, name, text]) => (min >= -(2n ** bits) && max < 2n ** bits ? [made(name, text)] : []));
}

function made(name: string, typeText: string, modifier = -1): MadeType {
  return { type: `pg_catalog.${name}`, modifier, typeText, collation: null };
}

function numericModifier(precision: number, scale: number): number {
  return ((precision << 16) | (scale & 0x7ff)) + 4;
}

function writeDefault(value: DefaultValue, { type }: MadeType) {
  const name = type.replace('pg_catalog.', '');
  if (value.kind === 'made') {
    const { what } = value;
    if (what === 'now') return /^timestamp/.test(name) ? ['now()'] : null;
    if (what === 'today') return name === 'date' ? ['CURRENT_DATE'] : null;
    return name === 'uuid'
      ? ['gen_random_uuid()']
      : /^(?:text|varchar|bpchar)$/.test(name)
        ? ['gen_random_uuid()::text']
        : null;
  }
  const text = String(value.value);
  if (name === 'bool') return [text === 't' ? 'true' : 'false'];
  if (/^(?:int\d|numeric|float\d)$/.test(name) && /^-?[\d.]+$/.test(text))
    return [text.startsWith('-') ? `'${text}'` : text];
  return [quoteLiteral(text).trimStart()];
}

function valueOfLiteral(
  { of, text }: Extract<PortableExpression, { kind: 'literal' }>,
  type: LogicalType,
): NativeValue | null {
  if (of === 'boolean') return type.kind === 'boolean' ? (text[0] ?? null) : null;
  if (type.kind === 'boolean') return /^(?:t|true|1)$/i.test(text) ? 't' : /^(?:f|false|0)$/i.test(text) ? 'f' : null;
  return text;
}
