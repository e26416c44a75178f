import type { SqlText } from '../../../src/core/table-schema.ts';
import { quoteIdentifier } from '../identifiers.ts';

/** As the server reads it. */
export function sqlText(text: SqlText): string {
  return text.map((piece) => (typeof piece === 'string' ? piece : quoteIdentifier(piece.column))).join('');
}

/** Columns between parentheses. */
export function columnList(columns: readonly string[]): string {
  return `(${columns.map(quoteIdentifier).join(', ')})`;
}

export function deferrableText(deferrable: 'no' | 'immediate' | 'deferred'): string {
  return { no: '', immediate: ' DEFERRABLE', deferred: ' DEFERRABLE INITIALLY DEFERRED' }[deferrable];
}
