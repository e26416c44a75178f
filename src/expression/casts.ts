import { ExpressionFailure } from './problem.ts';
import { type CastContext, castContext, categoryOf } from './signature-catalogue.ts';
import {
  dateToTimestamp,
  isInfinite,
  microsOfDay,
  splitTimestamp,
  type TimestampValue,
  timestampToDate,
} from './types/date-time.ts';
import { floatToNumeric, numericToFloat, roundHalfEven } from './types/float.ts';
import { Interval } from './types/interval.ts';
import { compareNumeric, fitNumeric, fromInteger, type Numeric, precisionOf, round } from './types/numeric.ts';
import { characters, pad, sliceCharacters, trimBlanks } from './types/text.ts';
import { typeForms } from './types/type-forms.ts';
import type { Value } from './types/value.ts';

/** Never called with NULL. */
export type Conversion = (value: never) => Value;

const limits: Readonly<Record<string, bigint>> = { int2: 2n ** 15n, int4: 2n ** 31n, int8: 2n ** 63n };

function toInteger(type: string): (value: number | bigint) => number | bigint {
  const limit = limits[type] ?? 0n;
  return (value) => {
    if (typeof value === 'number' && !Number.isFinite(value)) throw outOfRange(type);
    const whole = BigInt(value);
    if (whole < -limit || whole >= limit) throw outOfRange(type);
    return type === 'int8' ? whole : Number(whole);
  };
}

function outOfRange(type: string): ExpressionFailure {
  return new ExpressionFailure(`a number is out of range of ${type}`);
}

function numericToInteger(type: string): (value: Numeric) => number | bigint {
  const checked = toInteger(type);
  return (value) => {
    if (value.special !== null) throw outOfRange(type);
    return checked(round(value, 0).digits);
  };
}

const same = (value: Value): Value => value;
const toFloat = (value: number | bigint): number => Number(value);
const toSingle = (value: number | bigint): number => Math.fround(Number(value));
const integers = ['int2', 'int4', 'int8'];

function float8ToFloat4(value: number): number {
  const single = Math.fround(value);
  if (Number.isFinite(value) && (!Number.isFinite(single) || (single === 0 && value !== 0))) throw outOfRange('float4');
  return single;
}

/** A bigint is rounded once only when its upper digits are: going by way of a double could round twice. */
function bigToSingle(value: bigint): number {
  return numericToFloat(fromInteger(value), true);
}

function timeOf(micros: TimestampValue): number | null {
  return isInfinite(micros) ? null : splitTimestamp(micros).time;
}

const trim = (value: string): string => trimBlanks(value);
const trueOrFalse = (value: boolean): string => (value ? 'true' : 'false');

/** What the server has functions for (pg_cast); all else goes by way of text. */
const conversions: Readonly<Record<string, Conversion>> = {
  ...Object.fromEntries(
    integers.flatMap((from) => [
      ...integers.filter((to) => to !== from).map((to) => [`${from} ${to}`, toInteger(to)]),
      [`${from} numeric`, fromInteger],
      [`${from} float8`, toFloat],
      [`${from} float4`, from === 'int8' ? bigToSingle : toSingle],
      [`numeric ${from}`, numericToInteger(from)],
      ...['float4', 'float8'].map((float) => [
        `${float} ${from}`,
        (value: number) => toInteger(from)(roundHalfEven(value)),
      ]),
    ]),
  ),
  'numeric float8': (value: Numeric) => numericToFloat(value, false),
  'numeric float4': (value: Numeric) => numericToFloat(value, true),
  'float8 numeric': (value: number) => floatToNumeric(value, 15),
  'float4 numeric': (value: number) => floatToNumeric(value, 6),
  'float4 float8': same,
  'float8 float4': float8ToFloat4,
  'int4 bool': (value: number) => value !== 0,
  'bool int4': (value: boolean) => Number(value),
  'bool text': trueOrFalse,
  'bool varchar': trueOrFalse,
  'bool bpchar': trueOrFalse,
  'text varchar': same,
  'text bpchar': same,
  'text name': cutName,
  'varchar text': same,
  'varchar bpchar': same,
  'varchar name': cutName,
  'bpchar text': trim,
  'bpchar varchar': trim,
  'bpchar name': (value: string) => cutName(trimBlanks(value)),
  'name text': same,
  'name varchar': same,
  'name bpchar': same,
  'date timestamp': dateToTimestamp,
  'date timestamptz': dateToTimestamp,
  'timestamp date': timestampToDate,
  'timestamptz date': timestampToDate,
  'timestamp timestamptz': same,
  'timestamptz timestamp': same,
  'timestamp time': timeOf,
  'timestamptz time': timeOf,
  'time interval': (value: number) => new Interval(0, 0, BigInt(value)),
  'interval time': (value: Interval) => Number(((value.micros % microsOfDay) + microsOfDay) % microsOfDay),
};

