import type { Position } from '../../../src/core/position.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { TableFacts } from '../../../src/core/table-facts.ts';
import type { CatalogueColumn, CatalogueTable } from './read-tables.ts';

/**
 * A table as the pipeline judges its definition. MySQL gives its columns no ids that stay: they are numbered as they stand, so that any
 * change of their order is one of the definition, too. `position`: read after the catalogue.
 */
export function factsOf(table: CatalogueTable, position: Position): TableFacts {
  const { schema, name, made } = table;
  const label = tableLabel(table);
  const numbered = table.columns.map((column, at) => ({ ...column, id: at + 1, stamp: stampOf(column) }));
  return {
    schema,
    name,
    // That it was dropped and made anew is told by the binlog, in its place.
    id: label,
    position,
    identity: 'full',
    columns: numbered
      .filter((column) => !column.generated)
      .map(({ id, stamp, name: column, type, key, nullable }) => ({
        ...{ id, stamp, name: column, type, modifier: -1, key, nullable },
        missing: null,
      })),
    generated: numbered
      .filter((column) => column.generated)
      .map(({ id, name: column, stamp }) => ({ id, name: column, stamp })),
    lastColumn: numbered.length,
    storage: { [label]: made },
    attached: [],
    stamps: numbered.map(({ stamp }) => stamp),
  };
}

/** What decides whether a command that writes the column anew may change values without a row that tells (source/definitions/follow.ts). */
function stampOf({ typeText, nullable, generated, expression, autoIncrement }: CatalogueColumn): string {
  return JSON.stringify([
    typeText,
    nullable,
    generated ? expression : '',
    ...(autoIncrement ? ['auto_increment'] : []),
  ]);
}
