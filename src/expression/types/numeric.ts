import { ExpressionFailure } from '../problem.ts';

/** The server keeps at most so many digits after the point, and so many before it. */
const maxScale = 16_383;
const maxWholeDigits = 131_072;
const maxDivisionScale = 1_000;
/** Quotients have at least so many significant digits. */
const minQuotientDigits = 16;

type Special = 'NaN' | 'Infinity' | '-Infinity';

/** `digits` * 10 ** -`scale`, or one of the three special values. The scale is part of what is printed: 1.0 and 1.00. */
export class Numeric {
  readonly digits: bigint;
  readonly scale: number;
  readonly special: Special | null;

  constructor(digits: bigint, scale: number, special: Special | null = null) {
    this.digits = digits;
    this.scale = scale;
    this.special = special;
  }

  toString(): string {
    if (this.special !== null) return this.special;
    if (this.scale === 0) return this.digits.toString();
    const negative = this.digits < 0n;
    const text = (negative ? -this.digits : this.digits).toString().padStart(this.scale + 1, '0');
    const point = text.length - this.scale;
    return `${negative ? '-' : ''}${text.slice(0, point)}.${text.slice(point)}`;
  }
}

export const notANumber = new Numeric(0n, 0, 'NaN');
export const infinity = new Numeric(0n, 0, 'Infinity');
export const minusInfinity = new Numeric(0n, 0, '-Infinity');

const powers: bigint[] = [1n];

/** 10 ** exponent. */
export function powerOfTen(exponent: number): bigint {
  if (exponent > 400) return 10n ** BigInt(exponent);
  for (let i = powers.length; i <= exponent; i++) powers.push((powers[i - 1] ?? 1n) * 10n);
  return powers[exponent] ?? 1n;
}

export function fromInteger(value: number | bigint): Numeric {
  return new Numeric(BigInt(value), 0);
}

const pattern = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,9}))?$/;

/** As the server reads it; null for what is no number. */
export function parseNumeric(text: string): Numeric | null {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '');
  const match = pattern.exec(trimmed);
  if (match === null) return special(trimmed);
  const [, sign = '', whole = '', fraction = '', exponent = '0'] = match;
  if (whole === '' && fraction === '') return null;
  const scale = fraction.length - Number(exponent);
  if (scale > maxScale || scale < -maxWholeDigits) {
    if (/^0*$/.test(whole + fraction) && scale < 0) return new Numeric(0n, 0);
    throw overflow();
  }
  const digits = BigInt(whole + fraction) * (scale < 0 ? powerOfTen(-scale) : 1n);
  return checked(new Numeric(sign === '-' ? -digits : digits, Math.max(scale, 0)));
}

/** Of what the server printed. */
export function printedNumeric(text: string): Numeric | null {
  const last = text.charCodeAt(text.length - 1);
  // NaN, Infinity.
  if (last > 0x39) return special(text);
  const point = text.indexOf('.');
  if (point < 0) return new Numeric(BigInt(text), 0);
  return new Numeric(BigInt(text.slice(0, point) + text.slice(point + 1)), text.length - point - 1);
}

function special(text: string): Numeric | null {
  const lower = text.toLowerCase();
  if (lower === 'nan') return notANumber;
  if (/^\+?inf(inity)?$/.test(lower)) return infinity;
  return /^-inf(inity)?$/.test(lower) ? minusInfinity : null;
}

function overflow(): ExpressionFailure {
  return new ExpressionFailure('a value overflows the format of numeric');
}

const surelyFits = 10n ** 1_000n;

function checked(value: Numeric): Numeric {
  const size = magnitude(value.digits);
  if (size < surelyFits) return value;
  if (size.toString().length - value.scale > maxWholeDigits) throw overflow();
  return value;
}

function magnitude(digits: bigint): bigint {
  return digits < 0n ? -digits : digits;
}

