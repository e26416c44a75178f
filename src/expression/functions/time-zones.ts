import { ExpressionFailure } from '../problem.ts';
import { checkTimestamp, isInfinite, type TimestampValue } from '../types/date-time.ts';
import { roundHalfEven } from '../types/float.ts';
import { addToTimestamp, Interval } from '../types/interval.ts';
import type { FunctionTable } from './function-table.ts';

const universal = new Set(['utc', 'gmt', 'etc/utc', 'z', 'zulu']);

/**
 * AT TIME ZONE of UTC and of fixed offsets. The rules of other zones change with each version of the zone database, and
 * the server's is not ours; an offset written as a text means the opposite of what ISO 8601 has ('+01' is west).
 */
export const zoneFunctions: FunctionTable = {
  'to_timestamp(float8)': timestampOfSeconds,
  'timezone(text,timestamptz)': inZone,
  'timezone(text,timestamp)': inZone,
  'timezone(interval,timestamptz)': (zone: Interval, at: TimestampValue) => shifted(at, zone, 1n),
  'timezone(interval,timestamp)': (zone: Interval, at: TimestampValue) => shifted(at, zone, -1n),
};

/** Of seconds since 1970; computed as the server does, in floating-point numbers. */
export function timestampOfSeconds(seconds: number): TimestampValue {
  if (!Number.isFinite(seconds))
    throw new ExpressionFailure('to_timestamp of an infinite number is not in the language');
  const micros = roundHalfEven((seconds - secondsTo2000) * 1_000_000);
  if (Math.abs(micros) > 9.3e18) throw new ExpressionFailure('a timestamp is out of range');
  return checkTimestamp(BigInt(micros));
}

const secondsTo2000 = 946_684_800;

function inZone(zone: string, at: TimestampValue): TimestampValue {
  if (!universal.has(zone.toLowerCase()))
    throw new ExpressionFailure(
      "a time zone other than 'UTC' and intervals (AT TIME ZONE interval '01:00') is not in the language",
    );
  return at;
}

/** Whole seconds. */
function offsetOf({ months, days, micros }: Interval): bigint {
  if (months !== 0 || days !== 0) throw new ExpressionFailure('a time zone has no months or days');
  return micros - (micros % 1_000_000n);
}

/** What is infinite stays so, whatever the zone. */
function shifted(at: TimestampValue, zone: Interval, direction: bigint): TimestampValue {
  return isInfinite(at) ? at : addToTimestamp(at, new Interval(0, 0, offsetOf(zone) * direction));
}
