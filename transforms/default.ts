import type { Expression } from '../src/core/expression.ts';
import type { ConfiguredTransform } from '../src/core/table-mapping.ts';

/** Puts the value of an expression where a column is NULL. */
export function defaultValue(values: ReadonlyMap<string, Expression>): ConfiguredTransform {
  return {
    name: 'default',
    columns: [...values.keys()],
    bind(layout) {
      const { route, table, columns } = layout;
      const rules = [...values].map(([name, expression]) => {
        const index = layout.indexOf(name);
        const { type = '', modifier = -1 } = columns[index] ?? {};
        const bound = expression.bind({ route, table, columns, as: 'value', wanted: { type, modifier } });
        const reads = [...new Set([index, ...bound.reads])];
        return {
          index,
          reads,
          injective: false,
          compute: (row: Parameters<typeof bound.evaluate>[0]) => row[index] ?? bound.evaluate(row),
        };
      });
      return { kind: 'cells', columns, rules };
    },
  };
}
