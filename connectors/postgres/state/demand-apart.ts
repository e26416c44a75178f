import type pg from 'pg';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { StoredTable } from '../../../src/core/route-state-store.ts';
import { raiseCompatible, sharesSince } from './state-schema.ts';

interface Registering {
  /** For messages. */
  readonly route: string;
  readonly routeId: number;
}

interface Registered {
  readonly source: string;
  readonly target: string;
  readonly owns: string | null;
  readonly key: string;
  readonly own: boolean;
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
  const { rows } = await client.query<Registered>(
    `select t.source, t.target, t.owns, r.key, t.route_id = $1 as own from tidelock.tables t join tidelock.routes r on r.id = t.route_id`,
    [routeId],
  );
  const sources = new Set(tables.map(({ source }) => source));
  const there = new Map<string, Registered[]>();
  for (const row of rows) {
    if (row.own && sources.has(row.source)) continue;
    for (const target of targetsOf(row.target)) there.set(target, [...(there.get(target) ?? []), row]);
  }
  for (const { target: targets, owns } of tables)
    for (const target of targetsOf(targets))
      for (const other of there.get(target) ?? []) {
        const place = { route, table: target, owner: other.key };
        if (other.own || owns === undefined || other.owns === null) throw fail(routeErrors.tableOwned, place);
        if (!owns.isApartFrom(other.owns))
          throw fail(routeErrors.sharesMeet, { ...place, owns: owns.text, other: other.owns });
      }
  if (!changes || tables.every(({ owns }) => owns === undefined)) return;
  // Made with the first share, and not for all: engines that know none go on beside this one until then.
  await raiseCompatible(client, sharesSince);
  await client.query('alter table tidelock.tables drop constraint if exists tables_target_key');
  await client.query(
    'create unique index if not exists tables_whole_target on tidelock.tables (target) where owns is null',
  );
}

/** Where transforms spread rows over several tables they are all named. */
function targetsOf(target: string): readonly string[] {
  return target.split(', ');
}
