import { ExpressionFailure } from '../problem.ts';
import type { FunctionTable } from './function-table.ts';

function divisionByZero(): ExpressionFailure {
  return new ExpressionFailure('division by zero');
}

/** Numbers of 2 and 4 bytes. Adding 0 makes a plain zero of a negative one. */
function small(bytes: 2 | 4): (value: number) => number {
  const limit = 2 ** (bytes * 8 - 1);
  return (value) => {
    if (value < -limit || value >= limit) throw new ExpressionFailure(`a number is out of range of int${bytes}`);
    return value + 0;
  };
}

/** A product of two numbers of 4 bytes may be rounded, but then it is far out of range. */
function smallOperators(left: string, right: string, checked: (value: number) => number): FunctionTable {
  const types = `(${left},${right})`;
  return {
    [`+${types}`]: (a: number, b: number) => checked(a + b),
    [`-${types}`]: (a: number, b: number) => checked(a - b),
    [`*${types}`]: (a: number, b: number) => checked(a * b),
    [`/${types}`]: (a: number, b: number) => {
      if (b === 0) throw divisionByZero();
      return checked(Math.trunc(a / b));
    },
  };
}

function smallFunctions(type: string, checked: (value: number) => number): FunctionTable {
  const modulo = (a: number, b: number): number => {
    if (b === 0) throw divisionByZero();
    return (a % b) + 0;
  };
  return {
    ...smallOperators(type, type, checked),
    [`%(${type},${type})`]: modulo,
    [`mod(${type},${type})`]: modulo,
    [`+(${type})`]: (a: number) => a,
    [`-(${type})`]: (a: number) => checked(-a),
    [`abs(${type})`]: (a: number) => checked(Math.abs(a)),
  };
}

function big(value: bigint): bigint {
  if (value < -(2n ** 63n) || value >= 2n ** 63n) throw new ExpressionFailure('a number is out of range of int8');
  return value;
}

type Whole = number | bigint;

function bigOperators(left: string, right: string): FunctionTable {
  const types = `(${left},${right})`;
  return {
    [`+${types}`]: (a: Whole, b: Whole) => big(BigInt(a) + BigInt(b)),
    [`-${types}`]: (a: Whole, b: Whole) => big(BigInt(a) - BigInt(b)),
    [`*${types}`]: (a: Whole, b: Whole) => big(BigInt(a) * BigInt(b)),
    [`/${types}`]: (a: Whole, b: Whole) => {
      if (BigInt(b) === 0n) throw divisionByZero();
      return big(BigInt(a) / BigInt(b));
    },
  };
}

function bigModulo(a: bigint, b: bigint): bigint {
  if (b === 0n) throw divisionByZero();
  return a % b;
}

const int2 = small(2);
const int4 = small(4);

export const integerFunctions: FunctionTable = {
  ...smallFunctions('int2', int2),
  ...smallFunctions('int4', int4),
  ...smallOperators('int2', 'int4', int4),
  ...smallOperators('int4', 'int2', int4),
  ...bigOperators('int8', 'int8'),
  ...bigOperators('int8', 'int4'),
  ...bigOperators('int4', 'int8'),
  ...bigOperators('int8', 'int2'),
  ...bigOperators('int2', 'int8'),
  '%(int8,int8)': bigModulo,
  'mod(int8,int8)': bigModulo,
  '+(int8)': (a: bigint) => a,
  '-(int8)': (a: bigint) => big(-a),
  'abs(int8)': (a: bigint) => big(a < 0n ? -a : a),
};
