import { ExpressionFailure } from '../problem.ts';
import { civilFromDays, dayOfWeek, daysFromCivil, isoWeek } from '../types/calendar.ts';
import { isInfinite, splitTimestamp, type TimestampValue } from '../types/date-time.ts';

interface Moment {
  /** Without a year 0, and without a sign: 1 BC is 1. */
  readonly year: number;
  readonly isBeforeChrist: boolean;
  readonly month: number;
  readonly day: number;
  readonly dayOfYear: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly days: number;
  /** Microseconds of the day. */
  readonly time: number;
}

type Field = (at: Moment, isFilled: boolean) => string;

const months = 'January February March April May June July August September October November December'.split(' ');
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ');

const number =
  (width: number, of: (at: Moment) => number): Field =>
  (at, isFilled) =>
    isFilled ? String(of(at)).padStart(width, '0') : String(of(at));
/** Of the digits of a second, which FM leaves as they are. */
const fraction =
  (digits: number): Field =>
  ({ time }) =>
    String(Math.floor((time % 1_000_000) / 10 ** (6 - digits))).padStart(digits, '0');
const name =
  (list: readonly string[], of: (at: Moment) => number, write: (name: string) => string): Field =>
  (at, isFilled) =>
    write(list[of(at)] ?? '').padEnd(isFilled ? 9 : 0);
const abbreviation =
  (list: readonly string[], of: (at: Moment) => number, write: (name: string) => string): Field =>
  (at) =>
    write((list[of(at)] ?? '').slice(0, 3));
const half =
  (before: string, after: string): Field =>
  ({ time }) =>
    time >= 43_200_000_000 ? after : before;
const era =
  (before: string, after: string): Field =>
  ({ isBeforeChrist }) =>
    isBeforeChrist ? before : after;

const month = (at: Moment): number => at.month - 1;
const weekday = (at: Moment): number => at.weekday;
const hour = ({ time }: Moment): number => Math.floor(time / 3_600_000_000);
const isoYear = ({ days }: Moment): number => {
  const { year } = isoWeek(days);
  return year > 0 ? year : 1 - year;
};
const upper = (text: string): string => text.toUpperCase();
const lower = (text: string): string => text.toLowerCase();
const same = (text: string): string => text;

/** What is written in capitals and in small letters alike. */
const plain: Readonly<Record<string, Field>> = {
  YYYY: number(4, ({ year }) => year),
  YYY: number(3, ({ year }) => year % 1_000),
  YY: number(2, ({ year }) => year % 100),
  Y: number(1, ({ year }) => year % 10),
  IYYY: number(4, isoYear),
  IYY: number(3, (at) => isoYear(at) % 1_000),
  IY: number(2, (at) => isoYear(at) % 100),
  I: number(1, (at) => isoYear(at) % 10),
  MM: number(2, (at) => at.month),
  DDD: number(3, (at) => at.dayOfYear),
  DD: number(2, (at) => at.day),
  D: number(1, (at) => at.weekday + 1),
  ID: number(1, (at) => at.weekday || 7),
  IW: number(2, ({ days }) => isoWeek(days).week),
  WW: number(2, (at) => Math.floor((at.dayOfYear - 1) / 7) + 1),
  W: number(1, (at) => Math.floor((at.day - 1) / 7) + 1),
  Q: number(1, (at) => Math.ceil(at.month / 3)),
  J: number(1, ({ days }) => days + 2_451_545),
  HH24: number(2, hour),
  HH12: number(2, (at) => hour(at) % 12 || 12),
  HH: number(2, (at) => hour(at) % 12 || 12),
  MI: number(2, ({ time }) => Math.floor(time / 60_000_000) % 60),
  SS: number(2, ({ time }) => Math.floor(time / 1_000_000) % 60),
  SSSSS: number(1, ({ time }) => Math.floor(time / 1_000_000)),
  SSSS: number(1, ({ time }) => Math.floor(time / 1_000_000)),
  MS: fraction(3),
  US: fraction(6),
  ...Object.fromEntries([1, 2, 3, 4, 5, 6].map((digits) => [`FF${digits}`, fraction(digits)])),
};

