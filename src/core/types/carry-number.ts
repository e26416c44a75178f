import { type Carrying, type Check, checked, exact, nullIf, refused } from './carrying.ts';
import type { Conversions } from './conversions.ts';
import { digitsOf, plainDecimal, roundDecimal } from './decimal-text.ts';
import type { LogicalType } from './logical-type.ts';

type Number = Extract<LogicalType, { kind: 'integer' | 'decimal' | 'float' }>;

const specials: ReadonlySet<string> = new Set(['NaN', 'Infinity', '-Infinity']);

/** From numbers and booleans to numbers, booleans and bits; null where it is not about these. */
export function carryNumber(from: LogicalType, to: LogicalType, conversions: Conversions): Carrying | null {
  if (from.kind === 'boolean') return carryBoolean(to);
  if (to.kind === 'boolean') return toBoolean(from);
  if (!isNumber(from) || !isNumber(to)) return null;
  if (to.kind === 'float' && to.rounds === true) return refused('it rounds what it is given to its digits');
  if (from.kind === 'float') return to.kind === 'float' ? floatToFloat(from, to, conversions) : fromFloat(to.kind);
  if (to.kind === 'float') return toFloat(from, to, conversions);
  return checked([...specialCheck(from, to, conversions), ...limits(from, to, conversions)]);
}

function isNumber(type: LogicalType): type is Number {
  return type.kind === 'integer' || type.kind === 'decimal' || type.kind === 'float';
}

function carryBoolean(to: LogicalType): Carrying | null {
  const digit = (value: unknown): string => (value === 'true' ? '1' : '0');
  if (to.kind === 'boolean') return exact();
  if (to.kind === 'integer' && to.min <= 0n && to.max >= 1n) return exact(digit);
  if (to.kind === 'bits' && to.max === 1) return exact(digit);
  return null;
}

function toBoolean(from: LogicalType): Carrying | null {
  const isOneBit = from.kind === 'bits' && from.max === 1;
  if (from.kind !== 'integer' && !isOneBit) return null;
  const check: Check = {
    condition: 'range',
    applies: !isOneBit,
    fails: (value) => value !== '0' && value !== '1',
  };
  return checked([check], (value) => (value === '1' ? 'true' : 'false'));
}

function specialCheck(from: Number, to: Number, { special }: Conversions): Check[] {
  const has = from.kind !== 'integer' && from.specials;
  const takes = to.kind !== 'integer' && to.specials;
  return [
    { condition: 'special', applies: has && !takes, fails: (value) => specials.has(value), convert: nullIf(special) },
  ];
}

/** Of whole numbers and decimals, as those of a decimal; `any`: of all sizes. */
function limits(from: Number, to: Number, { precision }: Conversions): Check[] {
  if (to.kind === 'integer') {
    const scale = from.kind === 'decimal' ? (from.digits?.scale ?? null) : 0;
    const isWithin = from.kind === 'integer' && from.min >= to.min && from.max <= to.max;
    return [
      {
        condition: 'precision',
        applies: scale === null || scale > 0,
        fails: (value) => value.includes('.'),
        convert: precision && ((value) => roundDecimal(value, 0)),
      },
      { condition: 'range', applies: !isWithin, fails: (value) => BigInt(value) < to.min || BigInt(value) > to.max },
    ];
  }
  if (to.kind !== 'decimal') return [];
  const negative: Check = {
    condition: 'range',
    applies: to.unsigned && !isUnsigned(from),
    fails: (value) => value.startsWith('-'),
  };
  const { digits } = to;
  if (digits === null) return [negative];
  const room = digits.precision - digits.scale;
  const had = digitsFor(from);
  return [
    {
      condition: 'precision',
      applies: had === null || had.scale > digits.scale,
      fails: (value) => value !== '0' && !specials.has(value) && digitsOf(value).scale > digits.scale,
      convert: precision && ((value) => roundDecimal(value, digits.scale)),
    },
    {
      condition: 'range',
      applies: had === null || had.whole > room,
      fails: (value) => !specials.has(value) && (value === '0' ? 0 : wholeDigits(value)) > room,
    },
    negative,
  ];
}

/** Below 0 where zeros follow the point: 0.001 needs no room before it, and none for two digits behind. */
function wholeDigits(value: string): number {
  const { whole } = digitsOf(value);
  if (whole > 0) return whole;
  const [, fraction = ''] = value.split('.');
  return -(fraction.length - fraction.replace(/^0+/, '').length);
}

function digitsFor(type: Number): { readonly whole: number; readonly scale: number } | null {
  if (type.kind === 'integer') {
    const most = [type.min, type.max].map((value) => value.toString().replace('-', '').length);
    return { whole: Math.max(...most), scale: 0 };
  }
  if (type.kind === 'float' || type.digits === null) return null;
  return { whole: type.digits.precision - type.digits.scale, scale: type.digits.scale };
}

function isUnsigned(type: Number): boolean {
  return type.kind === 'integer' ? type.min >= 0n : type.unsigned;
}

type Float = Extract<LogicalType, { kind: 'float' }>;

function floatToFloat(from: Float, to: Float, conversions: Conversions): Carrying {
  const checks: Check[] = [
    ...specialCheck(from, to, conversions),
    {
      condition: 'range',
      applies: from.bits > to.bits,
      fails: (value) => !specials.has(value) && !Number.isFinite(Math.fround(Number(value))),
    },
    {
      condition: 'precision',
      applies: from.bits > to.bits,
      fails: (value) => !specials.has(value) && Math.fround(Number(value)) !== Number(value),
      convert: conversions.precision && ((value) => floatText(Math.fround(Number(value)), 32)),
    },
    {
      condition: 'range',
      applies: to.unsigned && !from.unsigned,
      fails: (value) => value.startsWith('-'),
    },
  ];
  if (from.bits === to.bits) return checked(checks);
  const widen = from.bits < to.bits;
  return checked(checks, (value) =>
    specials.has(value) ? value : floatText(Math.fround(Number(value)), widen ? 64 : 32),
  );
}

/** The shortest text that is read back as this number, of so many bits. */
export function floatText(value: number, bits: 32 | 64): string {
  if (bits === 64 || !Number.isFinite(value)) return String(value);
  for (let digits = 1; digits <= 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(value);
}

/** Whole numbers up to 2^53 (2^24) are floats; of others only those whose text a float would show. */
function toFloat(from: Exclude<Number, Float>, to: Float, conversions: Conversions): Carrying {
  const most = to.bits === 64 ? 2n ** 53n : 2n ** 24n;
  const isWithin = from.kind === 'integer' && from.min >= -most && from.max <= most;
  const asFloat = (value: string): string =>
    floatText(to.bits === 64 ? Number(value) : Math.fround(Number(value)), to.bits);
  const negative = to.unsigned && !isUnsigned(from);
  return checked([
    ...specialCheck(from, to, conversions),
    {
      condition: 'precision',
      applies: !isWithin,
      fails: (value) =>
        !specials.has(value) && (!Number.isFinite(Number(value)) || plainDecimal(asFloat(value)) !== value),
    },
    { condition: 'range', applies: negative, fails: (value) => value.startsWith('-') },
  ]);
}

function fromFloat(kind: string): Carrying {
  return refused(`a float is no ${kind}: its shortest text is not its value`);
}
