import { ExpressionFailure } from '../problem.ts';
import { civilFromDays, daysFromCivil, daysInMonth } from './calendar.ts';

/** Days from 2000-01-01, or plus or minus Infinity. */
export type DateValue = number;
/** Microseconds from 2000-01-01 00:00, UTC where the type has a time zone; the two infinities are the ends of 64 bits, as at the server. */
export type TimestampValue = bigint;
/** Microseconds from midnight. */
export type TimeValue = number;

export const foreverAgo: TimestampValue = -(2n ** 63n);
export const forever: TimestampValue = 2n ** 63n - 1n;
export const microsOfDay = 86_400_000_000n;

/** 4714-11-24 BC, and the first day after the last one. */
const firstDay = -2_451_545;
const endOfDates = 2_145_031_949;
const firstTimestamp = -211_813_488_000_000_000n;
const endOfTimestamps = 9_223_371_331_200_000_000n;

export function checkDate(days: DateValue): DateValue {
  if (Number.isFinite(days) && (days < firstDay || days >= endOfDates))
    throw new ExpressionFailure('a date is out of range');
  return days;
}

export function checkTimestamp(micros: TimestampValue): TimestampValue {
  if (micros < firstTimestamp || micros >= endOfTimestamps) throw new ExpressionFailure('a timestamp is out of range');
  return micros;
}

export function isInfinite(micros: TimestampValue): boolean {
  return micros === forever || micros === foreverAgo;
}

const datePattern = /^(\d{4,7})-(\d{1,2})-(\d{1,2})( BC)?$/;
const timestampPattern =
  /^(\d{4,7}-\d{1,2}-\d{1,2})(?:[ T](\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?) ?(Z|UTC|[+-]\d{1,2}(?::?\d{2}(?::\d{2})?)?)?)?( BC)?$/;
const timePattern = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?$/;

/** ISO 8601 dates only; null for another text. A day that no calendar has is a failure. */
export function parseDate(text: string): DateValue | null {
  const trimmed = text.trim();
  if (trimmed === 'infinity') return Number.POSITIVE_INFINITY;
  if (trimmed === '-infinity') return Number.NEGATIVE_INFINITY;
  const match = datePattern.exec(trimmed);
  if (match === null) {
    const timestamp = timestampPattern.exec(trimmed);
    // A date takes the day of a timestamp, whatever its time.
    return timestamp === null || parseTimestamp(trimmed, false) === null
      ? null
      : parseDate(`${timestamp[1]}${timestamp[4] ?? ''}`);
  }
  const [, yearText, month, day, bc] = match;
  const year = bc === undefined ? Number(yearText) : 1 - Number(yearText);
  if (Number(yearText) < 1 || Number(month) < 1 || Number(month) > 12) throw noSuchDate();
  if (Number(day) < 1 || Number(day) > daysInMonth(year, Number(month))) throw noSuchDate();
  return checkDate(daysFromCivil(year, Number(month), Number(day)));
}

function noSuchDate(): ExpressionFailure {
  return new ExpressionFailure('a date has a month or day that there is not');
}

/** ISO 8601 only; without a time zone it is UTC. Of a type without one, what the text says of it counts for nothing. */
export function parseTimestamp(text: string, withZone: boolean): TimestampValue | null {
  const trimmed = text.trim();
  if (trimmed === 'infinity') return forever;
  if (trimmed === '-infinity') return foreverAgo;
  const match = timestampPattern.exec(trimmed);
  if (match === null) return null;
  const [, date, time, zone, bc] = match;
  const days = parseDate(`${date}${bc ?? ''}`);
  const micros = time === undefined ? 0 : parseTime(time);
  if (days === null || micros === null) return null;
  const offset = zoneOffset(zone);
  if (offset === null) return null;
  return checkTimestamp(BigInt(days) * microsOfDay + BigInt(micros) - (withZone ? BigInt(offset) * 1_000_000n : 0n));
}

