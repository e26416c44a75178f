import { ExpressionFailure } from '../problem.ts';
import { checkTimestamp, isInfinite, type TimestampValue } from '../types/date-time.ts';
import { roundHalfEven } from '../types/float.ts';
import { addToTimestamp, Interval } from '../types/interval.ts';
import { NamedZone } from '../types/named-zone.ts';
import type { FunctionTable } from './function-table.ts';

const universal = new Set(['utc', 'gmt', 'etc/utc', 'z', 'zulu']);

/**
 * AT TIME ZONE of UTC, of fixed offsets, and of zones by their name of continent and city. An offset written as a text means the
 * opposite of what ISO 8601 has ('+01' is west), and an abbreviation what the server's own list says.
 */
export const zoneFunctions: FunctionTable = {
  'to_timestamp(float8)': timestampOfSeconds,
  'timezone(text,timestamptz)': (name: string, at: TimestampValue) => zoneOf(name)?.clockAt(at) ?? at,
  'timezone(text,timestamp)': (name: string, at: TimestampValue) => zoneOf(name)?.momentOf(at) ?? at,
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

const zones = new Map<string, NamedZone>();

/** Null: UTC. */
function zoneOf(name: string): NamedZone | null {
  if (universal.has(name.toLowerCase())) return null;
  const zone = zones.get(name) ?? NamedZone.find(name);
  if (zone === null)
    throw new ExpressionFailure(
      "a time zone other than 'UTC', names as 'Europe/Berlin', and intervals (AT TIME ZONE interval '01:00') is not in the language",
    );
  zones.set(name, zone);
  return zone;
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
