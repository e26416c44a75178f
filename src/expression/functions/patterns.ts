import { matchesRegex, replaceRegex, substringOfRegex } from '../regex/regex.ts';
import type { FunctionTable } from './function-table.ts';

const texts = ['text', 'name', 'bpchar'];

export const patternFunctions: FunctionTable = {
  ...Object.fromEntries(
    texts.flatMap((type) => [
      [`~(${type},text)`, (text: string, pattern: string) => matchesRegex(text, pattern, false)],
      [`!~(${type},text)`, (text: string, pattern: string) => !matchesRegex(text, pattern, false)],
      [`~*(${type},text)`, (text: string, pattern: string) => matchesRegex(text, pattern, true)],
      [`!~*(${type},text)`, (text: string, pattern: string) => !matchesRegex(text, pattern, true)],
    ]),
  ),
  'substring(text,text)': substringOfRegex,
  'regexp_replace(text,text,text)': (text: string, pattern: string, by: string) => replaceRegex(text, pattern, by, ''),
  'regexp_replace(text,text,text,text)': replaceRegex,
};
