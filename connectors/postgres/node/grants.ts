import type pg from 'pg';
import type { Grant, GrantUse, NodeGrants, RouteTarget } from '../../../src/core/node-inspector.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { routeTables } from '../source/create-queue.ts';
import { captureStatement, isCaptured } from '../source/ddl-capture.ts';
import { queueNames } from '../source/queue-names.ts';
import { firingTriggers } from '../target/firing-triggers.ts';
import { readTargetTables } from '../target/target-table.ts';
import { GrantList } from './grant-list.ts';
import {
  type RelationFacts,
  type RoleFacts,
  readDatabaseRights,
  readRelations,
  readRole,
  readSchemas,
} from './rights.ts';
import { sequenceOids } from './sequence-oids.ts';

interface Context {
  readonly client: pg.Client;
  readonly user: string;
  readonly role: RoleFacts;
  readonly list: GrantList;
  readonly missing: string[];
}

const changing = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'] as const;
const onSequences = ['SELECT', 'UPDATE'] as const;

/**
 * The least that a role needs. What PUBLIC has is not granted again; what comes with the membership of an owner isn't either.
 * Taking any of the required statements away makes `check` complain (test/integration/cli/grants.test.ts).
 */
export async function nodeGrants(client: pg.Client, use: GrantUse, user: string): Promise<NodeGrants> {
  const role = await readRole(client, user);
  const context: Context = { client, user, role, list: new GrantList(), missing: [] };
  await grantLogin(context, use.sources.length > 0);
  for (const route of use.sources) await grantSource(context, route);
  for (const target of use.targets) await grantTarget(context, target);
  return { grants: context.list.all, missing: context.missing };
}

async function grantLogin(context: Context, isSource: boolean): Promise<void> {
  const { user, role, list } = context;
  const name = quoteIdentifier(user);
  if (!role.exists)
    list.add({ statement: `CREATE ROLE ${name} LOGIN PASSWORD '...';`, why: 'to connect', held: false });
  else list.add({ statement: `ALTER ROLE ${name} LOGIN;`, why: 'to connect', held: role.mayLogIn });
  if (isSource)
    list.add({
      statement: `ALTER ROLE ${name} REPLICATION;`,
      why: 'to make and read replication slots',
      held: role.mayReplicate,
    });
  await grantDatabase(context, 'CONNECT', 'to connect');
}

async function grantDatabase(
  { client, user, role, list }: Context,
  privilege: 'CONNECT' | 'CREATE',
  why: string,
): Promise<void> {
  const has = await readDatabaseRights(client, user, privilege);
  if (has.public) return;
  const database = quoteIdentifier(role.database);
  list.add({
    statement: `GRANT ${privilege} ON DATABASE ${database} TO ${quoteIdentifier(user)};`,
    why,
    held: has.user,
  });
}

async function grantSource(context: Context, route: RouteDefinition): Promise<void> {
  const { client, user, list } = context;
  const tables = await routeTables(client, route);
  const relations = await readRelations(client, user, { oids: tables.map(({ oid }) => oid), privileges: ['SELECT'] });
  const { ownsPublication, ownsSlot } = queueNames(route);
  if (ownsPublication) {
    await grantDatabase(context, 'CREATE', 'for the publication of each route');
    grantOwners(context, relations, {
      why: 'only an owner may publish its tables',
      instead: 'name a publication of your own in the route, which "tidelock check" prints (docs/security.md)',
    });
  }
  // Of a given slot nothing is loaded: the rows come through the slot alone.
  const reads = route.load.mode === 'initial' && ownsSlot;
  const owners = ownsPublication ? ownersOf(relations) : [];
  if (reads) await grantUse(context, relations, { owners, privileges: ['SELECT'], what: 'the initial load' });
  const sequences = await sequenceOids(
    client,
    route,
    tables.map(({ table }) => table),
  );
  const facts = await readRelations(client, user, { oids: sequences, privileges: ['SELECT'] });
  await grantUse(context, facts, { owners, privileges: ['SELECT'], ...sequenceUse(route) });
  if (route.ddl === 'replicate')
    list.add({
      statement: captureStatement(route, user),
      why: `event triggers of route ${route.name} (ddl: replicate), which only a superuser may make`,
      held: (await isCaptured(client, route)) && (await mayReadKey(context)),
    });
}

