import { TransformFailure } from '../core/cell-rule.ts';
import { transformErrors } from '../core/errors/catalogue/transform.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { BoundExpression, Expression, ExpressionPlace } from '../core/expression.ts';
import {
  bindExpression,
  ExpressionFailure,
  ExpressionProblem,
  type ParsedExpression,
  parseExpression,
} from '../expression/expression.ts';
import { plainCondition } from '../expression/plain-condition.ts';

/** An expression of the configuration. Throws an ExpressionProblem where the text is none. */
export function configuredExpression(text: string): Expression {
  const parsed = parseExpression(text);
  return {
    text,
    columns: parsed.columns,
    bind: (place) => bind(parsed, place),
    plain: (columns) => plainCondition(parsed, columns),
  };
}

/** The conversion of a column to a type, as CAST has it. */
export function castExpression(column: string, type: string): Expression {
  return configuredExpression(`CAST("${column.replaceAll('"', '""')}" AS ${type})`);
}

/** Blanks, comments, letters of keywords and needless parentheses make no other expression. */
export function sameExpression(a: string, b: string): boolean {
  try {
    return a === b || meaningOf(a) === meaningOf(b);
  } catch (error) {
    // Of an engine whose language was another one.
    if (error instanceof ExpressionProblem) return false;
    throw error;
  }
}

function meaningOf(text: string): string {
  return JSON.stringify(parseExpression(text).syntax, (key, value) => (key === 'offset' ? undefined : value));
}

/** Where in the text, counted from 1, and what is wrong with it. */
export function problemText({ message, offset }: ExpressionProblem): string {
  return `${message} (at character ${offset + 1})`;
}

function bind(parsed: ParsedExpression, { route, table, columns, as, wanted }: ExpressionPlace): BoundExpression {
  try {
    const bound = bindExpression(parsed, columns, { as, ...(wanted && { wanted }) });
    const { reads, type } = bound;
    return {
      reads,
      type,
      modifier: parsed.syntax.kind === 'cast' ? parsed.syntax.modifier : (wanted?.modifier ?? -1),
      evaluate: (row) => failing(() => bound.evaluate(row)),
      isTrue: (row) => failing(() => bound.isTrue(row)),
    };
  } catch (error) {
    if (!(error instanceof ExpressionProblem)) throw error;
    throw fail(
      transformErrors.expression,
      { route, table, expression: parsed.text, problem: problemText(error) },
      error,
    );
  }
}

function failing<T>(evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    throw error instanceof ExpressionFailure ? new TransformFailure(error.message, { cause: error }) : error;
  }
}
