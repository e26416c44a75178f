import type { RouteDefinition, TableExpression } from '../../../src/core/route.ts';
import { routeKey } from '../../../src/core/route.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { carriedTags, droppedTags, leftOutTags } from './ddl-tags.ts';
import { markerPrefixes } from './markers.ts';
import { queueNames } from './queue-names.ts';
import { factsQuery } from './table-facts.ts';

/** Longer texts are not taken: the command halts. */
const maxText = 100_000;

/** As SQL over the variables v_schema and v_name; the order of the three is that of TableSelection.select. */
function selects({ tables }: RouteDefinition): string {
  const matches = ({ schema, name }: TableExpression): string =>
    `(v_schema ~ ${quoteLiteral(schema)} AND v_name ~ ${quoteLiteral(name)})`;
  const any = (conditions: readonly string[]): string => (conditions.length === 0 ? 'false' : conditions.join(' OR '));
  const { globs, excluded } = tables.patterns;
  const exact = tables.exact.map(
    ({ schema, name }) => `(v_schema = ${quoteLiteral(schema)} AND v_name = ${quoteLiteral(name)})`,
  );
  return `((${any(exact)}) OR NOT (${any(excluded.map(matches))}) AND (${any(globs.map(matches))}))`;
}

/** Of the session's search path, as q.name, in their order p.at. */
const pathParts = `regexp_matches(v_path, '"((?:[^"]|"")+)"|([^[:space:],"]+)', 'g') WITH ORDINALITY p (part, at)
          CROSS JOIN LATERAL (SELECT COALESCE(replace(p.part[1], '""', '"'), lower(p.part[2])) AS name) q`;

/**
 * Body of the function that writes a command into the change queue, signed. It runs with the rights of whoever made it: only so can it read the key, which
 * those who give commands must not, and publish a table that somebody else has made. So nothing is looked up by the search path of the
 * session before that is replaced, and what the session's path meant is worked out for the role that gave the command.
 *
 * A table is published in the transaction that makes it, where it has a key by then: before its first row. A table that is published without
 * a key would refuse updates. One that gets its key later is published then, if it is still empty and nobody else can write to it.
 *
 * `ddl_tables` notes a new table that the route makes at the target: with `newTables: ignore` none, for a table of the same name there would be somebody
 * else's. Whether it does is decided by the function, and told with the command: the route may be set otherwise when it reads it, and would
 * then have made what is not noted, or not have made what is.
 *
 * What belongs to a dropped table goes with it, though the catalogue says of some of it that it depends on the columns as a stranger would: a CHECK
 * constraint on the table's own columns is as "normal" a dependent as the foreign key of another table.
 *
 * A command in a function or DO block has a stack of more than one line; the client's text does not tell what it was. The line below our own does, where
 * PL/pgSQL has given it. What its names mean is known where the function can't have had another user's rights (SECURITY DEFINER): in a DO
 * block, or where the search path means the same to everybody.
 */
