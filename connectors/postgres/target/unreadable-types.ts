import type pg from 'pg';
import { classifyPostgresError, sqlState } from '../classify-error.ts';
import { quoteIdentifier } from '../identifiers.ts';

/** Types of the server's own that it reads back: nothing has to be asked about them. */
const readable = new Set(
  `aclitem bit bool box bpchar bytea char cid cidr circle date float4 float8 inet int2 int2vector int4 int8 interval json jsonb
   jsonpath line lseg macaddr macaddr8 money name numeric oid oidvector path pg_lsn pg_snapshot point polygon refcursor regclass
   regcollation regconfig regdictionary regnamespace regoper regoperator regproc regprocedure regrole regtype text tid time
   timestamp timestamptz timetz tsquery tsvector txid_snapshot uuid varbit varchar xid xid8 xml`
    .split(/\s+/)
    .map((name) => `pg_catalog.${name}`),
);

/**
 * Those of the types whose values the server writes and never reads: storage of indexes and statistics (pg_node_tree,
 * gtsvector, pg_mcv_list ...). Nothing in the catalogue tells them; their input function refuses every text as not
 * supported (0A000), where another would take an empty one or find fault with it. Extensions' of before PostgreSQL 16
 * (pg_trgm's gtrgm, ltree's ltree_gist) say so as an internal error, whose words are never translated.
 */
export async function unreadableTypes(client: pg.Client, names: Iterable<string>, node: string): Promise<Set<string>> {
  const found = new Set<string>();
  for (const name of new Set(names)) {
    if (readable.has(name)) continue;
    const dot = name.indexOf('.');
    const type = `${quoteIdentifier(name.slice(0, dot))}.${quoteIdentifier(name.slice(dot + 1))}`;
    try {
      await client.query(`select ''::${type}`);
    } catch (error) {
      const state = sqlState(error);
      if (state === null) throw classifyPostgresError(error, node);
      if (state === '0A000' || (state === 'XX000' && /not implemented/.test((error as Error).message))) found.add(name);
    }
  }
  return found;
}
