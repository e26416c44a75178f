import type { Column } from '../core/table.ts';

const texts: ReadonlySet<string> = new Set(['pg_catalog.varchar', 'pg_catalog.text']);
/** Types of which a longer modifier, or none, leaves every value as it is. */
const lengthened: ReadonlySet<string> = new Set(
  ['varchar', 'text', 'varbit', 'numeric', 'timestamp', 'timestamptz', 'time', 'timetz'].map(
    (name) => `pg_catalog.${name}`,
  ),
);

/**
 * Whole numbers of PostgreSQL, and with a sign of MySQL and MariaDB, each with room for those before it. Whatever expressions make of a value by the one, they make by
 * the next, or refuse to be compiled (`date + n`), or had no value for it (an overflow): the language has no operator that depends on the room of a whole number. Of one
 * without a sign the largest of MySQL is no integer to an expression.
 */
const wholeNumbers: readonly (readonly string[])[] = [
  ['pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8'],
  ['smallint', 'mediumint', 'int', 'bigint'],
];
const displayWidth = /\(\d+\)$/;

function isWidened(was: Column, is: Column): boolean {
  const [from, to] = [was, is].map(({ type }) => type.replace(displayWidth, ''));
  return wholeNumbers.some((kinds) => {
    const place = kinds.indexOf(from ?? '');
    return place >= 0 && kinds.indexOf(to ?? '') >= place;
  });
}

/**
 * All values are as they were, and expressions make the same of them. Other servers' types are so where they are the same, or where a whole number
 * got more room.
 */
export function readsAlike(was: Column, is: Column): boolean {
  if (isWidened(was, is)) return true;
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
