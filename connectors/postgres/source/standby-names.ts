import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { applicationName, type Queryable } from './sessions.ts';

/** What synchronous_standby_names asks for. */
export interface StandbyNames {
  /** So many of them have to confirm a COMMIT. */
  readonly count: number;
  /** Of applications, compared without regard to case; `*` is any. */
  readonly names: readonly string[];
}

/** `FIRST 2 (a, b)`, `ANY 1 (a, "b/c")`, `1 (a)`, `a, b`, or nothing. */
export function parseStandbyNames(setting: string): StandbyNames {
  const counted = /^\s*(?:(?:first|any)\s+)?([0-9]+)\s*\((.*)\)\s*$/is.exec(setting);
  const list = counted?.[2] ?? setting;
  const names = [...list.matchAll(/"((?:[^"]|"")*)"|([^\s,"]+)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '',
  );
  return { count: names.length === 0 ? 0 : Number(counted?.[1] ?? 1), names };
}

/** COMMITs may wait for what the route confirms. */
export function isNamed(route: RouteDefinition, { names }: StandbyNames): boolean {
  const own = routeKey(route).toLowerCase();
  return names.some((name) => name === '*' || name.toLowerCase() === own);
}

/**
 * COMMITs wait for what the route confirms, or are about to: it is named, and no other standby stands before it. Which does is told of a walsender that streams, and to users with
 * the rights of pg_read_all_stats; of any other a name is enough.
 */
export async function isAwaited(client: Queryable, route: RouteDefinition): Promise<boolean> {
  if (!isNamed(route, await readStandbyNames(client))) return false;
  const { rows } = await client.query(
    `SELECT sync_state FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming'`,
    [applicationName(route)],
  );
  return rows[0]?.sync_state !== 'potential';
}

export async function readStandbyNames(client: Queryable): Promise<StandbyNames> {
  const { rows } = await client.query(`SELECT current_setting('synchronous_standby_names') AS names`);
  return parseStandbyNames(String(rows[0]?.names));
}
