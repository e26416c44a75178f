import type pg from 'pg';

/**
 * Parked transactions before `$1` that hold a key of it, as SQL: the same value, or one of the two has every value of
 * the kind, and not both need it only to go on existing. Three branches, so that each finds its rows by the index.
 */
const conflicting = `
  select e.parked_id from tidelock.parked_keys k join tidelock.parked_keys e
    on e.route_id = k.route_id and e.resource = k.resource and e.digest = k.digest
    where k.parked_id = p.id and e.parked_id < p.id and (e.exclusive or k.exclusive)
  union all
  select e.parked_id from tidelock.parked_keys k join tidelock.parked_keys e
    on e.route_id = k.route_id and e.resource = k.resource and e.digest is null
    where k.parked_id = p.id and e.parked_id < p.id and (e.exclusive or k.exclusive)
  union all
  select e.parked_id from tidelock.parked_keys k join tidelock.parked_keys e
    on e.route_id = k.route_id and e.resource = k.resource and k.digest is null
    where k.parked_id = p.id and e.parked_id < p.id and (e.exclusive or k.exclusive)`;

/** One conflict of each key, the earliest: found by an index without a look at the others. */
const earliestOf = (digest: string): string => `
  select (select e.parked_id from tidelock.parked_keys e
    where e.route_id = k.route_id and e.resource = k.resource and ${digest}
      and e.parked_id < k.parked_id and (e.exclusive or k.exclusive)
    order by e.parked_id limit 1) as id
  from tidelock.parked_keys k where k.parked_id = p.id`;

/** For a select list over `tidelock.parked p`: the earliest one that it waits for. */
export const earliestConflict = `(select min(c.id) from (
  ${earliestOf('e.digest = k.digest')} union all
  ${earliestOf('e.digest is null')} union all
  ${earliestOf('true')} and k.digest is null) c)`;

/** What these have to wait for, and what those wait for, in source order. */
export async function readEarlier(client: pg.Client, ids: readonly number[]): Promise<number[]> {
  const { rows } = await client.query<{ id: string }>(
    `with recursive waits(id) as (
       select unnest($1::bigint[])
       union
       select c.parked_id from waits w join tidelock.parked p on p.id = w.id cross join lateral (${conflicting}) c
     )
     select id::text from waits where id <> all ($1::bigint[]) order by waits.id`,
    [ids],
  );
  return rows.map(({ id }) => Number(id));
}
