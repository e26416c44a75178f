/**
 * One row a table, partitions among them: what the catalogue knows, as JSON. Texts are the server's own. What newer
 * versions have added is read through to_jsonb, so that one text serves 14 to 18.
 */
export const tablesQuery = `
WITH wanted AS (
  SELECT c.oid FROM unnest($1::text[], $2::text[]) w (schema, name)
  JOIN pg_namespace n ON n.nspname = w.schema JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = w.name AND c.relkind IN ('r', 'p')
), tree AS (
  SELECT oid AS root, oid, NULL::oid AS parent, 0 AS level FROM wanted
  UNION ALL
  SELECT w.oid, t.relid::oid, t.parentrelid::oid, t.level FROM wanted w CROSS JOIN LATERAL pg_partition_tree(w.oid) t WHERE t.level > 0
)
SELECT tree.root::int8::text AS root, tree.level, n.nspname AS schema, c.relname AS name, c.relkind AS kind, c.relpersistence AS persistence,
  pn.nspname AS "parentSchema", p.relname AS "parentName",
  pg_get_expr(c.relpartbound, c.oid) AS bound,
  CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS "partitionKey",
  coalesce(c.reloptions, '{}') AS options,
  obj_description(c.oid, 'pg_class') AS comment,
  CASE WHEN tree.level > 0 THEN '[]' ELSE (SELECT coalesce(json_agg(json_build_object('schema', n.nspname, 'name', i.relname) ORDER BY h.inhseqno), '[]')
    FROM pg_inherits h JOIN pg_class i ON i.oid = h.inhparent JOIN pg_namespace n ON n.oid = i.relnamespace WHERE h.inhrelid = c.oid) END AS inherits,
  (SELECT coalesce(json_agg(json_build_object(
      'name', a.attname, 'type', tn.nspname || '.' || t.typname, 'modifier', a.atttypmod, 'typeText', format_type(a.atttypid, a.atttypmod),
      'notNull', a.attnotnull, 'generated', a.attgenerated, 'identity', a.attidentity,
      'collation', (SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname) FROM pg_collation co
        JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation AND a.attcollation <> t.typcollation),
      'value', pg_get_expr(d.adbin, d.adrelid),
      'nextOf', CASE WHEN a.attidentity = '' AND a.attgenerated = '' AND pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%::regclass)'
        THEN (SELECT min(x.refobjid::int8)::text FROM pg_depend x JOIN pg_class s ON s.oid = x.refobjid AND s.relkind = 'S'
          WHERE x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid AND x.refclassid = 'pg_class'::regclass HAVING count(*) = 1) END,
      'named', (SELECT coalesce(json_agg(x.refobjid::int8::text), '[]') FROM pg_depend x JOIN pg_class s ON s.oid = x.refobjid AND s.relkind = 'S'
        WHERE x.classid = 'pg_attrdef'::regclass AND x.objid = d.oid AND x.refclassid = 'pg_class'::regclass),
      'ownSequence', (SELECT s.oid::int8::text FROM pg_depend x JOIN pg_class s ON s.oid = x.objid AND s.relkind = 'S'
        WHERE a.attidentity <> '' AND x.classid = 'pg_class'::regclass AND x.refclassid = 'pg_class'::regclass AND x.refobjid = c.oid AND x.refobjsubid = a.attnum AND x.deptype = 'i'),
      'comment', col_description(c.oid, a.attnum)) ORDER BY a.attnum), '[]')
    FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid JOIN pg_namespace tn ON tn.oid = t.typnamespace
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    WHERE tree.level = 0 AND a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
  (SELECT coalesce(json_agg(json_build_object(
      'name', ic.relname, 'contype', k.contype, 'unique', i.indisunique, 'method', am.amname, 'valid', i.indisvalid AND i.indisready,
      'identity', i.indisreplident, 'nullsNotDistinct', coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false),
      'withoutOverlaps', coalesce((to_jsonb(k) ->> 'conperiod')::bool, false),
      'deferrable', CASE WHEN k.condeferred THEN 'deferred' WHEN k.condeferrable THEN 'immediate' ELSE 'no' END,
      'where', pg_get_expr(i.indpred, i.indrelid), 'options', coalesce(ic.reloptions, '{}'),
      'comment', coalesce(obj_description(k.oid, 'pg_constraint'), obj_description(ic.oid, 'pg_class')),
      'include', (SELECT coalesce(json_agg(a.attname ORDER BY e.ord), '[]') FROM unnest(i.indkey::int2[]) WITH ORDINALITY e (num, ord)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = e.num WHERE e.ord > i.indnkeyatts),
      'elements', (SELECT json_agg(json_build_object(
          'column', (SELECT a.attname FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[o]),
          'value', pg_get_indexdef(i.indexrelid, o + 1, false),
          'collation', (SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
            WHERE co.oid = i.indcollation[o] AND co.oid <> coalesce(
              (SELECT a.attcollation FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = i.indkey[o]), 'pg_catalog."default"'::regcollation)),
          'operatorClass', (SELECT quote_ident(on_.nspname) || '.' || quote_ident(oc.opcname) FROM pg_opclass oc JOIN pg_namespace on_ ON on_.oid = oc.opcnamespace
            WHERE oc.oid = i.indclass[o] AND (NOT oc.opcdefault OR ia.attoptions IS NOT NULL)),
          'operatorOptions', coalesce(ia.attoptions, '{}'),
          'order', CASE WHEN NOT am.amcanorder THEN '' WHEN i.indoption[o] & 1 = 1
            THEN CASE WHEN i.indoption[o] & 2 = 2 THEN ' DESC' ELSE ' DESC NULLS LAST' END
            ELSE CASE WHEN i.indoption[o] & 2 = 2 THEN ' NULLS FIRST' ELSE '' END END,
          'operator', (SELECT quote_ident(xn.nspname) || '.' || x.oprname FROM pg_operator x JOIN pg_namespace xn ON xn.oid = x.oprnamespace
            WHERE k.contype = 'x' AND x.oid = k.conexclop[o + 1])) ORDER BY o)
        FROM generate_series(0, i.indnkeyatts - 1) o JOIN pg_attribute ia ON ia.attrelid = i.indexrelid AND ia.attnum = o + 1)
      ) ORDER BY i.indisprimary DESC, ic.relname), '[]')
    FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN (SELECT oid, amname, amname IN ('btree') AS amcanorder FROM pg_am) am ON am.oid = ic.relam
    LEFT JOIN pg_constraint k ON k.conindid = ic.oid AND k.conrelid = c.oid AND k.contype IN ('p', 'u', 'x')
    WHERE i.indrelid = c.oid AND NOT EXISTS (SELECT FROM pg_inherits h WHERE h.inhrelid = ic.oid)) AS indexes,
  (SELECT coalesce(json_agg(json_build_object(
      'name', k.conname, 'condition', pg_get_expr(k.conbin, k.conrelid),
      'suffix', CASE WHEN k.connoinherit THEN ' NO INHERIT' ELSE '' END
        || CASE WHEN NOT coalesce((to_jsonb(k) ->> 'conenforced')::bool, true) THEN ' NOT ENFORCED' WHEN NOT k.convalidated THEN ' NOT VALID' ELSE '' END,
      'comment', obj_description(k.oid, 'pg_constraint')) ORDER BY k.conname), '[]')
    FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conislocal) AS checks,
  (SELECT coalesce(json_agg(json_build_object(
      'name', k.conname, 'references', json_build_object('schema', fn.nspname, 'name', f.relname),
      'columns', (SELECT json_agg(a.attname ORDER BY e.ord) FROM unnest(k.conkey) WITH ORDINALITY e (num, ord) JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = e.num),
      'referenced', (SELECT json_agg(a.attname ORDER BY e.ord) FROM unnest(k.confkey) WITH ORDINALITY e (num, ord) JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = e.num),
      'match', k.confmatchtype, 'onUpdate', k.confupdtype, 'onDelete', k.confdeltype,
      'setColumns', (SELECT coalesce(json_agg(a.attname ORDER BY e.ord), '[]') FROM jsonb_array_elements_text(coalesce(nullif(to_jsonb(k) -> 'confdelsetcols', 'null'), '[]')) WITH ORDINALITY e (num, ord)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = e.num::int),
      'deferrable', CASE WHEN k.condeferred THEN 'deferred' WHEN k.condeferrable THEN 'immediate' ELSE 'no' END,
      'valid', k.convalidated, 'enforced', coalesce((to_jsonb(k) ->> 'conenforced')::bool, true),
      'period', coalesce((to_jsonb(k) ->> 'conperiod')::bool, false),
      'comment', obj_description(k.oid, 'pg_constraint')) ORDER BY k.conname), '[]')
    FROM pg_constraint k JOIN pg_class f ON f.oid = k.confrelid JOIN pg_namespace fn ON fn.oid = f.relnamespace
    WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.conparentid = 0) AS "foreignKeys"
FROM tree JOIN pg_class c ON c.oid = tree.oid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class p ON p.oid = tree.parent LEFT JOIN pg_namespace pn ON pn.oid = p.relnamespace
ORDER BY tree.root, tree.level, n.nspname, c.relname`;

