import type pg from 'pg';
import type { TableName } from '../../../src/core/table.ts';

/** Oids of the sequences of these tables' columns: of serial and identity columns, and by ALTER SEQUENCE ... OWNED BY. */
export async function ownedSequences(client: pg.Client, tables: readonly TableName[]): Promise<string[]> {
  const { rows } = await client.query<{ oid: string }>(
    `select distinct s.oid::text as oid
     from unnest($1::text[], $2::text[]) w (schema, name)
     join pg_namespace n on n.nspname = w.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = w.name
     join pg_depend d on d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.classid = 'pg_class'::regclass
       and d.deptype in ('a', 'i') and d.refobjsubid > 0
     join pg_class s on s.oid = d.objid and s.relkind = 'S'`,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  );
  return rows.map(({ oid }) => oid);
}
