import type pg from 'pg';
import type { TableKeys } from '../../../sql/parking/table-keys.ts';

// Of partitions a foreign key is there once for each; the whole has the name that both sides agree on. A partition may have keys of its own.
const query = `
select c.oid::int8::text as oid, rn.nspname || '.' || r.relname as name,
  (select coalesce(json_agg(json_build_object(
      'columns', (select coalesce(json_agg(a.attname order by k.ord), '[]') from unnest(i.indkey::int2[]) with ordinality k(num, ord)
        join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num where k.ord <= i.indnkeyatts),
      'nullsDistinct', coalesce(not (to_jsonb(i) ->> 'indnullsnotdistinct')::bool, true),
      'hasExpressions', i.indexprs is not null)), '[]')
    from pg_index i where i.indrelid = any (tree.relids) and i.indisunique
      and (i.indrelid = c.oid or not exists (select from pg_inherits h where h.inhrelid = i.indexrelid))) as "unique",
  (select coalesce(json_agg(json_build_object(
      'columns', (select json_agg(a.attname order by pa.attname) from unnest(k.conkey, k.confkey) x(num, parent)
        join pg_attribute a on a.attrelid = k.conrelid and a.attnum = x.num
        join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = x.parent),
      'parent', pn.nspname || '.' || p.relname,
      'parentColumns', (select json_agg(pa.attname order by pa.attname) from unnest(k.confkey) x(parent)
        join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = x.parent),
      'parentTypes', (select json_agg(tn.nspname || '.' || t.typname order by pa.attname) from unnest(k.confkey) x(parent)
        join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = x.parent
        join pg_type at on at.oid = pa.atttypid join pg_type t on t.oid = coalesce(nullif(at.typbasetype, 0), at.oid)
        join pg_namespace tn on tn.oid = t.typnamespace))), '[]')
    from pg_constraint k join pg_class p on p.oid = coalesce(pg_partition_root(k.confrelid), k.confrelid)
    join pg_namespace pn on pn.oid = p.relnamespace
    where k.conrelid = any (tree.relids) and k.contype = 'f' and (k.conrelid = c.oid or k.conparentid = 0)) as "foreign",
  (select coalesce(json_agg(distinct (select jsonb_agg(pa.attname order by pa.attname) from unnest(k.confkey) x(parent)
      join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = x.parent)), '[]')
    from pg_constraint k where k.contype = 'f' and (k.confrelid in (c.oid, r.oid)
      or k.confrelid = any (tree.relids) and k.conparentid = 0)) as referenced,
  exists (select from pg_constraint k where k.conrelid = any (tree.relids) and k.contype = 'x') as "hasExclusion"
from pg_class c join pg_class r on r.oid = coalesce(pg_partition_root(c.oid), c.oid)
join pg_namespace rn on rn.oid = r.relnamespace
cross join lateral (select array(select relid::oid from pg_partition_tree(c.oid) union select c.oid) as relids) tree
where c.oid = any ($1::oid[])`;

/** By oid. Read only once something is parked: routes that park nothing never ask. */
export async function readTableKeys(client: pg.Client, oids: readonly number[]): Promise<Map<number, TableKeys>> {
  const { rows } = await client.query<TableKeys & { readonly oid: string }>(query, [oids]);
  return new Map(rows.map(({ oid, ...keys }) => [Number(oid), keys]));
}
