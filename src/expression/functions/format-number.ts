import { ExpressionFailure } from '../problem.ts';
import { type Numeric, round } from '../types/numeric.ts';

/** What stands in a format: a place for a digit, and what is written between places. */
type Piece = '9' | '0' | ',' | '.' | { readonly text: string };

interface NumberFormat {
  readonly pieces: readonly Piece[];
  /** FM: nothing is filled with blanks, and zeros at the end of the fraction go. */
  readonly isTrimmed: boolean;
  /** Places before the point, and behind it. */
  readonly whole: number;
  readonly fraction: number;
  /** The place before the point from which on zeros are written; null: none. */
  readonly firstZero: number | null;
  /** How many digits of the fraction stay even where they are zeros. */
  readonly keptFraction: number;
}

/** to_char of numbers with places for digits, groups and a point: what the server's locale has no part in. */
export function formatNumber(value: Numeric, format: string): string {
  const rule = formatOf(format);
  if (value.special !== null) throw new ExpressionFailure('to_char of NaN and infinity is not in the language');
  return write(digitsOf(value, rule), rule);
}

interface Digits {
  readonly isNegative: boolean;
  readonly whole: string;
  readonly fraction: string;
}

/** A number that has more digits than there are places is written as so many number signs. */
function digitsOf(value: Numeric, { whole, fraction }: NumberFormat): Digits {
  const rounded = round(value, fraction);
  const [before = '', after = ''] = rounded.toString().replace('-', '').split('.');
  const isNegative = rounded.digits < 0n;
  if (before.length > whole) return { isNegative, whole: '#'.repeat(whole), fraction: '#'.repeat(fraction) };
  return { isNegative, whole: before, fraction: after };
}

function write(digits: Digits, rule: NumberFormat): string {
  const { isTrimmed, firstZero } = rule;
  const blanks = rule.whole - digits.whole.length;
  const shown = isTrimmed ? Math.max(digits.fraction.replace(/0+$/, '').length, rule.keptFraction) : rule.fraction;
  // A zero alone before the point is left out where no 0 asks for it, unless nothing else would be written.
  const isHidden = firstZero === null && rule.fraction > 0 && digits.whole === '0';
  const blank = isTrimmed ? '' : ' ';
  let text = '';
  let place = 0;
  let isSigned = false;
  let wroteDigit = false;
  const sign = (): void => {
    if (!isSigned) text += digits.isNegative ? '-' : blank;
    isSigned = true;
  };
  for (const piece of rule.pieces) {
    if (typeof piece === 'object') text += piece.text;
    else if (piece === ',') text += wroteDigit ? ',' : blank;
    else if (piece === '.') {
      sign();
      text += '.';
      place++;
      wroteDigit = false;
    } else if (place < rule.whole) {
      const digit = digits.whole[place - blanks];
      const isFiller = firstZero !== null && place >= firstZero;
      wroteDigit = false;
      if (digit === undefined && !isFiller) text += blank;
      else if (digit !== undefined && isHidden) {
        if (isTrimmed && shown === 0) {
          sign();
          text += '0';
        } else text += blank;
      } else {
        sign();
        text += digit ?? '0';
        wroteDigit = true;
      }
      place++;
    } else {
      const at = place - rule.whole - 1;
      wroteDigit = at < shown;
      if (wroteDigit) text += digits.fraction[at] ?? '';
      place++;
    }
  }
  return text;
}

const formats = new Map<string, NumberFormat>();

function formatOf(format: string): NumberFormat {
  const made = formats.get(format) ?? readFormat(format);
  if (formats.size > 200) formats.clear();
  formats.set(format, made);
  return made;
}

const token = /^(?:([90,.])|"([^"\\]*)"|([^A-Za-z0-9"\\,.]))/u;

function readFormat(format: string): NumberFormat {
  const isTrimmed = /^FM/i.test(format);
  const pieces: Piece[] = [];
  const counts = { whole: 0, fraction: 0 };
  let firstZero: number | null = null;
  let keptFraction = 0;
  let hasPoint = false;
  for (let rest = isTrimmed ? format.slice(2) : format; rest !== ''; ) {
    const match = token.exec(rest);
    if (match === null) throw refused(`"${rest.slice(0, 1)}"`);
    const [written, place, quoted, other] = match;
    rest = rest.slice(written.length);
    if (place === undefined) {
      pieces.push({ text: quoted ?? other ?? '' });
      continue;
    }
    if (place === '.' && hasPoint) throw refused('a second point');
    if (place === ',' && hasPoint) throw refused('a comma behind the point');
    pieces.push(place as '9' | '0' | ',' | '.');
    if (place === '.') hasPoint = true;
    if (place !== '9' && place !== '0') continue;
    if (place === '0' && !hasPoint) firstZero ??= counts.whole;
    counts[hasPoint ? 'fraction' : 'whole']++;
    if (place === '0' && hasPoint) keptFraction = counts.fraction;
  }
  if (counts.whole === 0 || (hasPoint && counts.fraction === 0))
    throw refused('a format without digits on both sides of its point');
  return { pieces, isTrimmed, ...counts, firstZero, keptFraction };
}

function refused(what: string): ExpressionFailure {
  return new ExpressionFailure(
    `${what} in a format of to_char for numbers, which has FM, 9, 0, a comma, a point and text in double quotes, is not in the language`,
  );
}
