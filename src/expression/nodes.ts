import type { Row } from '../core/cell.ts';
import { type Compiled, constant, constantValue, folded, type TypedNode } from './typed-node.ts';
import { checkLength } from './types/text.ts';
import type { Evaluate, Value } from './types/value.ts';

type Apply = (...args: never[]) => Value;

export interface CallOptions {
  readonly type: string;
  readonly apply: Apply;
  readonly parts: readonly TypedNode[];
  readonly offset: number;
  /** Not computed before a row is, as at the server. */
  readonly isStable?: boolean;
}

/** A function that is NULL where an argument is NULL; all arguments are computed first. */
export function call(options: CallOptions): TypedNode {
  const { type, apply, parts, offset, isStable = false } = options;
  return {
    type,
    offset,
    compile() {
      const inputs = parts.map((part) => part.compile());
      // As at the server: with a NULL written in it, the rest is not even computed.
      if (inputs.some((input) => input.isConstant && constantValue(input) === null)) return constant(null);
      const run = strict(
        apply,
        inputs.map((input) => input.run),
      );
      return isStable ? { run, isConstant: false } : folded(run, inputs, offset);
    },
  };
}

function strict(apply: Apply, inputs: readonly Evaluate[]): Evaluate {
  const [first, second, third] = inputs;
  const one = apply as (a: Value) => Value;
  const two = apply as (a: Value, b: Value) => Value;
  if (first !== undefined && inputs.length === 1)
    return (row) => {
      const a = first(row);
      return a === null ? null : one(a);
    };
  if (first !== undefined && second !== undefined && third === undefined)
    return (row) => {
      const a = first(row);
      const b = second(row);
      return a === null || b === null ? null : two(a, b);
    };
  const many = apply as (...values: Value[]) => Value;
  return (row) => {
    const values = inputs.map((input) => input(row));
    return values.includes(null) ? null : many(...values);
  };
}

/** Stops at the first `decisive` value; NULL where one was NULL and none decisive. */
export function junction(parts: readonly TypedNode[], decisive: boolean, offset: number): TypedNode {
  return {
    type: 'bool',
    offset,
    compile() {
      const inputs: Compiled[] = [];
      for (const part of parts) {
        const input = part.compile();
        inputs.push(input);
        // The server does not look at what comes after a constant that decides.
        if (input.isConstant && constantValue(input) === decisive) break;
      }
      if (inputs.some((input) => input.isConstant && constantValue(input) === decisive)) return constant(decisive);
      const runs = inputs.map(({ run }) => run);
      const run: Evaluate = (row) => {
        let result: boolean | null = !decisive;
        for (const next of runs) {
          const value = next(row);
          if (value === decisive) return decisive;
          if (value === null) result = null;
        }
        return result;
      };
      return folded(run, inputs, offset);
    },
  };
}

/** A function of one value that also sees NULL. */
export function test(part: TypedNode, apply: (value: Value) => boolean, offset: number): TypedNode {
  return {
    type: 'bool',
    offset,
    compile() {
      const input = part.compile();
      return folded((row) => apply(input.run(row)), [input], offset);
    },
  };
}

export function coalesce(type: string, parts: readonly TypedNode[], offset: number): TypedNode {
  return {
    type,
    offset,
    compile() {
      const inputs: Compiled[] = [];
      for (const part of parts) {
        const input = part.compile();
        if (input.isConstant && constantValue(input) === null) continue;
        inputs.push(input);
        if (input.isConstant) break;
      }
      const runs = inputs.map(({ run }) => run);
      const run: Evaluate = (row) => {
        for (const next of runs) {
          const value = next(row);
          if (value !== null) return value;
        }
        return null;
      };
      return folded(run, inputs, offset);
    },
  };
}

/** The greatest, or least, of the values that are not NULL. */
export function extreme(
  type: string,
  parts: readonly TypedNode[],
  isBetter: (a: Value, b: Value) => boolean,
  offset: number,
): TypedNode {
  return {
    type,
    offset,
    compile() {
      const inputs = parts.map((part) => part.compile());
      const run: Evaluate = (row) => {
        let best: Value = null;
        for (const input of inputs) {
          const value = input.run(row);
          if (value !== null && (best === null || isBetter(value, best))) best = value;
        }
        return best;
      };
      return folded(run, inputs, offset);
    },
  };
}

