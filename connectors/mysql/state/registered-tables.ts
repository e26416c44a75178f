import type { Position } from '../../../src/core/position.ts';
import { fingerprintOf } from '../../../src/core/route-description.ts';
import type { StoredTable, TablesChange } from '../../../src/core/route-state-store.ts';
import type { TableDefinition } from '../../../src/core/table-facts.ts';
import { demandUnshared } from '../../sql/registered-shares.ts';
import type { MysqlSession } from '../connect.ts';
import { raiseCompatible, sharesSince } from './state-schema.ts';
import { inTransaction, parsedJson, places } from './statements.ts';

/** No foreign key between them takes one along with the other: a session that loads has switched such keys off. */
const registers = ['tables', 'shares'] as const;
const loads = ['loads', 'load_parts'] as const;

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
  for (const of of registers)
    await session.change(`delete from tidelock.${of} where route_id = ? and source in (${places(gone)})`, [
      routeId,
      ...gone,
    ]);
  // What was begun in the same transaction stays.
  for (const of of loads)
    await session.change(`delete from tidelock.${of} where route_id = ? and source in (${places(removed)})`, [
      routeId,
      ...removed,
    ]);
  await registerTables(session, route, routeId, tables);
  await storeApplied(session, routeId, { applied, pending });
}

/** Beside those that are registered. Throws where another route has rows of one of the targets, or another table of this one does. */
export async function registerTables(
  session: MysqlSession,
  route: string,
  routeId: number,
  tables: readonly StoredTable[],
): Promise<void> {
  // Until the transaction is over nobody else registers a table: of a target that is shared no index would tell.
  await session.query('select version from tidelock.meta for update');
  await demandApart(session, { route, routeId }, tables);
  for (const { source, target, fingerprint, definition, loadedTo, owns } of tables) {
    const text = definition === null ? null : JSON.stringify(definition);
    await session.change(
      'insert into tidelock.tables (route_id, source, target, fingerprint, definition, loaded_to) values (?, ?, ?, ?, ?, ?)',
      [routeId, source, owns === undefined ? target : null, fingerprint, text, loadedTo ?? null],
    );
    if (owns === undefined) continue;
    await raiseCompatible(session, sharesSince);
    await session.change('insert into tidelock.shares (route_id, source, target, owns) values (?, ?, ?, ?)', [
      ...[routeId, source, target, owns.text],
    ]);
  }
}

/** Throws where rows of these targets are another route's, or may be. */
export async function demandApart(
  session: MysqlSession,
  { route, routeId }: { readonly route: string; readonly routeId: number },
  tables: readonly StoredTable[],
): Promise<void> {
  const rows = await session.query(
    `select t.source, coalesce(t.target, s.target), s.owns, r.route_key, t.route_id = ? from tidelock.tables t
     join tidelock.routes r on r.id = t.route_id left join tidelock.shares s on s.route_id = t.route_id and s.source = t.source`,
    [routeId],
  );
  const registered = rows.map(([source, target, owns = null, key, own]) => ({
    ...{ source: source ?? '', target: target ?? '', owns, key: key ?? '' },
    own: own === '1',
  }));
  demandUnshared(route, registered, tables);
}

export async function readTables(session: MysqlSession, routeId: number): Promise<readonly StoredTable[]> {
  const rows = await session.query(
    'select source, target, fingerprint, definition, loaded_to from tidelock.tables where route_id = ? order by source',
    [routeId],
  );
  const shared = new Map<string, string | null | undefined>();
  if (rows.some(([, target]) => target === null))
    for (const [source, target] of await session.query(
      'select source, target from tidelock.shares where route_id = ?',
      [routeId],
    ))
      shared.set(source ?? '', target);
  return rows.map(([source, target, fingerprint, definition, loadedTo]) => ({
    source: source ?? '',
    target: target ?? shared.get(source ?? '') ?? '',
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
    for (const of of registers) await session.change(`delete from tidelock.${of} where route_id = ?`, [routeId]);
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
