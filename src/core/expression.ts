import type { Cell, Row } from './cell.ts';
import type { PlainCondition } from './plain-condition.ts';
import type { Column } from './table.ts';

/** An expression of the configuration, parsed and not yet bound to columns. */
export interface Expression {
  readonly text: string;
  /** Columns that it names. */
  readonly columns: readonly string[];
  /** Throws a TidelockError where a column is unknown or a type does not fit. */
  bind(place: ExpressionPlace): BoundExpression;
  /** The condition in the words of any database, on columns that it was bound to; null where it says more. */
  plain(columns: readonly Column[]): PlainCondition | null;
}

export interface ExpressionPlace {
  readonly route: string;
  readonly table: string;
  readonly columns: readonly Column[];
  /** Condition: true, false or unknown. */
  readonly as: 'condition' | 'value';
  /** The type that the value is to have, where there is one. */
  readonly wanted?: { readonly type: string; readonly modifier: number };
}

/** Deterministic: the same cells give the same value. Throws an error whose text holds no row value where it can't. */
export interface BoundExpression {
  /** Indexes of the columns that it reads. */
  readonly reads: readonly number[];
  /** Of the value, as in Column. */
  readonly type: string;
  readonly modifier: number;
  /** Canonical text of the value. No cell that it reads may be UNCHANGED or ABSENT. */
  evaluate(row: Row): Cell;
  /** For conditions: true, not false and not unknown. */
  isTrue(row: Row): boolean;
}
