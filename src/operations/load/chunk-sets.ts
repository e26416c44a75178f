import type { Row } from '../../core/cell.ts';
import type { RowSet } from '../../core/load.ts';
import type { Position } from '../../core/position.ts';
import { countOf, rowsOf } from '../../core/row-set.ts';
import type { TableVersion } from '../../core/table.ts';
import type { TableBinding } from '../../pipeline/mapping/table-binding.ts';
import type { MergedChunk } from '../../pipeline/merge-chunk.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import { tellingColumns } from './telling-columns.ts';

export interface ChunkRows extends MergedChunk {
  /** By which they were read. */
  readonly key: readonly string[];
  readonly position: Position;
}

/** What the route makes of the rows of a chunk, by target table. Rows that stay as they are stay the text that they came as. */
export function chunkSets(
  mapper: TableMapper,
  binding: TableBinding,
  { untouched, touched, key, position }: ChunkRows,
): RowSet[] {
  // Without a key nothing is taken for a row that is there.
  const tellingOf = (table: TableVersion) => (key.length === 0 ? [] : tellingColumns(binding, table, key));
  const sets: RowSet[] = [];
  const add = (rows: Iterable<Row>, isTouched: boolean): void => {
    const byTable = new Map<TableVersion, Row[]>();
    for (const row of rows) {
      for (const made of mapper.rows(binding, row, position)) {
        const list = byTable.get(made.output.table) ?? [];
        list.push(made.row);
        byTable.set(made.output.table, list);
      }
    }
    for (const [table, list] of byTable)
      sets.push({ table, telling: tellingOf(table), touched: isTouched, rows: list });
  };
  if (isAsRead(binding)) {
    const { table } = binding.outputs[0];
    if (countOf({ rows: untouched }) > 0)
      sets.push({ table, telling: tellingOf(table), touched: false, rows: untouched });
  } else add(rowsOf({ table: binding.source, rows: untouched }), false);
  add(touched, true);
  return sets;
}

/** Rows go to the target as they come, column by column. */
function isAsRead({ steps, outputs }: TableBinding): boolean {
  return steps.length === 0 && outputs.length === 1 && outputs[0].projection === null && outputs[0].owns === null;
}
