import { targetErrors } from '../core/errors/catalogue/target.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { BegunLoad } from '../core/load.ts';
import type { Position } from '../core/position.ts';
import type { StoredTable } from '../core/route-state-store.ts';
import type { PublishedTables } from '../core/source.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import type { TableFacts } from '../core/table-facts.ts';
import { definitionOf } from '../pipeline/judge-definition.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import { storedTable } from '../pipeline/table-mapper.ts';
import { copiedInstead, copyInto, type InitialLoadOptions, loadsOf } from './initial-load.ts';

/**
 * Has the route carry tables that have appeared since it started, and that are in its queue by now (Source.publishTables): between two sessions of
 * its stream, which goes on where the checkpoint is. Those that have a key are registered as tables that lack all of their rows, and the next session
 * loads them beside the stream (operations/load): what it reads is newer than their first change that it takes. The others are copied
 * at once, and the stream takes of them what was committed behind the copy. Each is one target transaction; whatever interrupts it, the tables are new as before.
 */
export async function loadNewTables(options: InitialLoadOptions, published: PublishedTables): Promise<void> {
  const { mapper, logger } = options;
  const bindings = published.tables.map((table) => mapper.bind(table));
  const loads = await loadsOf(options, bindings);
  const beside = await begun(options, published, { bindings, loads });
  const copied = published.tables.filter((table) => !beside.has(tableLabel(table)));
  if (beside.size > 0) logger.info({ tables: [...beside] }, 'new tables are loaded beside the stream');
  if (copied.length > 0) await copy(options, copied);
}

interface Begin {
  readonly bindings: readonly TableBinding[];
  readonly loads: readonly BegunLoad[];
}

/** What keeps a table from being loaded beside the stream and not from being copied. */
const inTheWay: readonly string[] = [...copiedInstead, targetErrors.loadWhileParked.code];

/** Registers what is to be loaded beside the stream, and gives its labels. Before that the target has said whether it can take it. */
async function begun(
  { target, source, epoch, logger }: InitialLoadOptions,
  published: PublishedTables,
  { bindings, loads }: Begin,
): Promise<ReadonlySet<string>> {
  if (loads.length === 0) return new Set();
  const labels = new Set(loads.map(({ load }) => load.source));
  const { position, facts } = published;
  const stored = bindings
    .filter((binding) => labels.has(tableLabel(binding.source)))
    .map((binding) => registered(binding, facts, position));
  const sourceNode = source.originName(await source.identity());
  const loader = await target.loader({ epoch, sourceNode, position });
  try {
    await loader.begin(loads);
    await loader.commitTables(stored);
    return labels;
  } catch (error) {
    await loader.abort();
    if (!(error instanceof TidelockError && inTheWay.includes(error.code))) throw error;
    // A copy waits for transactions that are open at the source, and their COMMITs would wait for the route.
    if (published.isSynchronous) throw error;
    logger.info({ reason: error.message }, 'new tables are loaded in one piece');
    return new Set();
  }
}

async function copy(options: InitialLoadOptions, tables: readonly TableVersion[]): Promise<void> {
  const { source, mapper, signal, logger } = options;
  const snapshot = await source.addTables(tables, signal);
  try {
    const bindings = snapshot.tables.map((table) => mapper.bind(table));
    const stored = bindings.map((binding) => registered(binding, snapshot.facts, snapshot.position));
    const replaces = options.definition.load.existing === 'replace';
    await copyInto(options, { snapshot, bindings, replaces: () => replaces }, (loader) => loader.commitTables(stored));
    logger.info({ tables: tables.map(tableLabel), position: snapshot.position }, 'new tables loaded');
  } finally {
    await snapshot.close();
  }
}

/** What was committed before `position` is in the load. */
function registered(binding: TableBinding, facts: readonly TableFacts[], position: Position): StoredTable {
  const { schema, name } = binding.source;
  const found = facts.find((table) => table.schema === schema && table.name === name);
  return { ...storedTable(binding, found === undefined ? null : definitionOf(found)), loadedTo: position };
}
