import { jsonElement, jsonMember, jsonText } from '../types/json.ts';
import type { FunctionTable } from './function-table.ts';

export const documentFunctions: FunctionTable = {
  ...operators('json'),
  ...operators('jsonb'),
};

function operators(type: string): FunctionTable {
  return {
    [`->(${type},text)`]: jsonMember,
    [`->(${type},int4)`]: jsonElement,
    [`->>(${type},text)`]: (text: string, name: string) => jsonText(jsonMember(text, name)),
    [`->>(${type},int4)`]: (text: string, index: number) => jsonText(jsonElement(text, index)),
  };
}
