import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { ReplacedPart } from '../../core/load.ts';
import type { BoundShare, OwnedShare } from '../../core/owned-share.ts';
import type { ReadKey } from '../../core/source-reader.ts';
import { type TableVersion, tableLabel } from '../../core/table.ts';
import type { TableBinding } from '../../pipeline/mapping/table-binding.ts';

export interface PartPlace {
  readonly route: string;
  /** By which the table is read. */
  readonly key: ReadKey;
  readonly part: OwnedShare;
}

/**
 * The part of a table that a load brings, on rows of the source. Throws (usage) where it reads more than the key: rows could come into it or leave it
 * while it is loaded, and would be missing then.
 */
export function boundPart(source: TableVersion, { route, key, part }: PartPlace): BoundShare {
  const { columns } = source;
  const table = tableLabel(source);
  const indexes = key.columns.map((name) => columns.findIndex((column) => column.name === name));
  const bound = part.bind({ route, table, columns, key: indexes });
  const folded = bound.reads.map((at) => columns[at]?.name ?? '').find((name) => key.folded?.includes(name));
  if (folded === undefined) return bound;
  const problem = `${folded} has a collation by which the server may hold values equal that are told apart here`;
  throw fail(routeErrors.loadPart, { route, table, problem });
}

/** The same on the rows of each target table. Throws (usage) where a column of it does not travel as it is. */
export function replacedPart(binding: TableBinding, place: PartPlace): ReplacedPart {
  const { source, tables, outputs } = binding;
  const { text, plain, reads } = boundPart(source, place);
  const names = tables.map((table) => {
    const here = new Map<string, string>();
    for (const output of outputs.filter((one) => one.table === table))
      for (const at of reads) {
        const column = source.columns[at]?.name ?? '';
        const to = output.lineage.findIndex(({ injectiveOf, by }) => injectiveOf === at && by === '');
        const name = table.columns[to]?.name;
        if (name === undefined || (here.get(column) ?? name) !== name)
          throw fail(routeErrors.conditionChanged, { route: place.route, table: tableLabel(source), column });
        here.set(column, name);
      }
    return here;
  });
  return { text, plain, names };
}
