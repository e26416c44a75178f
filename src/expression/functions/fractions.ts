import { ExpressionFailure } from '../problem.ts';
import { roundHalfEven } from '../types/float.ts';
import {
  absolute,
  add,
  ceil,
  divide,
  floor,
  fromInteger,
  multiply,
  type Numeric,
  negate,
  remainder,
  round,
  sign,
  subtract,
  trimmed,
  truncate,
} from '../types/numeric.ts';
import type { FunctionTable } from './function-table.ts';

/** Checks as the server does: what comes of finite numbers is finite, and not 0 by being too small. */
function floatOperators(left: string, right: string, checked: (value: number) => number): FunctionTable {
  const types = `(${left},${right})`;
  const finite = (result: number, a: number, b: number): number => {
    if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b) && !Number.isNaN(result))
      throw new ExpressionFailure('a number is too large for its floating-point type');
    return result;
  };
  const notZero = (result: number, isZero: boolean): number => {
    if (result === 0 && !isZero) throw new ExpressionFailure('a number is too small for its floating-point type');
    return result;
  };
  return {
    [`+${types}`]: (a: number, b: number) => finite(checked(a + b), a, b),
    [`-${types}`]: (a: number, b: number) => finite(checked(a - b), a, b),
    [`*${types}`]: (a: number, b: number) => notZero(finite(checked(a * b), a, b), a === 0 || b === 0),
    [`/${types}`]: (a: number, b: number) => {
      if (b === 0 && !Number.isNaN(a)) throw new ExpressionFailure('division by zero');
      return notZero(finite(checked(a / b), a, b), a === 0 || !Number.isFinite(b));
    },
  };
}

function floatFunctions(type: string): FunctionTable {
  return {
    [`+(${type})`]: (a: number) => a,
    [`-(${type})`]: (a: number) => -a,
    [`abs(${type})`]: (a: number) => Math.abs(a),
  };
}

function floatSign(value: number): number {
  return value > 0 ? 1 : value < 0 ? -1 : 0;
}

const same = (value: number): number => value;
const numericSign = (a: Numeric): Numeric => (a.special === 'NaN' ? a : fromInteger(sign(a)));

export const fractionFunctions: FunctionTable = {
  ...floatOperators('float8', 'float8', same),
  ...floatOperators('float4', 'float8', same),
  ...floatOperators('float8', 'float4', same),
  ...floatOperators('float4', 'float4', Math.fround),
  ...floatFunctions('float4'),
  ...floatFunctions('float8'),
  'ceil(float8)': Math.ceil,
  'ceiling(float8)': Math.ceil,
  'floor(float8)': Math.floor,
  'round(float8)': roundHalfEven,
  'trunc(float8)': Math.trunc,
  'sign(float8)': floatSign,
  '+(numeric,numeric)': add,
  '-(numeric,numeric)': subtract,
  '*(numeric,numeric)': multiply,
  '/(numeric,numeric)': divide,
  '%(numeric,numeric)': remainder,
  'mod(numeric,numeric)': remainder,
  'div(numeric,numeric)': wholeQuotient,
  '+(numeric)': (a: Numeric) => a,
  '-(numeric)': negate,
  'abs(numeric)': absolute,
  'ceil(numeric)': ceil,
  'ceiling(numeric)': ceil,
  'floor(numeric)': floor,
  'round(numeric)': (a: Numeric) => round(a, 0),
  'round(numeric,int4)': round,
  'trunc(numeric)': (a: Numeric) => truncate(a, 0),
  'trunc(numeric,int4)': truncate,
  'sign(numeric)': numericSign,
  'trim_scale(numeric)': trimmed,
};

function wholeQuotient(a: Numeric, b: Numeric): Numeric {
  if (a.special !== null || b.special !== null) return divide(a, b);
  // A remainder takes away what the quotient has after the point, so that the division is exact.
  const rest = remainder(a, b);
  return truncate(divide(subtract(a, rest), b), 0);
}