/** -1, 0 or 1, of the value, not the text: 1.0 equals 1.00, and NaN is equal to itself and above everything. */
export function compareNumeric(a: Numeric, b: Numeric): number {
  if (a.special !== null || b.special !== null) return rank(a) - rank(b);
  const difference = aligned(a, b.scale) - aligned(b, a.scale);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

function rank(value: Numeric): number {
  return value.special === null ? 0 : { '-Infinity': -1, Infinity: 1, NaN: 2 }[value.special];
}

/** Digits at the larger of the two scales. */
function aligned(value: Numeric, otherScale: number): bigint {
  return otherScale > value.scale ? value.digits * powerOfTen(otherScale - value.scale) : value.digits;
}

export function sign(value: Numeric): number {
  if (value.special !== null) return value.special === 'Infinity' ? 1 : -1;
  return value.digits > 0n ? 1 : value.digits < 0n ? -1 : 0;
}

function infinite(signOf: number): Numeric {
  return signOf > 0 ? infinity : minusInfinity;
}

export function add(a: Numeric, b: Numeric): Numeric {
  if (a.special !== null || b.special !== null) {
    if (a.special === 'NaN' || b.special === 'NaN') return notANumber;
    if (a.special === null) return b;
    return b.special === null || a.special === b.special ? a : notANumber;
  }
  return checked(new Numeric(aligned(a, b.scale) + aligned(b, a.scale), Math.max(a.scale, b.scale)));
}

export function negate(value: Numeric): Numeric {
  if (value.special === 'NaN') return value;
  return value.special === null ? new Numeric(-value.digits, value.scale) : infinite(-sign(value));
}

export function subtract(a: Numeric, b: Numeric): Numeric {
  return add(a, negate(b));
}

export function multiply(a: Numeric, b: Numeric): Numeric {
  if (a.special !== null || b.special !== null) {
    if (a.special === 'NaN' || b.special === 'NaN') return notANumber;
    const product = sign(a) * sign(b);
    return product === 0 ? notANumber : infinite(product);
  }
  const product = new Numeric(a.digits * b.digits, a.scale + b.scale);
  return checked(product.scale > maxScale ? rescale(product, maxScale) : product);
}

export function divide(a: Numeric, b: Numeric): Numeric {
  if (a.special === 'NaN' || b.special === 'NaN') return notANumber;
  if (a.special !== null) {
    if (b.special !== null) return notANumber;
    if (b.digits === 0n) throw divisionByZero();
    return infinite(sign(a) * sign(b));
  }
  if (b.special !== null) return new Numeric(0n, 0);
  if (b.digits === 0n) throw divisionByZero();
  const scale = quotientScale(a, b);
  // a / b at the wanted scale is a.digits * 10 ** shift / b.digits.
  const shift = scale - a.scale + b.scale;
  const dividend = shift > 0 ? a.digits * powerOfTen(shift) : a.digits;
  const divisor = shift < 0 ? b.digits * powerOfTen(-shift) : b.digits;
  return checked(new Numeric(roundedQuotient(dividend, divisor), scale));
}

/** Half away from zero. */
function roundedQuotient(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const rest = magnitude(dividend % divisor);
  if (rest * 2n < magnitude(divisor)) return quotient;
  return dividend < 0n === divisor < 0n ? quotient + 1n : quotient - 1n;
}

/**
 * The server computes in groups of four digits, and chooses the scale of a quotient by the first group of both numbers,
 * so that at least 16 digits are significant.
 */
function quotientScale(a: Numeric, b: Numeric): number {
  const first = leadingGroup(a);
  const second = leadingGroup(b);
  const weight = first.weight - second.weight - (first.group <= second.group ? 1 : 0);
  return Math.min(Math.max(minQuotientDigits - weight * 4, a.scale, b.scale), maxDivisionScale);
}

function leadingGroup(value: Numeric): { readonly weight: number; readonly group: number } {
  if (value.digits === 0n) return { weight: 0, group: 0 };
  const text = magnitude(value.digits).toString();
  const exponent = text.length - 1 - value.scale;
  const weight = Math.floor(exponent / 4);
  const length = exponent - 4 * weight + 1;
  return { weight, group: Number(text.slice(0, length).padEnd(length, '0')) };
}

function divisionByZero(): ExpressionFailure {
  return new ExpressionFailure('division by zero');
}

export function remainder(a: Numeric, b: Numeric): Numeric {
  if (a.special === 'NaN' || b.special === 'NaN') return notANumber;
  if (a.special !== null) {
    if (b.special === null && b.digits === 0n) throw divisionByZero();
    return notANumber;
  }
  if (b.special !== null) return a;
  if (b.digits === 0n) throw divisionByZero();
  return new Numeric(aligned(a, b.scale) % aligned(b, a.scale), Math.max(a.scale, b.scale));
}

/** Rounded half away from zero, or padded, to a number of digits after the point; below 0 to tens, hundreds, ... */
export function round(value: Numeric, places: number): Numeric {
  return atPlaces(value, places, roundedQuotient);
}

export function truncate(value: Numeric, places: number): Numeric {
  return atPlaces(value, places, (dividend, divisor) => dividend / divisor);
}

function atPlaces(value: Numeric, places: number, cut: (dividend: bigint, divisor: bigint) => bigint): Numeric {
  if (value.special !== null) return value;
  if (places >= value.scale) return places === value.scale ? value : rescale(value, Math.min(places, maxScale));
  const away = value.scale - places;
  // More places away than there are digits: nothing is left.
  if (away > maxScale + maxWholeDigits) return new Numeric(0n, Math.max(places, 0));
  const kept = cut(value.digits, powerOfTen(away));
  return checked(places >= 0 ? new Numeric(kept, places) : new Numeric(kept * powerOfTen(-places), 0));
}

function rescale(value: Numeric, scale: number): Numeric {
  if (scale >= value.scale) return new Numeric(value.digits * powerOfTen(scale - value.scale), scale);
  return new Numeric(roundedQuotient(value.digits, powerOfTen(value.scale - scale)), scale);
}

export function floor(value: Numeric): Numeric {
  if (value.special !== null) return value;
  const cut = truncate(value, 0);
  return value.digits < 0n && compareNumeric(cut, value) !== 0 ? new Numeric(cut.digits - 1n, 0) : cut;
}

export function ceil(value: Numeric): Numeric {
  return negate(floor(negate(value)));
}

export function absolute(value: Numeric): Numeric {
  return sign(value) < 0 && value.special !== 'NaN' ? negate(value) : value;
}

/** Without zeros at the end of its fraction. */
export function trimmed(value: Numeric): Numeric {
  let { digits, scale } = value;
  while (scale > 0 && digits % 10n === 0n) {
    digits /= 10n;
    scale--;
  }
  return value.special === null ? new Numeric(digits, scale) : value;
}

/** Precision and scale of a `numeric(p,s)` modifier; null for none. */
export function precisionOf(modifier: number): { readonly precision: number; readonly scale: number } | null {
  if (modifier < 4) return null;
  const bits = modifier - 4;
  // The scale is 11 bits with a sign.
  return { precision: bits >> 16, scale: ((bits & 0x7ff) ^ 1024) - 1024 };
}

/** Rounded to the modifier's scale; a failure where the digits before the point are too many. */
export function fitNumeric(value: Numeric, modifier: number): Numeric {
  const limit = precisionOf(modifier);
  if (limit === null || value.special === 'NaN') return value;
  const fitted = round(value, limit.scale);
  // A negative scale leaves numbers of 10 ** -scale.
  if (value.special !== null || magnitude(fitted.digits) >= powerOfTen(limit.precision - Math.min(limit.scale, 0)))
    throw new ExpressionFailure(`a value does not fit numeric(${limit.precision},${limit.scale})`);
  return fitted;
}
