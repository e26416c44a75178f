import { ExpressionFailure } from '../problem.ts';
import { civilFromDays, daysFromCivil, daysInMonth } from './calendar.ts';
import {
  checkTimestamp,
  fractionText,
  isInfinite,
  joinTimestamp,
  microsOfDay,
  splitTimestamp,
  type TimestampValue,
  twoDigits,
} from './date-time.ts';

/** The three parts are kept apart: a month is no number of days, and a day no number of hours. */
export class Interval {
  readonly months: number;
  readonly days: number;
  readonly micros: bigint;

  /** Throws where a part is out of range. */
  constructor(months: number, days: number, micros: bigint) {
    const fits = (value: number): boolean => value >= -(2 ** 31) && value < 2 ** 31;
    if (!fits(months) || !fits(days) || micros < -(2n ** 63n) || micros >= 2n ** 63n)
      throw new ExpressionFailure('an interval is out of range');
    this.months = months + 0;
    this.days = days + 0;
    this.micros = micros;
  }

  toString(): string {
    const parts: string[] = [];
    let wasNegative = false;
    const part = (value: number, unit: string): void => {
      if (value === 0) return;
      parts.push(`${wasNegative && value > 0 ? '+' : ''}${value} ${unit}${value === 1 ? '' : 's'}`);
      wasNegative = value < 0;
    };
    part(Math.trunc(this.months / 12), 'year');
    part(this.months % 12, 'mon');
    part(this.days, 'day');
    if (parts.length === 0 || this.micros !== 0n) {
      const sign = this.micros < 0n ? '-' : wasNegative ? '+' : '';
      const micros = this.micros < 0n ? -this.micros : this.micros;
      const seconds = micros / 1_000_000n;
      const clock = [seconds / 3_600n, (seconds / 60n) % 60n, seconds % 60n].map((n) => twoDigits(Number(n))).join(':');
      parts.push(`${sign}${clock}${fractionText(Number(micros % 1_000_000n))}`);
    }
    return parts.join(' ');
  }
}

const months: Readonly<Record<string, number>> = { year: 12, mon: 1, month: 1 };
const days: Readonly<Record<string, number>> = { week: 7, day: 1 };
const micros: Readonly<Record<string, bigint>> = {
  hour: 3_600_000_000n,
  minute: 60_000_000n,
  min: 60_000_000n,
  second: 1_000_000n,
  sec: 1_000_000n,
  millisecond: 1_000n,
  microsecond: 1n,
};

const token = /([+-]?\d+)(\.\d{1,6})? *([a-z]+)|([+-]?)(\d+):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?/y;

/** `1 year 2 mons 3 days 04:05:06.7` and `90 minutes`; null for the many other forms that the server knows. */
export function parseInterval(text: string): Interval | null {
  const trimmed = text.trim().toLowerCase();
  let total = { months: 0, days: 0, micros: 0n };
  const seen = new Set<string>();
  token.lastIndex = 0;
  while (token.lastIndex < trimmed.length || seen.size === 0) {
    const match = token.exec(trimmed);
    if (match === null) return null;
    const unit = match[3]?.replace(/s$/, '') ?? 'clock';
    // The server refuses a unit twice, and a clock beside hours; so does this.
    if (seen.has(unit) || (unit === 'clock' && [...seen].some((name) => name in micros))) return null;
    if (seen.has('clock') && unit in micros) return null;
    seen.add(unit);
    const next = match[3] === undefined ? withClock(total, match) : withUnit(total, unit, match);
    if (next === null) return null;
    total = next;
    const rest = trimmed[token.lastIndex];
    if (rest === ' ') while (trimmed[token.lastIndex] === ' ') token.lastIndex++;
    else if (rest !== undefined) return null;
  }
  return new Interval(total.months, total.days, total.micros);
}

type Parts = { readonly months: number; readonly days: number; readonly micros: bigint };

function withUnit(total: Parts, unit: string, match: RegExpExecArray): Parts | null {
  const [, whole = '0', fraction] = match;
  if (fraction !== undefined) {
    if (unit !== 'second' && unit !== 'sec') return null;
    const part = BigInt(fraction.slice(1).padEnd(6, '0'));
    return { ...total, micros: total.micros + BigInt(whole) * 1_000_000n + (whole.startsWith('-') ? -part : part) };
  }
  const count = Number(whole);
  if (months[unit] !== undefined) return { ...total, months: total.months + count * months[unit] };
  if (days[unit] !== undefined) return { ...total, days: total.days + count * days[unit] };
  if (micros[unit] !== undefined) return { ...total, micros: total.micros + BigInt(whole) * micros[unit] };
  return null;
}

function withClock(total: Parts, match: RegExpExecArray): Parts | null {
  const [, , , , sign, hours = '0', minutes = '0', seconds = '0', fraction = ''] = match;
  if (Number(minutes) > 59 || Number(seconds) > 59) return null;
  const clock =
    (BigInt(hours) * 3_600n + BigInt(minutes) * 60n + BigInt(seconds)) * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
  return { ...total, micros: total.micros + (sign === '-' ? -clock : clock) };
}

export function addIntervals(a: Interval, b: Interval): Interval {
  return new Interval(a.months + b.months, a.days + b.days, a.micros + b.micros);
}

export function negateInterval(value: Interval): Interval {
  return new Interval(-value.months, -value.days, -value.micros);
}

/** A month counts as 30 days, as in the server's order of intervals. */
export function compareIntervals(a: Interval, b: Interval): number {
  const length = (value: Interval): bigint => BigInt(value.months * 30 + value.days) * microsOfDay + value.micros;
  const difference = length(a) - length(b);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** First the months (a day beyond the month's end becomes its last), then the days, then the time. */
export function addToTimestamp(start: TimestampValue, interval: Interval): TimestampValue {
  if (isInfinite(start)) return start;
  let { days: date, time } = splitTimestamp(start);
  if (interval.months !== 0) {
    const civil = civilFromDays(date);
    const count = civil.year * 12 + civil.month - 1 + interval.months;
    const year = Math.floor(count / 12);
    const month = count - year * 12 + 1;
    date = daysFromCivil(year, month, Math.min(civil.day, daysInMonth(year, month)));
    checkTimestamp(joinTimestamp(date, time));
  }
  const moved = checkTimestamp(joinTimestamp(date + interval.days, time));
  return checkTimestamp(moved + interval.micros);
}

export function timestampDifference(a: TimestampValue, b: TimestampValue): Interval {
  // Newer servers have infinite intervals, older ones fail.
  if (isInfinite(a) || isInfinite(b)) throw new ExpressionFailure('an infinite timestamp has no difference');
  const difference = a - b;
  if (difference < -(2n ** 63n) || difference >= 2n ** 63n) throw new ExpressionFailure('an interval is out of range');
  return new Interval(0, Number(difference / microsOfDay), difference % microsOfDay);
}
