import type pg from 'pg';
import type { StoredTable } from '../../../src/core/route-state-store.ts';
import { demandUnshared, type RegisteredTable } from '../../sql/registered-shares.ts';
import { raiseCompatible, sharesSince } from './state-schema.ts';

interface Registering {
  /** For messages. */
  readonly route: string;
  readonly routeId: number;
}

/**
 * First in a transaction that registers shares: until it is over nobody else registers a table. Whoever registers none takes no such lock, since a
 * command that another route carries out may keep it waiting for long; it looks a second time instead.
 */
export async function lockForShares(client: pg.Client, tables: readonly StoredTable[]): Promise<void> {
  if (tables.some(({ owns }) => owns !== undefined))
    await client.query('lock table tidelock.tables in share row exclusive mode');
}

/** Before tables are registered, and once more after that: throws where rows of these targets are another route's, or may be. */
export async function demandApart(
  client: pg.Client,
  { route, routeId }: Registering,
  tables: readonly StoredTable[],
  { changes }: { readonly changes: boolean } = { changes: true },
): Promise<void> {
  const { rows } = await client.query<RegisteredTable>(
    `select t.source, t.target, t.owns, r.key, t.route_id = $1 as own from tidelock.tables t join tidelock.routes r on r.id = t.route_id`,
    [routeId],
  );
  demandUnshared(route, rows, tables);
  if (!changes || tables.every(({ owns }) => owns === undefined)) return;
  // Made with the first share, and not for all: engines that know none go on beside this one until then.
  await raiseCompatible(client, sharesSince);
  await client.query('alter table tidelock.tables drop constraint if exists tables_target_key');
  await client.query(
    'create unique index if not exists tables_whole_target on tidelock.tables (target) where owns is null',
  );
}
