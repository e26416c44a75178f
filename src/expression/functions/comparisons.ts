import { dateToTimestamp } from '../types/date-time.ts';
import { compareIntervals } from '../types/interval.ts';
import { compareNumeric } from '../types/numeric.ts';
import { compareText, trimBlanks } from '../types/text.ts';
import type { FunctionTable } from './function-table.ts';

/** Below 0, 0 or above 0. */
type Order = (a: never, b: never) => number;

const plain = (a: number | bigint | string, b: number | bigint | string): number => (a < b ? -1 : a > b ? 1 : 0);

/** NaN is equal to itself and above everything. */
const floats = (a: number, b: number): number => {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return Number.isNaN(b) ? -1 : a - b < 0 ? -1 : a > b ? 1 : 0;
};

const booleans = (a: boolean, b: boolean): number => Number(a) - Number(b);
const padded = (a: string, b: string): number => compareText(trimBlanks(a), trimBlanks(b));
const bytes = (a: Buffer, b: Buffer): number => Buffer.compare(a, b);

const whole = ['int2', 'int4', 'int8'];
const orders: Readonly<Record<string, Order>> = {
  ...Object.fromEntries(whole.flatMap((left) => whole.map((right) => [`${left},${right}`, plain]))),
  'float4,float4': floats,
  'float4,float8': floats,
  'float8,float4': floats,
  'float8,float8': floats,
  'numeric,numeric': compareNumeric,
  'bool,bool': booleans,
  'text,text': compareText,
  'name,name': compareText,
  'name,text': compareText,
  'text,name': compareText,
  'bpchar,bpchar': padded,
  'date,date': plain,
  'time,time': plain,
  'timestamp,timestamp': plain,
  'timestamptz,timestamptz': plain,
  'timestamp,timestamptz': plain,
  'timestamptz,timestamp': plain,
  'date,timestamp': (a: number, b: bigint) => plain(dayStart(a), b),
  'date,timestamptz': (a: number, b: bigint) => plain(dayStart(a), b),
  'timestamp,date': (a: bigint, b: number) => plain(a, dayStart(b)),
  'timestamptz,date': (a: bigint, b: number) => plain(a, dayStart(b)),
  'interval,interval': compareIntervals,
  'uuid,uuid': plain,
  'bytea,bytea': bytes,
};

/** Also of days that no timestamp reaches: they are compared, not converted. */
function dayStart(days: number): bigint | number {
  const beyond = 106_751_991;
  return days > beyond && Number.isFinite(days) ? 9.223e18 : dateToTimestamp(days);
}

/** Equality that needs no order. */
const equalities: Readonly<Record<string, (a: never, b: never) => boolean>> = {
  'text,text': (a: string, b: string) => a === b,
  'name,name': (a: string, b: string) => a === b,
  'name,text': (a: string, b: string) => a === b,
  'text,name': (a: string, b: string) => a === b,
  'bpchar,bpchar': (a: string, b: string) => trimBlanks(a) === trimBlanks(b),
};

export const comparisonFunctions: FunctionTable = Object.fromEntries(
  Object.entries(orders).flatMap(([types, order]) => {
    const equal = equalities[types] ?? ((a: never, b: never) => order(a, b) === 0);
    return [
      [`=(${types})`, equal],
      [`<>(${types})`, (a: never, b: never) => !equal(a, b)],
      [`<(${types})`, (a: never, b: never) => order(a, b) < 0],
      [`<=(${types})`, (a: never, b: never) => order(a, b) <= 0],
      [`>(${types})`, (a: never, b: never) => order(a, b) > 0],
      [`>=(${types})`, (a: never, b: never) => order(a, b) >= 0],
    ];
  }),
);
