/**
 * What the columns' types and collations are made of, beyond what every server has: each with the statement that makes it. `level` is higher
 * for what others are made of. An extension's types come with the extension.
 */
export const typesQuery = `
WITH RECURSIVE rel AS (
  SELECT w.oid FROM unnest($1::oid[]) w (oid) UNION SELECT t.relid FROM unnest($1::oid[]) w (oid) CROSS JOIN LATERAL pg_partition_tree(w.oid) t
), made (oid, level) AS (
  SELECT a.atttypid, 0 FROM pg_attribute a WHERE a.attrelid IN (SELECT oid FROM rel) AND a.attnum > 0 AND NOT a.attisdropped
  UNION
  SELECT p.oid, m.level + 1 FROM made m JOIN pg_type t ON t.oid = m.oid CROSS JOIN LATERAL (
    SELECT t.typbasetype WHERE t.typtype = 'd'
    UNION ALL SELECT t.typelem WHERE t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc
    UNION ALL SELECT a.atttypid FROM pg_attribute a WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL SELECT r.rngsubtype FROM pg_range r WHERE r.rngtypid = t.oid
    UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngmultitypid = t.oid
  ) p (oid)
  WHERE m.level < 50
), types AS (
  SELECT t.*, n.nspname, max(m.level) AS level, x.oid AS extension
  FROM made m JOIN pg_type t ON t.oid = m.oid JOIN pg_namespace n ON n.oid = t.typnamespace
  LEFT JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass
  LEFT JOIN pg_extension x ON x.oid = d.refobjid
  WHERE n.nspname <> 'pg_catalog' AND NOT (t.typelem <> 0 AND t.typsubscript = 'array_subscript_handler'::regproc)
  GROUP BY t.oid, t.*, n.nspname, x.oid
), collations AS (
  SELECT DISTINCT co.oid, co.collname, n.nspname, to_jsonb(co) AS c
  FROM (SELECT attcollation FROM pg_attribute WHERE attrelid IN (SELECT oid FROM rel)
    UNION SELECT typcollation FROM types UNION SELECT rngcollation FROM pg_range WHERE rngtypid IN (SELECT oid FROM types)
    UNION SELECT unnest(indcollation::oid[]) FROM pg_index WHERE indrelid IN (SELECT oid FROM rel)) u (oid)
  JOIN pg_collation co ON co.oid = u.oid JOIN pg_namespace n ON n.oid = co.collnamespace WHERE n.nspname <> 'pg_catalog'
), classes AS (
  SELECT DISTINCT x.oid FROM pg_index i CROSS JOIN LATERAL unnest(i.indclass::oid[]) u (oid)
  JOIN pg_depend d ON d.classid = 'pg_opclass'::regclass AND d.objid = u.oid AND d.deptype = 'e' JOIN pg_extension x ON x.oid = d.refobjid
  WHERE i.indrelid IN (SELECT oid FROM rel)
), extensions AS (
  SELECT x.extname, n.nspname FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
  WHERE x.extname <> 'plpgsql' AND x.oid IN (SELECT extension FROM types UNION SELECT oid FROM classes)
), statements AS (
  SELECT 'extension' AS kind, nspname, extname AS name, 1001 AS level,
    format('CREATE EXTENSION IF NOT EXISTS %I SCHEMA %I', extname, nspname) AS statement FROM extensions
  UNION ALL
  SELECT 'collation', nspname, collname, 1000, format('CREATE COLLATION %I.%I (provider = %s, %s%s)', nspname, collname,
    CASE c ->> 'collprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END,
    CASE WHEN c ->> 'collprovider' = 'c' THEN format('lc_collate = %L, lc_ctype = %L', c ->> 'collcollate', c ->> 'collctype')
      ELSE format('locale = %L', coalesce(c ->> 'colllocale', c ->> 'colliculocale', c ->> 'collcollate')) END,
    CASE WHEN NOT (c ->> 'collisdeterministic')::bool THEN ', deterministic = false' ELSE '' END
      || coalesce(', rules = ' || quote_literal(c ->> 'collicurules'), '')) FROM collations
  UNION ALL
  SELECT CASE typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite' ELSE 'range' END, nspname, typname, level,
    CASE typtype
      WHEN 'e' THEN format('CREATE TYPE %I.%I AS ENUM (%s)', nspname, typname,
        (SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
      WHEN 'd' THEN format('CREATE DOMAIN %I.%I AS %s%s%s%s%s', nspname, typname, format_type(typbasetype, typtypmod),
        (SELECT format(' COLLATE %I.%I', cn.nspname, co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
          WHERE co.oid = t.typcollation AND t.typcollation <> (SELECT b.typcollation FROM pg_type b WHERE b.oid = t.typbasetype)),
        ' DEFAULT ' || pg_get_expr(typdefaultbin, 0),
        CASE WHEN typnotnull THEN ' NOT NULL' END,
        (SELECT string_agg(format(' CONSTRAINT %I %s', conname, regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', '')), '' ORDER BY conname)
          FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'))
      WHEN 'c' THEN format('CREATE TYPE %I.%I AS (%s)', nspname, typname,
        (SELECT string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
          (SELECT format(' COLLATE %I.%I', cn.nspname, co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
            JOIN pg_type at ON at.oid = a.atttypid WHERE co.oid = a.attcollation AND a.attcollation <> at.typcollation)), ', ' ORDER BY a.attnum)
          FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
      ELSE (SELECT format('CREATE TYPE %I.%I AS RANGE (SUBTYPE = %s%s%s%s)', nspname, typname, format_type(r.rngsubtype, NULL),
          (SELECT format(', SUBTYPE_OPCLASS = %I.%I', cn.nspname, oc.opcname) FROM pg_opclass oc JOIN pg_namespace cn ON cn.oid = oc.opcnamespace
            WHERE oc.oid = r.rngsubopc AND NOT oc.opcdefault),
          (SELECT format(', COLLATION = %I.%I', cn.nspname, co.collname) FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace
            WHERE co.oid = r.rngcollation AND r.rngcollation <> (SELECT b.typcollation FROM pg_type b WHERE b.oid = r.rngsubtype)),
          (SELECT format(', MULTIRANGE_TYPE_NAME = %I.%I', mn.nspname, mt.typname) FROM pg_type mt JOIN pg_namespace mn ON mn.oid = mt.typnamespace WHERE mt.oid = r.rngmultitypid)
            || CASE WHEN r.rngsubdiff <> 0 THEN format(', SUBTYPE_DIFF = %s', r.rngsubdiff) ELSE '' END)
        FROM pg_range r WHERE r.rngtypid = t.oid) END
  FROM types t WHERE extension IS NULL AND typtype IN ('e', 'd', 'r') OR extension IS NULL AND typtype = 'c'
    AND EXISTS (SELECT FROM pg_class c WHERE c.oid = t.typrelid AND c.relkind = 'c')
), schemas AS (
  SELECT DISTINCT nspname FROM statements WHERE nspname NOT IN ('pg_catalog', 'public')
)
SELECT 'schema' AS kind, nspname AS schema, nspname AS name, 1002 AS level, format('CREATE SCHEMA IF NOT EXISTS %I', nspname) AS statement FROM schemas
UNION ALL SELECT kind, nspname, name, level, statement FROM statements
ORDER BY level DESC, kind, schema, name`;

