import { civilFromDays, dayOfWeek, daysFromCivil, isoWeek } from '../types/calendar.ts';
import { isInfinite, splitTimestamp, type TimestampValue } from '../types/date-time.ts';
import type { Interval } from '../types/interval.ts';
import { divide, fromInteger, infinity, minusInfinity, Numeric, round } from '../types/numeric.ts';

/** Fields that go on growing with time, so that they are infinite where the time is; the others are NULL there. */
const growing = new Set(['year', 'decade', 'century', 'millennium', 'isoyear', 'epoch']);
const secondsTo2000 = 946_684_800;

const dateFields = new Set([...growing, 'quarter', 'month', 'week', 'day', 'dow', 'isodow', 'doy']);
const clockFields = new Set(['hour', 'minute', 'second', 'milliseconds', 'microseconds']);

const zoneFields = ['timezone', 'timezone_hour', 'timezone_minute'];
const dateTimeFields = [...dateFields, ...clockFields];
const intervalFields = ['year', 'decade', 'century', 'millennium', 'month', 'day', 'epoch', ...clockFields];
const units = ['day', 'month', 'quarter', 'year', 'decade', 'century', 'millennium', ...clockFields];

/** What can be asked for, by function; without the server's abbreviations, and without what its versions do differently. */
export const timeFields: Readonly<Record<string, ReadonlySet<string>>> = {
  'extract(text,date)': dateFields,
  'extract(text,timestamp)': new Set(dateTimeFields),
  'extract(text,timestamptz)': new Set([...dateTimeFields, ...zoneFields]),
  'extract(text,time)': new Set(['epoch', ...clockFields]),
  'extract(text,interval)': new Set(intervalFields),
  'date_trunc(text,timestamp)': new Set([...units, 'week']),
  'date_trunc(text,timestamptz)': new Set([...units, 'week']),
  'date_trunc(text,interval)': new Set(units),
};

export function fieldOfDate(written: string, days: number): Numeric | null {
  const field = written.toLowerCase();
  if (!Number.isFinite(days)) return atInfinity(field, days > 0);
  return field === 'epoch' ? fromInteger(days * 86_400 + secondsTo2000) : dayField(field, days);
}

export function fieldOfTimestamp(written: string, micros: TimestampValue): Numeric | null {
  const field = written.toLowerCase();
  if (isInfinite(micros)) return atInfinity(field, micros > 0n);
  // The time zone is UTC.
  if (field.startsWith('timezone')) return fromInteger(0);
  if (field === 'epoch') return epochOf(micros);
  const { days, time } = splitTimestamp(micros);
  return dateFields.has(field) ? dayField(field, days) : clockField(field, BigInt(time));
}

/** Beyond 64 bits of microseconds the server divides, which keeps 16 digits. */
function epochOf(micros: TimestampValue): Numeric {
  const since1970 = micros + BigInt(secondsTo2000) * 1_000_000n;
  if (since1970 < 2n ** 63n - 1n) return new Numeric(since1970, 6);
  return round(divide(fromInteger(since1970), fromInteger(1_000_000)), 6);
}

export function fieldOfTime(written: string, micros: number): Numeric {
  const field = written.toLowerCase();
  if (field === 'epoch') return new Numeric(BigInt(micros), 6);
  return clockField(field, BigInt(micros));
}

function atInfinity(field: string, isPositive: boolean): Numeric | null {
  if (!growing.has(field)) return null;
  return isPositive ? infinity : minusInfinity;
}

function dayField(field: string, days: number): Numeric {
  const { year, month, day } = civilFromDays(days);
  const value = ((): number => {
    switch (field) {
      // There is no year 0: 1 BC is -1.
      case 'year':
        return year > 0 ? year : year - 1;
      case 'decade':
        return Math.floor(year / 10);
      case 'century':
        return year > 0 ? Math.ceil(year / 100) : -Math.ceil((1 - year) / 100);
      case 'millennium':
        return year > 0 ? Math.ceil(year / 1_000) : -Math.ceil((1 - year) / 1_000);
      case 'isoyear': {
        const iso = isoWeek(days).year;
        return iso > 0 ? iso : iso - 1;
      }
      case 'quarter':
        return Math.ceil(month / 3);
      case 'month':
        return month;
      case 'week':
        return isoWeek(days).week;
      case 'day':
        return day;
      case 'dow':
        return dayOfWeek(days);
      case 'isodow':
        return dayOfWeek(days) || 7;
      default:
        return days - daysFromCivil(year, 1, 1) + 1;
    }
  })();
  return fromInteger(value);
}

/** Of the microseconds of a day, or of the time of an interval. */
function clockField(field: string, micros: bigint): Numeric {
  switch (field) {
    case 'hour':
      return fromInteger(micros / 3_600_000_000n);
    case 'minute':
      return fromInteger((micros / 60_000_000n) % 60n);
    case 'second':
      return new Numeric(micros % 60_000_000n, 6);
    case 'milliseconds':
      return new Numeric(micros % 60_000_000n, 3);
    default:
      return fromInteger(micros % 60_000_000n);
  }
}

export function fieldOfInterval(written: string, value: Interval): Numeric {
  const field = written.toLowerCase();
  const years = Math.trunc(value.months / 12);
  const months = value.months % 12;
  switch (field) {
    case 'year':
      return fromInteger(years);
    case 'decade':
      return fromInteger(Math.trunc(years / 10));
    case 'century':
      return fromInteger(Math.trunc(years / 100));
    case 'millennium':
      return fromInteger(Math.trunc(years / 1_000));
    case 'month':
      return fromInteger(months);
    case 'day':
      return fromInteger(value.days);
    case 'epoch': {
      // A year counts as 365.25 days, a month as 30.
      const hours = BigInt(years) * 8_766n + BigInt(months) * 720n + BigInt(value.days) * 24n;
      return new Numeric(hours * 3_600_000_000n + value.micros, 6);
    }
    default:
      return clockField(field, value.micros);
  }
}
