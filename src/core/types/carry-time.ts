import { type Carrying, type Check, checked, nullIf, refused } from './carrying.ts';
import type { Conversions } from './conversions.ts';
import type { LogicalType } from './logical-type.ts';
import { addSeconds, isCalendarDate, offsetSeconds, roundFraction } from './time-text.ts';
import { ValueRefused } from './value-refused.ts';

type DateType = Extract<LogicalType, { kind: 'date' }>;
type TimeType = Extract<LogicalType, { kind: 'time' }>;
type TimestampType = Extract<LogicalType, { kind: 'timestamp' }>;

/** Between dates, times and timestamps; null where it is not about these. */
export function carryTime(from: LogicalType, to: LogicalType, conversions: Conversions): Carrying | null {
  if (from.kind === 'date' && to.kind === 'date') return checked(dateChecks(from, to, conversions));
  if (from.kind === 'time' && to.kind === 'time') return carryTimeOfDay(from, to, conversions);
  if (from.kind === 'timestamp' && to.kind === 'timestamp') return carryTimestamp(from, to, conversions);
  if (from.kind === 'date' && to.kind === 'timestamp' && !to.moment)
    return checked(dateChecks(from, to, conversions), (value) =>
      value.includes('infinity')
        ? value
        : value.endsWith(' BC')
          ? `${value.slice(0, -3)} 00:00:00 BC`
          : `${value} 00:00:00`,
    );
  return null;
}

/** What is checked of a date, or of the date that a timestamp begins with. */
function dateChecks(
  from: DateType | TimestampType,
  to: DateType | TimestampType,
  { zeroDate, dateRange }: Conversions,
): Check[] {
  return [
    {
      condition: 'zeroDate',
      applies: from.zero && !to.zero,
      fails: (value) => !isCalendarDate(value),
      convert: nullIf(zeroDate),
    },
    {
      condition: 'dateRange',
      applies: (from.infinity && !to.infinity) || isNarrower(from, to),
      fails: (value) => isBeyond(value, to),
      convert: nullIf(dateRange),
    },
  ];
}

const eras = ['unix32', 'fourDigits', 'all'];

function isNarrower(from: DateType | TimestampType, to: DateType | TimestampType): boolean {
  return eras.indexOf(to.era) < eras.indexOf(from.era);
}

/** What MySQL's TIMESTAMP begins and ends with; its first second means a zero date. */
const unixRange = ['1970-01-01 00:00:01', '2038-01-19 03:14:07.999999'] as const;

function isBeyond(value: string, to: DateType | TimestampType): boolean {
  if (value.endsWith('infinity')) return !to.infinity;
  if (to.era === 'all') return false;
  if (value.endsWith(' BC') || value.indexOf('-') !== 4) return true;
  if (to.zero && !isCalendarDate(value)) return false;
  return to.era === 'unix32' && (value < unixRange[0] || value > unixRange[1]);
}

function fractionCheck(from: number, to: number, { fraction }: Conversions): Check {
  return {
    condition: 'fraction',
    applies: from > to,
    fails: (value) => (value.replace(/ BC$/, '').split('.')[1]?.length ?? 0) > to,
    convert: fraction && ((value) => roundFraction(value, to, fraction)),
  };
}

function carryTimeOfDay(from: TimeType, to: TimeType, conversions: Conversions): Carrying {
  return checked([
    fractionCheck(from.digits, to.digits, conversions),
    // Rounding may leave the day.
    {
      condition: 'timeRange',
      applies: from.span && !to.span,
      fails: (value) => value.startsWith('-') || value > '24:00:00' || value.indexOf(':') !== 2,
    },
  ]);
}

function carryTimestamp(from: TimestampType, to: TimestampType, conversions: Conversions): Carrying {
  if (from.moment === to.moment)
    return checked([fractionCheck(from.digits, to.digits, conversions), ...dateChecks(from, to, conversions)]);
  const zone = conversions.zone;
  if (zone === undefined)
    return refused(
      from.moment
        ? 'the target keeps times without a zone: name the one that is meant with "convert: { zone: UTC }", or use a type with zone'
        : 'the source keeps times without a zone: name the one that is meant with "convert: { zone: UTC }", or use a type without zone',
    );
  const shift = offsetSeconds(zone) * (from.moment ? 1 : -1);
  const between: TimestampType = { ...from, moment: to.moment };
  const shifted: Check = {
    condition: 'dateRange',
    applies: shift !== 0,
    fails: () => true,
    convert: (value) => {
      try {
        return shiftedBy(value, shift);
      } catch (error) {
        if (error instanceof ValueRefused && conversions.dateRange !== undefined) return null;
        throw error;
      }
    },
  };
  const carrying = checked([
    shifted,
    fractionCheck(from.digits, to.digits, conversions),
    ...dateChecks(between, to, conversions),
  ]);
  if (carrying.kind === 'refused') return carrying;
  // A fixed distance takes nothing away.
  const converted = carrying.converted.filter((condition, at) => at > 0 || condition !== 'dateRange' || shift === 0);
  return { ...carrying, converted, injective: converted.length === 0 };
}

function shiftedBy(value: string, seconds: number): string {
  if (value.endsWith('infinity') || !isCalendarDate(value)) return value;
  if (value.endsWith(' BC') || value.indexOf('-') !== 4) throw new ValueRefused('dateRange');
  return addSeconds(value, seconds);
}
