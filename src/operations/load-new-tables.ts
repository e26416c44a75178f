import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { QueueSnapshot } from '../core/source.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import { definitionOf } from '../pipeline/judge-definition.ts';
import { storedTable } from '../pipeline/table-mapper.ts';
import { copyInto, type InitialLoadOptions } from './initial-load.ts';

/**
 * Copies tables that have appeared since the route started, in one piece, while the route does not stream: the queue goes
 * on where the checkpoint is, and of these tables with what was committed behind the copy. Rows and registration are one target transaction;
 * whatever interrupts it, the tables are new as before.
 */
export async function loadNewTables(options: InitialLoadOptions, tables: readonly TableVersion[]): Promise<void> {
  const { definition, source, target, mapper, signal, logger } = options;
  // Before they are published: what the target cannot take is not to be asked of the source.
  const [first, ...more] = (await target.preflight(tables.flatMap((table) => mapper.bind(table).tables))).filter(
    ({ level }) => level === 'error',
  );
  if (first !== undefined) {
    const place = { route: definition.name, errors: 1 + more.length, first: `${first.code} ${first.message}` };
    throw fail(routeErrors.preflightFailed, { ...place, remedy: first.remedy });
  }
  const snapshot = await source.addTables(tables, signal);
  try {
    await copy(options, snapshot);
    logger.info({ tables: snapshot.tables.map(tableLabel), position: snapshot.position }, 'new tables loaded');
  } finally {
    await snapshot.close();
  }
}

async function copy(options: InitialLoadOptions, snapshot: QueueSnapshot): Promise<void> {
  const { mapper } = options;
  const bindings = snapshot.tables.map((table) => mapper.bind(table));
  const stored = bindings.map((binding) => {
    const { schema, name } = binding.source;
    const facts = snapshot.facts.find((table) => table.schema === schema && table.name === name);
    const table = storedTable(binding, facts === undefined ? null : definitionOf(facts));
    return { ...table, loadedTo: snapshot.position };
  });
  const replaces = options.definition.load.existing === 'replace';
  await copyInto(options, { snapshot, bindings, replaces: () => replaces }, (loader) => loader.commitTables(stored));
}