export interface TableRow {
  readonly root: string;
  readonly level: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: string;
  readonly persistence: string;
  readonly parentSchema: string | null;
  readonly parentName: string | null;
  readonly bound: string | null;
  readonly partitionKey: string | null;
  readonly options: readonly string[];
  readonly comment: string | null;
  readonly inherits: readonly { readonly schema: string; readonly name: string }[];
  readonly columns: readonly ColumnRow[];
  readonly indexes: readonly IndexRow[];
  readonly checks: readonly CheckRow[];
  readonly foreignKeys: readonly ForeignKeyRow[];
}

export interface ColumnRow {
  readonly name: string;
  readonly type: string;
  readonly modifier: number;
  readonly typeText: string;
  readonly notNull: boolean;
  /** pg_attribute.attgenerated: s, v, or nothing. */
  readonly generated: string;
  /** pg_attribute.attidentity: a, d, or nothing. */
  readonly identity: string;
  readonly collation: string | null;
  readonly value: string | null;
  /** Oids of sequences. */
  readonly nextOf: string | null;
  readonly ownSequence: string | null;
  /** All that its default names. */
  readonly named: readonly string[];
  readonly comment: string | null;
}

export interface IndexRow {
  readonly name: string;
  readonly contype: string | null;
  readonly unique: boolean;
  readonly method: string;
  readonly valid: boolean;
  readonly identity: boolean;
  readonly nullsNotDistinct: boolean;
  readonly withoutOverlaps: boolean;
  readonly deferrable: 'no' | 'immediate' | 'deferred';
  readonly where: string | null;
  readonly options: readonly string[];
  readonly comment: string | null;
  readonly include: readonly string[];
  readonly elements: readonly {
    readonly column: string | null;
    readonly value: string;
    readonly collation: string | null;
    readonly operatorClass: string | null;
    readonly operatorOptions: readonly string[];
    readonly order: string;
    readonly operator: string | null;
  }[];
}

export interface CheckRow {
  readonly name: string;
  readonly condition: string;
  readonly suffix: string;
  readonly comment: string | null;
}

export interface ForeignKeyRow {
  readonly name: string;
  readonly references: { readonly schema: string; readonly name: string };
  readonly columns: readonly string[];
  readonly referenced: readonly string[];
  readonly match: string;
  readonly onUpdate: string;
  readonly onDelete: string;
  readonly setColumns: readonly string[];
  readonly deferrable: 'no' | 'immediate' | 'deferred';
  readonly valid: boolean;
  readonly enforced: boolean;
  readonly period: boolean;
  readonly comment: string | null;
}
