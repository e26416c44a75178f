import type { Row } from '../core/cell.ts';
import { Analyser } from './analyse.ts';
import { assignTo } from './coerce.ts';
import { type ExpressionColumn, shortType } from './expression-column.ts';
import { parseSql } from './parse-sql.ts';
import { ExpressionProblem } from './problem.ts';
import { partsOf, type Syntax } from './syntax.ts';
import type { TypedNode } from './typed-node.ts';
import { typeForms } from './types/type-forms.ts';

export type { ExpressionColumn } from './expression-column.ts';
export { ExpressionFailure, ExpressionProblem } from './problem.ts';

/** The text of an expression, read but not yet tied to a table. docs/expressions.md describes the language. */
export interface ParsedExpression {
  readonly text: string;
  /** Names of the columns that it reads, each once, in the order of the text. */
  readonly columns: readonly string[];
  readonly syntax: Syntax;
}

export interface BindOptions {
  /** A condition is boolean; a value becomes one of `wanted` without loss, where that is given. */
  readonly as: 'condition' | 'value';
  readonly wanted?: { readonly type: string; readonly modifier: number };
}

/** An expression on the rows of one table version. */
export interface BoundExpression {
  /** Indexes of the columns that it reads, ascending. */
  readonly reads: readonly number[];
  /** Of the result, as columns name it: `pg_catalog.text`. */
  readonly type: string;
  /** The text that the server would print for the value. Throws ExpressionFailure where the row has none. */
  readonly evaluate: (row: Row) => string | null;
  /** Of a condition: whether it is true; neither false nor NULL is. */
  readonly isTrue: (row: Row) => boolean;
}

/** At configuration time. Throws ExpressionProblem for what is no expression of the language. */
export function parseExpression(text: string): ParsedExpression {
  const syntax = parseSql(text);
  const columns = new Set<string>();
  const visit = (part: Syntax): void => {
    if (part.kind === 'column') columns.add(part.name);
    for (const inner of partsOf(part)) visit(inner);
  };
  visit(syntax);
  return { text, columns: [...columns], syntax };
}

/** Once per table version. Throws ExpressionProblem for columns and types that do not fit, and for constants that fail. */
export function bindExpression(
  parsed: ParsedExpression,
  columns: readonly ExpressionColumn[],
  options: BindOptions,
): BoundExpression {
  const analyser = new Analyser(columns);
  const node = typedResult(analyser.analyse(parsed.syntax), options);
  const { run } = node.compile();
  const print = typeForms.get(node.type)?.print as ((value: unknown) => string) | undefined;
  return {
    reads: [...analyser.reads].sort((a, b) => a - b),
    type: node.type.includes('.') ? node.type : `pg_catalog.${node.type}`,
    evaluate(row) {
      const value = run(row);
      if (value === null) return null;
      return print === undefined ? String(value) : print(value);
    },
    isTrue: (row) => run(row) === true,
  };
}

function typedResult(node: TypedNode, options: BindOptions): TypedNode {
  const { as, wanted } = options;
  if (as === 'value' && wanted !== undefined) return assignTo(node, wanted);
  const type = as === 'condition' ? 'bool' : 'text';
  const typed = node.type === 'unknown' ? assignTo(node, { type, modifier: -1 }) : node;
  if (as === 'condition' && shortType(typed.type) !== 'bool')
    throw new ExpressionProblem(`a condition is wanted, not a ${typed.type}`, node.offset);
  return typed;
}
