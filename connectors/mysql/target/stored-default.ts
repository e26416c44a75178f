import type { Vendor } from '../schema/table-ddl.ts';
import { parseType } from './column-kind.ts';

/** Of these MySQL has expressions only, also where one is a constant. */
const byExpression = /^(?:(?:tiny|medium|long)?(?:text|blob)|json)$/;
const escapes: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', 0: '\0', Z: '\x1a' };

/**
 * What a column's default gives, as information_schema writes it: MariaDB between quotes, MySQL without, but of expressions once more escaped. Null for NULL,
 * undefined for what is no constant.
 */
export function storedDefault(written: string | null, type: string, vendor: Vendor): string | null | undefined {
  if (written === null || (vendor === 'mariadb' && written === 'NULL')) return null;
  if (vendor === 'mariadb') return written.startsWith("'") ? literalText(written) : written;
  if (!byExpression.test(parseType(type).base)) return written;
  return literalText(unescaped(written).replace(/^_utf8mb[34]/, ''));
}

function literalText(literal: string): string | undefined {
  const [, inside] = /^'((?:[^'\\]|''|\\[\s\S])*)'$/.exec(literal) ?? [];
  return inside === undefined ? undefined : unescaped(inside.replaceAll("''", "\\'"));
}

function unescaped(text: string): string {
  return text.replaceAll(/\\([\s\S])/g, (_, sign: string) => escapes[sign] ?? sign);
}

/** One number of these has several texts. */
const floating: ReadonlySet<string> = new Set(['float', 'double']);

/** Whether the default gives this value. */
export function givesValue(written: string | null, value: string | null, type: string, vendor: Vendor): boolean {
  const found = storedDefault(written, type, vendor);
  if (found === value) return true;
  if (typeof found !== 'string' || found === '' || value === null || !floating.has(parseType(type).base)) return false;
  return Number(found) === Number(value);
}
