import type { TestDatabase } from './postgres.ts';

const ours = `nspname !~ '^(pg_|information_schema$|tidelock$)'`;

/** What pg_catalog says of all that is not the server's: one text for each thing. Without oids, owners, where a sequence stands, and NOT NULL by its name, which only newer versions have. */
const catalogue = `
  WITH relation AS (SELECT c.*, nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE ${ours})
  SELECT 'schema' AS what, nspname || ' ' || COALESCE(obj_description(oid), '') AS text FROM pg_namespace WHERE ${ours}
  UNION ALL SELECT 'table', c.oid::regclass || ' ' || relkind::text || relreplident::text || ' ' || COALESCE(pg_get_partkeydef(c.oid), '') || ' '
      || COALESCE(pg_get_expr(relpartbound, c.oid), '') || ' ' || COALESCE(array_to_string(reloptions, ','), '') || ' ' || COALESCE(obj_description(c.oid, 'pg_class'), '')
    FROM relation c WHERE relkind IN ('r', 'p')
  UNION ALL SELECT 'column', attrelid::regclass || '.' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull || ' ' || attidentity::text || attgenerated::text
      || ' ' || attcollation::regcollation || ' ' || COALESCE(pg_get_expr(adbin, adrelid), '') || ' ' || COALESCE(col_description(attrelid, attnum), '')
    FROM pg_attribute a JOIN relation c ON c.oid = attrelid AND relkind IN ('r', 'p', 'c')
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0 AND NOT attisdropped
  UNION ALL SELECT 'index', pg_get_indexdef(indexrelid) || indisvalid || indisreplident || COALESCE(obj_description(indexrelid, 'pg_class'), '')
    FROM pg_index JOIN relation c ON c.oid = indexrelid
  UNION ALL SELECT 'constraint', conrelid::regclass || ' ' || contypid::regtype || conname || pg_get_constraintdef(k.oid) || convalidated || condeferrable
      || COALESCE(obj_description(k.oid, 'pg_constraint'), '')
    FROM pg_constraint k JOIN pg_namespace n ON n.oid = connamespace WHERE ${ours} AND contype <> 'n'
  UNION ALL SELECT 'type', t.oid::regtype || ' ' || typtype::text || typnotnull || COALESCE(typdefault, '') || ' ' || format_type(typbasetype, typtypmod) || ' '
      || COALESCE((SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid), '')
      || COALESCE((SELECT rngsubtype::regtype::text FROM pg_range WHERE rngtypid = t.oid), '') || COALESCE(obj_description(t.oid, 'pg_type'), '')
    FROM pg_type t JOIN pg_namespace n ON n.oid = typnamespace WHERE ${ours} AND typtype IN ('e', 'd', 'r', 'c') AND typrelid NOT IN (SELECT oid FROM pg_class WHERE relkind <> 'c')
  UNION ALL SELECT 'sequence', seqrelid::regclass || ' ' || seqtypid::regtype || concat_ws(' ', seqstart, seqincrement, seqmin, seqmax, seqcache, seqcycle) || ' '
      || COALESCE((SELECT refobjid::regclass || '.' || refobjsubid FROM pg_depend WHERE objid = seqrelid AND classid = 'pg_class'::regclass AND deptype IN ('a', 'i')), '')
    FROM pg_sequence JOIN relation c ON c.oid = seqrelid
  ORDER BY 1, 2`;

/** Every definition and every row of a database. Two that answer the same are equal in all that DDL commands carry. */
export async function everything(database: TestDatabase): Promise<Record<string, unknown>> {
  const tables = await database.query(
    `SELECT format('%I.%I', nspname, relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE ${ours} AND relkind IN ('r', 'p') ORDER BY 1`,
  );
  const found: Record<string, unknown> = { catalogue: await database.query(catalogue) };
  for (const { name } of tables)
    found[String(name)] = await database.query(`SELECT to_jsonb(t)::text AS row FROM ${String(name)} t ORDER BY 1`);
  return found;
}
