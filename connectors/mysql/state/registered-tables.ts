import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Position } from '../../../src/core/position.ts';
import { fingerprintOf } from '../../../src/core/route-description.ts';
import type { StoredTable, TablesChange } from '../../../src/core/route-state-store.ts';
import type { TableDefinition } from '../../../src/core/table-facts.ts';
import type { MysqlSession } from '../connect.ts';
import { inTransaction, parsedJson, places } from './statements.ts';

/** What the route was applied with from this transaction on, and what is pending then. Under the lock of the route's row. */
export async function storeApplied(
  session: MysqlSession,
  routeId: number,
  { applied, pending }: Pick<TablesChange, 'applied' | 'pending'>,
): Promise<void> {
  await session.change('update tidelock.routes set applied = ?, fingerprint = ?, pending = ? where id = ?', [
    JSON.stringify(applied),
    fingerprintOf(applied),
    pending === undefined ? null : JSON.stringify(pending),
    routeId,
  ]);
}

/** In the transaction that makes it true. */
export async function storeChange(
  session: MysqlSession,
  route: string,
  routeId: number,
  { removed, tables, applied, pending }: TablesChange,
): Promise<void> {
  const gone = [...removed, ...tables.map(({ source }) => source)];
  await session.change(`delete from tidelock.tables where route_id = ? and source in (${places(gone)})`, [
    routeId,
    ...gone,
  ]);
  // What was begun in the same transaction stays.
  await session.change(`delete from tidelock.loads where route_id = ? and source in (${places(removed)})`, [
    routeId,
    ...removed,
  ]);
  await registerTables(session, route, routeId, tables);
  await storeApplied(session, routeId, { applied, pending });
}

/** Beside those that are registered. Throws where another route, or another table of this one, has one of the targets. */
export async function registerTables(
  session: MysqlSession,
  route: string,
  routeId: number,
  tables: readonly StoredTable[],
): Promise<void> {
  for (const { source, target, fingerprint, definition, loadedTo } of tables) {
    const [owner] = await session.query(
      'select r.route_key from tidelock.tables t join tidelock.routes r on r.id = t.route_id where t.target = ?',
      [target],
    );
    if (owner !== undefined) throw fail(routeErrors.tableOwned, { route, table: target, owner: owner[0] ?? '' });
    await session.change(
      'insert into tidelock.tables (route_id, source, target, fingerprint, definition, loaded_to) values (?, ?, ?, ?, ?, ?)',
      [routeId, source, target, fingerprint, definition === null ? null : JSON.stringify(definition), loadedTo ?? null],
    );
  }
}

export async function readTables(session: MysqlSession, routeId: number): Promise<readonly StoredTable[]> {
  const rows = await session.query(
    'select source, target, fingerprint, definition, loaded_to from tidelock.tables where route_id = ? order by source',
    [routeId],
  );
  return rows.map(([source, target, fingerprint, definition, loadedTo]) => ({
    source: source ?? '',
    target: target ?? '',
    fingerprint: fingerprint ?? '',
    definition: parsedJson<TableDefinition>(definition),
    loadedTo: (loadedTo ?? null) as Position | null,
  }));
}

/** These instead of all that are registered. */
export async function replaceTables(
  session: MysqlSession,
  { route, routeId }: { readonly route: string; readonly routeId: number },
  tables: readonly StoredTable[],
): Promise<void> {
  await inTransaction(session, async () => {
    await session.change('delete from tidelock.tables where route_id = ?', [routeId]);
    await registerTables(session, route, routeId, tables);
  });
}

/** Notes on a table's stored definition what a look at the catalogue has halted at. */
export async function storeHalted(
  session: MysqlSession,
  routeId: number,
  { source, halted }: { readonly source: string; readonly halted: NonNullable<TableDefinition['halted']> },
): Promise<void> {
  await inTransaction(session, async () => {
    const [row] = await session.query(
      'select definition from tidelock.tables where route_id = ? and source = ? and definition is not null for update',
      [routeId, source],
    );
    if (row === undefined) return;
    await session.change('update tidelock.tables set definition = ? where route_id = ? and source = ?', [
      JSON.stringify({ ...JSON.parse(row[0] ?? '{}'), halted }),
      routeId,
      source,
    ]);
  });
}
