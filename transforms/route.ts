import { isThere } from '../src/core/cell-rule.ts';
import type { Expression } from '../src/core/expression.ts';
import type { TableName } from '../src/core/table.ts';
import type { ConfiguredTransform, RowOutput, SpreadRow } from '../src/core/table-mapping.ts';

export interface RouteOptions {
  /** The first whose condition is true decides. */
  readonly rules: readonly { readonly when: Expression; readonly to: TableName }[];
  /** Rows that no rule takes: `stay` at the table's own target, `drop`, or another table. */
  readonly otherwise: 'stay' | 'drop' | TableName;
}

/** Sends each row to a table that its values choose. A row whose values change moves. */
export function route({ rules, otherwise }: RouteOptions): ConfiguredTransform {
  const last = typeof otherwise === 'string' ? [] : [{ target: otherwise, hidden: [] }];
  const outputs: RowOutput[] = [...rules.map(({ to }) => ({ target: to, hidden: [] })), ...last];
  return {
    name: 'route',
    columns: [...new Set(rules.flatMap(({ when }) => when.columns))],
    bind({ route: name, table, columns }) {
      const conditions = rules.map(({ when }) => when.bind({ route: name, table, columns, as: 'condition' }));
      return {
        kind: 'rows',
        columns,
        lineage: [],
        reads: [...new Set(conditions.flatMap(({ reads }) => reads))],
        key: [],
        outputs,
        goesOn: otherwise === 'stay',
        filters: otherwise === 'drop',
        spread(row) {
          const at = conditions.findIndex((condition) => condition.isTrue(row));
          if (at >= 0) return [{ slot: '', output: at, row }];
          if (otherwise === 'drop') return none;
          return [{ slot: '', output: otherwise === 'stay' ? null : rules.length, row }];
        },
        possible(row) {
          const made: SpreadRow[] = [];
          for (const [output, condition] of conditions.entries()) {
            const isKnown = isThere(row, condition.reads);
            if (!isKnown || condition.isTrue(row)) made.push({ slot: '', output, row });
            if (isKnown && made.at(-1)?.output === output) return made;
          }
          if (otherwise !== 'drop') made.push({ slot: '', output: otherwise === 'stay' ? null : rules.length, row });
          return made;
        },
      };
    },
  };
}

const none: readonly SpreadRow[] = [];
