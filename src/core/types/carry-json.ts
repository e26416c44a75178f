import { carryText } from './carry-text.ts';
import { type Carrying, type Check, checked, exact, refused } from './carrying.ts';
import type { Conversions } from './conversions.ts';
import { type ArrayElement, hasBinaryNumbers, isJson, readArray } from './json-text.ts';
import type { LogicalType } from './logical-type.ts';
import { ValueRefused } from './value-refused.ts';

type Json = Extract<LogicalType, { kind: 'json' }>;

const anyText: LogicalType = {
  kind: 'text',
  characters: null,
  bytes: null,
  repertoire: 'unicode',
  nul: false,
  padded: false,
  folds: false,
};

/** From and to JSON and arrays; null where it is not about these. */
export function carryJson(from: LogicalType, to: LogicalType, conversions: Conversions): Carrying | null {
  if (to.kind === 'json' && (from.kind === 'json' || from.kind === 'text')) return toJson(from, to, conversions);
  if (from.kind === 'array') return fromArray(from.element, to, conversions);
  if (from.kind === 'json' && to.kind === 'array') return toArray(to.element);
  if (from.kind === 'json' && to.kind === 'text') return carryText(anyText, to, conversions);
  return null;
}

function toJson(from: Json | Extract<LogicalType, { kind: 'text' }>, to: Json, { json }: Conversions): Carrying {
  const isText = from.kind === 'text';
  const valid: Check = { condition: 'form', applies: isText, fails: (value) => !isJson(value) };
  const numbers: Check = {
    condition: 'json',
    applies: to.form === 'binary' && (isText || from.form !== 'binary'),
    fails: (value) => !hasBinaryNumbers(value),
  };
  if (to.form === 'text') return checked([valid]);
  if (!isText && from.form !== 'text') return checked([numbers]);
  if (json === undefined)
    return refused(
      'the source keeps JSON as it was written and the target what it means, so that blanks, the order of keys, repeated keys and forms of numbers would be lost; "convert: { json: normalize }" allows that',
    );
  const carrying = checked([valid, numbers]);
  return carrying.kind === 'refused' ? carrying : { ...carrying, converted: ['json'], injective: false };
}

const begun: Check = {
  condition: 'bounds',
  applies: true,
  fails: (value) => !value.startsWith('[[') && value.startsWith('[') && /^\[-?[0-9]+:/.test(value),
};

function fromArray(element: LogicalType, to: LogicalType, conversions: Conversions): Carrying {
  if (to.kind === 'array')
    return JSON.stringify(element, plain) === JSON.stringify(to.element, plain)
      ? exact()
      : refused('the elements are of other types');
  if (to.kind === 'text') return carryText(anyText, to, conversions) ?? refused('the text has no room');
  if (to.kind !== 'json') return refused(`an array is no ${to.kind}; use JSON or text`);
  return checked([
    begun,
    { condition: 'json', applies: to.form === 'binary', fails: (value) => !hasBinaryNumbers(value) },
  ]);
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

const numeric: ReadonlySet<string> = new Set(['integer', 'decimal', 'float']);

/** Elements have to be what their type's canonical form looks like in JSON, and each dimension of one length. */
function toArray(element: LogicalType): Carrying {
  const isOf = (one: Exclude<ArrayElement, readonly ArrayElement[]>): boolean => {
    if (one === null) return true;
    if (element.kind === 'boolean') return !one.quoted && (one.text === 'true' || one.text === 'false');
    if (numeric.has(element.kind))
      return one.quoted ? /^-?(?:NaN|Infinity|0)$/.test(one.text) : /^[-0-9]/.test(one.text);
    return element.kind === 'json' ? true : one.quoted;
  };
  return checked([{ condition: 'form', applies: true, fails: (value) => !isRectangular(value, isOf) }]);
}

function isRectangular(text: string, isOf: (one: Exclude<ArrayElement, readonly ArrayElement[]>) => boolean): boolean {
  try {
    const shapeOf = (one: ArrayElement): string => {
      if (!Array.isArray(one)) {
        if (!isOf(one as Exclude<ArrayElement, readonly ArrayElement[]>)) throw new ValueRefused('form');
        return '';
      }
      const shapes = new Set(one.map(shapeOf));
      if (shapes.size > 1) throw new ValueRefused('form');
      return `${one.length},${[...shapes][0] ?? ''}`;
    };
    shapeOf(readArray(text));
    return true;
  } catch (error) {
    if (error instanceof ValueRefused) return false;
    throw error;
  }
}
