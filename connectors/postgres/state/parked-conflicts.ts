import type pg from 'pg';

/**
 * Parked transactions before `p` that hold a key of it, as SQL: the same value, or one of the two has every value of
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

/** Of all that are parked of route `$1`, the earliest one that each waits for: (parked_id, behind). */
export const earliestConflicts = `
  with keys as (select parked_id, resource, digest, exclusive from tidelock.parked_keys where route_id = $1),
  of_value as (
    select resource, digest, min(parked_id) as first, min(parked_id) filter (where exclusive) as first_exclusive
    from keys group by resource, digest),
  of_resource as (
    select resource, min(parked_id) as first, min(parked_id) filter (where exclusive) as first_exclusive
    from keys group by resource),
  met as (
    select k.parked_id, case when k.exclusive then v.first else v.first_exclusive end as id
      from keys k join of_value v on v.resource = k.resource and v.digest = k.digest
    union all
    select k.parked_id, case when k.exclusive then v.first else v.first_exclusive end
      from keys k join of_value v on v.resource = k.resource and v.digest is null
    union all
    select k.parked_id, case when k.exclusive then r.first else r.first_exclusive end
      from keys k join of_resource r on r.resource = k.resource where k.digest is null)
  select parked_id, min(id) as behind from met where id < parked_id group by parked_id`;

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
