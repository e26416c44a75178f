import type pg from 'pg';
import { baseTypes } from '../base-types.ts';

export interface TargetColumn {
  readonly name: string;
  /** Schema-qualified type name, without modifier. */
  readonly type: string;
  /** Quoted and qualified, for casts. */
  readonly typeSql: string;
  /** Of the column, or of the first domain below it that has one: the server rounds to that, too. */
  readonly modifier: number;
  /** Qualified name of the type below all domains. */
  readonly baseType: string;
  /** pg_type.typtype of the base type: b, c, d, e, m, p, r. */
  readonly baseKind: string;
  /**
   * The type has an array type whose elements are separated by commas, and is neither an array itself nor composite:
   * unnest would flatten the one and make columns of the other.
   */
  readonly unnestable: boolean;
  /** Qualified name of the element's type, null where the column is no array. */
  readonly element: string | null;
  /** Somebody has made a cast from or to text by a function, which need not be what the type's own text form is. */
  readonly hasTextCast: boolean;
  readonly notNull: boolean;
  readonly generated: boolean;
  /** a: GENERATED ALWAYS AS IDENTITY, d: BY DEFAULT, '' none. */
  readonly identity: string;
  readonly hasDefault: boolean;
  /** Quoted and qualified; null where it is the database's, or the type has none. */
  readonly collation: string | null;
  /** Equal strings are equal bytes. */
  readonly deterministic: boolean;
}

export interface TargetIndex {
  readonly name: string;
  readonly columns: readonly string[];
  /** Its equality of each column, qualified: names are only looked up in pg_catalog, and citext's is not there. */
  readonly equals: readonly string[];
  readonly primary: boolean;
  /** A constraint that can be deferred: checked at the end of statement or transaction. */
  readonly deferrable: boolean;
  /** Partial, or over expressions: it can't tell rows apart by its columns alone. */
  readonly partial: boolean;
  readonly predicate: string | null;
  readonly hasExpressions: boolean;
  readonly allNotNull: boolean;
  /** By a collation of it two texts that differ are one. */
  readonly folded: boolean;
}

/** Of a table all of whose rows are logged whole: by a unique index with this column rows may be found. */
export function isFoundBy({ uniqueIndexes }: Pick<TargetTable, 'uniqueIndexes'>, column: string): boolean {
  return uniqueIndexes.some(({ partial, allNotNull, columns }) => !partial && allNotNull && columns.includes(column));
}

/** A table at the target, with all that decides how changes are applied to it. */
export interface TargetTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  /** pg_class.relkind: r, p (partitioned); others are refused. */
  readonly kind: string;
  readonly columns: readonly TargetColumn[];
  readonly uniqueIndexes: readonly TargetIndex[];
  readonly hasDeferrableUnique: boolean;
  /** Quoted names of the deferrable constraints whose checks rows of this table can leave pending. */
  readonly deferrableConstraints: readonly string[];
  /** Oids of the tables that its foreign keys point to, itself left out. */
  readonly references: readonly number[];
  /** A foreign key points from one of its rows to another. */
  readonly referencesItself: boolean;
  /** Foreign keys of other tables that change them when a row here changes or goes. */
  readonly cascades: readonly string[];
  /** Enabled user triggers and rules that act under the ordinary replication role. */
  readonly ordinaryTriggers: readonly string[];
  /** Enabled user triggers and rules that act under the replica role (ENABLE REPLICA or ALWAYS). */
  readonly replicaTriggers: readonly string[];
  readonly rowSecurity: boolean;
  /** Quoted names of itself or of its partitions: unlogged, which a crash of the server empties, or foreign, which commit elsewhere. */
  readonly unkept: readonly string[];
}

/** Of pg_trigger t: somebody's own. Up to PostgreSQL 14 a partition's copy of its parent's row trigger is internal as those of foreign keys are. */
export const actingTrigger = `(not t.tgisinternal or t.tgparentid <> 0
  and not exists (select from pg_constraint k where k.oid = t.tgconstraint and k.contype <> 't'))`;

