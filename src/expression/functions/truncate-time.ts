import { civilFromDays, daysFromCivil, isoWeek } from '../types/calendar.ts';
import { checkTimestamp, isInfinite, joinTimestamp, splitTimestamp, type TimestampValue } from '../types/date-time.ts';
import { Interval } from '../types/interval.ts';

const clockUnits: Readonly<Record<string, bigint>> = {
  microseconds: 1n,
  milliseconds: 1_000n,
  second: 1_000_000n,
  minute: 60_000_000n,
  hour: 3_600_000_000n,
};
const monthUnits: Readonly<Record<string, number>> = {
  month: 1,
  quarter: 3,
  year: 12,
  decade: 120,
  century: 1_200,
  millennium: 12_000,
};

/** The time zone is UTC. */
export function truncateTimestamp(written: string, micros: TimestampValue): TimestampValue {
  const unit = written.toLowerCase();
  const clock = clockUnits[unit];
  if (isInfinite(micros)) return micros;
  const { days, time } = splitTimestamp(micros);
  if (clock !== undefined) return joinTimestamp(days, Number(BigInt(time) - (BigInt(time) % clock)));
  if (unit === 'day') return joinTimestamp(days, 0);
  if (unit === 'week') return checkTimestamp(joinTimestamp(isoWeek(days).monday, 0));
  const { year, month } = civilFromDays(days);
  const first = firstMonth(year, month, monthUnits[unit] ?? 1);
  return checkTimestamp(joinTimestamp(daysFromCivil(first.year, first.month, 1), 0));
}

function firstMonth(year: number, month: number, unit: number): { readonly year: number; readonly month: number } {
  if (unit <= 12) return { year, month: month - ((month - 1) % unit) };
  const years = unit / 12;
  // Decades start with years that end in 0, centuries and millennia with years that end in 1; before Christ they end so.
  if (years === 10) return { year: Math.floor(year / 10) * 10, month: 1 };
  return { year: Math.floor((year - 1) / years) * years + 1, month: 1 };
}

export function truncateInterval(written: string, value: Interval): Interval {
  const unit = written.toLowerCase();
  const clock = clockUnits[unit];
  if (clock !== undefined) return new Interval(value.months, value.days, value.micros - (value.micros % clock));
  if (unit === 'day') return new Interval(value.months, value.days, 0n);
  return new Interval(value.months - (value.months % (monthUnits[unit] ?? 1)), 0, 0n);
}
