import { fromInteger } from '../types/numeric.ts';
import { comparisonFunctions } from './comparisons.ts';
import { documentFunctions } from './documents.ts';
import { formatNumber } from './format-number.ts';
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
    'to_char(int4,text)': (value: number, format: string) => formatNumber(fromInteger(value), format),
    'to_char(int8,text)': (value: bigint, format: string) => formatNumber(fromInteger(value), format),
    'to_char(numeric,text)': formatNumber,
  } satisfies FunctionTable),
);
