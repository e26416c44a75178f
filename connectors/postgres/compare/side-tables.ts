import type pg from 'pg';
import type { SideColumn, SideKeyColumn, SideTable } from '../../../src/core/compare-side.ts';
import type { TableName } from '../../../src/core/table.ts';
import { baseTypes } from '../base-types.ts';
import { canonicalTexts } from './canonical-text.ts';

/** A table as PostgreSQL has it, with what SQL about it needs. */
export interface PostgresSideTable extends SideTable {
  readonly columns: readonly PostgresSideColumn[];
  /** Partitioned: its rows are those of its partitions. Of others only their own count, not those of heirs. */
  readonly isPartitioned: boolean;
  /** A unique or exclusion constraint that can be deferred: under the replica role nothing would check it. */
  readonly hasDeferrableUnique: boolean;
}

export interface PostgresSideColumn extends SideColumn {
  /** Quoted and qualified, with domains: for casts of what may have more digits. */
  readonly typeSql: string;
  /** With its modifier, for values as the column would hold them. */
  readonly fullTypeSql: string;
  readonly order: string | null;
  /** The operator of its index: by name alone citext would be compared as text, and what is in no other schema not at all. */
  readonly equals: string;
}

/** Types whose values every server orders alike; those of one text order alike among each other, too. */
const orders: Readonly<Record<string, string>> = {
  'pg_catalog.int2': 'number',
  'pg_catalog.int4': 'number',
  'pg_catalog.int8': 'number',
  'pg_catalog.numeric': 'number',
  'pg_catalog.float4': 'float4',
  'pg_catalog.float8': 'float8',
  'pg_catalog.uuid': 'uuid',
  'pg_catalog.bytea': 'bytea',
  'pg_catalog.bool': 'bool',
  'pg_catalog.date': 'date',
  'pg_catalog.timestamp': 'timestamp',
  'pg_catalog.timestamptz': 'timestamptz',
  'pg_catalog.time': 'time',
  'pg_catalog.timetz': 'timetz',
  'pg_catalog.oid': 'oid',
  'pg_catalog.inet': 'inet',
  'pg_catalog.cidr': 'inet',
  'pg_catalog.macaddr': 'macaddr',
  'pg_catalog.macaddr8': 'macaddr8',
  'pg_catalog.money': 'money',
  'pg_catalog.pg_lsn': 'pg_lsn',
  'pg_catalog.bit': 'bit',
  'pg_catalog.varbit': 'bit',
  'pg_catalog.name': 'text C',
};

/** With a collation: blanks at the end count in the one and not in the other. */
const texts: Readonly<Record<string, string>> = {
  'pg_catalog.text': 'text',
  'pg_catalog.varchar': 'text',
  'pg_catalog.bpchar': 'bpchar',
};

