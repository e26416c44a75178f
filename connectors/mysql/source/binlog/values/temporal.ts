import { sixDigits } from './number-text.ts';

const two: readonly string[] = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));

function twoDigits(value: number): string {
  return two[value] ?? String(value);
}

function dateText(year: number, month: number, day: number): string {
  const start = year > 999 ? String(year) : String(year).padStart(4, '0');
  return `${start}-${twoDigits(month)}-${twoDigits(day)}`;
}

function clockText(hours: number, minutes: number, seconds: number): string {
  return `${twoDigits(hours)}:${twoDigits(minutes)}:${twoDigits(seconds)}`;
}

/** Bytes of a fraction with so many digits. */
export function fractionBytes(digits: number): number {
  return (digits + 1) >> 1;
}

function bigEndian(bytes: Buffer, start: number, length: number): number {
  let value = 0;
  for (let i = start; i < start + length; i++) value = value * 256 + (bytes[i] ?? 0);
  return value;
}

/** `.` and the digits that the column has; '' where it has none. `stored` counts units of the stored bytes: hundredths, ten thousandths, millionths. */
function fractionText(stored: number, digits: number): string {
  if (digits === 0) return '';
  if (digits === 6 && stored < 1_000_000) return `.${sixDigits(stored)}`;
  const full = String(stored).padStart(fractionBytes(digits) * 2, '0');
  return `.${full.slice(0, digits)}`;
}

/** Three bytes: day 5 bits, month 4, year 15. */
export function readDate(bytes: Buffer, start: number): string {
  const value = (bytes[start] ?? 0) | ((bytes[start + 1] ?? 0) << 8) | ((bytes[start + 2] ?? 0) << 16);
  return dateText(value >> 9, (value >> 5) & 15, value & 31);
}

/** Five bytes: sign, year * 13 + month 17 bits, day 5, hour 5, minute 6, second 6; then the fraction. */
export function readDateTime(bytes: Buffer, start: number, digits: number): string {
  const high = ((bytes[start] ?? 0) << 16) | ((bytes[start + 1] ?? 0) << 8) | (bytes[start + 2] ?? 0);
  const low = ((bytes[start + 3] ?? 0) << 8) | (bytes[start + 4] ?? 0);
  if (high !== lastHigh || low !== lastLow) {
    lastHigh = high;
    lastLow = low;
    const months = (high >> 6) & 0x1ffff;
    const hour = ((high & 1) << 4) | (low >> 12);
    const date = dateText(Math.floor(months / 13), months % 13, (high >> 1) & 31);
    lastMoment = `${date} ${clockText(hour, (low >> 6) & 63, low & 63)}`;
  }
  if (digits === 0) return lastMoment;
  return `${lastMoment}${fractionText(bigEndian(bytes, start + 5, fractionBytes(digits)), digits)}`;
}

let lastHigh = -1;
let lastLow = -1;
/** As of timestamps below. */
let lastMoment = '';

/** Four bytes of seconds since 1970, then the fraction: as UTC. Zero is the zero date. */
export function readTimestamp(bytes: Buffer, start: number, digits: number): string {
  const seconds = bigEndian(bytes, start, 4);
  const fraction = digits === 0 ? '' : fractionText(bigEndian(bytes, start + 4, fractionBytes(digits)), digits);
  if (seconds !== lastSeconds) {
    lastSeconds = seconds;
    lastSecondsText = secondsText(seconds);
  }
  return digits === 0 ? lastSecondsText : `${lastSecondsText}${fraction}`;
}

/** Rows that were written one after the other are often of one second. */
let lastSeconds = 0;
let lastSecondsText = '0000-00-00 00:00:00';

function secondsText(seconds: number): string {
  if (seconds === 0) return '0000-00-00 00:00:00';
  const days = Math.floor(seconds / 86_400);
  const rest = seconds - days * 86_400;
  const clock = clockText(Math.floor(rest / 3_600), Math.floor(rest / 60) % 60, rest % 60);
  return `${dayText(days)} ${clock}`;
}

let lastDays = -1;
let lastDayText = '';

/** And of one day. */
function dayText(days: number): string {
  if (days !== lastDays) {
    lastDays = days;
    lastDayText = new Date(days * 86_400_000).toISOString().slice(0, 10);
  }
  return lastDayText;
}

/**
 * Three bytes and the fraction, as one big-endian number with its middle at 800000: sign, hour 10 bits, minute 6,
 * second 6. Of a negative time all of it is the complement, the fraction too.
 */
export function readTime(bytes: Buffer, start: number, digits: number): string {
  const length = fractionBytes(digits);
  const unit = 256 ** length;
  const packed = bigEndian(bytes, start, 3 + length) - 0x800000 * unit;
  const value = Math.abs(packed);
  const whole = Math.floor(value / unit);
  const clock = clockText((whole >> 12) & 0x3ff, (whole >> 6) & 63, whole & 63);
  return `${packed < 0 ? '-' : ''}${clock}${fractionText(value - whole * unit, digits)}`;
}

/** As JSON documents hold dates and times: 40 bits for the moment and 24 for the microseconds, signed. */
export function readPacked(packed: bigint, kind: 'date' | 'datetime' | 'time'): string {
  const value = packed < 0n ? -packed : packed;
  const micros = `.${String(Number(value & 0xffffffn)).padStart(6, '0')}`;
  const high = Number(value >> 24n);
  const clockBits = high % 2 ** 17;
  if (kind === 'time') {
    const clock = clockText((high >> 12) & 0x3ff, (high >> 6) & 63, high & 63);
    return `${packed < 0n ? '-' : ''}${clock}${micros}`;
  }
  const dayBits = Math.floor(high / 2 ** 17);
  const months = dayBits >> 5;
  const date = dateText(Math.floor(months / 13), months % 13, dayBits & 31);
  if (kind === 'date') return date;
  return `${date} ${clockText(clockBits >> 12, (clockBits >> 6) & 63, clockBits & 63)}${micros}`;
}
