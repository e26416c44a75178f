import { jsonbElement, jsonbHas, jsonElement, jsonMember, jsonText } from '../types/json.ts';
import type { FunctionTable } from './function-table.ts';

export const documentFunctions: FunctionTable = {
  ...operators('json', jsonElement),
  ...operators('jsonb', jsonbElement),
  '?(jsonb,text)': jsonbHas,
};

function operators(type: string, element: (text: string, index: number) => string | null): FunctionTable {
  return {
    [`->(${type},text)`]: jsonMember,
    [`->(${type},int4)`]: element,
    [`->>(${type},text)`]: (text: string, name: string) => jsonText(jsonMember(text, name)),
    [`->>(${type},int4)`]: (text: string, index: number) => jsonText(element(text, index)),
  };
}
