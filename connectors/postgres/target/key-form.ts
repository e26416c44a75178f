import { type KeyPart, type KeyReader, readerOfParts } from '../../sql/apply/row-key.ts';
import type { TargetColumn } from './target-table.ts';

/** Text of a key value such that two values the server holds equal have the same text, and no others. PostgreSQL has no NUL in text. */
export type Normalise = (text: string) => string;

const same: Normalise = (text) => text;
const zero: Normalise = (text) => (text === '-0' ? '0' : text);
const blankPadded: Normalise = (text) => text.replace(/ +$/, '');
const decimal: Normalise = (text) => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

const byType: Readonly<Record<string, Normalise>> = {
  'pg_catalog.int2': same,
  'pg_catalog.int4': same,
  'pg_catalog.int8': same,
  'pg_catalog.oid': same,
  'pg_catalog.uuid': same,
  'pg_catalog.bool': same,
  'pg_catalog.date': same,
  'pg_catalog.time': same,
  'pg_catalog.timestamp': same,
  'pg_catalog.timestamptz': same,
  'pg_catalog.timetz': same,
  'pg_catalog.bytea': same,
  'pg_catalog.bit': same,
  'pg_catalog.varbit': same,
  'pg_catalog.inet': same,
  'pg_catalog.cidr': same,
  'pg_catalog.macaddr': same,
  'pg_catalog.macaddr8': same,
  'pg_catalog.money': same,
  'pg_catalog.pg_lsn': same,
  'pg_catalog.xid8': same,
  'pg_catalog.text': same,
  'pg_catalog.varchar': same,
  'pg_catalog.name': same,
  'pg_catalog.char': same,
  'pg_catalog.bpchar': blankPadded,
  'pg_catalog.numeric': decimal,
  'pg_catalog.float4': zero,
  'pg_catalog.float8': zero,
};

/** Null where the server may hold values equal whose texts differ in ways that are not known here (citext, jsonb). */
export function normaliser(column: TargetColumn): Normalise | null {
  if (!column.deterministic) return null;
  if (column.baseKind === 'e') return same;
  return byType[column.baseType] ?? null;
}

const integers: ReadonlySet<string> = new Set([
  'pg_catalog.int2',
  'pg_catalog.int4',
  'pg_catalog.int8',
  'pg_catalog.oid',
]);

/** Null where keys of these columns can't be compared outside of the server: the table is a barrier then. */
export function keyReader(
  columns: readonly { readonly index: number; readonly column: TargetColumn }[],
): KeyReader | null {
  const parts: KeyPart[] = [];
  for (const { index, column } of columns) {
    const normalise = normaliser(column);
    if (normalise === null) return null;
    parts.push({ index, normalise });
  }
  return readerOfParts(parts, integers.has(columns[0]?.column.baseType ?? ''));
}

/** Names a row by the texts of its key: of values that are equal to the server alike, as far as is known here. */
export function keyNamer(columns: readonly TargetColumn[]): (cells: readonly (string | null)[]) => string {
  const normalisers = columns.map((column) => normaliser(column) ?? same);
  return (cells) => cells.map((cell, at) => (cell === null ? '' : (normalisers[at] ?? same)(cell))).join('\0');
}
