import { configErrors } from './errors/catalogue/config.ts';
import { fail } from './errors/tidelock-error.ts';

const textTypes: ReadonlySet<string> = new Set(['pg_catalog.text', 'pg_catalog.varchar', 'pg_catalog.bpchar']);
const mysqlTexts = /^(?:(?:var)?char|(?:tiny|medium|long)?text)(?:\(\d+\))?(?: collate \w+)?$/;

/** Of types whose values are plain text, as the source names them. */
export function isTextType(type: string): boolean {
  return textTypes.has(type) || mysqlTexts.test(type);
}

/** char(n) pads with blanks that count for nothing: the same value must not depend on n. */
export function isPadded(type: string): boolean {
  return type === 'pg_catalog.bpchar';
}

const bytes = /^(?:pg_catalog\.bytea|(?:var)?binary|(?:tiny|medium|long)?blob)\b/;

/** Throws (halt) where a transform that compares texts is to work on bytes. */
export function checkTexts(transform: string, { name, type }: { readonly name: string; readonly type: string }): void {
  if (bytes.test(type))
    throw fail(configErrors.transformType, { transform, column: name, type, wanted: 'types with a text' });
}

/** The type of text that a transform makes. */
export const plainText = { type: 'pg_catalog.text', modifier: -1 } as const;
