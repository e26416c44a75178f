import { ValueRefused } from './value-refused.ts';

/** True where the date that the text begins with is one of the calendar. Infinities are taken for one. */
export function isCalendarDate(text: string): boolean {
  if (text.startsWith(lastDate) || text.endsWith('infinity')) return true;
  const [whole = '', year = '', month = '', day = ''] = date.exec(text) ?? [];
  const isThere =
    Number(year) > 0 && Number(month) > 0 && Number(day) > 0 && Number(day) <= daysOf(Number(year), Number(month));
  if (isThere) lastDate = whole;
  return isThere;
}

/** One that is: rows that were written one after the other are of one day. */
let lastDate = '1970-01-01';

const date = /^([0-9]+)-([0-9]{2})-([0-9]{2})/;

function daysOf(year: number, month: number): number {
  if (month !== 2) return [4, 6, 9, 11].includes(month) ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

/** Seconds east of UTC: of `UTC`, `+02:00`, `-05:30`. */
export function offsetSeconds(zone: string): number {
  if (zone === 'UTC') return 0;
  const [, sign, hours, minutes] = /^([-+])([0-9]{2}):([0-9]{2})$/.exec(zone) ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3_600 + Number(minutes) * 60);
}

/** Of a date and time of four digits of years; the fraction stays. Throws a ValueRefused where the year has no longer four digits. */
export function addSeconds(text: string, seconds: number): string {
  const [moment = '', fraction] = text.split('.');
  const at = new Date(`${moment.replace(' ', 'T')}Z`).getTime() + seconds * 1_000;
  const year = new Date(at).getUTCFullYear();
  if (year < 1 || year > 9_999) throw new ValueRefused('dateRange');
  const iso = new Date(at).toISOString().slice(0, 19).replace('T', ' ');
  return fraction === undefined ? iso : `${iso}.${fraction}`;
}

/** A time, or a date and time, with at most so many digits of a second, none of them zeros at the end. */
export function roundFraction(text: string, digits: number, how: 'round' | 'truncate'): string {
  const era = text.endsWith(' BC') ? ' BC' : '';
  const [whole = '', fraction = ''] = text.slice(0, text.length - era.length).split('.');
  const kept = fraction.slice(0, digits);
  const goesUp = how === 'round' && (fraction[digits] ?? '0') >= '5';
  if (!goesUp) return withFraction(whole, kept) + era;
  const raised = (BigInt(`1${kept}`) + 1n).toString();
  if (raised.startsWith('1')) return withFraction(whole, raised.slice(1)) + era;
  if (era !== '') throw new ValueRefused('fraction');
  return nextSecond(whole);
}

function withFraction(whole: string, fraction: string): string {
  const significant = fraction.replace(/0+$/, '');
  return significant === '' ? whole : `${whole}.${significant}`;
}

function nextSecond(text: string): string {
  if (text.includes(' ')) {
    if (text.indexOf('-') !== 4 || !isCalendarDate(text)) throw new ValueRefused('fraction');
    return addSeconds(text, 1);
  }
  const [, sign = '', hours = '', minutes = '', seconds = ''] = /^(-?)([0-9]+):([0-9]+):([0-9]+)$/.exec(text) ?? [];
  const all = Number(hours) * 3_600 + Number(minutes) * 60 + Number(seconds) + 1;
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${sign}${two(Math.floor(all / 3_600))}:${two(Math.floor(all / 60) % 60)}:${two(all % 60)}`;
}
