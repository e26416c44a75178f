import type { TableName } from '../../../src/core/table.ts';
import type { Queryable } from './sessions.ts';

export interface KeyColumn {
  readonly name: string;
  /** Quoted and qualified: values are cast to it from their text. */
  readonly typeSql: string;
  /** Of a nondeterministic collation. */
  readonly folded: boolean;
}

export interface RangeKey {
  readonly columns: readonly KeyColumn[];
  /** Where the index's operators are: names are looked up there, too. By name alone citext would be compared as text. */
  readonly schemas: readonly string[];
}

/**
 * The replica identity's index; with FULL or NOTHING the primary key, or another unique index over columns that are not null. Only an ascending btree with the
 * column's own collation and the type's default operators orders rows as `ORDER BY` and `>` do; of a type with casts from text that somebody has
 * made by a function a value can't be given exactly. A generated column is in no image.
 */
const query = `
  SELECT k.columns, k.schemas FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_index i ON i.indrelid = c.oid
  JOIN pg_class x ON x.oid = i.indexrelid
  JOIN pg_am m ON m.oid = x.relam AND m.amname = 'btree'
  CROSS JOIN LATERAL (
    SELECT json_agg(json_build_object('name', a.attname, 'typeSql', quote_ident(tn.nspname) || '.' || quote_ident(t.typname),
        'folded', EXISTS (SELECT FROM pg_collation co WHERE co.oid = a.attcollation AND NOT co.collisdeterministic)) ORDER BY p.place) AS columns,
      array_agg(DISTINCT opn.nspname::text) AS schemas,
      bool_and(a.attnotnull AND a.attgenerated = '' AND p.coll = a.attcollation AND p.flags & 3 = 0 AND oc.opcdefault
        AND NOT EXISTS (SELECT FROM pg_cast ca WHERE ca.casttarget = t.oid AND ca.castsource = 'text'::regtype AND ca.castmethod = 'f' AND ca.oid >= 16384)) AS fits
    FROM unnest((i.indkey::int2[])[0:i.indnkeyatts - 1], i.indcollation::oid[], i.indoption::int2[], i.indclass::oid[])
      WITH ORDINALITY p (attnum, coll, flags, class, place)
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.attnum
    JOIN pg_type t ON t.oid = a.atttypid
    JOIN pg_namespace tn ON tn.oid = t.typnamespace
    JOIN pg_opclass oc ON oc.oid = p.class
    JOIN pg_namespace opn ON opn.oid = oc.opcnamespace
    WHERE p.place <= i.indnkeyatts
  ) k
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
    AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL AND k.fits
    AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE true END
  ORDER BY i.indisprimary DESC, i.indnkeyatts, x.relname LIMIT 1`;

/** Null where the table has none. */
export async function readKey(client: Queryable, { schema, name }: TableName): Promise<RangeKey | null> {
  const { rows } = await client.query(query, [schema, name]);
  const [row] = rows;
  if (row === undefined) return null;
  return { columns: row.columns as KeyColumn[], schemas: row.schemas as string[] };
}
