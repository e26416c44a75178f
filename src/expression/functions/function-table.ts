import type { Value } from '../types/value.ts';

/**
 * What functions and operators do, by `name(types)`. None is called with NULL, whose result is NULL. What a function
 * throws is an ExpressionFailure.
 */
export type FunctionTable = Readonly<Record<string, (...args: never[]) => Value>>;
