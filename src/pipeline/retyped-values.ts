import type { Column } from '../core/table.ts';

const texts: ReadonlySet<string> = new Set(['pg_catalog.varchar', 'pg_catalog.text']);
/** Types of which a longer modifier, or none, leaves every value as it is. */
const lengthened: ReadonlySet<string> = new Set(
  ['varchar', 'text', 'varbit', 'numeric', 'timestamp', 'timestamptz', 'time', 'timetz'].map(
    (name) => `pg_catalog.${name}`,
  ),
);

/**
 * Whole numbers by the room that expressions have for them: of PostgreSQL its own, of MySQL and MariaDB what expression/mysql-column-type.ts says; their sign is no
 * matter then. Whatever expressions make of a value by the one, they make by one of more room, or refuse to be compiled (`date + n`), or had no value for it (an overflow):
 * the language has no operator that depends on the room of a whole number. A BIGINT without a sign is no integer there.
 */
const wholeNumbers: ReadonlyMap<string, number> = new Map([
  ...['tinyint', 'tinyint unsigned'].map((name) => [name, 2] as const),
  ...['smallint', 'smallint unsigned', 'mediumint', 'mediumint unsigned', 'int'].map((name) => [name, 4] as const),
  ...['int unsigned', 'bigint'].map((name) => [name, 8] as const),
]);
const postgresWholeNumbers = ['pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8'];
const mysqlTexts = /^(?:(?:var)?char(?:\(\d+\))?|(?:tiny|medium|long)?text)(?: collate \w+)?$/;
const mysqlBytes = /^(?:(?:var)?binary(?:\(\d+\))?|(?:tiny|medium|long)?blob)$/;
const mysqlMembers = /^(enum|set)\(/;
const mysqlDecimal = /^decimal\(\d+,(\d+)\)(?: unsigned)?$/;

/** What expressions read values of the type as, with the room that they have for them; null where another size makes other texts, and where the modifier tells more. */
function readAs(type: string): { readonly kind: string; readonly room: number } | null {
  const place = postgresWholeNumbers.indexOf(type);
  if (place >= 0) return { kind: 'whole number of PostgreSQL', room: place };
  const room = wholeNumbers.get(type);
  if (room !== undefined) return { kind: 'whole number', room };
  if (mysqlTexts.test(type)) return { kind: 'text', room: 0 };
  if (mysqlBytes.test(type)) return { kind: 'bytes', room: 0 };
  const [, members] = mysqlMembers.exec(type) ?? [];
  if (members !== undefined) return { kind: members, room: 0 };
  const [, scale] = mysqlDecimal.exec(type) ?? [];
  return scale === undefined ? null : { kind: `decimal of scale ${scale}`, room: 0 };
}

/**
 * All values are as they were, and expressions make the same of them. Of MySQL's and MariaDB's types the former is so: their connector has decided it by the command.
 */
export function readsAlike(was: Column, is: Column): boolean {
  const [before, now] = [readAs(was.type), readAs(is.type)];
  if (before !== null && now !== null) return before.kind === now.kind && now.room >= before.room;
  const isSameKind = was.type === is.type || (texts.has(was.type) && texts.has(is.type));
  if (!isSameKind) return false;
  if (was.modifier === is.modifier) return true;
  if (!lengthened.has(was.type)) return false;
  if (is.modifier === -1) return true;
  // Of a numeric the scale stands in the lower bits: another one makes other texts of the values.
  const isSameScale = was.type !== 'pg_catalog.numeric' || digitsOf(was.modifier).scale === digitsOf(is.modifier).scale;
  return isSameScale && was.modifier !== -1 && is.modifier > was.modifier;
}

const ofPostgres = (...columns: readonly Column[]): boolean =>
  columns.some(({ type }) => type.startsWith('pg_catalog.'));

/**
 * What ALTER TYPE makes of a value is the value: a plain cast to anything narrower may round it, or write it in another way. Of other servers'
 * types their own connector has decided.
 */
export function keepsValues(was: Column, is: Column): boolean {
  if (!ofPostgres(was, is) || readsAlike(was, is)) return true;
  if (was.type !== 'pg_catalog.numeric' || is.type !== was.type || was.modifier === -1) return false;
  const [from, to] = [digitsOf(was.modifier), digitsOf(is.modifier)];
  return to.scale >= from.scale && to.whole >= from.whole;
}

/** numeric(p,s) is ((p << 16) | s) + 4, s a signed number of 11 bits. */
function digitsOf(modifier: number): { scale: number; whole: number } {
  const bits = (modifier - 4) & 0x7ff;
  const scale = bits > 1023 ? bits - 2048 : bits;
  return { scale, whole: (((modifier - 4) >> 16) & 0xffff) - scale };
}
