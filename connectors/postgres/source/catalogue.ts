import type { ReplicaIdentity, TableVersion } from '../../../src/core/table.ts';
import { replicaIdentity } from './pgoutput/messages.ts';
import type { Queryable } from './sessions.ts';
import { uniqueKeysOf } from './unique-keys.ts';

/** A table, view or foreign table at the source. */
export interface CatalogueTable {
  readonly oid: string;
  readonly table: TableVersion;
  /** pg_class.relkind: r ordinary, p partitioned, f foreign, v view, m materialised view. */
  readonly kind: string;
  /** pg_class.relpersistence: p permanent, u unlogged, t temporary. */
  readonly persistence: string;
  /** Oids of the partitioned tables that it is a partition of. */
  readonly ancestors: readonly string[];
  readonly owner: string;
  /** The user is the owner, or a member of it. */
  readonly owned: boolean;
  /** A generated column is part of the replica identity: its value is not published. */
  readonly generatedKey: boolean;
}

/**
 * Columns exactly as the stream describes them: without generated ones, a domain by its base type and modifier, and the
 * key flag for the columns of the replica identity (of an index that is valid and not deferrable), or for all with FULL.
 */
const tablesQuery = `
  WITH RECURSIVE step (oid, base, modifier) AS (
    SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
    UNION ALL
    SELECT s.oid, t.typbasetype, CASE s.modifier WHEN -1 THEN t.typtypmod ELSE s.modifier END
    FROM step s JOIN pg_type t ON t.oid = s.base AND t.typtype = 'd'
  ), domain AS (
    SELECT s.oid, s.base, s.modifier FROM step s JOIN pg_type t ON t.oid = s.base AND t.typtype <> 'd'
  ), relation AS (
    SELECT c.*, n.nspname, (i.indkey::int2[])[0:i.indnkeyatts - 1] AS key
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
      AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
    WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'tidelock')
  ), described AS (
    -- Of all tables at once: thousands of them would each look through thousands of types.
    SELECT a.attrelid,
      array_agg(json_build_object('name', a.attname, 'type', tn.nspname || '.' || t.typname,
        'modifier', CASE a.atttypmod WHEN -1 THEN COALESCE(d.modifier, -1) ELSE a.atttypmod END,
        'key', c.relreplident = 'f' OR c.relreplident <> 'n' AND COALESCE(a.attnum = ANY (c.key), false))
        ORDER BY a.attnum) FILTER (WHERE a.attgenerated = '') AS columns,
      array_agg(a.attname::text) FILTER (WHERE a.attgenerated <> '') AS generated,
      bool_or(a.attgenerated <> '' AND COALESCE(a.attnum = ANY (c.key), false)) AS generated_key
    FROM relation c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN domain d ON d.oid = a.atttypid
    JOIN pg_type t ON t.oid = COALESCE(d.base, a.atttypid)
    JOIN pg_namespace tn ON tn.oid = t.typnamespace
    GROUP BY a.attrelid
  )
  SELECT c.oid::text AS oid, c.nspname AS schema, c.relname AS name, c.relkind::text AS kind,
    c.relpersistence::text AS persistence, c.relreplident::text AS identity,
    pg_get_userbyid(c.relowner)::text AS owner, pg_has_role(c.relowner, 'USAGE') AS owned,
    CASE WHEN c.relispartition THEN
      ARRAY(SELECT relid::oid::text FROM pg_partition_ancestors(c.oid) WHERE relid <> c.oid)
    ELSE '{}' END AS ancestors,
    COALESCE(d.columns, '{}') AS columns, COALESCE(d.generated, '{}') AS generated, COALESCE(d.generated_key, false) AS generated_key,
    ${uniqueKeysOf('a.attname')} AS unique_keys
  FROM relation c LEFT JOIN described d ON d.attrelid = c.oid
  ORDER BY c.nspname, c.relname`;
/** Everything that a route might name. */
export async function readCatalogue(client: Queryable): Promise<readonly CatalogueTable[]> {
  // Prepared: a start asks several times on the same session.
  const { rows } = await client.query({ name: 'tl_catalogue', text: tablesQuery });
  return rows.map((row) => ({
    oid: String(row.oid),
    kind: String(row.kind),
    persistence: String(row.persistence),
    owner: String(row.owner),
    owned: row.owned === true,
    generatedKey: row.generated_key === true,
    ancestors: row.ancestors as string[],
    table: {
      schema: String(row.schema),
      name: String(row.name),
      columns: row.columns as TableVersion['columns'],
      identity: replicaIdentity(String(row.identity)) as ReplicaIdentity,
      ...(Array.isArray(row.generated) && row.generated.length > 0 && { generated: row.generated as string[] }),
      ...(Array.isArray(row.unique_keys) && {
        uniqueKeys: row.unique_keys.map(({ columns }: { columns: string[] }) => columns),
      }),
    },
  }));
}

/** Can be carried at all: its changes are in the WAL and decoded. */
export function carried(table: CatalogueTable): boolean {
  return (table.kind === 'r' || table.kind === 'p') && table.persistence === 'p';
}

/**
 * The tables that a route replicates. Of a partitioned table that is selected the partitions are not tables of their
 * own: their changes come under the name of the root.
 */
export function selectTables(
  catalogue: readonly CatalogueTable[],
  isSelected: (schema: string, name: string) => boolean,
): readonly CatalogueTable[] {
  const selected = catalogue.filter((entry) => carried(entry) && isSelected(entry.table.schema, entry.table.name));
  const oids = new Set(selected.map(({ oid }) => oid));
  return selected.filter(({ ancestors }) => !ancestors.some((oid) => oids.has(oid)));
}

/** Types that the server names by oid alone: those below the first that initdb hands out (FirstGenbkiObjectId). */
export async function readBuiltInTypes(client: Queryable): Promise<readonly (readonly [number, string])[]> {
  const { rows } = await client.query(
    `SELECT oid::int4 AS oid, 'pg_catalog.' || typname AS name FROM pg_type WHERE oid < 10000`,
  );
  return rows.map((row) => [Number(row.oid), String(row.name)] as const);
}

/** What a Relation message does not tell: the modifier that a domain gives its base type, where it gives one. */
export async function readDomainModifiers(client: Queryable): Promise<readonly (readonly [number, number])[]> {
  const { rows } = await client.query(
    `WITH RECURSIVE d (oid, base, modifier) AS (
       SELECT oid, typbasetype, typtypmod FROM pg_type WHERE typtype = 'd'
       UNION ALL
       SELECT d.oid, t.typbasetype, CASE d.modifier WHEN -1 THEN t.typtypmod ELSE d.modifier END
       FROM d JOIN pg_type t ON t.oid = d.base AND t.typtype = 'd'
     )
     SELECT oid::int8 AS oid, max(modifier) AS modifier FROM d WHERE modifier <> -1 GROUP BY oid`,
  );
  return rows.map((row) => [Number(row.oid), Number(row.modifier)] as const);
}
