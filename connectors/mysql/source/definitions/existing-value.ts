import type { WrittenColumn } from '../../../../src/core/column-alteration.ts';
import { integerBases, parseType } from '../../target/column-kind.ts';
import { doubleText, floatText } from '../binlog/values/number-text.ts';

/**
 * What the rows that were there have in a column that was added, as the binlog would tell it; null for NULL, undefined where that can't be told
 * exactly from the text: each server and session computes, rounds and converts in its own way.
 */
export function existingValue(column: WrittenColumn, type: string): string | null | undefined {
  const written = column.default;
  const { base, scale, size, members } = parseType(type);
  if (column.counts || written.kind === 'other') return undefined;
  if (written.kind === 'none') {
    // Of some servers it is the present time where nothing is said.
    if (base === 'timestamp' && !column.isNull) return undefined;
    if (!column.notNull) return null;
    if (integerBases.has(base) || base === 'float' || base === 'double') return '0';
    if (base === 'decimal') return scale === 0 ? '0' : `0.${'0'.repeat(scale)}`;
    if (base === 'enum') return unquoted(members[0]);
    return texts.has(base) || base === 'set' ? '' : undefined;
  }
  const { kind, text } = written;
  if (integerBases.has(base)) return /^(?:0|-?[1-9]\d*)$/.test(text) ? text : undefined;
  if (base === 'decimal') return decimalText(text, scale);
  if (base === 'float' || base === 'double') return floatingText(text, { base, isRounded: size !== null });
  if (kind === 'number') return base === 'year' && /^(?:19[1-9]\d|20\d\d)$/.test(text) ? text : undefined;
  if (base === 'char') return text.replace(/ +$/, '');
  if (texts.has(base)) return text;
  if (base === 'enum') return members.some((member) => unquoted(member) === text) ? text : undefined;
  if (base === 'set') return text === '' || members.some((member) => unquoted(member) === text) ? text : undefined;
  if (base === 'date') return isDate(text) ? text : undefined;
  if (base === 'datetime' || base === 'time') return momentText(text, base, size ?? 0);
  return undefined;
}

const texts: ReadonlySet<string> = new Set(['char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext']);

function unquoted(member: string | undefined): string | undefined {
  return member?.slice(1, -1).replaceAll("''", "'");
}

/** Only where no digit would be rounded away. */
function decimalText(text: string, scale: number): string | undefined {
  const [, sign = '', whole = '', fraction = ''] = /^(-?)(0|[1-9]\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === '' || fraction.length > scale) return undefined;
  const digits = scale === 0 ? whole : `${whole}.${fraction.padEnd(scale, '0')}`;
  return /[1-9]/.test(digits) ? `${sign}${digits}` : digits;
}

function floatingText(
  text: string,
  { base, isRounded }: { readonly base: string; readonly isRounded: boolean },
): string | undefined {
  const value = Number(text);
  if (isRounded || !/^-?\d+(?:\.\d+)?$/.test(text) || Object.is(value, -0)) return undefined;
  if (base === 'double') return Number.isFinite(value) ? doubleText(value) : undefined;
  return Math.fround(value) === value ? floatText(value) : undefined;
}

function isDate(text: string): boolean {
  const day = new Date(`${text}T00:00:00Z`);
  return /^[1-9]\d{3}-\d\d-\d\d$/.test(text) && !Number.isNaN(day.getTime()) && day.toISOString().startsWith(text);
}

/** Dates with times, and times of a day. */
function momentText(text: string, base: 'datetime' | 'time', digits: number): string | undefined {
  const pattern = /^(?:([0-9-]{10}) )?([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d+))?$/;
  const [, date, hours, minutes, seconds, fraction = ''] = pattern.exec(text) ?? [];
  if (hours === undefined || fraction.length > digits) return undefined;
  if (base === 'time' ? date !== undefined : date === undefined || !isDate(date)) return undefined;
  const rest = digits === 0 ? '' : `.${fraction.padEnd(digits, '0')}`;
  return `${date === undefined ? '' : `${date} `}${hours}:${minutes}:${seconds}${rest}`;
}
