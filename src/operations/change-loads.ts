import type { BegunLoad } from '../core/load.ts';
import { tableLabel } from '../core/table.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import { type LoadsOptions, loadsOf, tablesCopied, withoutLoads } from './initial-load.ts';

/** How the rows of tables come that a change begins anew. */
export interface ChangeLoads {
  /** At once, in the transaction of the change. */
  readonly copied: readonly TableBinding[];
  /** Beside the stream, from the change on. */
  readonly beside: readonly BegunLoad[];
}

/**
 * Of a source whose COMMITs do not wait for the route. `replaced`: labels of target tables whose rows the route has brought, and that go.
 */
export async function changeLoads(
  options: LoadsOptions,
  tables: readonly TableBinding[],
  replaced: ReadonlySet<string>,
): Promise<ChangeLoads> {
  const { definition, source } = options;
  // Only beside the stream rows are told from those that are there.
  const isMerged = ({ tables: targets }: TableBinding): boolean =>
    definition.load.existing === 'merge' && targets.every((table) => !replaced.has(tableLabel(table)));
  const others = tables.filter((binding) => !isMerged(binding));
  const small = new Set(
    await tablesCopied(
      source,
      others.map((binding) => binding.source),
    ),
  );
  const beside = (
    await loadsOf(
      options,
      tables.filter((binding) => isMerged(binding) || !small.has(binding.source)),
    )
  ).map((begun): BegunLoad => {
    // One that the route has not brought rows to may have somebody else's: with the others it has to be empty.
    const existing = begun.load.targets.every((label) => replaced.has(label)) ? 'replace' : begun.load.existing;
    return { ...begun, load: { ...begun.load, existing } };
  });
  return { copied: withoutLoads(tables, beside), beside };
}