/** Names have at most 63 bytes. */
function cutName(value: string): string {
  const bytes = Buffer.from(value, 'utf8');
  if (bytes.length <= 63) return value;
  let end = 63;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end).toString('utf8');
}

const strength: Readonly<Record<CastContext, number>> = { implicit: 0, assignment: 1, explicit: 2 };

/** How a value of one type becomes one of another where `context` allows it; null where it does not. */
export function conversion(from: string, to: string, context: CastContext): Conversion | null {
  if (from === to) return same;
  const listed = castContext(from, to);
  if (listed !== null) return strength[listed] <= strength[context] ? (conversions[`${from} ${to}`] ?? null) : null;
  if (categoryOf(to) === 'S' && context !== 'implicit') return printed(from);
  return categoryOf(from) === 'S' && context === 'explicit' ? reader(to) : null;
}

function printed(from: string): Conversion {
  const form = typeForms.get(from);
  return form === undefined ? same : (form.print as Conversion);
}

/** Reads what stands in a text; a failure for what the type does not take. */
export function reader(to: string): ((value: string) => Value) | null {
  const form = typeForms.get(to);
  if (form === undefined) return null;
  return (value) => {
    const read = form.read(value);
    if (read === null) throw new ExpressionFailure(`a text is no ${to} (wanted is, for example, ${form.example})`);
    return read;
  };
}

/** As an explicit cast to `varchar(3)`, `char(3)` or `numeric(5,2)` does it: cut, padded, rounded. */
export function withModifier(type: string, modifier: number): Conversion | null {
  if (modifier < 0) return null;
  const length = modifier - 4;
  if (type === 'varchar') return (value: string) => sliceCharacters(value, 0, length);
  if (type === 'bpchar') return (value: string) => pad(value, length, ' ', 'right');
  return type === 'numeric' ? (value: Numeric) => fitNumeric(value, modifier) : null;
}

/** As a column of the type takes it, and nothing lost: blanks beyond the length are no loss. */
export function exactModifier(type: string, modifier: number): Conversion | null {
  if (modifier < 0) return null;
  if (type === 'varchar' || type === 'bpchar') {
    const length = modifier - 4;
    const cut = withModifier(type, modifier) as (value: string) => string;
    return (value: string) => {
      if (characters(value) > length && characters(trimBlanks(value)) > length)
        throw new ExpressionFailure(`a text is longer than the ${length} characters of its column`);
      return cut(value);
    };
  }
  if (type === 'numeric') {
    const scale = precisionOf(modifier)?.scale ?? 0;
    return (value: Numeric) => {
      const fitted = fitNumeric(value, modifier);
      if (compareNumeric(fitted, value) !== 0)
        throw new ExpressionFailure(`a number has more than ${scale} digits after the point: round it`);
      return fitted;
    };
  }
  const unit = 10 ** Math.max(6 - modifier, 0);
  if (type === 'time') return (value: number) => precise(value, value % unit === 0);
  if (type === 'timestamp' || type === 'timestamptz')
    return (value: bigint) => precise(value, isInfinite(value) || value % BigInt(unit) === 0n);
  return null;
}

function precise(value: Value, isPrecise: boolean): Value {
  if (!isPrecise) throw new ExpressionFailure('a time has more digits than its column: truncate it (date_trunc)');
  return value;
}

/** A number that is whole: what is assigned to a column of integers is not rounded. */
export function exactInteger(to: string): Conversion {
  const checked = numericToInteger(to);
  return (value: Numeric) => {
    if (value.special === null && compareNumeric(round(value, 0), value) !== 0)
      throw new ExpressionFailure('a number is not whole: round it');
    return checked(value);
  };
}
