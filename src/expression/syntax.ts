/** What was written, before types are known. `offset` counts UTF-16 units of the expression's text. */
export type Syntax =
  | Literal
  | ColumnReference
  | Call
  | Cast
  | Logic
  | Test
  | Choice
  | Case
  | In
  | Quantified
  | WrittenArray
  | Element;

/** `type` is unknown for what stands in quotes and for NULL: the context decides. */
export interface Literal {
  readonly kind: 'literal';
  readonly type: 'unknown' | 'bool' | 'int4' | 'int8' | 'numeric';
  readonly text: string | null;
  readonly offset: number;
}

export interface ColumnReference {
  readonly kind: 'column';
  readonly name: string;
  readonly offset: number;
}

/** A function, or an operator by its sign. */
export interface Call {
  readonly kind: 'call';
  readonly name: string;
  readonly isOperator: boolean;
  readonly arguments: readonly Syntax[];
  readonly offset: number;
}

export interface Cast {
  readonly kind: 'cast';
  readonly operand: Syntax;
  readonly type: string;
  /** As the server's own modifiers; -1 for none. */
  readonly modifier: number;
  readonly offset: number;
}

export interface Logic {
  readonly kind: 'and' | 'or' | 'not';
  readonly operands: readonly Syntax[];
  readonly offset: number;
}

export interface Test {
  readonly kind: 'test';
  readonly test: 'null' | 'true' | 'false' | 'unknown';
  readonly negated: boolean;
  readonly operand: Syntax;
  readonly offset: number;
}

export interface Choice {
  readonly kind: 'coalesce' | 'greatest' | 'least' | 'nullif' | 'distinct';
  /** Of `distinct`: IS NOT DISTINCT FROM. */
  readonly negated: boolean;
  readonly operands: readonly Syntax[];
  readonly offset: number;
}

export interface Case {
  readonly kind: 'case';
  readonly operand: Syntax | null;
  readonly branches: readonly { readonly when: Syntax; readonly result: Syntax }[];
  readonly otherwise: Syntax | null;
  readonly offset: number;
}

export interface In {
  readonly kind: 'in';
  readonly negated: boolean;
  readonly operand: Syntax;
  readonly items: readonly Syntax[];
  readonly offset: number;
}

/** `operand operator ANY (array)`, or ALL. */
export interface Quantified {
  readonly kind: 'quantified';
  readonly operator: string;
  readonly isAll: boolean;
  readonly operand: Syntax;
  readonly array:
    | { readonly kind: 'items'; readonly items: readonly Syntax[]; readonly offset: number }
    /** In quotes; of the type of its elements, where that is written. */
    | { readonly kind: 'literal'; readonly text: string; readonly type: string | null; readonly offset: number }
    | { readonly kind: 'column'; readonly name: string; readonly offset: number };
  readonly offset: number;
}

/** An array that is written; only some things look into one. */
export interface WrittenArray {
  readonly kind: 'array';
  readonly array: Exclude<Quantified['array'], { kind: 'column' }>;
  readonly offset: number;
}

/** `operand[subscript]`, with as many subscripts as are written, or `operand[from:to]`. */
export interface Element {
  readonly kind: 'element';
  readonly operand: Syntax;
  readonly subscripts: readonly Syntax[];
  /** Of a slice: which of `subscripts` is the bound of each dimension, null where it is left open. Null of an element. */
  readonly bounds: readonly SliceBounds[] | null;
  readonly offset: number;
}

export interface SliceBounds {
  readonly lower: number | null;
  readonly upper: number | null;
}

/** Every part that an expression is made of. */
export function partsOf(syntax: Syntax): readonly Syntax[] {
  switch (syntax.kind) {
    case 'literal':
    case 'column':
      return [];
    case 'call':
      return syntax.arguments;
    case 'cast':
    case 'test':
      return [syntax.operand];
    case 'in':
      return [syntax.operand, ...syntax.items];
    case 'quantified': {
      const { array, operand } = syntax;
      if (array.kind === 'items') return [operand, ...array.items];
      return array.kind === 'column' ? [operand, array] : [operand];
    }
    case 'array':
      return syntax.array.kind === 'items' ? syntax.array.items : [];
    case 'element':
      return [syntax.operand, ...syntax.subscripts];
    case 'case':
      return [
        ...(syntax.operand === null ? [] : [syntax.operand]),
        ...syntax.branches.flatMap(({ when, result }) => [when, result]),
        ...(syntax.otherwise === null ? [] : [syntax.otherwise]),
      ];
    default:
      return syntax.operands;
  }
}

/** Whether an expression has no column in it. */
export function readsNothing(syntax: Syntax): boolean {
  if (syntax.kind === 'column') return false;
  return partsOf(syntax).every(readsNothing);
}
