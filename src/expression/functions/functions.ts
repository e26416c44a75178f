import { comparisonFunctions } from './comparisons.ts';
import { documentFunctions } from './documents.ts';
import { fractionFunctions } from './fractions.ts';
import type { FunctionTable } from './function-table.ts';
import { integerFunctions } from './integers.ts';
import { textFunctions } from './texts.ts';
import { timeFunctions } from './times.ts';

export const functions: ReadonlyMap<string, FunctionTable[string]> = new Map(
  Object.entries({
    ...comparisonFunctions,
    ...integerFunctions,
    ...fractionFunctions,
    ...textFunctions,
    ...timeFunctions,
    ...documentFunctions,
  } satisfies FunctionTable),
);
