import type { MysqlSession } from '../connect.ts';
import { places } from './statements.ts';

/**
 * Pairs of a parked transaction's key `k` and one `e` of an earlier one that it has to wait for: the same value, or one of the two has every value of the
 * kind, and not both need it only to go on existing. Three branches, so that each finds its rows by the index. `of`: a condition on `k`.
 */
function conflicting(of: string): string {
  const pairs = `from tidelock.parked_keys k join tidelock.parked_keys e on e.route_id = k.route_id and e.parked_id < k.parked_id`;
  const meet = `and e.resource = k.resource and (e.is_exclusive = 1 or k.is_exclusive = 1) where ${of}`;
  const select = 'select k.parked_id as id, e.parked_id as earlier';
  return ['and e.digest = k.digest', 'and e.digest is null', 'and k.digest is null']
    .map((on) => `${select} ${pairs} ${on} ${meet}`)
    .join(' union all ');
}

/** Of all that are parked of a route, which is bound once a branch, the earliest one that each waits for: (id, behind). */
export const earliestConflicts = `select id, min(earlier) as behind from (${conflicting('k.route_id = ?')}) c group by id`;

/** What these have to wait for, and what those wait for, in source order. */
export async function readEarlier(session: MysqlSession, ids: readonly number[]): Promise<number[]> {
  const found = new Set<number>();
  let next: readonly number[] = ids;
  while (next.length > 0) {
    const of = `k.parked_id in (${places(next)})`;
    const rows = await session.query(`select distinct earlier from (${conflicting(of)}) c`, [
      ...next,
      ...next,
      ...next,
    ]);
    next = rows.map(([id]) => Number(id)).filter((id) => !found.has(id) && !ids.includes(id));
    for (const id of next) found.add(id);
  }
  return [...found].sort((a, b) => a - b);
}
