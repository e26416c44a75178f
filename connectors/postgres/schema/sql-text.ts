import { isSameExpression } from '../../../src/core/portable-expression.ts';
import type { SqlText } from '../../../src/core/table-schema.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { readPostgresExpression } from '../types/postgres-schema-words.ts';

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

export function isSameText(one: SqlText, other: SqlText): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/** However it is written: what another vendor's table says is not written as this server writes it. */
export function isSameSql(one: SqlText, other: SqlText): boolean {
  if (isSameText(one, other)) return true;
  const [left, right] = [readPostgresExpression(one), readPostgresExpression(other)];
  return left !== null && right !== null && isSameExpression(left, right);
}