export interface PairOptions {
  readonly parts: readonly [TypedNode, TypedNode];
  readonly isEqual: (a: Value, b: Value) => boolean;
  readonly isStable: boolean;
  readonly offset: number;
}

/** The first value, or NULL where both are equal. */
export function nullIf({ parts, isEqual, isStable, offset }: PairOptions): TypedNode {
  return {
    type: parts[0].type,
    offset,
    compile() {
      const left = parts[0].compile();
      const right = parts[1].compile();
      // As at the server: with a NULL written on either side the other one is not compared.
      if ([left, right].some((part) => part.isConstant && constantValue(part) === null)) return left;
      const run: Evaluate = (row) => {
        const a = left.run(row);
        const b = right.run(row);
        return a === null || b === null || !isEqual(a, b) ? a : null;
      };
      return isStable ? { run, isConstant: false } : folded(run, [left, right], offset);
    },
  };
}

/** Whether two values differ, NULL being a value like others; `negated`: whether they do not. */
export function distinct(options: PairOptions & { readonly negated: boolean }): TypedNode {
  const { parts, isEqual, isStable, negated, offset } = options;
  return {
    type: 'bool',
    offset,
    compile() {
      const left = parts[0].compile();
      const right = parts[1].compile();
      const run: Evaluate = (row) => {
        const a = left.run(row);
        const b = right.run(row);
        const differ = a === null || b === null ? a !== b : !isEqual(a, b);
        return differ !== negated;
      };
      return isStable ? { run, isConstant: false } : folded(run, [left, right], offset);
    },
  };
}

export interface Branch {
  readonly when: TypedNode;
  readonly result: TypedNode;
}

export function choose(type: string, branches: readonly Branch[], otherwise: TypedNode, offset: number): TypedNode {
  return {
    type,
    offset,
    compile() {
      const taken: { readonly when: Evaluate; readonly result: Compiled }[] = [];
      let last: Compiled | null = null;
      for (const branch of branches) {
        const when = branch.when.compile();
        // A branch that is never taken is never computed: it may hold what fails.
        if (when.isConstant && constantValue(when) !== true) continue;
        const result = branch.result.compile();
        if (when.isConstant) {
          last = result;
          break;
        }
        taken.push({ when: when.run, result });
      }
      const rest = last ?? otherwise.compile();
      if (taken.length === 0) return rest;
      const run: Evaluate = (row) => {
        for (const branch of taken) if (branch.when(row) === true) return branch.result.run(row);
        return rest.run(row);
      };
      return { run, isConstant: false };
    },
  };
}

/** The value of a CASE's operand, computed once for all its branches. */
export function once(part: TypedNode): { readonly shared: TypedNode; readonly reset: (inner: TypedNode) => TypedNode } {
  let value: Value = null;
  let compiled: Compiled | null = null;
  const compileOnce = (): Compiled => {
    compiled ??= part.compile();
    return compiled;
  };
  return {
    shared: {
      ...part,
      compile() {
        const input = compileOnce();
        return input.isConstant ? input : { run: () => value, isConstant: false };
      },
    },
    reset: (inner) => ({
      ...inner,
      compile() {
        const input = compileOnce();
        const body = inner.compile();
        if (input.isConstant || body.isConstant) return body;
        return {
          run(row) {
            const mine = input.run(row);
            const outer = value;
            value = mine;
            try {
              return body.run(row);
            } finally {
              value = outer;
            }
          },
          isConstant: false,
        };
      },
    }),
  };
}

