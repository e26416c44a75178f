import type { BoundExpression, Expression } from '../src/core/expression.ts';
import type { Column } from '../src/core/table.ts';
import type { ConfiguredTransform, RowLayout } from '../src/core/table-mapping.ts';

/** Gives columns the values of expressions; a name that is not there becomes a new column of the expression's type. */
export function set(values: ReadonlyMap<string, Expression>, name = 'set'): ConfiguredTransform {
  return {
    name,
    columns: [...values.keys()],
    bind(layout) {
      const columns = [...layout.columns];
      const rules = [...values].map(([column, expression]) => {
        const bound = bindValue(layout, expression);
        const index = place(columns, column, bound);
        const { reads } = bound;
        return { index, reads, injective: isCopy(expression), compute: bound.evaluate };
      });
      return { kind: 'cells', columns, rules };
    },
  };
}

export function bindValue({ route, table, columns }: RowLayout, expression: Expression): BoundExpression {
  return expression.bind({ route, table, columns, as: 'value' });
}

/** Index of the column, which gets the expression's type; a new one goes to the end. Changes `columns`. */
export function place(columns: Column[], name: string, { type, modifier }: Pick<Column, 'type' | 'modifier'>): number {
  const index = columns.findIndex((column) => column.name === name);
  if (index < 0) return columns.push({ name, type, modifier, key: false }) - 1;
  columns[index] = { name, type, modifier, key: columns[index]?.key === true };
  return index;
}

/** The expression is one column's name and nothing else. */
function isCopy({ text, columns }: Expression): boolean {
  const [only] = columns;
  return only !== undefined && (text.trim() === only || text.trim() === `"${only.replaceAll('"', '""')}"`);
}