const fields: ReadonlyMap<string, Field> = new Map([
  ...Object.entries(plain),
  ...Object.entries(plain).map(([written, field]) => [written.toLowerCase(), field] as const),
  ['MONTH', name(months, month, upper)],
  ['Month', name(months, month, same)],
  ['month', name(months, month, lower)],
  ['MON', abbreviation(months, month, upper)],
  ['Mon', abbreviation(months, month, same)],
  ['mon', abbreviation(months, month, lower)],
  ['DAY', name(weekdays, weekday, upper)],
  ['Day', name(weekdays, weekday, same)],
  ['day', name(weekdays, weekday, lower)],
  ['DY', abbreviation(weekdays, weekday, upper)],
  ['Dy', abbreviation(weekdays, weekday, same)],
  ['dy', abbreviation(weekdays, weekday, lower)],
  ...['AM', 'PM'].flatMap((sign) => [
    [sign, half('AM', 'PM')] as const,
    [sign.toLowerCase(), half('am', 'pm')] as const,
  ]),
  ...['BC', 'AD'].flatMap((sign) => [[sign, era('BC', 'AD')] as const, [sign.toLowerCase(), era('bc', 'ad')] as const]),
]);

/** Patterns of the server that are not among them; they count, since the longest one is meant. */
const others = 'A.D. A.M. B.C. P.M. CC FX OF RM TZH TZM TZ IDDD Y,YYY TM TH SP'.split(' ');
const known = [...fields.keys(), ...others, ...others.map(lower)].sort((a, b) => b.length - a.length);

type Piece = string | { readonly field: Field; readonly isFilled: boolean };

/** to_char of timestamps, in English and in UTC. NULL of what is infinite, as at the server. */
export function formatTimestamp(micros: TimestampValue, format: string): string | null {
  const pieces = piecesOf(format);
  if (isInfinite(micros)) return null;
  const { days, time } = splitTimestamp(micros);
  const { year, month: ofYear, day } = civilFromDays(days);
  const at: Moment = {
    year: year > 0 ? year : 1 - year,
    isBeforeChrist: year <= 0,
    month: ofYear,
    day,
    dayOfYear: days - daysFromCivil(year, 1, 1) + 1,
    weekday: dayOfWeek(days),
    days,
    time: Number(time),
  };
  return pieces.map((piece) => (typeof piece === 'string' ? piece : piece.field(at, piece.isFilled))).join('');
}

const formats = new Map<string, readonly Piece[]>();

function piecesOf(format: string): readonly Piece[] {
  const made = formats.get(format) ?? readFormat(format);
  if (formats.size > 200) formats.clear();
  formats.set(format, made);
  return made;
}

function readFormat(format: string): readonly Piece[] {
  if (format === '') throw refused('an empty format');
  const pieces: Piece[] = [];
  for (let rest = format; rest !== ''; ) {
    const quoted = /^"([^"\\]*)"/.exec(rest);
    if (quoted !== null) {
      pieces.push(quoted[1] ?? '');
      rest = rest.slice(quoted[0].length);
      continue;
    }
    const isFilled = !/^FM/i.test(rest);
    const from = isFilled ? rest : rest.slice(2);
    const word = known.find((one) => from.startsWith(one));
    const field = word === undefined ? undefined : fields.get(word);
    if (word !== undefined && field !== undefined) {
      pieces.push({ field, isFilled });
      rest = from.slice(word.length);
      if (/^(TH|SP)/i.test(rest)) throw refused(`"${rest.slice(0, 2)}" behind a field`);
    } else if (!isFilled || /^[a-zA-Z"\\]/.test(rest))
      throw refused(`"${word ?? rest.slice(0, 1)}" (text stands in double quotes)`);
    else {
      pieces.push(rest.slice(0, 1));
      rest = rest.slice(1);
    }
  }
  return pieces;
}

function refused(what: string): ExpressionFailure {
  return new ExpressionFailure(`${what} in a format of to_char is not in the language`);
}
