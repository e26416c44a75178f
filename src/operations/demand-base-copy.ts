import { targetErrors } from '../core/errors/catalogue/target.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import type { Position } from '../core/position.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { QueueSnapshot, Source } from '../core/source.ts';
import { tableLabel } from '../core/table.ts';
import type { Target } from '../core/target.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import type { TableMapper } from '../pipeline/table-mapper.ts';

export interface BaseCopyOptions {
  readonly definition: RouteDefinition;
  readonly source: Pick<Source, 'reader'>;
  readonly target: Pick<Target, 'emptyTables'>;
  readonly mapper: TableMapper;
  readonly signal: AbortSignal;
}

/** On a route: see allow-names.ts. */
const allowed = 'emptyTarget';

/**
 * Throws where a route that is to bring only changes would begin over tables that nobody has copied: they are empty, and those of the
 * source are not. `snapshot`: the moment from which on changes come; without one the source is asked as it is now, which may see rows
 * that are yet to come through the queue: then somebody has to say that they are.
 */
export async function demandBaseCopy(
  options: BaseCopyOptions,
  bindings: readonly TableBinding[],
  snapshot: QueueSnapshot | null,
): Promise<void> {
  const { mapper, signal } = options;
  const missing =
    snapshot === null
      ? await missingBaseCopy(options, bindings)
      : await missingOf(options, bindings, (binding) => travels(binding, { mapper, signal, snapshot }));
  if (missing !== null) throw missing;
}

/** What a route halts with that begins without a copy, as things are now. */
export async function missingBaseCopy(
  ends: Pick<BaseCopyOptions, 'definition' | 'source' | 'target'>,
  bindings: readonly TableBinding[],
): Promise<TidelockError | null> {
  const reader = ends.source.reader();
  try {
    return await missingOf(ends, bindings, ({ source }) => reader.hasRows(source));
  } finally {
    await reader.close();
  }
}

async function missingOf(
  { definition, target }: Pick<BaseCopyOptions, 'definition' | 'target'>,
  bindings: readonly TableBinding[],
  hasRows: (binding: TableBinding) => Promise<boolean>,
): Promise<TidelockError | null> {
  if (bindings.length === 0 || definition.allow.includes(allowed)) return null;
  const empty = new Set(await target.emptyTables(bindings.flatMap(({ tables }) => tables)));
  // Of a table whose rows are split among several, one may well have none.
  const suspects = bindings.filter(({ tables }) => tables.every((table) => empty.has(tableLabel(table))));
  const missing: string[] = [];
  for (const binding of suspects) {
    if (await hasRows(binding)) missing.push(binding.tables.map(tableLabel).join(', '));
    // What is there to be said needs no more of them.
    if (missing.length > mostNamed) break;
  }
  const [table, ...more] = missing;
  if (table === undefined) return null;
  return fail(targetErrors.baseCopyMissing, { route: definition.name, table, more: more.length });
}

const mostNamed = 10;

/** Some row of the table would be at the target. */
async function travels(
  binding: TableBinding,
  {
    mapper,
    signal,
    snapshot,
  }: { readonly mapper: TableMapper; readonly signal: AbortSignal; readonly snapshot: QueueSnapshot },
): Promise<boolean> {
  const position: Position = snapshot.position;
  for await (const rows of snapshot.read(binding.source, signal))
    for (const row of rows) if (mapper.rows(binding, row, position).length > 0) return true;
  return false;
}
