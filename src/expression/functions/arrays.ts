import type { ArrayShape } from '../types/array-shape.ts';
import type { Value } from '../types/value.ts';

/** Functions of an array of any type; the second argument is a dimension, counted from 1. */
export const arrayFunctions: ReadonlyMap<
  string,
  { readonly arguments: 1 | 2; readonly apply: (array: ArrayShape, dimension: number) => number | null }
> = new Map([
  ['array_length', { arguments: 2, apply: ({ dimensions }, dimension) => dimensions[dimension - 1]?.length ?? null }],
  ['array_lower', { arguments: 2, apply: ({ dimensions }, dimension) => dimensions[dimension - 1]?.lower ?? null }],
  [
    'array_upper',
    {
      arguments: 2,
      apply: ({ dimensions }, dimension) => {
        const found = dimensions[dimension - 1];
        return found === undefined ? null : found.lower + found.length - 1;
      },
    },
  ],
  ['array_ndims', { arguments: 1, apply: ({ dimensions }) => dimensions.length || null }],
  ['cardinality', { arguments: 1, apply: ({ elements }) => elements.length }],
]);

type IsEqual = (a: Value, b: Value) => boolean;

/** Every element of `part` is one of `whole`; NULL is none, and none contains it. */
export function containsAll(whole: readonly Value[], part: readonly Value[], isEqual: IsEqual): boolean {
  return part.every((one) => one !== null && whole.some((other) => other !== null && isEqual(other, one)));
}

export function overlap(left: readonly Value[], right: readonly Value[], isEqual: IsEqual): boolean {
  return left.some((one) => one !== null && right.some((other) => other !== null && isEqual(one, other)));
}
