import type { Cell } from './cell.ts';
import type { Column } from './table.ts';
import type { ConfiguredTransform } from './table-mapping.ts';

export interface ColumnTransformOptions {
  readonly name: string;
  readonly columns: readonly string[];
  /** Different values give different values. */
  readonly injective: boolean;
  /** Binds it to one column. The function sees only values and NULL; it throws a TransformFailure where it has none. */
  compile(column: Column): (value: Cell) => Cell;
  /** It has a value for every value. */
  readonly isTotal?: true;
  /** Before `compile`, at each start. */
  prepare?(): Promise<void>;
  /** The column as it is afterwards; the same where it is absent. */
  retype?(column: Column): Column;
}

/** A transform that makes each of its columns' new value of the old one alone. */
export function columnTransform(options: ColumnTransformOptions): ConfiguredTransform {
  const { name, columns, injective, retype, prepare, isTotal } = options;
  return {
    name,
    columns,
    ...(prepare && { prepare }),
    ...(isTotal && { isTotal }),
    bind(layout) {
      const indexes = columns.map((column) => layout.indexOf(column));
      const rules = indexes.map((index) => {
        const apply = options.compile(layout.columns[index] as Column);
        return { index, reads: [index], injective, compute: (row: readonly Cell[]) => apply(row[index] ?? null) };
      });
      const after = layout.columns.map((column, index) =>
        indexes.includes(index) && retype !== undefined ? retype(column) : column,
      );
      return { kind: 'cells', columns: after, rules };
    },
  };
}