// One round trip for any number of tables: to_jsonb of everything that planning needs. Rows go to a partitioned table by its own
// name; what acts on them there are row triggers and constraints of their partitions, too, but no rules and no statement triggers.
const query = `
with wanted as (
  select c.* from unnest($1::text[], $2::text[]) w(schema, name)
  join pg_namespace n on n.nspname = w.schema
  join pg_class c on c.relnamespace = n.oid and c.relname = w.name and c.relkind in ('r','p','v','m','f')
), tree as (
  select c.oid as root, p.relid as leaf from wanted c cross join lateral pg_partition_tree(c.oid) p where c.relkind = 'p' and p.relid <> c.oid
), base (oid, base_oid, modifier) as (${baseTypes}
), acting as (
  select relation, coalesce(json_agg(distinct name order by name) filter (where enabled in ('O','A')), '[]') as ordinary,
    coalesce(json_agg(distinct name order by name) filter (where enabled in ('R','A')), '[]') as replica
  from (
    select tgrelid, 'trigger ' || tgname, tgenabled from pg_trigger t where ${actingTrigger}
    union all select tree.root, 'trigger ' || tgname, tgenabled from tree join pg_trigger t on t.tgrelid = tree.leaf where t.tgtype & 1 = 1 and ${actingTrigger}
    union all select ev_class, 'rule ' || rulename, ev_enabled from pg_rewrite where rulename <> '_RETURN'
  ) a (relation, name, enabled) group by relation
), delayed as (
  select k.relation, json_agg(distinct quote_ident(n.nspname) || '.' || quote_ident(k.conname)) as names
  from (
    select conrelid as relation, connamespace, conname from pg_constraint where condeferrable
    union select confrelid, connamespace, conname from pg_constraint where condeferrable
    union select tree.root, connamespace, conname from tree join pg_constraint on conrelid = tree.leaf where condeferrable and conparentid = 0
    union select tree.root, connamespace, conname from tree join pg_constraint on confrelid = tree.leaf where condeferrable and conparentid = 0
  ) k join pg_namespace n on n.oid = k.connamespace group by k.relation
), cascading as (
  select coalesce(tree.root, confrelid) as relation, json_agg(conname order by conname) as names
  from pg_constraint left join tree on tree.leaf = confrelid
  where contype = 'f' and conparentid = 0 and (confdeltype in ('c','n','d') or confupdtype in ('c','n','d')) group by 1
)
select c.oid::int8::text as oid, n.nspname as schema, c.relname as name, c.relkind as kind, c.relrowsecurity as row_security,
  (select coalesce(json_agg(json_build_object(
      'name', a.attname, 'type', tn.nspname || '.' || t.typname, 'typeSql', quote_ident(tn.nspname) || '.' || quote_ident(t.typname),
      'modifier', case a.atttypmod when -1 then base.modifier else a.atttypmod end, 'baseType', bn.nspname || '.' || bt.typname, 'baseKind', bt.typtype,
      'unnestable', t.typarray <> 0 and at.typdelim = ',' and bt.typcategory <> 'A' and bt.typtype <> 'c',
      'element', (select en.nspname || '.' || e.typname from pg_type e join pg_namespace en on en.oid = e.typnamespace
        where e.oid = t.typelem and e.typarray = t.oid),
      'hasTextCast', exists (select from pg_cast k where k.oid >= 16384 and k.castmethod = 'f'
        and (k.castsource = bt.oid and k.casttarget = 'text'::regtype or k.casttarget = bt.oid and k.castsource = 'text'::regtype)),
      'notNull', a.attnotnull, 'generated', a.attgenerated <> '', 'identity', a.attidentity, 'hasDefault', a.atthasdef,
      'collation', (select quote_ident(cn.nspname) || '.' || quote_ident(co.collname) from pg_namespace cn
        where cn.oid = co.collnamespace and co.collprovider <> 'd'),
      'deterministic', coalesce(co.collisdeterministic, true)) order by a.attnum), '[]')
    from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_namespace tn on tn.oid = t.typnamespace
    join base on base.oid = t.oid join pg_type bt on bt.oid = base.base_oid join pg_namespace bn on bn.oid = bt.typnamespace
    left join pg_type at on at.oid = t.typarray left join pg_collation co on co.oid = a.attcollation
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
  (select coalesce(json_agg(json_build_object(
      'name', ic.relname, 'primary', i.indisprimary, 'deferrable', not i.indimmediate,
      'partial', i.indpred is not null or i.indexprs is not null, 'predicate', pg_get_expr(i.indpred, i.indrelid),
      'hasExpressions', i.indexprs is not null,
      'folded', exists (select from pg_collation co where co.oid = any (i.indcollation::oid[]) and not co.collisdeterministic),
      'columns', (select coalesce(json_agg(a.attname order by k.ord), '[]') from unnest(i.indkey::int2[]) with ordinality k(num, ord)
                  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num where k.ord <= i.indnkeyatts),
      'equals', (select coalesce(json_agg(coalesce('operator(' || quote_ident(en.nspname) || '.' || e.oprname || ')', '=') order by k.ord), '[]')
                  from unnest(i.indclass::oid[]) with ordinality k(class, ord) join pg_opclass oc on oc.oid = k.class
                  left join pg_amop ao on ao.amopfamily = oc.opcfamily and ao.amoplefttype = oc.opcintype
                    and ao.amoprighttype = oc.opcintype and ao.amopstrategy = 3 and oc.opcmethod = 403
                  left join pg_operator e on e.oid = ao.amopopr left join pg_namespace en on en.oid = e.oprnamespace),
      'allNotNull', (select coalesce(bool_and(a.attnotnull), false) from unnest(i.indkey::int2[]) with ordinality k(num, ord)
                  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num where k.ord <= i.indnkeyatts)
      ) order by i.indisprimary desc, ic.relname), '[]')
    from pg_index i join pg_class ic on ic.oid = i.indexrelid
    where i.indrelid = c.oid and i.indisunique and i.indisvalid) as indexes,
  exists (select from pg_constraint k where k.conrelid = c.oid and k.contype in ('p','u','x') and k.condeferrable)
    or exists (select from tree join pg_constraint k on k.conrelid = tree.leaf where tree.root = c.oid and k.contype in ('p','u','x') and k.condeferrable) as deferrable_unique,
  coalesce(delayed.names, '[]') as deferrable_constraints,
  (select coalesce(json_agg(distinct k.confrelid::int8), '[]') from pg_constraint k
    where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as "references",
  exists (select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and k.confrelid = c.oid) as references_itself,
  coalesce(cascading.names, '[]') as cascades,
  coalesce(acting.ordinary, '[]') as ordinary_triggers,
  coalesce(acting.replica, '[]') as replica_triggers,
  (select coalesce(json_agg(quote_ident(mn.nspname) || '.' || quote_ident(m.relname) order by mn.nspname, m.relname), '[]')
    from (select c.oid union all select tree.leaf from tree where tree.root = c.oid) part join pg_class m on m.oid = part.oid
    join pg_namespace mn on mn.oid = m.relnamespace
    where m.relkind = 'f' or m.relkind = 'r' and m.relpersistence <> 'p') as unkept
from wanted c join pg_namespace n on n.oid = c.relnamespace
left join delayed on delayed.relation = c.oid
left join cascading on cascading.relation = c.oid
left join acting on acting.relation = c.oid`;

