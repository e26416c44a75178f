import { ExpressionFailure, ExpressionProblem } from './problem.ts';
import type { Evaluate, Value } from './types/value.ts';

/** An expression whose type is known. Nothing is computed before it is compiled: a branch that is never taken may fail. */
export interface TypedNode {
  /** Without `pg_catalog.`; `unknown` for a literal in quotes or NULL that nothing has given a type yet. */
  readonly type: string;
  readonly offset: number;
  /** Of an `unknown`. */
  readonly text?: string | null;
  readonly compile: () => Compiled;
}

export interface Compiled {
  readonly run: Evaluate;
  /** The same for all rows. */
  readonly isConstant: boolean;
}

export function constant(value: Value): Compiled {
  return { run: () => value, isConstant: true };
}

export function constantValue(compiled: Compiled): Value {
  return compiled.run([]);
}

/** What is constant is computed now, so that it fails before any row is read. */
export function folded(run: Evaluate, parts: readonly Compiled[], offset: number): Compiled {
  if (!parts.every((part) => part.isConstant)) return { run, isConstant: false };
  return constant(computeNow(() => run([]), offset));
}

export function computeNow(compute: () => Value, offset: number): Value {
  try {
    return compute();
  } catch (error) {
    if (error instanceof ExpressionFailure) throw new ExpressionProblem(error.message, offset);
    throw error;
  }
}
