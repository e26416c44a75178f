import { createHash } from 'node:crypto';
import type { Canonical, CanonicalColumn } from './canonical-text.ts';

/**
 * A row's hash: the first 64 bits of the SHA-256 of its seed and its columns' parts, with commas between them.
 *
 *   NULL            ~
 *   short forms     their text
 *   texts           octets of UTF-8, a colon, the text; above 256 octets the octets, #, and their SHA-256
 *   bytes           octets, a colon, hexadecimal digits (capitals); likewise
 *
 * No two rows have the same parts, but for long values whose SHA-256 is the same. MySQL has no MD5() any more. A function whose result would be larger than the server's
 * max_allowed_packet is NULL there, and so would be what is made of it: long values are never part of a longer one, and a hash that is NULL for all that
 * counts as one that nothing is equal to.
 */
const longOctets = 256;

/** NULL only where the server could not compute it. */
export function hashSql(columns: readonly CanonicalColumn[], seed: string): string {
  return `CAST(CONV(LEFT(${digestSql(columns, seed)}, 16), 16, 10) AS UNSIGNED)`;
}

/** All of the SHA-256, in hexadecimal digits: rows that have the same are alike. NULL likewise. */
export function digestSql(columns: readonly CanonicalColumn[], seed = '0'): string {
  const parts = [`'${numeric(seed)}'`, ...columns.flatMap((column) => ["','", partSql(column)])];
  return `SHA2(CONCAT(${parts.join(', ')}), 256)`;
}

function partSql({ column, sql, form }: CanonicalColumn): string {
  if (form === 'short') return `IFNULL(${sql}, '~')`;
  const octets = `OCTET_LENGTH(${sql})`;
  // Two columns of different binary collations can't be concatenated as they are.
  const short = form === 'bytes' ? `HEX(${sql})` : `${sql} COLLATE utf8mb4_bin`;
  return `CASE WHEN ${column} IS NULL THEN '~' WHEN ${octets} > ${longOctets} THEN CONCAT(${octets}, '#', SHA2(${sql}, 256)) ELSE CONCAT(${octets}, ':', ${short}) END`;
}

/** The same here. */
export function hashOf(columns: readonly CanonicalColumn[], row: readonly Canonical[], seed: string): bigint {
  return digested(columns, row, seed).readBigUInt64BE(0);
}

export function digestOf(columns: readonly CanonicalColumn[], row: readonly Canonical[], seed = '0'): string {
  return digested(columns, row, seed).toString('hex');
}

function digested(columns: readonly CanonicalColumn[], row: readonly Canonical[], seed: string): Buffer {
  const text = [numeric(seed), ...columns.map(({ form }, at) => partOf(form, row[at] ?? null))].join(',');
  return createHash('sha256').update(text, 'utf8').digest();
}

function partOf(form: CanonicalColumn['form'], value: Canonical): string {
  if (value === null) return '~';
  if (form === 'short') return String(value);
  const bytes = Buffer.isBuffer(value) ? value : Buffer.from(value, 'utf8');
  if (bytes.length > longOctets) return `${bytes.length}#${createHash('sha256').update(bytes).digest('hex')}`;
  return `${bytes.length}:${form === 'bytes' ? bytes.toString('hex').toUpperCase() : value}`;
}

function numeric(seed: string): string {
  if (!/^\d+$/.test(seed)) throw new RangeError('a seed that is no number');
  return seed;
}
