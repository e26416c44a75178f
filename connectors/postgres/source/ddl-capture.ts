import { sourceErrors } from '../../../src/core/errors/catalogue/source.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Finding } from '../../../src/core/finding.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { sqlState } from '../classify-error.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { schemaLock } from '../state/state-schema.ts';
import { captureBody, captureEvents } from './capture-function.ts';
import { captureName } from './capture-name.ts';
import type { Queryable } from './sessions.ts';

/** What the messages of a route's event triggers are signed with: see readDdlMessage. */
export interface DdlKey {
  readonly first: Buffer;
  readonly second: Buffer;
}

const random64 = [0, 1]
  .map(() => "sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'))")
  .join(' || ');

/**
 * Repeatable. The key is made at the server, so that it is in no text; PUBLIC can't read it, nor what is in the schema. ENABLE ALWAYS: what a Consumer
 * carries out under the replica role has to be told, too; the origin marker tells it from an application's.
 */
function statements(route: RouteDefinition, user: string | null): readonly string[] {
  return [...functionStatements(route, user), ...triggerStatements(route)];
}

function functionStatements(route: RouteDefinition, user: string | null): readonly string[] {
  const name = captureName(route);
  return [
    'CREATE TABLE IF NOT EXISTS tidelock.ddl_keys (route text PRIMARY KEY, first bytea NOT NULL, second bytea NOT NULL);',
    `INSERT INTO tidelock.ddl_keys SELECT ${quoteLiteral(routeKey(route))}, ${random64}, ${random64} ON CONFLICT DO NOTHING;`,
    'CREATE TABLE IF NOT EXISTS tidelock.ddl_tables (route text, relation oid, published bool NOT NULL DEFAULT false, PRIMARY KEY (route, relation));',
    'REVOKE ALL ON tidelock.ddl_keys, tidelock.ddl_tables FROM PUBLIC;',
    // Older engines' functions noted tables that the route did not make.
    ...(route.newTables === 'ignore'
      ? [`DELETE FROM tidelock.ddl_tables WHERE route = ${quoteLiteral(routeKey(route))} AND NOT published;`]
      : []),
    ...(user === null
      ? []
      : [
          `GRANT USAGE ON SCHEMA tidelock TO ${quoteIdentifier(user)};`,
          `GRANT SELECT ON tidelock.ddl_keys, tidelock.ddl_tables TO ${quoteIdentifier(user)};`,
        ]),
    `CREATE OR REPLACE FUNCTION tidelock.${name}() RETURNS pg_catalog.event_trigger LANGUAGE plpgsql SECURITY DEFINER AS $tidelock$${captureBody(route)}$tidelock$;`,
  ];
}

function triggerStatements(route: RouteDefinition): readonly string[] {
  const name = captureName(route);
  return captureEvents.flatMap(({ suffix, event, tags }) => [
    `CREATE EVENT TRIGGER ${name}_${suffix} ON ${event} WHEN TAG IN (${tags.map(quoteLiteral).join(', ')}) EXECUTE FUNCTION tidelock.${name}();`,
    `ALTER EVENT TRIGGER ${name}_${suffix} ENABLE ALWAYS;`,
  ]);
}

function dropStatements(route: RouteDefinition): readonly string[] {
  const name = captureName(route);
  return [
    ...captureEvents.map(({ suffix }) => `DROP EVENT TRIGGER IF EXISTS ${name}_${suffix};`),
    `DROP FUNCTION IF EXISTS tidelock.${name}();`,
  ];
}

/** With the tags that this version tells, the function that it would make, and a key that this user can read. */
export async function isCaptured(client: Queryable, route: RouteDefinition): Promise<boolean> {
  const { hasTriggers, hasFunction } = await readCapture(client, route);
  return hasTriggers && hasFunction && (await readDdlKey(client, route)) !== null;
}

async function readCapture(
  client: Queryable,
  route: RouteDefinition,
): Promise<{ readonly hasTriggers: boolean; readonly hasFunction: boolean }> {
  const name = captureName(route);
  const { rows } = await client.query(
    `SELECT t.evtname, t.evttags, p.prosrc, p.prosecdef FROM pg_event_trigger t JOIN pg_proc p ON p.oid = t.evtfoid
     WHERE t.evtname LIKE $1 AND t.evtenabled = 'A' AND p.oid = to_regprocedure($2)`,
    [`${name.replaceAll('_', '\\_')}\\_%`, `tidelock.${name}()`],
  );
  const body = captureBody(route);
  const hasTriggers = captureEvents.every(({ suffix, tags }) =>
    rows.some(
      ({ evtname, evttags }) =>
        evtname === `${name}_${suffix}` &&
        JSON.stringify([...(evttags as string[])].sort()) === JSON.stringify([...tags].sort()),
    ),
  );
  return { hasTriggers, hasFunction: rows.every(({ prosrc, prosecdef }) => prosrc === body && prosecdef === true) };
}

