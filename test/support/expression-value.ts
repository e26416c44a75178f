import '../../src/expression/load-parser.ts';
import type { Row } from '../../src/core/cell.ts';
import {
  bindExpression,
  type ExpressionColumn,
  ExpressionFailure,
  ExpressionProblem,
  parseExpression,
} from '../../src/expression/expression.ts';

/** The value as text, or `fails`, be it before or on the row. */
export function expressionValue(text: string, columns: readonly ExpressionColumn[] = [], row: Row = []): string | null {
  try {
    return bindExpression(parseExpression(text), columns, { as: 'value' }).evaluate(row);
  } catch (error) {
    if (error instanceof ExpressionProblem || error instanceof ExpressionFailure) return 'fails';
    throw error;
  }
}