/** Of a timestamp of the years 1 to 9999 as the server prints it, in UTC; null for the others. */
export function printedTimestamp(text: string): TimestampValue | null {
  if (text.charCodeAt(4) !== 0x2d || text.endsWith('C') || text.length < 19) return null;
  const number = (start: number, end: number): number => Number(text.slice(start, end));
  const zone = text.endsWith('+00') ? 3 : 0;
  const fraction = text.length - zone > 20 ? Number(text.slice(20, text.length - zone).padEnd(6, '0')) : 0;
  const seconds = number(11, 13) * 3_600 + number(14, 16) * 60 + number(17, 19);
  const days = daysFromCivil(number(0, 4), number(5, 7), number(8, 10));
  return joinTimestamp(days, seconds * 1_000_000 + fraction);
}

/** Seconds east of UTC. */
function zoneOffset(zone: string | undefined): number | null {
  if (zone === undefined || zone === 'Z' || zone === 'UTC') return 0;
  const [, sign, hours = '0', minutes = '0', seconds = '0'] = /^([+-])(\d{1,2}):?(\d{2})?:?(\d{2})?$/.exec(zone) ?? [];
  if (Number(hours) > 15 || Number(minutes) > 59 || Number(seconds) > 59) return null;
  const total = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds);
  return sign === '-' ? -total : total;
}

export function parseTime(text: string): TimeValue | null {
  const match = timePattern.exec(text.trim());
  if (match === null) return null;
  const [, hours, minutes, seconds = '0', fraction = ''] = match;
  const micros =
    (Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds)) * 1_000_000 + Number(fraction.padEnd(6, '0'));
  if (Number(minutes) > 59 || Number(seconds) > 60 || micros > Number(microsOfDay))
    throw new ExpressionFailure('a time of day is out of range');
  return micros;
}

export function dateText(days: DateValue): string {
  if (!Number.isFinite(days)) return days > 0 ? 'infinity' : '-infinity';
  const { text, bc } = civilText(days);
  return text + bc;
}

function civilText(days: number): { readonly text: string; readonly bc: string } {
  const { year, month, day } = civilFromDays(days);
  const shown = year > 0 ? year : 1 - year;
  const text = `${String(shown).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`;
  return { text, bc: year > 0 ? '' : ' BC' };
}

export function timestampText(micros: TimestampValue, zone: '' | '+00'): string {
  if (isInfinite(micros)) return micros > 0n ? 'infinity' : '-infinity';
  const { days, time } = splitTimestamp(micros);
  const { text, bc } = civilText(days);
  return `${text} ${timeText(time)}${zone}${bc}`;
}

export function timeText(micros: TimeValue): string {
  const seconds = Math.floor(micros / 1_000_000);
  const clock = `${twoDigits(Math.floor(seconds / 3_600))}:${twoDigits(Math.floor(seconds / 60) % 60)}:${twoDigits(seconds % 60)}`;
  return clock + fractionText(micros % 1_000_000);
}

/** Of microseconds, without zeros at its end. */
export function fractionText(micros: number): string {
  return micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
}

export function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

export function splitTimestamp(micros: TimestampValue): { readonly days: DateValue; readonly time: TimeValue } {
  let days = micros / microsOfDay;
  let time = micros % microsOfDay;
  if (time < 0n) {
    time += microsOfDay;
    days--;
  }
  return { days: Number(days), time: Number(time) };
}

export function joinTimestamp(days: DateValue, time: TimeValue): TimestampValue {
  return BigInt(days) * microsOfDay + BigInt(time);
}

export function dateToTimestamp(days: DateValue): TimestampValue {
  if (!Number.isFinite(days)) return days > 0 ? forever : foreverAgo;
  return checkTimestamp(joinTimestamp(days, 0));
}

export function timestampToDate(micros: TimestampValue): DateValue {
  if (isInfinite(micros)) return micros > 0n ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  return splitTimestamp(micros).days;
}
