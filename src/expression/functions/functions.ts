import { comparisonFunctions } from './comparisons.ts';
import { documentFunctions } from './documents.ts';
import { formatTimestamp } from './format-time.ts';
import { fractionFunctions } from './fractions.ts';
import type { FunctionTable } from './function-table.ts';
import { integerFunctions } from './integers.ts';
import { patternFunctions } from './patterns.ts';
import { textFunctions } from './texts.ts';
import { zoneFunctions } from './time-zones.ts';
import { timeFunctions } from './times.ts';

export const functions: ReadonlyMap<string, FunctionTable[string]> = new Map(
  Object.entries({
    ...comparisonFunctions,
    ...integerFunctions,
    ...fractionFunctions,
    ...textFunctions,
    ...timeFunctions,
    ...documentFunctions,
    ...patternFunctions,
    ...zoneFunctions,
    'to_char(timestamp,text)': formatTimestamp,
    'to_char(timestamptz,text)': formatTimestamp,
  } satisfies FunctionTable),
);
