import { createHash } from 'node:crypto';
import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Finding } from '../../../src/core/finding.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { sqlState } from '../classify-error.ts';
import { quoteLiteral } from '../identifiers.ts';
import { schemaLock } from '../state/state-schema.ts';
import { markerPrefixes } from './markers.ts';
import type { Queryable } from './sessions.ts';

/** Longer texts are not taken: the command halts. */
const maxText = 100_000;

/** Of the function, and what the names of the event triggers begin with: a route's own, since each has its own life. */
function captureName(route: RouteDefinition): string {
  return `tidelock_ddl_${createHash('sha256').update(routeKey(route)).digest('hex').slice(0, 16)}`;
}

/**
 * The function that writes a command into the change queue, and its event triggers. It runs as whoever gives the command, and with
 * that session's search path, so that all names are in full. ENABLE ALWAYS: what a Consumer carries out under the
 * replica role has to be told, too; the origin marker tells it from an application's.
 *
 * A command in a function or DO block has a stack of more than one line; the client's text does not tell what it was.
 */
function statements(route: RouteDefinition): readonly string[] {
  const name = captureName(route);
  const trigger = (suffix: string, event: string, tags: string): readonly string[] => [
    `CREATE EVENT TRIGGER ${name}_${suffix} ON ${event} WHEN TAG IN (${tags}) EXECUTE FUNCTION tidelock.${name}();`,
    `ALTER EVENT TRIGGER ${name}_${suffix} ENABLE ALWAYS;`,
  ];
  return [
    `CREATE OR REPLACE FUNCTION tidelock.${name}() RETURNS pg_catalog.event_trigger LANGUAGE plpgsql AS $tidelock$
DECLARE
  stack pg_catalog.text;
  query pg_catalog.text := pg_catalog.current_query();
  objects pg_catalog.jsonb;
  missing pg_catalog.jsonb;
BEGIN
  GET DIAGNOSTICS stack = PG_CONTEXT;
  IF tg_event = 'sql_drop' THEN
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('tag', tg_tag, 'identity', d.object_identity, 'schema', d.schema_name,
        'table', CASE d.object_type WHEN 'table' THEN d.object_name END)) INTO objects
    FROM pg_catalog.pg_event_trigger_dropped_objects() d
    WHERE d.original AND NOT d.is_temporary AND d.schema_name <> 'tidelock';
  ELSE
    SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_object('tag', o.tag, 'identity', o.identity, 'schema', n.nspname, 'table', c.relname)),
      (SELECT pg_catalog.jsonb_object_agg(a.attname, a.attmissingval::pg_catalog.text) FROM pg_catalog.pg_attribute a
       WHERE a.attrelid = pg_catalog.min(c.oid::pg_catalog.int8) AND a.attmissingval IS NOT NULL)
    INTO objects, missing
    FROM (
      SELECT e.command_tag AS tag, e.object_identity AS identity, CASE
          WHEN e.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
            THEN COALESCE((SELECT i.indrelid FROM pg_catalog.pg_index i WHERE i.indexrelid = e.objid), e.objid)
          WHEN e.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
            THEN (SELECT k.conrelid FROM pg_catalog.pg_constraint k WHERE k.oid = e.objid) END AS relation
      FROM pg_catalog.pg_event_trigger_ddl_commands() e WHERE tg_event = 'ddl_command_end' AND e.command_tag = tg_tag
      UNION ALL
      SELECT tg_tag, pg_catalog.pg_event_trigger_table_rewrite_oid()::pg_catalog.regclass::pg_catalog.text,
        pg_catalog.pg_event_trigger_table_rewrite_oid() WHERE tg_event = 'table_rewrite'
    ) o
    JOIN pg_catalog.pg_class c ON c.oid = o.relation AND c.relpersistence <> 't' AND c.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname <> 'tidelock';
  END IF;
  IF objects IS NULL THEN RETURN; END IF;
  PERFORM pg_catalog.pg_logical_emit_message(true, '${markerPrefixes.ddl}', pg_catalog.convert_to(pg_catalog.jsonb_build_object(
    'v', 1, 'route', ${quoteLiteral(routeKey(route))}, 'event', tg_event, 'tag', tg_tag, 'objects', objects, 'missing', missing,
    'nested', pg_catalog.strpos(stack, pg_catalog.chr(10)) > 0,
    'plain', pg_catalog.current_setting('standard_conforming_strings') = 'on',
    'text', CASE WHEN pg_catalog.length(query) <= ${maxText} THEN query END,
    'settings', pg_catalog.jsonb_build_object(
      'search_path', (SELECT pg_catalog.string_agg(pg_catalog.quote_ident(s), ', ') FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) s),
      'DateStyle', pg_catalog.current_setting('DateStyle'), 'IntervalStyle', pg_catalog.current_setting('IntervalStyle'),
      'TimeZone', pg_catalog.current_setting('TimeZone'), 'bytea_output', pg_catalog.current_setting('bytea_output'),
      'extra_float_digits', pg_catalog.current_setting('extra_float_digits'))
  )::pg_catalog.text, 'UTF8'));
END $tidelock$;`,
    ...trigger('end', 'ddl_command_end', `'ALTER TABLE', 'CREATE INDEX', 'ALTER INDEX', 'COMMENT'`),
    ...trigger('drop', 'sql_drop', `'DROP INDEX', 'DROP TABLE'`),
    ...trigger('rewrite', 'table_rewrite', `'ALTER TABLE'`),
  ];
}