/** Null where there is none, or none that this user may read. */
export async function readDdlKey(client: Queryable, route: RouteDefinition): Promise<DdlKey | null> {
  const { rows: there } = await client.query(`SELECT COALESCE(has_schema_privilege(n.oid, 'USAGE') AND
      has_table_privilege(c.oid, 'SELECT'), false) AS readable
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'tidelock' AND c.relname = 'ddl_keys'`);
  if (there[0]?.readable !== true) return null;
  const { rows } = await client.query('SELECT first, second FROM tidelock.ddl_keys WHERE route = $1', [
    routeKey(route),
  ]);
  const [row] = rows;
  return row === undefined ? null : { first: row.first as Buffer, second: row.second as Buffer };
}

/** Labels of the tables that the queue tells of from their first row on. */
export async function readAnnounced(client: Queryable, route: RouteDefinition): Promise<readonly string[]> {
  if (route.ddl !== 'replicate' || (await readDdlKey(client, route)) === null) return [];
  const { rows } = await client.query(
    `SELECT n.nspname AS schema, c.relname AS name FROM tidelock.ddl_tables t
     JOIN pg_class c ON c.oid = t.relation JOIN pg_namespace n ON n.oid = c.relnamespace WHERE t.route = $1 AND t.published`,
    [routeKey(route)],
  );
  return rows.map(({ schema, name }) => tableLabel({ schema: String(schema), name: String(name) }));
}

/**
 * Only objects of its own, in the schema tidelock; where the user may not, an administrator has to. Event triggers stay where only their function is another one: new ones
 * would look as if commands had gone untold for a while (TableFacts.toldBy).
 */
export async function captureDdl(client: Queryable, route: RouteDefinition): Promise<void> {
  if (route.ddl !== 'replicate' || (await isCaptured(client, route))) return;
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = '10s'`);
    // A route in the other direction makes its state in the same schema.
    await client.query('SELECT pg_advisory_xact_lock($1)', [schemaLock]);
    const { rows } = await client.query(`SELECT to_regnamespace('tidelock') IS NOT NULL AS there`);
    if (rows[0]?.there !== true) await client.query('CREATE SCHEMA tidelock');
    const { hasTriggers } = await readCapture(client, route);
    const made = hasTriggers ? functionStatements(route, null) : [...dropStatements(route), ...statements(route, null)];
    await client.query([...made, 'COMMIT;'].join('\n'));
  } catch (error) {
    await client.query('ROLLBACK');
    if (sqlState(error) !== '42501') throw error;
    throw fail(sourceErrors.ddlNotCaptured, { route: route.name }, error);
  }
}

/** What drops it, without asking whether it is there. */
export function captureDrops(route: RouteDefinition): readonly string[] {
  return route.ddl === 'replicate' ? dropStatements(route) : [];
}

/** Repeatable. The schema stays where anything else is in it. Returns the statements for what this user may not drop. */
export async function dropCapture(client: Queryable, route: RouteDefinition): Promise<readonly string[]> {
  const name = captureName(route);
  const { rows } = await client.query(
    `SELECT EXISTS (SELECT FROM pg_event_trigger WHERE evtname LIKE $1) OR EXISTS (SELECT FROM pg_proc p
         JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'tidelock' AND p.proname = $2) AS there,
       to_regclass('tidelock.ddl_keys') IS NOT NULL AS keys`,
    [`${name.replaceAll('_', '\\_')}\\_%`, name],
  );
  if (rows[0]?.there !== true && rows[0]?.keys !== true) return [];
  const key = quoteLiteral(routeKey(route));
  const forget = rows[0]?.keys
    ? [`DELETE FROM tidelock.ddl_tables WHERE route = ${key};`, `DELETE FROM tidelock.ddl_keys WHERE route = ${key};`]
    : [];
  const all = [...dropStatements(route), ...forget];
  try {
    await client.query(['BEGIN;', ...all, 'COMMIT;'].join('\n'));
  } catch (error) {
    await client.query('ROLLBACK');
    if (sqlState(error) !== '42501') throw error;
    return rows[0]?.there === true ? all : [];
  }
  for (const statement of [
    `DO $$ BEGIN IF NOT EXISTS (SELECT FROM tidelock.ddl_keys) THEN DROP TABLE tidelock.ddl_keys, tidelock.ddl_tables; END IF; END $$`,
    'DROP SCHEMA tidelock',
  ])
    try {
      await client.query(statement);
    } catch (error) {
      // Not empty, somebody else's, or gone.
      if (!/^(2BP01|42501|3F000|42P01)$/.test(sqlState(error) ?? '')) throw error;
    }
  return [];
}

/** For an administrator, where the user may not make event triggers. Repeatable. */
export function captureStatement(route: RouteDefinition, user: string): string {
  return ['CREATE SCHEMA IF NOT EXISTS tidelock;', ...dropStatements(route), ...statements(route, user)].join('\n');
}

/** Before the first start: whether the commands of the source can come. */
export async function captureFindings(client: Queryable, route: RouteDefinition): Promise<readonly Finding[]> {
  if (route.ddl !== 'replicate' || (await isCaptured(client, route))) return [];
  const { rows } = await client.query('SELECT rolsuper, rolname FROM pg_roles WHERE rolname = current_user');
  if (rows[0]?.rolsuper === true) return [];
  return [
    {
      level: 'error',
      code: 'source.ddlTriggers',
      node: route.from.name,
      message: 'ddl: replicate needs event triggers, which this user may not create',
      remedy: 'Have an administrator of the database run the statement.',
      statement: captureStatement(route, String(rows[0]?.rolname)),
    },
  ];
}
