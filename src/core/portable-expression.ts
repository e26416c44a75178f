/**
 * What defaults, checks, generated columns and indexes say in any dialect: no more than what means the same to all of them. What else a server
 * writes is not portable, and is told to be ported by hand.
 */
export type PortableExpression =
  /** The value's text, or how a number is written; booleans are `true` and `false`. */
  | { readonly kind: 'literal'; readonly of: 'text' | 'number' | 'boolean' | 'bits' | 'bytes'; readonly text: string }
  | { readonly kind: 'null' }
  | { readonly kind: 'column'; readonly name: string }
  /** The moment at which the statement began, today's date, a random UUID. */
  | { readonly kind: 'made'; readonly what: 'now' | 'today' | 'uuid' }
  | { readonly kind: 'call'; readonly name: PortableFunction; readonly argument: PortableExpression }
  | { readonly kind: 'not'; readonly of: PortableExpression }
  | { readonly kind: 'isNull'; readonly of: PortableExpression }
  | { readonly kind: 'in'; readonly of: PortableExpression; readonly list: readonly PortableExpression[] }
  | {
      readonly kind: 'binary';
      readonly sign: PortableSign;
      readonly left: PortableExpression;
      readonly right: PortableExpression;
    };

export const portableSigns = ['or', 'and', '=', '<>', '<', '<=', '>', '>=', '+', '-', '*'] as const;
export type PortableSign = (typeof portableSigns)[number];

/** `length` counts characters. */
export const portableFunctions = ['length', 'lower', 'upper', 'abs'] as const;
export type PortableFunction = (typeof portableFunctions)[number];

/** Whether both say the same, however each is written: a number between quotes is that number. */
export function isSameExpression(one: PortableExpression, other: PortableExpression): boolean {
  return JSON.stringify(one, plain) === JSON.stringify(other, plain);
}

function plain(key: string, value: unknown): unknown {
  return key === 'of' && typeof value === 'string' ? undefined : value;
}