/** Whoever looks now may read it: the question is whether the user may. */
async function mayReadKey({ client, user, role }: Context): Promise<boolean> {
  if (!role.exists) return false;
  const { rows } = await client.query<{ may: boolean }>(
    `select has_schema_privilege($1, 'tidelock', 'USAGE') and has_table_privilege($1, 'tidelock.ddl_keys', 'SELECT') as may`,
    [user],
  );
  return rows[0]?.may === true;
}

async function grantTarget(context: Context, { route, tables }: RouteTarget): Promise<void> {
  const { client, user, role, list } = context;
  const name = quoteIdentifier(user);
  await grantState(context);
  const there = await readTargetTables(client, tables);
  const labels = new Set(there.map(tableLabel));
  const missing = tables.filter((table) => !labels.has(tableLabel(table)));
  context.missing.push(...missing.map(tableLabel));
  const relations = await readRelations(client, user, {
    oids: there.map(({ oid }) => String(oid)),
    privileges: changing,
  });
  const alters = route.schemaChanges === 'evolve' || route.ddl === 'replicate';
  if (alters)
    grantOwners(context, relations, {
      why: 'only an owner may alter its tables',
      instead: 'make what needs one yourself (docs/security.md)',
    });
  const owners = alters ? ownersOf(relations) : [];
  await grantUse(context, relations, {
    owners,
    privileges: changing,
    what: 'rows',
    // An index is made in the table's schema, by whoever makes it.
    ...(route.ddl === 'replicate' && { create: true }),
  });
  for (const [schema, of] of Map.groupBy(missing, (table) => table.schema)) {
    const why = 'rows, once these tables are there';
    const schemas = await readSchemas(client, user, { names: [schema], roles: [] });
    if (!schemas.some(({ publicHas }) => publicHas.includes('USAGE')))
      list.add({
        statement: `GRANT USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${name};`,
        why,
        held: role.superuser,
      });
    const names = of.map(quoteTable).join(', ');
    list.add({ statement: `GRANT ${changing.join(', ')} ON ${names} TO ${name};`, why, held: role.superuser });
  }
  const sequences = await readRelations(client, user, {
    oids: await sequenceOids(client, route, tables),
    privileges: onSequences,
  });
  await grantUse(context, sequences, { owners, privileges: onSequences, ...sequenceUse(route) });
  if (role.versionNumber < 150_000) return;
  const wouldFire = there.some((table) => firingTriggers(route, table, false) !== null);
  const { rows } = role.exists
    ? await client.query(`select has_parameter_privilege($1, 'session_replication_role', 'SET') as held`, [user])
    : { rows: [] };
  list.add({
    statement: `GRANT SET ON PARAMETER session_replication_role TO ${name};`,
    why: wouldFire
      ? 'triggers and cascades there must not act a second time'
      : 'faster: foreign keys are not checked a second time',
    need: wouldFire ? 'required' : 'recommended',
    held: rows[0]?.held === true,
  });
}

/** Room for the schema tidelock, or the use of the one that somebody else has made. */
async function grantState(context: Context): Promise<void> {
  const { client, user, list } = context;
  const name = quoteIdentifier(user);
  const { rows } = await client.query<{ oid: string; relations: string[] }>(
    `select n.oid::text as oid, array(select c.oid::text from pg_class c where c.relnamespace = n.oid and c.relkind = 'r') as relations
     from pg_namespace n where n.nspname = 'tidelock'`,
  );
  const there = rows[0];
  if (there === undefined)
    return await grantDatabase(context, 'CREATE', 'for the schema tidelock, where positions are kept');
  const privileges = ['SELECT', 'INSERT', 'UPDATE', 'DELETE'];
  const relations = await readRelations(client, user, { oids: there.relations, privileges });
  const [schema] = await readSchemas(client, user, { names: ['tidelock'], roles: [] });
  const wanted = relations.length === 0 ? ['USAGE', 'CREATE'] : ['USAGE'];
  const why = 'positions are kept there';
  list.add({
    statement: `GRANT ${wanted.join(', ')} ON SCHEMA tidelock TO ${name};`,
    why,
    held: wanted.every((privilege) => schema?.userHas.includes(privilege)),
  });
  if (relations.length > 0)
    list.add({
      statement: `GRANT ${privileges.join(', ')} ON ALL TABLES IN SCHEMA tidelock TO ${name};`,
      why,
      held: relations.every(({ userHas }) => privileges.every((privilege) => userHas.includes(privilege))),
    });
}

