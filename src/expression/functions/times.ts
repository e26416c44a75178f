import { ExpressionFailure } from '../problem.ts';
import { checkDate, dateToTimestamp, microsOfDay, type TimestampValue } from '../types/date-time.ts';
import { addIntervals, addToTimestamp, Interval, negateInterval, timestampDifference } from '../types/interval.ts';
import type { FunctionTable } from './function-table.ts';
import { fieldOfDate, fieldOfInterval, fieldOfTime, fieldOfTimestamp } from './time-fields.ts';
import { truncateInterval, truncateTimestamp } from './truncate-time.ts';

const minus = (timestamp: TimestampValue, interval: Interval): TimestampValue =>
  addToTimestamp(timestamp, negateInterval(interval));

function addDays(date: number, days: number): number {
  return checkDate(date + days);
}

function daysBetween(a: number, b: number): number {
  if (!Number.isFinite(a) || !Number.isFinite(b)) throw new ExpressionFailure('an infinite date has no difference');
  return a - b;
}

/** A time of day goes round at midnight; months and days count for nothing. */
function addToTime(time: number, micros: bigint): number {
  const sum = (BigInt(time) + micros) % microsOfDay;
  return Number(sum < 0n ? sum + microsOfDay : sum);
}

/** Infinite dates stay infinite, whatever the time. */
function atTime(date: number, time: number): TimestampValue {
  const start = dateToTimestamp(date);
  return Number.isFinite(date) ? addToTimestamp(start, new Interval(0, 0, BigInt(time))) : start;
}

function stamps(type: 'timestamp' | 'timestamptz'): FunctionTable {
  return {
    [`+(${type},interval)`]: addToTimestamp,
    [`+(interval,${type})`]: (interval: Interval, timestamp: TimestampValue) => addToTimestamp(timestamp, interval),
    [`-(${type},interval)`]: minus,
    [`-(${type},${type})`]: timestampDifference,
    [`date_trunc(text,${type})`]: truncateTimestamp,
    [`extract(text,${type})`]: fieldOfTimestamp,
  };
}

export const timeFunctions: FunctionTable = {
  ...stamps('timestamp'),
  ...stamps('timestamptz'),
  '+(date,int4)': addDays,
  '+(int4,date)': (days: number, date: number) => addDays(date, days),
  '-(date,int4)': (date: number, days: number) => addDays(date, -days),
  '-(date,date)': daysBetween,
  '+(date,interval)': (date: number, interval: Interval) => addToTimestamp(dateToTimestamp(date), interval),
  '+(interval,date)': (interval: Interval, date: number) => addToTimestamp(dateToTimestamp(date), interval),
  '-(date,interval)': (date: number, interval: Interval) => minus(dateToTimestamp(date), interval),
  '+(date,time)': atTime,
  '+(time,date)': (time: number, date: number) => atTime(date, time),
  '+(time,interval)': (time: number, interval: Interval) => addToTime(time, interval.micros),
  '+(interval,time)': (interval: Interval, time: number) => addToTime(time, interval.micros),
  '-(time,interval)': (time: number, interval: Interval) => addToTime(time, -interval.micros),
  '-(time,time)': (a: number, b: number) => new Interval(0, 0, BigInt(a - b)),
  '+(interval,interval)': addIntervals,
  '-(interval,interval)': (a: Interval, b: Interval) => addIntervals(a, negateInterval(b)),
  '-(interval)': negateInterval,
  'date_trunc(text,interval)': truncateInterval,
  'extract(text,date)': fieldOfDate,
  'extract(text,time)': fieldOfTime,
  'extract(text,interval)': fieldOfInterval,
};
