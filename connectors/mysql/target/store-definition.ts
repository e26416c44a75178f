import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import type { StoredTable } from '../../../src/core/route-state-store.ts';
import type { Evolving } from '../../sql/apply/evolutions.ts';
import type { MysqlSession } from '../connect.ts';
import { registerTables } from '../state/registered-tables.ts';

export interface StoreDefinitionOptions {
  readonly session: MysqlSession;
  readonly route: RouteDefinition;
  readonly routeId: number;
}

/**
 * Stores, in the open target transaction, the definition that the rows from here on have. The target's table is as it should be: it was altered for that
 * (evolve-table.ts), a person vouches for it, or nothing of its columns has changed.
 */
export async function storeDefinition(
  change: Evolving,
  { session, route, routeId }: StoreDefinitionOptions,
): Promise<void> {
  if (change.kind === 'ddl') {
    const what = 'its definition has changed, and the target is to be altered by hand';
    throw fail(routeErrors.schemaChanged, { route: route.name, table: change.object, position: change.at, what });
  }
  await storeTable(session, route, routeId, change.evolution.stored);
}

export async function storeTable(
  session: MysqlSession,
  route: Pick<RouteDefinition, 'name'>,
  routeId: number,
  stored: StoredTable,
): Promise<void> {
  const found = await session.change(
    'update tidelock.tables set fingerprint = ?, definition = ? where route_id = ? and source = ?',
    [stored.fingerprint, JSON.stringify(stored.definition), routeId, stored.source],
  );
  // One that a person has accepted as new.
  if (found !== 1) await registerTables(session, route.name, routeId, [stored]);
}