const ownersOf = (relations: readonly RelationFacts[]): string[] => [...new Set(relations.map(({ owner }) => owner))];

function grantOwners(
  { user, list }: Context,
  relations: readonly RelationFacts[],
  { why, instead }: { readonly why: string; readonly instead: string },
): void {
  for (const owner of ownersOf(relations)) {
    if (owner === user) continue;
    const of = relations.filter((relation) => relation.owner === owner);
    const isSuperuser = of.some(({ ownerIsSuperuser }) => ownerIsSuperuser);
    list.add({
      statement: `GRANT ${quoteIdentifier(owner)} TO ${quoteIdentifier(user)};`,
      why: isSuperuser
        ? `${why}; CAREFUL: ${owner} is a superuser, and its member is as good as one. Give the tables another owner, or ${instead}; or accept it and run this, too`
        : why,
      ...(isSuperuser && { superuser: true }),
      held: of.every(({ owned }) => owned),
    });
  }
}

interface UseOptions {
  /** Roles that the user is a member of by then: what they may need not be granted again. */
  readonly owners: readonly string[];
  readonly privileges: readonly string[];
  /** Of what the rights are for. */
  readonly what: string;
  readonly need?: Grant['need'];
  readonly create?: boolean;
  readonly ofSequences?: boolean;
}

/** Where the route does not carry them by itself a person does, before the target takes over. */
function sequenceUse(route: RouteDefinition): Pick<UseOptions, 'what' | 'need' | 'ofSequences'> {
  return route.sequencesEveryMs === null
    ? { what: `values of sequences, for "tidelock sequences ${route.name}"`, need: 'recommended', ofSequences: true }
    : { what: 'values of sequences', ofSequences: true };
}

async function grantUse(
  { client, user, list }: Context,
  relations: readonly RelationFacts[],
  { owners, privileges, what, need = 'required', create = false, ofSequences = false }: UseOptions,
): Promise<void> {
  const name = quoteIdentifier(user);
  const names = [...new Set(relations.map(({ schema }) => schema))];
  const onSchema = create ? ['USAGE', 'CREATE'] : ['USAGE'];
  for (const schema of await readSchemas(client, user, { names, roles: owners })) {
    const come = [schema.publicHas, ...schema.rolesHave.values()];
    const wanted = onSchema.filter((privilege) => !come.some((has) => has.includes(privilege)));
    if (wanted.length > 0)
      list.add({
        statement: `GRANT ${wanted.join(', ')} ON SCHEMA ${quoteIdentifier(schema.name)} TO ${name};`,
        why: wanted.includes('CREATE') ? 'indexes are made there' : `${what} there`,
        need,
        held: wanted.every((privilege) => schema.userHas.includes(privilege)),
      });
    // What lacks the same is granted with one statement.
    const here = relations.filter((relation) => relation.schema === schema.name);
    for (const [key, same] of Map.groupBy(here, (relation) => lacking(relation, owners, privileges).join(', '))) {
      if (key === '') continue;
      const kind = ofSequences ? 'SEQUENCE ' : '';
      const relationNames = same.map(
        (relation) => `${quoteIdentifier(relation.schema)}.${quoteIdentifier(relation.name)}`,
      );
      list.add({
        statement: `GRANT ${key} ON ${kind}${relationNames.join(', ')} TO ${name};`,
        why: what,
        need,
        held: same.every(({ userHas }) => key.split(', ').every((privilege) => userHas.includes(privilege))),
      });
    }
  }
}

function lacking(
  { publicHas, ownerHas, owner }: RelationFacts,
  owners: readonly string[],
  privileges: readonly string[],
): readonly string[] {
  return privileges.filter(
    (privilege) => !publicHas.includes(privilege) && !(owners.includes(owner) && ownerHas.includes(privilege)),
  );
}
