import type pg from 'pg';
import type { LeftRoute } from '../../../src/core/node-inspector.ts';
import { leaseMs } from '../state/lease.ts';

interface Row {
  readonly name: string;
  readonly what: LeftRoute['parts'][number];
  readonly bytes: string | null;
  readonly used: string | null;
}

/**
 * Everything here that bears the name of the deployment. A slot's name is one of the whole server: those of other databases are
 * left out. No deployment's prefix is the beginning of another's, since names have no two hyphens in a row.
 */
export async function readRoutesLeft(client: pg.Client, deployment: string): Promise<LeftRoute[]> {
  const prefix = `${deployment.replaceAll('-', '_')}__`;
  const { rows: there } = await client.query<{ state: boolean; keys: boolean }>(
    `select to_regclass('tidelock.leases') is not null as state, to_regclass('tidelock.ddl_keys') is not null as keys`,
  );
  const { rows } = await client.query<Row>(
    `select replace(substr(slot_name, length($1) + 1), '_', '-') as name, 'slot' as what,
       pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::text as bytes,
       case when active then 'session ' || active_pid end as used
     from pg_replication_slots where starts_with(slot_name, $1) and database = current_database()
     union all
     select replace(substr(pubname, length($1) + 1), '_', '-'), 'publication', null, null
     from pg_publication where starts_with(pubname, $1)`,
    [prefix],
  );
  const found = [...rows];
  if (there[0]?.keys)
    found.push(
      ...(
        await client.query<Row>(
          `select substr(route, length($1) + 1) as name, 'capture' as what, null as bytes, null as used
           from tidelock.ddl_keys where starts_with(route, $1)`,
          [`${deployment}/`],
        )
      ).rows,
    );
  if (there[0]?.state)
    found.push(
      ...(
        await client.query<Row>(
          `select substr(r.key, length($1) + 1) as name, 'state' as what, null as bytes,
             case when l.expires_at > clock_timestamp() - $2 * interval '1 ms' and l.expires_at <> 'epoch'
               then 'the engine on ' || l.host || ' (process ' || l.pid || ')' end as used
           from tidelock.routes r left join tidelock.leases l on l.route_id = r.id where starts_with(r.key, $1)`,
          [`${deployment}/`, leaseMs],
        )
      ).rows,
    );
  const byName = Map.groupBy(found, ({ name }) => name);
  return [...byName].map(([name, parts]) => ({
    name,
    parts: parts.map(({ what }) => what),
    retainedBytes: parts.reduce((sum, { bytes }) => sum + Number(bytes ?? 0), 0),
    usedBy: parts.find(({ used }) => used !== null)?.used ?? null,
  }));
}
