import type { Row } from '../src/core/cell.ts';
import { type CellRule, isThere, ruleCell } from '../src/core/cell-rule.ts';
import type { BoundExpression, Expression } from '../src/core/expression.ts';
import type { TableName } from '../src/core/table.ts';
import type { ConfiguredTransform, RowLayout, SpreadRow } from '../src/core/table-mapping.ts';
import { bindValue, place } from './set.ts';

/** One of the rows that a row becomes. */
export interface SplitRow {
  /** Null: the table's own target. */
  readonly to: TableName | null;
  /** The row is only there where this is true; null: always. */
  readonly when: Expression | null;
  readonly set: ReadonlyMap<string, Expression>;
  /** The only columns that it has; null for all. */
  readonly columns: readonly string[] | null;
}

export interface SplitOptions {
  readonly rows: readonly SplitRow[];
  /** Columns that tell the rows of one source row apart where they go to one table. */
  readonly key: readonly string[];
}

/** Makes several rows of each row. */
export function split({ rows, key }: SplitOptions): ConfiguredTransform {
  return {
    name: 'split',
    columns: [...new Set(rows.flatMap(({ set }) => [...set.keys()]))],
    bind(layout) {
      const columns = [...layout.columns];
      const bound = rows.map(({ when, set }) => ({
        when:
          when?.bind({ route: layout.route, table: layout.table, columns: layout.columns, as: 'condition' }) ?? null,
        rules: [...set].map(([name, expression]) => rule(layout, columns, name, expression)),
      }));
      for (const name of rows.flatMap((row) => row.columns ?? []))
        if (!columns.some((column) => column.name === name)) layout.indexOf(name);
      const added = columns.length - layout.columns.length;
      return {
        kind: 'rows',
        columns,
        lineage: mergeLineage(
          bound.map(({ rules }) => rules),
          layout.columns.length,
        ),
        reads: [...new Set(bound.flatMap(({ when }) => when?.reads ?? []))],
        key,
        outputs: rows.map(({ to, columns: only }) => ({
          target: to,
          hidden: only === null ? [] : columns.map((column) => column.name).filter((name) => !only.includes(name)),
        })),
        goesOn: false,
        spread: (row) => bound.flatMap((one, output) => (isMade(one.when, row) ? [made(one.rules, row, output)] : [])),
        possible: (row) =>
          bound.flatMap((one, output) => {
            const isKnown = isThere(row, one.when?.reads ?? []);
            return isKnown && !isMade(one.when, row) ? [] : [made(one.rules, row, output)];
          }),
      };

      function made(rules: readonly CellRule[], row: Row, output: number): SpreadRow {
        const cells: Row = [...row, ...Array.from({ length: added }, () => null)];
        for (const one of rules) cells[one.index] = ruleCell(one, row);
        return { slot: String(output), output, row: cells };
      }
    },
  };
}

function isMade(when: BoundExpression | null, row: Row): boolean {
  return when === null || when.isTrue(row);
}

function rule(layout: RowLayout, columns: Parameters<typeof place>[0], name: string, expression: Expression): CellRule {
  const bound: BoundExpression = bindValue(layout, expression);
  const index = place(columns, name, bound);
  return { index, reads: bound.reads, injective: false, compute: bound.evaluate };
}

/** A cell that the rows make in different ways depends on all that any of them reads; one that a row leaves as it was on itself, too. */
function mergeLineage(
  rows: readonly (readonly CellRule[])[],
  width: number,
): Pick<CellRule, 'index' | 'reads' | 'injective'>[] {
  const byIndex = new Map<number, Set<number>>();
  for (const { index, reads } of rows.flat()) {
    const all = byIndex.get(index) ?? new Set<number>();
    for (const read of reads) all.add(read);
    if (index < width && !rows.every((rules) => rules.some((rule) => rule.index === index))) all.add(index);
    byIndex.set(index, all);
  }
  return [...byIndex].map(([index, reads]) => ({ index, reads: [...reads], injective: false }));
}
