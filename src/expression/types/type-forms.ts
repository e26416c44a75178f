import { ExpressionFailure } from '../problem.ts';
import { byteaText, parseBytea } from './bytea.ts';
import {
  dateText,
  parseDate,
  parseTime,
  parseTimestamp,
  printedTimestamp,
  timestampText,
  timeText,
} from './date-time.ts';
import { float4Text, float8Text, parseFloat4, parseFloat8 } from './float.ts';
import { type Interval, parseInterval } from './interval.ts';
import { canonicalJsonb, isJson } from './json.ts';
import { parseNumeric, printedNumeric } from './numeric.ts';
import type { Value } from './value.ts';

/** How a type is read and printed. */
export interface TypeForm {
  /** Any text that the type takes; null for one that it does not take. */
  readonly read: (text: string) => Value;
  /** Of what the server printed: faster, or as it is. */
  readonly readPrinted?: (text: string) => Value;
  /** As the server prints it. Only ever called with values of the type. */
  readonly print: (value: never) => string;
  /** What a literal of the type looks like, for messages. */
  readonly example: string;
}

function integer(bytes: 2 | 4): TypeForm {
  const limit = 2 ** (bytes * 8 - 1);
  return {
    read(text) {
      const value = /^[ \t\n\v\f\r]*[+-]?\d+[ \t\n\v\f\r]*$/.test(text) ? Number(text) + 0 : null;
      if (value !== null && (value < -limit || value >= limit)) throw outOfRange(`int${bytes}`);
      return value;
    },
    readPrinted: Number,
    print: (value: number) => String(value),
    example: '42',
  };
}

function outOfRange(type: string): ExpressionFailure {
  return new ExpressionFailure(`a number is out of range of ${type}`);
}

const text: TypeForm = { read: (value) => value, print: (value: string) => value, example: "'abc'" };

const uuidPattern = /^\{?([0-9a-f]{4}-?){7}[0-9a-f]{4}\}?$/i;

/** The types that expressions compute with, by their names without `pg_catalog.`; others are only passed on. */
export const typeForms: ReadonlyMap<string, TypeForm> = new Map<string, TypeForm>([
  [
    'bool',
    {
      read: readBoolean,
      readPrinted: (value) => value === 't',
      print: (value: boolean) => (value ? 't' : 'f'),
      example: 'true',
    },
  ],
  ['int2', integer(2)],
  ['int4', integer(4)],
  ['int8', { read: readBigint, readPrinted: BigInt, print: (value: bigint) => value.toString(), example: '42' }],
  ['numeric', { read: parseNumeric, readPrinted: printedNumeric, print: String, example: '1.50' }],
  [
    'float4',
    { read: parseFloat4, readPrinted: (value) => Math.fround(Number(value)), print: float4Text, example: '1.5' },
  ],
  ['float8', { read: parseFloat8, readPrinted: Number, print: float8Text, example: '1.5' }],
  ['text', text],
  ['varchar', text],
  ['bpchar', text],
  ['name', text],
  ['date', { read: parseDate, print: dateText, example: "date '2026-11-21'" }],
  ['time', { read: parseTime, print: timeText, example: "time '12:34:56.789'" }],
  [
    'timestamp',
    {
      read: (value) => parseTimestamp(value, false),
      readPrinted: (value) => printedTimestamp(value) ?? parseTimestamp(value, false),
      print: (value: bigint) => timestampText(value, ''),
      example: "timestamp '2026-11-21 12:34:56'",
    },
  ],
  [
    'timestamptz',
    {
      read: (value) => parseTimestamp(value, true),
      readPrinted: (value) => printedTimestamp(value) ?? parseTimestamp(value, true),
      print: (value: bigint) => timestampText(value, '+00'),
      example: "timestamptz '2026-11-21 12:34:56+01'",
    },
  ],
  [
    'interval',
    { read: parseInterval, print: (value: Interval) => value.toString(), example: "interval '1 day 02:30:00'" },
  ],
  ['uuid', { read: readUuid, print: (value: string) => value, example: "uuid '0b4d1f0e-8a3c-4c52-9d61-5f6f6f1b2a3c'" }],
  ['bytea', { read: parseBytea, print: byteaText, example: "bytea '\\x00ff'" }],
  ['json', { ...text, read: (value) => (isJson(value) ? value : null), readPrinted: text.read, example: "'[1]'" }],
  ['jsonb', { ...text, read: canonicalJsonb, readPrinted: text.read, example: "'[1]'" }],
]);

function readBoolean(value: string): boolean | null {
  const lower = value.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '').toLowerCase();
  if (lower === '') return null;
  if (lower === '1' || lower === 'on' || 'true'.startsWith(lower) || 'yes'.startsWith(lower)) return true;
  const isFalse = lower === '0' || lower === 'of' || lower === 'off';
  return isFalse || 'false'.startsWith(lower) || 'no'.startsWith(lower) ? false : null;
}

function readBigint(value: string): bigint | null {
  if (!/^[ \t\n\v\f\r]*[+-]?\d+[ \t\n\v\f\r]*$/.test(value)) return null;
  const trimmed = value.trim();
  const number = BigInt(trimmed.startsWith('+') ? trimmed.slice(1) : trimmed);
  if (number < -(2n ** 63n) || number >= 2n ** 63n) throw outOfRange('int8');
  return number;
}

function readUuid(value: string): string | null {
  if (!uuidPattern.test(value) || value.startsWith('{') !== value.endsWith('}')) return null;
  const digits = value.replace(/[{}-]/g, '').toLowerCase();
  return [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join(
    '-',
  );
}