/** Sequences by oid: of defaults and identities. */
export const sequencesQuery = `
SELECT c.oid::int8::text AS oid, n.nspname AS schema, c.relname AS name, format_type(q.seqtypid, NULL) AS type, q.seqstart::text AS start,
  q.seqincrement::text AS increment, q.seqmin::text AS min, q.seqmax::text AS max, q.seqcache::text AS cache, q.seqcycle AS cycles,
  tn.nspname AS "tableSchema", t.relname AS "tableName", a.attname AS "columnName"
FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
LEFT JOIN pg_class t ON t.oid = d.refobjid LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace
LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
WHERE c.oid = ANY ($1::oid[]) ORDER BY n.nspname, c.relname`;

/** Sequences that the defaults of domains name. */
export const domainSequencesQuery = `
SELECT DISTINCT c.oid::int8::text AS oid FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.refclassid = 'pg_class'::regclass
JOIN pg_class c ON c.oid = d.refobjid AND c.relkind = 'S'
WHERE (n.nspname, t.typname) IN (SELECT * FROM unnest($1::text[], $2::text[]))`;

/** What lies beside the tables, or on them, and is not carried. Types of rows and what extensions have made are not named. */
export const leftQuery = `
WITH rel AS (
  SELECT w.oid FROM unnest($1::oid[]) w (oid) UNION SELECT t.relid::oid FROM unnest($1::oid[]) w (oid) CROSS JOIN LATERAL pg_partition_tree(w.oid) t
), near AS (
  SELECT DISTINCT relnamespace AS oid FROM pg_class WHERE oid IN (SELECT oid FROM rel)
), used AS (
  SELECT DISTINCT d.refobjid AS oid FROM pg_depend d
  WHERE d.refclassid = 'pg_proc'::regclass AND d.deptype IN ('n', 'a') AND (
    d.classid = 'pg_attrdef'::regclass AND d.objid IN (SELECT oid FROM pg_attrdef WHERE adrelid IN (SELECT oid FROM rel))
    OR d.classid = 'pg_constraint'::regclass AND d.objid IN (SELECT oid FROM pg_constraint WHERE conrelid IN (SELECT oid FROM rel))
    OR d.classid = 'pg_class'::regclass AND d.objid IN (SELECT indexrelid FROM pg_index WHERE indrelid IN (SELECT oid FROM rel) UNION SELECT oid FROM rel))
), routines AS (
  SELECT p.oid, p.prokind, EXISTS (SELECT FROM used u WHERE u.oid = p.oid) AS needed FROM pg_proc p
  WHERE (p.pronamespace IN (SELECT oid FROM near) OR p.oid IN (SELECT oid FROM used)) AND p.pronamespace <> 'pg_catalog'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')
    AND NOT EXISTS (SELECT FROM pg_range r JOIN pg_depend i ON i.refobjid IN (r.rngtypid, r.rngmultitypid) WHERE i.classid = 'pg_proc'::regclass AND i.objid = p.oid AND i.deptype = 'i')
)
SELECT CASE prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END AS kind, oid::regprocedure::text AS name, needed,
  CASE WHEN prokind <> 'a' THEN pg_get_functiondef(oid) END AS text FROM routines
UNION ALL
SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END, c.oid::regclass::text, false,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END
FROM pg_class c WHERE c.relkind IN ('v', 'm', 'f') AND c.relnamespace IN (SELECT oid FROM near)
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
UNION ALL
SELECT 'trigger', t.tgname || ' on ' || t.tgrelid::regclass, false, pg_get_triggerdef(t.oid) FROM pg_trigger t
WHERE t.tgrelid IN (SELECT oid FROM rel) AND NOT t.tgisinternal AND t.tgparentid = 0
UNION ALL
SELECT 'rule', r.rulename || ' on ' || r.ev_class::regclass, false, pg_get_ruledef(r.oid) FROM pg_rewrite r WHERE r.ev_class IN (SELECT oid FROM rel)
UNION ALL
SELECT 'policy', p.polname || ' on ' || p.polrelid::regclass, false, NULL FROM pg_policy p WHERE p.polrelid IN (SELECT oid FROM rel)
UNION ALL
SELECT 'statistics object', s.stxname || ' on ' || s.stxrelid::regclass, false, pg_get_statisticsobjdef(s.oid) FROM pg_statistic_ext s WHERE s.stxrelid IN (SELECT oid FROM rel)
UNION ALL
SELECT k.kind, a.attname || ' of ' || c.oid::regclass, false, format('ALTER TABLE %s ALTER COLUMN %I %s', c.oid::regclass, a.attname, k.change)
FROM rel JOIN pg_class c USING (oid) JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid
CROSS JOIN LATERAL (
  SELECT 'storage' AS kind, 'SET STORAGE ' || CASE a.attstorage WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END AS change
  WHERE a.attstorage <> t.typstorage
  UNION ALL SELECT 'compression', 'SET COMPRESSION ' || CASE a.attcompression WHEN 'l' THEN 'lz4' ELSE 'pglz' END WHERE a.attcompression <> ''
  UNION ALL SELECT 'statistics target', 'SET STATISTICS ' || a.attstattarget WHERE a.attstattarget >= 0
  UNION ALL SELECT 'column options', 'SET (' || array_to_string(a.attoptions, ', ') || ')' WHERE a.attoptions IS NOT NULL
) k
UNION ALL
SELECT k.kind, a.attname || ' of the partition ' || c.oid::regclass, false, format('ALTER TABLE %s ALTER COLUMN %I %s', c.oid::regclass, a.attname, k.change)
FROM rel JOIN pg_class c USING (oid) JOIN pg_inherits h ON h.inhrelid = c.oid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_attribute pa ON pa.attrelid = h.inhparent AND pa.attname = a.attname AND NOT pa.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum LEFT JOIN pg_attrdef pd ON pd.adrelid = pa.attrelid AND pd.adnum = pa.attnum
CROSS JOIN LATERAL (
  SELECT 'NOT NULL' AS kind, 'SET NOT NULL' AS change WHERE a.attnotnull AND NOT pa.attnotnull
  UNION ALL SELECT 'default', coalesce('SET DEFAULT ' || pg_get_expr(d.adbin, d.adrelid), 'DROP DEFAULT')
  WHERE a.attgenerated = '' AND a.attidentity = '' AND pg_get_expr(d.adbin, d.adrelid) IS DISTINCT FROM pg_get_expr(pd.adbin, pd.adrelid)
) k WHERE c.relispartition
UNION ALL
SELECT k.kind, c.oid::regclass::text, false, format('ALTER TABLE %s %s', c.oid::regclass, k.change)
FROM rel JOIN pg_class c USING (oid) CROSS JOIN LATERAL (
  SELECT 'replica identity' AS kind, 'REPLICA IDENTITY ' || CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE 'USING INDEX ' || quote_ident(
    (SELECT x.relname FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid WHERE i.indrelid = c.oid AND i.indisreplident)) END AS change
  WHERE c.relreplident = ANY ('{f,n,i}')
  UNION ALL SELECT 'row security', 'ENABLE ROW LEVEL SECURITY' WHERE c.relrowsecurity
  UNION ALL SELECT 'row security for the owner', 'FORCE ROW LEVEL SECURITY' WHERE c.relforcerowsecurity
  UNION ALL SELECT 'tablespace', 'SET TABLESPACE ' || (SELECT quote_ident(spcname) FROM pg_tablespace s WHERE s.oid = c.reltablespace) WHERE c.reltablespace <> 0
  UNION ALL SELECT 'owner', 'OWNER TO ' || c.relowner::regrole WHERE c.relowner <> (SELECT oid FROM pg_roles WHERE rolname = current_user)
) k
UNION ALL
SELECT 'privileges', c.oid::regclass::text, false, (
  SELECT string_agg(format('GRANT %s ON %s TO %s', g.rights, c.oid::regclass, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END), '; ' ORDER BY g.grantee)
  FROM (SELECT x.grantee, string_agg(x.privilege_type, ', ' ORDER BY x.privilege_type) AS rights FROM aclexplode(c.relacl) x WHERE x.grantee <> c.relowner GROUP BY 1) g)
FROM rel JOIN pg_class c USING (oid) WHERE EXISTS (SELECT FROM aclexplode(c.relacl) x WHERE x.grantee <> c.relowner)
UNION ALL
SELECT 'publication', p.pubname || ' of ' || r.prrelid::regclass, false, format('ALTER PUBLICATION %I ADD TABLE %s', p.pubname, r.prrelid::regclass)
FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
WHERE r.prrelid IN (SELECT oid FROM rel) AND NOT EXISTS (SELECT FROM pg_replication_slots s WHERE s.slot_name = p.pubname)
UNION ALL
SELECT 'comment', 'sequence ' || s.oid::regclass, false, format('COMMENT ON SEQUENCE %s IS %L', s.oid::regclass, obj_description(s.oid, 'pg_class'))
FROM pg_class s WHERE s.relkind = 'S' AND obj_description(s.oid, 'pg_class') IS NOT NULL AND EXISTS (
  SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = s.oid AND d.refclassid = 'pg_class'::regclass AND d.refobjid IN (SELECT oid FROM rel))
UNION ALL
SELECT DISTINCT 'comment', 'type ' || t.oid::regtype, false, format('COMMENT ON %s %s IS %L', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.oid::regtype, obj_description(t.oid, 'pg_type'))
FROM pg_attribute a JOIN pg_type x ON x.oid = a.atttypid JOIN pg_type t ON t.oid IN (x.oid, x.typelem, x.typbasetype)
WHERE a.attrelid IN (SELECT oid FROM rel) AND a.attnum > 0 AND NOT a.attisdropped AND t.typnamespace <> 'pg_catalog'::regnamespace AND obj_description(t.oid, 'pg_type') IS NOT NULL
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')
ORDER BY 1, 2`;
