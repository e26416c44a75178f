import type { Row } from '../src/core/cell.ts';
import { configErrors } from '../src/core/errors/catalogue/config.ts';
import { fail } from '../src/core/errors/tidelock-error.ts';
import type { Column } from '../src/core/table.ts';
import type { ConfiguredTransform, SpreadRow } from '../src/core/table-mapping.ts';
import { plainText } from '../src/core/text-types.ts';

export interface UnpivotOptions {
  /** Columns of one type, each of which becomes a row. */
  readonly columns: readonly string[];
  /** New column with the name of the column that the row was made of; part of the key. */
  readonly name: string;
  /** New column with its value. */
  readonly value: string;
  /** Columns that are NULL make no row. */
  readonly skipNull: boolean;
}

/** Makes a row of each of several columns. The columns themselves do not travel. */
export function unpivot({ columns: from, name, value, skipNull }: UnpivotOptions): ConfiguredTransform {
  return {
    name: 'unpivot',
    columns: [...from, name, value],
    bind(layout) {
      const indexes = from.map((column) => layout.indexOf(column));
      const first = layout.columns[indexes[0] ?? 0] as Column;
      for (const index of indexes) {
        const { name: column, type, modifier } = layout.columns[index] as Column;
        if (type !== first.type || modifier !== first.modifier)
          throw fail(configErrors.transformType, {
            transform: 'unpivot',
            column,
            type,
            wanted: `columns of one type (${first.type})`,
          });
      }
      const width = layout.columns.length;
      const { type, modifier } = first;
      const spread = (row: Row): SpreadRow[] =>
        indexes.flatMap((index, at) => {
          const cell = row[index] ?? null;
          if (skipNull && cell === null) return [];
          return [{ slot: String(at), output: 0, row: [...row, from[at] ?? '', cell] }];
        });
      return {
        kind: 'rows',
        columns: [...layout.columns, { name, ...plainText, key: false }, { name: value, type, modifier, key: false }],
        lineage: [
          { index: width, reads: [], injective: false },
          { index: width + 1, reads: indexes, injective: false },
        ],
        reads: skipNull ? indexes : [],
        key: [name],
        outputs: [{ target: null, hidden: from }],
        goesOn: false,
        spread,
        // A cell that is not there is not NULL.
        possible: spread,
      };
    },
  };
}