/** As an array beside one operand: none of its items reads the row. */
export function among(options: {
  readonly operand: TypedNode;
  readonly items: readonly TypedNode[];
  readonly matches: (a: Value, b: Value) => boolean;
  readonly negated: boolean;
  readonly isStable: boolean;
  readonly offset: number;
}): TypedNode {
  const { operand, items, matches, negated, isStable, offset } = options;
  return {
    type: 'bool',
    offset,
    compile() {
      const input = operand.compile();
      const list = items.map((item) => item.compile());
      const isKnown = list.every((item) => item.isConstant);
      const valuesNow = (): Value[] => list.map((item) => constantValue(item));
      const known = isKnown ? valuesNow() : [];
      const run: Evaluate = (row) => {
        const values = isKnown ? known : valuesNow();
        const value = input.run(row);
        if (value === null) return null;
        let hasNull = false;
        for (const item of values) {
          if (item === null) hasNull = true;
          else if (matches(value, item)) return !negated;
        }
        return hasNull ? null : negated;
      };
      return isStable || !isKnown ? { run, isConstant: false } : folded(run, [input], offset);
    },
  };
}

/** The elements of an array: each computed, or read from a column. */
export type Elements =
  | { readonly kind: 'items'; readonly parts: readonly TypedNode[] }
  | { readonly kind: 'column'; readonly run: (row: Row) => readonly Value[] | null };

/** Whether a comparison is true of any element, or of all; NULL where that depends on a NULL. All elements are computed first. */
export function overElements(options: {
  readonly operand: TypedNode;
  readonly elements: Elements;
  readonly isAll: boolean;
  readonly isStable: boolean;
  /** Of the element that `use` was told. */
  readonly compare: TypedNode;
  readonly use: (element: Value) => void;
  readonly offset: number;
}): TypedNode {
  const { operand, elements, isAll, isStable, compare, use, offset } = options;
  return {
    type: 'bool',
    offset,
    compile() {
      const items = elements.kind === 'items' ? elements.parts.map((part) => part.compile()) : [];
      const read = elements.kind === 'items' ? (row: Row) => items.map((item) => item.run(row)) : elements.run;
      const { run: compared } = compare.compile();
      const run: Evaluate = (row) => {
        const values = read(row);
        if (values === null) return null;
        let result: boolean | null = isAll;
        for (const value of values) {
          use(value);
          const one = compared(row);
          if (one === !isAll) return !isAll;
          if (one === null) result = null;
        }
        return result;
      };
      // As at the server: it matters where this decides whether a branch is taken, which else might fail.
      const isFree = elements.kind === 'items' && !isStable;
      return isFree ? folded(run, [operand.compile(), ...items], offset) : { run, isConstant: false };
    },
  };
}

/** What two arrays are to each other; NULL where one is. */
export function comparedElements(
  pair: readonly [Elements, Elements],
  decide: (left: readonly Value[], right: readonly Value[]) => boolean,
  offset: number,
): TypedNode {
  return {
    type: 'bool',
    offset,
    compile() {
      const reads = pair.map((elements) => {
        if (elements.kind === 'column') return { items: null, read: elements.run };
        const items = elements.parts.map((part) => part.compile());
        return { items, read: (row: Row) => items.map((item) => item.run(row)) };
      });
      const [left, right] = reads;
      const run: Evaluate = (row) => {
        const [a, b] = [left?.read(row) ?? null, right?.read(row) ?? null];
        return a === null || b === null ? null : decide(a, b);
      };
      const items = reads.map((one) => one.items);
      const isFree = items.every((one) => one !== null);
      return isFree
        ? folded(
            run,
            items.flatMap((one) => one ?? []),
            offset,
          )
        : { run, isConstant: false };
    },
  };
}

/** concat and concat_ws: NULL counts for nothing, but a separator that is NULL makes all NULL. */
export function joined(separator: TypedNode | null, parts: readonly TypedNode[], offset: number): TypedNode {
  return {
    type: 'text',
    offset,
    compile() {
      const between = separator?.compile() ?? constant('');
      const inputs = parts.map((part) => part.compile());
      const run: Evaluate = (row) => {
        const by = between.run(row);
        const values = inputs.map((input) => input.run(row)).filter((value) => value !== null);
        if (by === null) return null;
        checkLength(values.reduce<number>((sum, value) => sum + String(value).length + String(by).length, 0));
        return values.join(String(by));
      };
      return { run, isConstant: false };
    },
  };
}
