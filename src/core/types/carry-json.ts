import { carryNumber } from './carry-number.ts';
import { carryText } from './carry-text.ts';
import { type Carrying, type Check, checked, exact, refused } from './carrying.ts';
import type { Conversions } from './conversions.ts';
import { plainDecimal } from './decimal-text.ts';
import { type ArrayElement, hasBinaryNumbers, isJson, readArray } from './json-text.ts';
import { anyText, type LogicalType } from './logical-type.ts';
import { ValueRefused } from './value-refused.ts';

/** What a server writes anew does not end in blanks. */
const bracketed = { ...anyText, padded: true };

type Json = Extract<LogicalType, { kind: 'json' }>;

/** From and to JSON and arrays; null where it is not about these. */
export function carryJson(from: LogicalType, to: LogicalType, conversions: Conversions): Carrying | null {
  if (to.kind === 'json' && (from.kind === 'json' || from.kind === 'text')) return toJson(from, to, conversions);
  if (from.kind === 'array') return fromArray(from.element, to, conversions);
  if (from.kind === 'json' && to.kind === 'array') return toArray(to.element);
  if (from.kind === 'json' && to.kind === 'text')
    return carryText(from.form === 'text' ? anyText : bracketed, to, conversions);
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
  if (to.kind === 'text') return carryText(bracketed, to, conversions) ?? refused('the text has no room');
  if (to.kind !== 'json') return refused(`an array is no ${to.kind}; use JSON or text`);
  if (element.kind === 'json')
    return refused(
      'a JSON null among its elements would be a missing one, and other documents would be written anew; a column of text takes it',
    );
  return checked([
    begun,
    { condition: 'json', applies: to.form === 'binary', fails: (value) => !hasBinaryNumbers(value) },
  ]);
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

type Single = Exclude<ArrayElement, readonly ArrayElement[]>;

/** Each element is checked as a value of its type by itself would be, and each dimension has one length. */
function toArray(element: LogicalType): Carrying {
  const takes = elementTest(element);
  if (takes === null) return refused('its elements have no form in JSON that is theirs alone; use a column of text');
  const isOf = (one: Single): boolean => one === null || takes(one);
  return checked([{ condition: 'form', applies: true, fails: (value) => !isRectangular(value, isOf) }]);
}

/** Null where texts that are no values of the type would be taken for others. */
function elementTest(element: LogicalType): ((one: NonNullable<Single>) => boolean) | null {
  switch (element.kind) {
    case 'boolean':
      return ({ text, quoted }) => !quoted && (text === 'true' || text === 'false');
    case 'integer':
    case 'decimal':
    case 'float': {
      const number = passes(
        carryNumber({ kind: 'decimal', digits: null, unsigned: false, specials: false }, element, {}),
      );
      const isSpecial = element.kind !== 'integer' && element.specials;
      return ({ text, quoted }) =>
        quoted
          ? isSpecial && /^(?:NaN|-?Infinity)$/.test(text)
          : /^-?[0-9.]+$/.test(text) && plainDecimal(text) === text && number(text);
    }
    case 'text': {
      const fits = passes(carryText(anyText, element, {}));
      return ({ text, quoted }) => quoted && !text.includes('\0') && fits(text);
    }
    case 'uuid':
      return ({ text, quoted }) => quoted && /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);
    case 'bytes':
      return ({ text, quoted }) => quoted && /^(?:[0-9a-f]{2})*$/.test(text);
    default:
      return null;
  }
}

function passes(carrying: Carrying | null): (text: string) => boolean {
  return (text) => {
    if (carrying?.kind !== 'carried') return false;
    try {
      return carrying.step === null || carrying.step(text) === text;
    } catch (error) {
      if (error instanceof ValueRefused) return false;
      throw error;
    }
  };
}

function isRectangular(text: string, isOf: (one: Single) => boolean): boolean {
  try {
    const shapeOf = (one: ArrayElement): string => {
      if (!Array.isArray(one)) {
        if (!isOf(one as Single)) throw new ValueRefused('form');
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
