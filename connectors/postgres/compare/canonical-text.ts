import type { CanonicalText } from '../../../src/core/compare-side.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';

/**
 * What connectors/mysql/compare/canonical-text.ts and row-hash.ts define, in PostgreSQL's words: rows of both are hashed where they lie.
 */
interface CanonicalColumn {
  readonly name: string;
  readonly type: string;
  readonly canonical: CanonicalText;
}

const texts: Readonly<Record<string, readonly CanonicalText[]>> = {
  bool: ['number', 'bits 1'],
  int2: ['number'],
  int4: ['number'],
  int8: ['number'],
  oid: ['number'],
  numeric: ['number'],
  text: ['text'],
  varchar: ['text'],
  bpchar: ['text'],
  name: ['text'],
  json: ['text'],
  bytea: ['bytes'],
  uuid: ['uuid', 'bytes'],
  date: ['date'],
  time: ['time'],
  timestamp: ['timestamp'],
  timestamptz: ['timestamptz'],
};

/** `isEnum`: it has labels. Shortest floats, documents and arrays are written by each vendor in its own way. */
export function canonicalTexts(
  { type, modifier }: { readonly type: string; readonly modifier: number },
  isEnum: boolean,
): readonly CanonicalText[] {
  if (isEnum) return ['text'];
  if (type === 'pg_catalog.bit') return [`bits ${modifier === -1 ? 1 : modifier}`];
  return type.startsWith('pg_catalog.') ? (texts[type.slice(11)] ?? []) : [];
}

/** The first 64 bits of the SHA-256, with a sign. */
export function canonicalHash(columns: readonly CanonicalColumn[], seed: string): string {
  const row = [quoteLiteral(seed), ...columns.map((column) => `',' || ${partOf(column)}`)].join(' || ');
  return `('x' || left(encode(sha256(convert_to(${row}, 'UTF8')), 'hex'), 16))::bit(64)::int8`;
}

const longOctets = 256;

function partOf(column: CanonicalColumn): string {
  const name = quoteIdentifier(column.name);
  if (column.canonical !== 'text' && column.canonical !== 'bytes') return `coalesce(${shortText(column)}, '~')`;
  const isText = column.canonical === 'text';
  // No cast of somebody's own is taken by format, and it knows enums.
  const value = isText
    ? /\.(?:bpchar|name)$/.test(column.type)
      ? `${name}::text`
      : `format('%s', ${name})`
    : bytesOf(column);
  const octets = isText ? `convert_to(${value}, 'UTF8')` : value;
  const short = isText ? value : `upper(encode(${value}, 'hex'))`;
  return `case when ${name} is null then '~' when octet_length(${octets}) > ${longOctets}
    then octet_length(${octets}) || '#' || encode(sha256(${octets}), 'hex') else octet_length(${octets}) || ':' || ${short} end`;
}

function bytesOf({ name, type }: CanonicalColumn): string {
  return type === 'pg_catalog.uuid' ? `uuid_send(${quoteIdentifier(name)})` : quoteIdentifier(name);
}

function shortText({ name, type }: CanonicalColumn): string {
  const column = quoteIdentifier(name);
  switch (type) {
    case 'pg_catalog.bool':
      return `${column}::int4::text`;
    case 'pg_catalog.numeric':
      return `trim_scale(${column}::numeric)::text`;
    case 'pg_catalog.timestamptz':
      return `timezone('UTC', ${column})::text`;
    case 'pg_catalog.bit':
      return `coalesce(nullif(ltrim(${column}::text, '0'), ''), case when ${column} is not null then '0' end)`;
    default:
      return `${column}::text`;
  }
}
