import type { Telling } from '../../core/load.ts';
import type { TableVersion } from '../../core/table.ts';
import type { TableBinding } from '../../pipeline/mapping/table-binding.ts';

/**
 * What tells the rows of a target table apart as `key` does at the source, by which the load reads them. Where whole rows are logged the target may find rows
 * by another key than that one: of a load only such a one will do that has all of these.
 */
export function tellingColumns(
  { source, outputs }: TableBinding,
  table: TableVersion,
  key: readonly string[],
): Telling {
  const namesOf = (indexes: readonly number[]): string[] => indexes.flatMap((at) => table.columns[at]?.name ?? []);
  return [...new Set(outputs)]
    .filter((output) => output.table === table)
    .flatMap(({ lineage, apart }) => [
      ...key.map((column) => {
        const from = source.columns.findIndex(({ name }) => name === column);
        return namesOf(lineage.flatMap(({ injectiveOf }, at) => (injectiveOf === from ? [at] : [])));
      }),
      ...apart.map((at) => namesOf([at])),
    ]);
}