// The default collation of a database is told by pg_database, whose columns differ between versions. The version of the C
// library is the same for all of its collations.
const query = `
with wanted as (
  select c.* from unnest($1::text[], $2::text[]) w(schema, name)
  join pg_namespace n on n.nspname = w.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r', 'p')
), base as (${baseTypes}
), library as (
  select max(pg_collation_actual_version(oid)) as version from pg_collation
  where collprovider = 'c' and collcollate not in ('C', 'POSIX') and collencoding in (-1, pg_char_to_encoding(getdatabaseencoding()))
), database as (
  select coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') as provider, d.datcollate as locale,
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as named, to_jsonb(d) ->> 'datcollversion' as version
  from pg_database d where d.datname = current_database()
), collating as (
  select co.oid,
    case when not co.collisdeterministic then null
      when co.collprovider = 'd' then case
        when d.provider = 'c' and d.locale in ('C', 'POSIX') or d.provider = 'b' and d.named in ('C', 'C.UTF-8') then 'C'
        when d.provider = 'c' then 'c ' || d.locale || ' ' || l.version
        else d.provider || ' ' || d.named || ' ' || d.version end
      when co.collprovider = 'c' and co.collcollate in ('C', 'POSIX') or co.collprovider = 'b' then 'C'
      when co.collprovider = 'c' then 'c ' || co.collcollate || ' ' || l.version
      else co.collprovider::text || ' ' || coalesce(to_jsonb(co) ->> 'colllocale', to_jsonb(co) ->> 'colliculocale', co.collcollate)
        || ' ' || coalesce(to_jsonb(co) ->> 'collicurules', '') || ' ' || pg_collation_actual_version(co.oid) end as token
  from pg_collation co, library l, database d
  where co.oid in (select attcollation from pg_attribute where attrelid in (select oid from wanted))
)
select n.nspname as schema, c.relname as name, c.relkind = 'p' as partitioned,
  exists (select from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'x') and k.condeferrable) as deferrable_unique,
  (select coalesce(sum(greatest(leaf.reltuples, 0)), 0)::float8 from pg_partition_tree(c.oid) p
     join pg_class leaf on leaf.oid = p.relid where p.isleaf) + case when c.relkind = 'r' then greatest(c.reltuples, 0) * (not c.relispartition)::int else 0 end as rows,
  (select coalesce(json_agg(json_build_object('name', a.attname, 'type', bn.nspname || '.' || bt.typname,
      'modifier', case a.atttypmod when -1 then base.modifier else a.atttypmod end,
      'typeSql', quote_ident(tn.nspname) || '.' || quote_ident(t.typname),
      'fullTypeSql', format_type(a.atttypid, a.atttypmod), 'collation', co.token,
      'equals', coalesce((select format('operator(%I.%s)', opn.nspname, op.oprname) from pg_opclass oc
        join pg_am am on am.oid = oc.opcmethod and am.amname = 'btree'
        join pg_amop ao on ao.amopfamily = oc.opcfamily and ao.amopstrategy = 3 and ao.amoplefttype = oc.opcintype and ao.amoprighttype = oc.opcintype
        join pg_operator op on op.oid = ao.amopopr join pg_namespace opn on opn.oid = op.oprnamespace
        where oc.opcdefault and oc.opcintype = base.base), '='),
      'labels', (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = bt.oid)) order by a.attnum), '[]')
    from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_namespace tn on tn.oid = t.typnamespace
    join base on base.oid = t.oid join pg_type bt on bt.oid = base.base join pg_namespace bn on bn.oid = bt.typnamespace
    left join collating co on co.oid = a.attcollation
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
  (select coalesce(json_agg(k.columns order by k.indisprimary desc, k.indexrelid), '[]') from (
    select i.indisprimary, i.indexrelid, (select json_agg(a.attname order by o.ord)
      from unnest(i.indkey::int2[]) with ordinality o(num, ord) join pg_attribute a on a.attrelid = c.oid and a.attnum = o.num
      where o.ord <= i.indnkeyatts) as columns
    from pg_index i where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indpred is null and i.indexprs is null
      and not exists (select from unnest(i.indkey::int2[]) with ordinality o(num, ord)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = o.num where o.ord <= i.indnkeyatts and not a.attnotnull)) k) as keys
from wanted c join pg_namespace n on n.oid = c.relnamespace`;

interface TableRow {
  readonly schema: string;
  readonly name: string;
  readonly partitioned: boolean;
  readonly deferrable_unique: boolean;
  readonly rows: number;
  readonly columns: readonly (Omit<PostgresSideColumn, 'order' | 'canonicalTexts'> & {
    readonly collation: string | null;
    readonly labels: readonly string[] | null;
  })[];
  readonly keys: readonly (readonly string[])[];
}

export async function readSideTables(client: pg.Client, names: readonly TableName[]): Promise<PostgresSideTable[]> {
  const { rows } = await client.query<TableRow>(query, [
    names.map(({ schema }) => schema),
    names.map(({ name }) => name),
  ]);
  return rows.map(({ schema, name, partitioned, rows: estimatedRows, columns: described, keys, ...row }) => {
    const columns = described.map(({ collation, labels, ...column }) => ({
      ...column,
      order: orderOf(column.type, { collation, labels }),
      canonicalTexts: canonicalTexts(column, labels !== null),
    }));
    const keyColumn = (key: string): SideKeyColumn => ({
      name: key,
      order: columns.find((column) => column.name === key)?.order ?? null,
    });
    return {
      schema,
      name,
      isPartitioned: partitioned,
      hasDeferrableUnique: row.deferrable_unique,
      estimatedRows: Math.round(estimatedRows),
      columns,
      keys: keys.map((key) => key.map(keyColumn)),
    };
  });
}

function orderOf(
  type: string,
  { collation, labels }: { readonly collation: string | null; readonly labels: readonly string[] | null },
): string | null {
  if (labels !== null) return `enum ${JSON.stringify(labels)}`;
  const text = texts[type];
  if (text !== undefined) return collation === null ? null : `${text} ${collation}`;
  return orders[type] ?? null;
}
