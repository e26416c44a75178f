import type { LeftBehind, LeftRoute } from '../../../src/core/node-inspector.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import type { MysqlSession } from '../connect.ts';
import { leaseMs } from '../state/lease.ts';
import { readStateVersion } from '../state/state-schema.ts';
import { nowMs } from '../state/statements.ts';

/** Routes of the deployment that have written here. Nothing at a source is a route's own. */
export async function readRoutesLeft(session: MysqlSession, deployment: string): Promise<LeftRoute[]> {
  if ((await readStateVersion(session, session.node.name)) === null) return [];
  const prefix = `${deployment}/`;
  const rows = await session.query(
    `select r.route_key, if(l.expires_at_ms > ${nowMs} - ?, concat('the engine on ', l.host, ' (process ', l.pid, ')'), null)
     from tidelock.routes r left join tidelock.leases l on l.route_id = r.id where left(r.route_key, char_length(?)) = ?`,
    [leaseMs, prefix, prefix],
  );
  return rows.map(([key, usedBy]) => ({
    name: (key ?? '').slice(prefix.length),
    parts: ['state'],
    retainedBytes: 0,
    usedBy: usedBy ?? null,
  }));
}

/** Of a route that writes here. Names hold no quotes. */
export function stateLeft(route: RouteDefinition): LeftBehind {
  return { parts: ['state'], statements: [`DELETE FROM tidelock.routes WHERE route_key = '${routeKey(route)}';`] };
}