export async function isCaptured(client: Queryable, route: RouteDefinition): Promise<boolean> {
  const { rows } = await client.query(
    `SELECT evtname FROM pg_event_trigger WHERE evtname LIKE $1 AND evtenabled = 'A'`,
    [`${captureName(route).replaceAll('_', '\\_')}\\_%`],
  );
  return rows.length === 3;
}

/** Only objects of its own, in the schema tidelock; where the user may not, an administrator has to. */
export async function captureDdl(client: Queryable, route: RouteDefinition): Promise<void> {
  if (route.ddl !== 'replicate' || (await isCaptured(client, route))) return;
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = '10s'`);
    // A route in the other direction makes its state in the same schema.
    await client.query('SELECT pg_advisory_xact_lock($1)', [schemaLock]);
    const { rows } = await client.query(`SELECT to_regnamespace('tidelock') IS NOT NULL AS there`);
    if (rows[0]?.there !== true) await client.query('CREATE SCHEMA tidelock');
    await client.query([...dropStatements(route), ...statements(route), 'COMMIT;'].join('\n'));
  } catch (error) {
    await client.query('ROLLBACK');
    if (sqlState(error) !== '42501') throw error;
    throw fail(sourceErrors.ddlNotCaptured, { route: route.name }, error);
  }
}

function dropStatements(route: RouteDefinition): readonly string[] {
  const name = captureName(route);
  return ['end', 'drop', 'rewrite'].map((suffix) => `DROP EVENT TRIGGER IF EXISTS ${name}_${suffix};`);
}

/** Repeatable. The schema stays where anything else is in it. */
export async function dropCapture(client: Queryable, route: RouteDefinition): Promise<void> {
  const name = captureName(route);
  const { rows } = await client.query(
    `SELECT EXISTS (SELECT FROM pg_event_trigger WHERE evtname LIKE $1) AS there, COALESCE((
       SELECT bool_and(n.oid IS NOT NULL) FROM pg_namespace n WHERE n.nspname = 'tidelock'), false) AS schema`,
    [`${name.replaceAll('_', '\\_')}\\_%`],
  );
  if (rows[0]?.there === true) await client.query(dropStatements(route).join('\n'));
  if (rows[0]?.schema === true) await client.query(`DROP FUNCTION IF EXISTS tidelock.${name}()`);
  if (rows[0]?.there !== true) return;
  try {
    await client.query('DROP SCHEMA tidelock');
  } catch (error) {
    // Not empty, or somebody else's.
    if (!/^(2BP01|42501|3F000)$/.test(sqlState(error) ?? '')) throw error;
  }
}

/** For an administrator, where the user may not make event triggers. Repeatable. */
export function captureStatement(route: RouteDefinition): string {
  return ['CREATE SCHEMA IF NOT EXISTS tidelock;', ...dropStatements(route), ...statements(route)].join('\n');
}

/** Before the first start: whether the commands of the source can come. */
export async function captureFindings(client: Queryable, route: RouteDefinition): Promise<readonly Finding[]> {
  if (route.ddl !== 'replicate' || (await isCaptured(client, route))) return [];
  const { rows } = await client.query('SELECT rolsuper FROM pg_roles WHERE rolname = current_user');
  if (rows[0]?.rolsuper === true) return [];
  return [
    {
      level: 'error',
      code: 'source.ddlTriggers',
      node: route.from.name,
      message: 'ddl: replicate needs event triggers, which this user may not create',
      remedy: 'Have an administrator of the database run the statement.',
      statement: captureStatement(route),
    },
  ];
}