export function captureBody(route: RouteDefinition): string {
  const { publication, ownsPublication } = queueNames(route);
  const key = quoteLiteral(routeKey(route));
  const joins = route.newTables !== 'ignore';
  const publishes = ownsPublication && joins;
  return `
#variable_conflict use_column
DECLARE
  v_path pg_catalog.text := pg_catalog.current_setting('search_path');
  v_stack pg_catalog.text;
  v_query pg_catalog.text := pg_catalog.current_query();
  v_within pg_catalog.text;
  v_caller pg_catalog.text := pg_catalog.current_setting('role');
  v_objects pg_catalog.jsonb;
  v_facts pg_catalog.jsonb;
  v_statement pg_catalog.text;
  v_body pg_catalog.text;
  v_relation pg_catalog.oid;
  v_schema pg_catalog.text;
  v_name pg_catalog.text;
  v_published pg_catalog.bool;
  v_empty pg_catalog.bool;
  v_told pg_catalog.oid[];
BEGIN
  GET DIAGNOSTICS v_stack = PG_CONTEXT;
  PERFORM pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
  IF v_caller = 'none' THEN v_caller := session_user; END IF;
  IF tg_event = 'sql_drop' THEN
    WITH gone AS (
      DELETE FROM tidelock.ddl_tables t USING pg_event_trigger_dropped_objects() d
      WHERE t.route = ${key} AND t.relation = d.objid AND d.classid = 'pg_class'::regclass AND d.objsubid = 0 RETURNING t.relation
    ) SELECT array_agg(g.relation) INTO v_told FROM gone g;
    SELECT jsonb_agg(jsonb_build_object('tag', tg_tag, 'type', d.object_type, 'identity', d.object_identity,
        'schema', COALESCE(d.schema_name, CASE WHEN d.object_type = 'schema' THEN d.object_name WHEN d.object_type IN ('trigger', 'policy', 'rule') THEN d.address_names[1] END), 'name', COALESCE(d.object_name, d.object_identity),
        'relation', CASE d.object_type WHEN 'table' THEN d.objid::int8 END, 'table', CASE d.object_type WHEN 'table' THEN d.object_name END,
        'told', d.object_type = 'table' AND COALESCE(d.objid = ANY (v_told), false),
        'address', CASE WHEN d.object_type IN ('table column', 'table constraint') THEN to_jsonb(d.address_names) END, 'original', d.original, 'cascaded', d.normal AND NOT d.original AND NOT EXISTS (
          SELECT FROM pg_event_trigger_dropped_objects() t
          WHERE t.original AND t.object_type = 'table' AND d.address_names[1:2] = t.address_names
            AND d.object_type IN ('table constraint', 'default value', 'policy', 'rule', 'trigger')))) INTO v_objects
    FROM pg_event_trigger_dropped_objects() d
    WHERE (d.original OR d.normal OR d.object_type = 'table') AND NOT d.is_temporary AND d.schema_name IS DISTINCT FROM 'tidelock';
  ELSE
    SELECT jsonb_agg(jsonb_build_object('tag', o.command_tag, 'type', o.object_type, 'identity', COALESCE(o.object_identity, o.object_type),
        'schema', COALESCE(n.nspname::text, o.schema_name, (SELECT s.nspname::text FROM pg_namespace s WHERE s.oid = o.objid AND o.classid = 'pg_namespace'::regclass)),
        'name', COALESCE(
          (SELECT r.relname::text FROM pg_class r WHERE r.oid = o.objid AND o.classid = 'pg_class'::regclass),
          (SELECT t.typname::text FROM pg_type t WHERE t.oid = o.objid AND o.classid = 'pg_type'::regclass),
          (SELECT s.nspname::text FROM pg_namespace s WHERE s.oid = o.objid AND o.classid = 'pg_namespace'::regclass),
          o.object_identity, ''),
        'relation', c.oid::int8, 'table', c.relname,
        'root', CASE WHEN c.relispartition THEN (SELECT jsonb_build_object('schema', rn.nspname, 'name', rc.relname)
          FROM pg_class rc JOIN pg_namespace rn ON rn.oid = rc.relnamespace WHERE rc.oid = pg_partition_root(c.oid)) END,
        'persistence', c.relpersistence,
        'told', EXISTS (SELECT FROM tidelock.ddl_tables k WHERE k.route = ${key}
          AND k.relation = CASE WHEN c.relispartition THEN pg_partition_root(c.oid)::oid ELSE c.oid END),
        'domain', CASE tg_tag WHEN 'CREATE DOMAIN' THEN (
          WITH RECURSIVE d (base, modifier) AS (
            SELECT t.typbasetype, t.typtypmod FROM pg_type t WHERE t.oid = o.objid
            UNION ALL
            SELECT t.typbasetype, CASE d.modifier WHEN -1 THEN t.typtypmod ELSE d.modifier END FROM d JOIN pg_type t ON t.oid = d.base AND t.typtype = 'd'
          ) SELECT jsonb_build_object('oid', o.objid::int8, 'modifier', max(d.modifier)) FROM d) END) ORDER BY o.at)
    INTO v_objects
    FROM (
      SELECT e.classid, e.objid, e.command_tag, e.object_type, e.schema_name, e.object_identity, row_number() OVER () AS at,
        CASE e.classid
          WHEN 'pg_class'::regclass THEN COALESCE((SELECT i.indrelid FROM pg_index i WHERE i.indexrelid = e.objid), e.objid)
          WHEN 'pg_constraint'::regclass THEN (SELECT k.conrelid FROM pg_constraint k WHERE k.oid = e.objid)
          WHEN 'pg_trigger'::regclass THEN (SELECT k.tgrelid FROM pg_trigger k WHERE k.oid = e.objid)
          WHEN 'pg_policy'::regclass THEN (SELECT k.polrelid FROM pg_policy k WHERE k.oid = e.objid)
          WHEN 'pg_rewrite'::regclass THEN (SELECT k.ev_class FROM pg_rewrite k WHERE k.oid = e.objid)
        END AS relation
      FROM pg_event_trigger_ddl_commands() e WHERE tg_event = 'ddl_command_end' AND e.command_tag = tg_tag AND NOT e.in_extension
      UNION ALL
      SELECT 'pg_class'::regclass, pg_event_trigger_table_rewrite_oid(), tg_tag, 'table', NULL,
        pg_event_trigger_table_rewrite_oid()::regclass::text, 1, pg_event_trigger_table_rewrite_oid() WHERE tg_event = 'table_rewrite'
    ) o
    LEFT JOIN pg_class c ON c.oid = o.relation AND c.relkind IN ('r', 'p')
    LEFT JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relpersistence IS DISTINCT FROM 't' AND COALESCE(n.nspname::text, o.schema_name, '') !~ '^(tidelock$|pg_temp|pg_toast)';
    v_relation := v_objects -> 0 ->> 'relation';
    IF tg_event = 'ddl_command_end' AND v_relation IS NOT NULL AND tg_tag IN ('CREATE TABLE', 'CREATE TABLE AS', 'SELECT INTO', 'ALTER TABLE') THEN
      SELECT n.nspname::text, c.relname::text,
        ${selects(route)} AND c.relpersistence = 'p' AND NOT c.relispartition
      INTO v_schema, v_name, v_published FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        CROSS JOIN LATERAL (SELECT n.nspname::text AS v_schema, c.relname::text AS v_name) names WHERE c.oid = v_relation;
      IF v_published THEN
        IF ${joins} AND tg_tag <> 'ALTER TABLE' THEN
          INSERT INTO tidelock.ddl_tables (route, relation) VALUES (${key}, v_relation);
        END IF;
        v_published := EXISTS (SELECT FROM tidelock.ddl_tables t WHERE t.route = ${key} AND t.relation = v_relation AND NOT t.published)
          AND EXISTS (SELECT FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisvalid AND i.indimmediate
            AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
            WHERE c.oid = v_relation AND (c.relreplident = 'f' OR i.indexrelid IS NOT NULL))
          AND (tg_tag <> 'ALTER TABLE' OR current_setting('transaction_isolation') IN ('read committed', 'read uncommitted')
            AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.relation = v_relation AND l.mode = 'AccessExclusiveLock' AND l.granted));
        IF v_published THEN
          BEGIN
            EXECUTE format('SELECT NOT EXISTS (SELECT FROM %I.%I)', v_schema, v_name) INTO v_empty;
            v_published := v_empty AND ${publishes};
            IF v_published AND NOT EXISTS (SELECT FROM pg_publication p WHERE p.pubname = ${quoteLiteral(publication)} AND p.puballtables) THEN
              EXECUTE format(${quoteLiteral(`ALTER PUBLICATION ${quoteIdentifier(publication)} ADD TABLE ONLY %I.%I`)}, v_schema, v_name);
            END IF;
            IF v_published THEN
              UPDATE tidelock.ddl_tables t SET published = true WHERE t.route = ${key} AND t.relation = v_relation;
            END IF;
          EXCEPTION WHEN OTHERS THEN
            v_published := false;
          END;
        END IF;
      END IF;
      SELECT to_jsonb(f) INTO v_facts FROM (${factsQuery('SELECT c.* FROM pg_class c WHERE c.oid = v_relation')}) f;
      IF tg_tag IN ('CREATE TABLE AS', 'SELECT INTO') THEN
        SELECT format('CREATE TABLE %I.%I (%s)', v_schema, v_name, string_agg(format('%I %s%s', a.attname, format_type(a.atttypid, a.atttypmod),
          CASE WHEN a.attcollation <> t.typcollation THEN (SELECT format(' COLLATE %I.%I', cn.nspname, co.collname)
            FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END), ', ' ORDER BY a.attnum))
        INTO v_statement FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid WHERE a.attrelid = v_relation AND a.attnum > 0 AND NOT a.attisdropped;
      END IF;
    END IF;
  END IF;
  IF v_objects IS NOT NULL THEN
    IF strpos(v_stack, chr(10)) > 0 THEN
      v_within := substr(v_stack, strpos(v_stack, chr(10)) + 1);
      v_within := CASE WHEN starts_with(v_within, 'SQL statement "') AND strpos(v_within, E'"\\nPL/pgSQL function ') > 0
        THEN split_part(substr(v_within, length('SQL statement "') + 1), E'"\\nPL/pgSQL function ', 1) END;
      IF strpos(replace(substr(v_stack, strpos(v_stack, chr(10))), 'PL/pgSQL function inline_code_block', ''), 'function ') > 0
        AND EXISTS (SELECT FROM ${pathParts} JOIN pg_namespace s ON s.nspname = q.name OR q.name = '$user' AND EXISTS (SELECT FROM pg_roles r WHERE r.rolname = s.nspname)
          WHERE s.nspname !~ '^pg_temp' AND (q.name = '$user' OR NOT has_schema_privilege(v_caller, s.oid, 'USAGE'))) THEN
        v_within := NULL;
      END IF;
    END IF;
    v_body := jsonb_build_object(
      'v', 2, 'route', ${key}, 'xid', pg_current_xact_id()::text, 'event', tg_event, 'tag', tg_tag, 'objects', v_objects,
      'batch', statement_timestamp()::text, 'published', COALESCE(v_published, false), 'joins', ${joins}, 'facts', v_facts, 'statement', v_statement,
      'reason', CASE tg_event WHEN 'table_rewrite' THEN pg_event_trigger_table_rewrite_reason() END,
      'nested', strpos(v_stack, chr(10)) > 0, 'within', CASE WHEN length(v_within) <= ${maxText} THEN v_within END,
      'heirs', tg_tag = 'ALTER TABLE' AND EXISTS (
        SELECT FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent WHERE i.inhparent = v_relation AND p.relkind = 'r'),
      'plain', current_setting('standard_conforming_strings') = 'on',
      'text', CASE WHEN length(v_query) <= ${maxText} THEN v_query END,
      'settings', jsonb_build_object(
        'search_path', (SELECT string_agg(quote_ident(s.nspname), ', ' ORDER BY p.at)
          FROM ${pathParts}
          JOIN pg_namespace s ON s.nspname = CASE q.name WHEN '$user' THEN v_caller ELSE q.name END
          WHERE s.nspname !~ '^pg_temp' AND has_schema_privilege(v_caller, s.oid, 'USAGE')),
        'DateStyle', current_setting('DateStyle'), 'IntervalStyle', current_setting('IntervalStyle'),
        'TimeZone', current_setting('TimeZone'), 'bytea_output', current_setting('bytea_output'),
        'extra_float_digits', current_setting('extra_float_digits'))
    )::text;
    PERFORM pg_logical_emit_message(true, '${markerPrefixes.ddl}', convert_to(COALESCE((
      SELECT encode(sha256(k.second || sha256(k.first || convert_to(v_body, 'UTF8'))), 'hex') FROM tidelock.ddl_keys k WHERE k.route = ${key}
    ), '') || v_body, 'UTF8'));
    -- The server sorts a message by where its record ends, and rows by where theirs begin: one of another subtransaction
    -- right behind it could come first.
    PERFORM pg_logical_emit_message(false, 'tidelock.pad', '');
  END IF;
  PERFORM pg_catalog.set_config('search_path', v_path, true);
END `;
}

/** Whose commands the event triggers tell, by event. */
export const captureEvents: readonly {
  readonly suffix: string;
  readonly event: string;
  readonly tags: readonly string[];
}[] = [
  {
    suffix: 'end',
    event: 'ddl_command_end',
    tags: [...carriedTags, ...leftOutTags.filter((tag) => !tag.startsWith('DROP'))],
  },
  { suffix: 'drop', event: 'sql_drop', tags: [...droppedTags, ...leftOutTags.filter((tag) => tag.startsWith('DROP'))] },
  { suffix: 'rewrite', event: 'table_rewrite', tags: ['ALTER TABLE'] },
];
