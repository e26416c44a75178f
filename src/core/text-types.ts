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

/** The type of text that a transform makes. */
export const plainText = { type: 'pg_catalog.text', modifier: -1 } as const;
