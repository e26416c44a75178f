import type pg from 'pg';
import type { TableName } from '../../../src/core/table.ts';

/** Oids of the sequences that give these tables' columns their values: owned by them, or named by their defaults. */
export async function ownedSequences(client: pg.Client, tables: readonly TableName[]): Promise<string[]> {
  const { rows } = await client.query<{ oid: string }>(
    `select distinct s.oid::text as oid
     from unnest($1::text[], $2::text[]) w (schema, name)
     join pg_namespace n on n.nspname = w.schema
     join pg_class c on c.relnamespace = n.oid and c.relname = w.name
     join lateral (
       select d.objid as sequence from pg_depend d
       where d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid and d.classid = 'pg_class'::regclass
         and d.deptype in ('a', 'i') and d.refobjsubid > 0
       union select d.refobjid from pg_attrdef f
       join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = f.oid and d.refclassid = 'pg_class'::regclass
       where f.adrelid = c.oid
     ) u on true
     join pg_class s on s.oid = u.sequence and s.relkind = 'S'`,
    [tables.map(({ schema }) => schema), tables.map(({ name }) => name)],
  );
  return rows.map(({ oid }) => oid);
}
