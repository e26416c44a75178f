import { didYouMean } from '../core/nearest-name.ts';
import { functions } from './functions/functions.ts';
import { timeFields } from './functions/time-fields.ts';
import { ExpressionProblem } from './problem.ts';
import { commonType, resolveFunction } from './resolve-function.ts';
import { type Signature, signaturesOf } from './signature-catalogue.ts';
import { computeNow, type TypedNode } from './typed-node.ts';
import { matcherOf } from './types/like.ts';
import { fromInteger } from './types/numeric.ts';
import { typeForms } from './types/type-forms.ts';
import type { Value } from './types/value.ts';

export type Equality = (a: Value, b: Value) => boolean;

export function common(what: string, parts: readonly TypedNode[], offset: number): string {
  const type = commonType(parts.map((part) => part.type));
  if (type !== null) return type;
  const types = [...new Set(parts.map((part) => part.type).filter((name) => name !== 'unknown'))];
  throw new ExpressionProblem(`${what} has values of types that do not go together: ${types.join(', ')}`, offset);
}

export function signatureFor(
  name: string,
  parts: readonly TypedNode[],
  isOperator: boolean,
  offset: number,
): Signature {
  const types = parts.map((part) => part.type);
  const found = resolveFunction(signaturesOf(name), types, isOperator);
  if (typeof found !== 'string') return found;
  const passedOn = types.find((type) => type !== 'unknown' && !typeForms.has(type));
  if (passedOn !== undefined)
    throw new ExpressionProblem(
      `values of type ${passedOn} are only passed on: compute with their text (...::text)`,
      offset,
    );
  const what = shown(name, types);
  throw new ExpressionProblem(
    found === 'none' ? `no ${what}` : `${what} may be several: say with a cast which type is meant`,
    offset,
  );
}

export function shown(name: string, types: readonly string[]): string {
  return /^[a-z]/.test(name) ? `function ${name}(${types.join(', ')})` : `operator ${name} for ${types.join(' and ')}`;
}

/** What extract and date_trunc are asked for is written, not computed, so that it is checked here. */
export function checkField(key: string, part: TypedNode | undefined): void {
  const fields = timeFields[key];
  if (fields === undefined || part === undefined) return;
  const text = part.type === 'unknown' ? part.text?.toLowerCase() : undefined;
  if (text === undefined) throw new ExpressionProblem('a field that is computed is not in the language', part.offset);
  if (!fields.has(text))
    throw new ExpressionProblem(
      `field ${text} of ${key} is not in the language${didYouMean(text, fields)}`,
      part.offset,
    );
}

/** A pattern that is written is checked here, not with the first row. */
export function checkPattern(name: string, part: TypedNode | undefined): void {
  const text = part?.type === 'unknown' ? part.text : undefined;
  if (!/^!?~~/.test(name) || typeof text !== 'string') return;
  computeNow(() => {
    matcherOf(text);
    return null;
  }, part?.offset ?? 0);
}

/** Regular expressions, formats and names of time zones, by function: which argument each is, from which on, and a value to try it with. */
const written: Readonly<Record<string, { readonly from: number; readonly what: string }>> = {
  ...Object.fromEntries(
    ['~', '!~', '~*', '!~*'].flatMap((sign) =>
      ['text', 'name', 'bpchar'].map((type) => [`${sign}(${type},text)`, { from: 1, what: 'a regular expression' }]),
    ),
  ),
  'substring(text,text)': { from: 1, what: 'a regular expression' },
  'regexp_replace(text,text,text)': { from: 1, what: 'a regular expression, or what takes its place,' },
  'regexp_replace(text,text,text,text)': { from: 1, what: 'a regular expression, or what takes its place,' },
  'to_char(timestamp,text)': { from: 1, what: 'a format' },
  'to_char(timestamptz,text)': { from: 1, what: 'a format' },
  'to_char(int4,text)': { from: 1, what: 'a format' },
  'to_char(int8,text)': { from: 1, what: 'a format' },
  'to_char(numeric,text)': { from: 1, what: 'a format' },
};

/** A value to try it with, by the type of the other argument. */
const samples: Readonly<Record<string, Value>> = {
  timestamp: 0n,
  timestamptz: 0n,
  int4: 0,
  int8: 0n,
  numeric: fromInteger(0),
};

/** What has a language of its own is written, not computed: what of it is not ours is told before any row is read. */
export function checkWritten(key: string, parts: readonly TypedNode[]): void {
  const zone = /^timezone\(text,/.test(key) ? parts[0] : undefined;
  const rule = zone === undefined ? written[key] : { from: 0, what: 'a time zone' };
  if (rule === undefined) return;
  const all = zone === undefined ? parts.slice(rule.from) : [zone];
  const computed = all.find((part) => part.type !== 'unknown');
  if (computed !== undefined)
    throw new ExpressionProblem(`${rule.what} that is computed is not in the language`, computed.offset);
  const texts = all.map((part) => part.text ?? null);
  if (texts.includes(null)) return;
  const apply = functions.get(key) as (...values: Value[]) => Value;
  const sample = samples[key.slice(key.indexOf('(') + 1, -1).split(',')[zone === undefined ? 0 : 1] ?? ''] ?? '';
  computeNow(() => (zone === undefined ? apply(sample, ...texts) : apply(...texts, sample)), all[0]?.offset ?? 0);
}

export function equality(found: Signature, offset: number): Equality {
  const apply = functions.get(`=(${found.arguments.join(',')})`);
  if (apply === undefined) throw new ExpressionProblem(`${shown('=', found.arguments)} is not in the language`, offset);
  return apply as Equality;
}
