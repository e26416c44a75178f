import { ExpressionFailure } from '../problem.ts';
import { type Numeric, parseNumeric } from './numeric.ts';

/**
 * The shortest text that lies strictly nearer to the value than to its neighbours. JavaScript also takes a text that
 * lies exactly between two (1e23), the server does not.
 */
export function float8Text(value: number): string {
  return floatText(value, 15, (digits) => Number(digits) === value && !isBetween(digits, value, nextFloat8));
}

/** As above for single precision. */
export function float4Text(value: number): string {
  return floatText(
    value,
    6,
    (digits) => Math.fround(Number(digits)) === value && !isBetween(digits, value, nextFloat4),
  );
}

function floatText(value: number, plainDigits: number, isExact: (digits: string) => boolean): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const negative = value < 0;
  const { digits, exponent } = shortest(Math.abs(value), plainDigits === 6, (text) =>
    isExact(negative ? `-${text}` : text),
  );
  return `${negative ? '-' : ''}${layout(digits, exponent, plainDigits)}`;
}

interface Decimal {
  readonly digits: string;
  /** Of the first digit. */
  readonly exponent: number;
}

function shortest(value: number, single: boolean, isExact: (digits: string) => boolean): Decimal {
  const quick = single ? shortSingle(value) : shortDouble(value);
  if (quick !== null) return quick;
  const guess = single ? 1 : decimalOf(value.toExponential()).digits.length;
  for (let length = guess; length <= 17; length++) {
    const text = [evenOfTwo(value, length), value.toExponential(length - 1), nextAbove(value, length)].find(
      (candidate) => candidate !== null && isExact(candidate),
    );
    if (text !== undefined && text !== null) return decimalOf(text);
  }
  return decimalOf(value.toExponential(16));
}

/**
 * Of a power of two the nearest text of a length may lie below, where the neighbour is twice as near, and be read as
 * that neighbour, while the next one above is read as the value.
 */
function nextAbove(value: number, length: number): string {
  const { digits, exponent } = decimalOf(value.toExponential(length - 1));
  return `${BigInt(digits.padEnd(length, '0')) + 1n}e${exponent - length + 1}`;
}

/** With 6 digits or fewer there is no other text of the same length, and none half-way to a neighbour, but for subnormals. */
function shortSingle(value: number): Decimal | null {
  if (value < 1.2e-38 || value >= 2 ** 24) return null;
  const text = value.toExponential(5);
  return Math.fround(Number(text)) === value ? decimalOf(text) : null;
}

/** As above with 14 digits. */
function shortDouble(value: number): Decimal | null {
  if (value < 1e-290 || value >= 2 ** 53) return null;
  const decimal = decimalOf(value.toExponential());
  return decimal.digits.length <= 14 ? decimal : null;
}

/** Of a value that is half-way between two texts of a length the one with an even last digit, as the server takes it. */
function evenOfTwo(value: number, length: number): string | null {
  // Half-way ends with a 5; few do, and all digits take long.
  if (!value.toExponential(length).includes('5e')) return null;
  const [digits = '', exponent = ''] = value.toExponential(100).split('e');
  const all = digits.replace('.', '');
  if (all[length] !== '5' || !/^0*$/.test(all.slice(length + 1))) return null;
  const below = all.slice(0, length);
  const isEven = Number(below.at(-1)) % 2 === 0;
  // An odd 9 would become 10: then JavaScript's own rounding, upwards, is the even one.
  return isEven ? `${below[0]}.${below.slice(1) || '0'}e${exponent}` : null;
}

function decimalOf(text: string): Decimal {
  const [digits = '', exponent = '0'] = text.split('e');
  const all = digits.replace('.', '');
  // Also of digits without a point.
  const shift = digits.includes('.') ? 0 : digits.length - 1;
  return { digits: all.replace(/0+$/, ''), exponent: Number(exponent) + shift };
}

