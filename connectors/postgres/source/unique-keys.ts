/**
 * Of pg_class c: the unique indexes by which its rows are told apart at any moment, as JSON with ids and with `columns` of pg_attribute a. With FULL the queue
 * flags every column as key. An index that is deferrable, partial or over NULLs leaves two rows alike. That of a constraint
 * goes by the constraint: REINDEX CONCURRENTLY makes another index, and the constraint stays.
 */
export const uniqueKeysOf = (columns: 'a.attnum' | 'a.attname'): string => `CASE c.relreplident WHEN 'f' THEN (
    SELECT COALESCE(json_agg(json_build_object('id', coalesce((SELECT 'c' || con.oid FROM pg_constraint con
      WHERE con.conrelid = c.oid AND con.conindid = u.indexrelid AND con.contype IN ('p', 'u')), u.indexrelid::text), 'columns', k.columns) ORDER BY u.indisprimary DESC, u.indexrelid), '[]')
    FROM pg_index u CROSS JOIN LATERAL (
      SELECT json_agg(${columns} ORDER BY p.place) AS columns, bool_and(a.attnotnull AND a.attgenerated = '') AS fits
      FROM unnest((u.indkey::int2[])[0:u.indnkeyatts - 1]) WITH ORDINALITY p (num, place)
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.num
    ) k
    WHERE u.indrelid = c.oid AND u.indisunique AND u.indisvalid AND u.indimmediate AND u.indpred IS NULL AND u.indexprs IS NULL AND k.fits
  ) END`;
