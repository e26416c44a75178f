import type pg from 'pg';
import { quoteIdentifier } from '../identifiers.ts';

export interface MissingPrivilege {
  /** In words, such as `USAGE on schema "crm"`. */
  readonly what: string;
  readonly statement: string;
}

interface Facts {
  readonly user: string;
  readonly database: string;
  readonly may_create: boolean;
  readonly state_there: boolean;
  readonly state_schema: string | null;
  readonly state_tables: string | null;
  readonly closed: readonly string[];
}

const query = `
  WITH state AS (SELECT oid FROM pg_namespace WHERE nspname = 'tidelock'),
    state_table AS (SELECT c.oid, c.relname FROM pg_class c JOIN state s ON c.relnamespace = s.oid WHERE c.relkind = 'r')
  SELECT current_user::text AS user, current_database()::text AS database,
    has_database_privilege(current_database(), 'CREATE') AS may_create,
    EXISTS (SELECT FROM state) AS state_there,
    (SELECT string_agg(p, ', ') FROM state s, unnest(
        CASE WHEN EXISTS (SELECT FROM state_table WHERE relname = 'meta') THEN '{USAGE}' ELSE '{USAGE,CREATE}' END::text[]) p
      WHERE NOT has_schema_privilege(s.oid, p)) AS state_schema,
    (SELECT string_agg(p, ', ') FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p
      WHERE EXISTS (SELECT FROM state_table t WHERE NOT has_table_privilege(t.oid, p))) AS state_tables,
    ARRAY(SELECT nspname::text FROM pg_namespace
      WHERE nspname = ANY ($1::text[]) AND NOT has_schema_privilege(oid, 'USAGE') ORDER BY 1) AS closed`;

/**
 * What the user lacks around the tables: room for the schema tidelock, or the use of the one that is there, and the
 * schemas of the tables. Without these the route would halt at its first statement.
 */
export async function missingPrivileges(client: pg.Client, schemas: readonly string[]): Promise<MissingPrivilege[]> {
  const { rows } = await client.query<Facts>(query, [schemas]);
  const facts = rows[0];
  if (facts === undefined) return [];
  const user = quoteIdentifier(facts.user);
  const database = quoteIdentifier(facts.database);
  const missing: MissingPrivilege[] = facts.closed.map((schema) => ({
    what: `USAGE on schema ${quoteIdentifier(schema)}`,
    statement: `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${user};`,
  }));
  if (!facts.state_there && !facts.may_create)
    missing.push({
      what: `CREATE on database ${database} (for the schema tidelock, where positions are kept)`,
      statement: `GRANT CREATE ON DATABASE ${database} TO ${user};`,
    });
  if (facts.state_schema !== null)
    missing.push({
      what: `${facts.state_schema} on schema tidelock, where positions are kept,`,
      statement: `GRANT ${facts.state_schema} ON SCHEMA tidelock TO ${user};`,
    });
  if (facts.state_tables !== null)
    missing.push({
      what: `${facts.state_tables} on the tables of schema tidelock, where positions are kept,`,
      statement: `GRANT ${facts.state_tables} ON ALL TABLES IN SCHEMA tidelock TO ${user};`,
    });
  return missing;
}