function layout(digits: string, exponent: number, plainDigits: number): string {
  if (exponent < -4 || exponent >= plainDigits) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    return `${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
  }
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  if (digits.length <= exponent + 1) return digits.padEnd(exponent + 1, '0');
  return `${digits.slice(0, exponent + 1)}.${digits.slice(exponent + 1)}`;
}

const bits = new DataView(new ArrayBuffer(8));

/** The next value away from zero. */
function nextFloat8(value: number): number {
  bits.setFloat64(0, Math.abs(value));
  bits.setBigUint64(0, bits.getBigUint64(0) + 1n);
  return bits.getFloat64(0) * Math.sign(value);
}

function nextFloat4(value: number): number {
  bits.setFloat32(0, Math.abs(value));
  bits.setUint32(0, bits.getUint32(0) + 1);
  return bits.getFloat32(0) * Math.sign(value);
}

function previousFloat(value: number, next: (value: number) => number): number {
  // The one whose next is this one.
  const step = Math.abs(next(value)) - Math.abs(value);
  for (const candidate of [Math.abs(value) - step, Math.abs(value) - step / 2])
    if (candidate > 0 && Math.abs(next(candidate)) === Math.abs(value)) return candidate * Math.sign(value);
  return 0;
}

/** Whether a decimal text is exactly half-way from the value to one of its neighbours. */
function isBetween(text: string, value: number, next: (value: number) => number): boolean {
  return [next(value), previousFloat(value, next)].some(
    (neighbour) => Number.isFinite(neighbour) && isMidpoint(text, value, neighbour),
  );
}

function isMidpoint(text: string, a: number, b: number): boolean {
  const [digits = '0', exponentText = '0'] = text.split('e');
  const [whole = '', fraction = ''] = digits.split('.');
  const exponent = Number(exponentText) - fraction.length;
  // Half-way has a bit more than the type: with three digits and more after the point that takes more than 17 digits.
  if (exponent < -2 && Math.abs(a) > 1e-290) return false;
  const decimal = BigInt(whole + fraction);
  const sum = doubled(a, b);
  const tens = 10n ** BigInt(Math.abs(exponent));
  const left = 2n * decimal * (exponent > 0 ? tens : 1n) * sum.divisor;
  const right = sum.value * (exponent < 0 ? tens : 1n);
  return left === right;
}

/** a + b as a fraction. */
function doubled(a: number, b: number): { readonly value: bigint; readonly divisor: bigint } {
  const first = fractionOf(a);
  const second = fractionOf(b);
  return {
    value: first.value * second.divisor + second.value * first.divisor,
    divisor: first.divisor * second.divisor,
  };
}

function fractionOf(value: number): { readonly value: bigint; readonly divisor: bigint } {
  bits.setFloat64(0, value);
  const raw = bits.getBigUint64(0);
  const exponent = Number((raw >> 52n) & 0x7ffn);
  const mantissa = (raw & 0xfffffffffffffn) | (exponent === 0 ? 0n : 0x10000000000000n);
  const power = Math.max(exponent, 1) - 1075;
  const signed = value < 0 ? -mantissa : mantissa;
  return power >= 0
    ? { value: signed << BigInt(power), divisor: 1n }
    : { value: signed, divisor: 1n << BigInt(-power) };
}

const pattern = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;

/** As the server reads it; null for what is no number. Out of range is a failure. */
export function parseFloat8(text: string): number | null {
  const special = specialFloat(text);
  if (special !== undefined) return special;
  const value = Number(text.trim());
  return inRange(text, value);
}

export function parseFloat4(text: string): number | null {
  const special = specialFloat(text);
  if (special !== undefined) return special;
  const double = Number(text.trim());
  return inRange(text, singleOf(text.trim(), double));
}

/** Rounded once: going by way of a double rounds a text twice where the double is half-way between two singles. */
function singleOf(text: string, double: number): number {
  const single = Math.fround(double);
  if (single === double || !Number.isFinite(single)) return single;
  const other = single < double === double > 0 ? nextFloat4(single) : previousFloat(single, nextFloat4);
  if ((single + other) / 2 !== double) return single;
  const exact = parseNumeric(text);
  const half = parseNumeric(exactText(double));
  if (exact === null || half === null) return single;
  const difference = exact.digits * 10n ** BigInt(half.scale) - half.digits * 10n ** BigInt(exact.scale);
  if (difference === 0n) return single;
  const up = difference > 0n;
  return up === single > other ? single : other;
}

/** All digits of a double. */
function exactText(value: number): string {
  const { value: top, divisor } = fractionOf(value);
  const places = divisor.toString(2).length - 1;
  return `${top * 5n ** BigInt(places)}e-${places}`;
}

function specialFloat(text: string): number | null | undefined {
  const trimmed = text.replace(/^[ \t\n\v\f\r]+|[ \t\n\v\f\r]+$/g, '').toLowerCase();
  if (trimmed === 'nan') return Number.NaN;
  if (/^\+?inf(inity)?$/.test(trimmed)) return Number.POSITIVE_INFINITY;
  if (/^-inf(inity)?$/.test(trimmed)) return Number.NEGATIVE_INFINITY;
  return pattern.test(trimmed) ? undefined : null;
}

function inRange(text: string, value: number): number {
  if (!Number.isFinite(value) || (value === 0 && /[1-9]/.test(text.split(/e/i)[0] ?? '')))
    throw new ExpressionFailure('a number is out of range of its floating-point type');
  return value;
}

/** The server goes by way of 15 significant digits (6 of a single). */
export function floatToNumeric(value: number, digits: 15 | 6): Numeric {
  const [mantissa = '', exponent] = value.toPrecision(digits).split('e');
  const plain = mantissa.includes('.') ? mantissa.replace(/\.?0+$/, '') : mantissa;
  const number = parseNumeric(exponent === undefined ? plain : `${plain}e${exponent}`);
  if (number === null) throw new ExpressionFailure('a number is out of range of numeric');
  return number;
}

export function numericToFloat(value: Numeric, single: boolean): number {
  const number = (single ? parseFloat4 : parseFloat8)(value.toString());
  if (number === null) throw new ExpressionFailure('a number is out of range of its floating-point type');
  return number;
}

/** Half to even, as the server's machine does it. */
export function roundHalfEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) {
    const rounded = rest < 0.5 ? low : low + 1;
    return rounded === 0 && (value < 0 || Object.is(value, -0)) ? -0 : rounded;
  }
  const even = low % 2 === 0 ? low : low + 1;
  return even === 0 && value < 0 ? -0 : even;
}