interface CatalogueRow {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly row_security: boolean;
  readonly columns: TargetColumn[];
  readonly indexes: TargetIndex[];
  readonly deferrable_unique: boolean;
  readonly deferrable_constraints: string[];
  readonly references: number[];
  readonly references_itself: boolean;
  readonly cascades: string[];
  readonly ordinary_triggers: string[];
  readonly replica_triggers: string[];
  readonly unkept: string[];
}

/** Reads the definitions of the named tables; one that does not exist is missing from the result. */
export async function readTargetTables(
  client: pg.Client,
  names: readonly { readonly schema: string; readonly name: string }[],
): Promise<TargetTable[]> {
  // Prepared: to plan it takes many times as long as to run it.
  const result = await client.query<CatalogueRow>({
    name: 'tl_tables',
    text: query,
    values: [names.map((t) => t.schema), names.map((t) => t.name)],
  });
  return result.rows.map((row) => ({
    oid: Number(row.oid),
    schema: row.schema,
    name: row.name,
    kind: row.kind,
    columns: row.columns,
    uniqueIndexes: row.indexes,
    hasDeferrableUnique: row.deferrable_unique,
    deferrableConstraints: row.deferrable_constraints,
    references: row.references,
    referencesItself: row.references_itself,
    cascades: row.cascades,
    ordinaryTriggers: row.ordinary_triggers,
    replicaTriggers: row.replica_triggers,
    rowSecurity: row.row_security,
    unkept: row.unkept,
  }));
}
