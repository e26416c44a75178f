import { type ArrayElement, readArray } from '../../../src/core/types/json-text.ts';
import type { LogicalKind } from '../../../src/core/types/logical-type.ts';
import type { ColumnCodec } from '../../../src/core/types/vendor-types.ts';

const bare: ReadonlySet<LogicalKind> = new Set(['integer', 'decimal', 'float', 'boolean', 'json']);

/** An array's literal as JSON; with bounds other than 1 what comes first is `[2:3]=` as in the literal, which no JSON is. */
export function arrayToCanonical(literal: string, element: ColumnCodec, separator: ',' | ';' = ','): string {
  const begin = literal.indexOf('{');
  const bounds = literal.startsWith('[') ? literal.slice(0, literal.indexOf('=') + 1) : '';
  const written = (text: string): string => {
    const value = element.toCanonical === null ? text : element.toCanonical(text);
    if (Buffer.isBuffer(value)) return JSON.stringify(value.toString('hex'));
    // NaN and infinities are no JSON.
    return bare.has(element.type.kind) && !/^-?[NI]/.test(value) ? value : JSON.stringify(value);
  };
  const ends = separator === ',' ? /[,}]/ : /[;}]/;
  let json = '';
  let at = begin;
  while (at < literal.length) {
    const character = literal[at] as string;
    if (character === '{' || character === '}' || character === separator) {
      json += character === '{' ? '[' : character === '}' ? ']' : ', ';
      at++;
    } else if (character === '"') {
      let text = '';
      at++;
      while (literal[at] !== '"') {
        if (literal[at] === '\\') at++;
        text += literal[at++];
      }
      at++;
      json += written(text);
    } else {
      const end = ends.exec(literal.slice(at))?.index ?? literal.length - at;
      const text = literal.slice(at, at + end);
      at += end;
      json += text === 'NULL' ? 'null' : written(text);
    }
  }
  return bounds + json;
}

/** The literal of what JSON holds; its elements are what the element's canonical form looks like in JSON. */
export function arrayFromCanonical(json: string, element: ColumnCodec): string {
  const literal = (one: ArrayElement): string => {
    if (one === null) return 'NULL';
    if (isArray(one)) return `{${one.map(literal).join(',')}}`;
    const value = element.type.kind === 'bytes' ? Buffer.from(one.text, 'hex') : one.text;
    const native = element.fromCanonical === null ? value : element.fromCanonical(value);
    const text = native as string;
    return /^[-+.0-9a-zA-Z_]+$/.test(text) && !/^null$/i.test(text) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`;
  };
  return literal(readArray(json));
}

function isArray(one: ArrayElement): one is readonly ArrayElement[] {
  return Array.isArray(one);
}
