import type pg from 'pg';

/** What a role may do in the database of the session. A role that is not there yet may what PUBLIC may. */
export interface RoleFacts {
  readonly exists: boolean;
  readonly superuser: boolean;
  readonly mayLogIn: boolean;
  readonly mayReplicate: boolean;
  readonly database: string;
  readonly versionNumber: number;
}

export interface RelationFacts {
  readonly schema: string;
  readonly name: string;
  readonly owner: string;
  readonly ownerIsSuperuser: boolean;
  /** Of the relation, held by PUBLIC, by the user, and by the owner of the relation. */
  readonly publicHas: readonly string[];
  readonly userHas: readonly string[];
  readonly ownerHas: readonly string[];
  /** The user is the owner, or a member of it. */
  readonly owned: boolean;
}

export interface SchemaFacts {
  readonly name: string;
  readonly publicHas: readonly string[];
  readonly userHas: readonly string[];
  /** By role, for the owners that were asked about. */
  readonly rolesHave: ReadonlyMap<string, readonly string[]>;
}

/** For has_*_privilege: they take the name `public`, which no role can have, for what everybody may. */
const asRole = `coalesce((select rolname from pg_roles where rolname = $1), 'public')`;

export async function readRole(client: pg.Client, user: string): Promise<RoleFacts> {
  const { rows } = await client.query(
    `select r.rolname is not null as "exists", coalesce(r.rolsuper, false) as superuser,
       coalesce(r.rolcanlogin, false) as "mayLogIn",
       coalesce(r.rolreplication or r.rolsuper or pg_has_role(r.rolname,
         (select oid from pg_roles where rolname = 'rds_replication'), 'MEMBER'), false) as "mayReplicate",
       current_database()::text as database, current_setting('server_version_num')::int as "versionNumber"
     from (select 1) one left join pg_roles r on r.rolname = $1`,
    [user],
  );
  return rows[0] as RoleFacts;
}

/** Of CONNECT, CREATE and the like: what PUBLIC and the user have on the database. */
export async function readDatabaseRights(client: pg.Client, user: string, privilege: 'CONNECT' | 'CREATE') {
  const { rows } = await client.query<{ public: boolean; user: boolean }>(
    `select has_database_privilege('public', current_database(), $2) as public,
       has_database_privilege(${asRole}, current_database(), $2) as user`,
    [user, privilege],
  );
  return { public: rows[0]?.public === true, user: rows[0]?.user === true };
}

export async function readRelations(
  client: pg.Client,
  user: string,
  { oids, privileges }: { readonly oids: readonly string[]; readonly privileges: readonly string[] },
): Promise<RelationFacts[]> {
  const held = (role: string): string =>
    `array(select p from unnest($3::text[]) p where case c.relkind when 'S' then has_sequence_privilege(${role}, c.oid, p)
       else has_table_privilege(${role}, c.oid, p) end)`;
  const { rows } = await client.query<RelationFacts>(
    `select n.nspname::text as schema, c.relname::text as name, o.rolname::text as owner, o.rolsuper as "ownerIsSuperuser",
       ${held(`'public'`)} as "publicHas", ${held(asRole)} as "userHas", ${held('o.rolname')} as "ownerHas",
       coalesce((select pg_has_role(u.oid, c.relowner, 'USAGE') from pg_roles u where u.rolname = $1), false) as owned
     from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles o on o.oid = c.relowner
     where c.oid = any ($2::oid[]) order by 1, 2`,
    [user, oids, privileges],
  );
  return rows;
}

export async function readSchemas(
  client: pg.Client,
  user: string,
  { names, roles }: { readonly names: readonly string[]; readonly roles: readonly string[] },
): Promise<SchemaFacts[]> {
  const held = (role: string): string =>
    `array(select p from unnest('{USAGE,CREATE}'::text[]) p where has_schema_privilege(${role}, n.oid, p))`;
  const { rows } = await client.query(
    `select n.nspname::text as name, ${held(`'public'`)} as "publicHas", ${held(asRole)} as "userHas",
       (select coalesce(json_object_agg(r.rolname, ${held('r.rolname')}), '{}') from pg_roles r where r.rolname = any ($3::text[])) as roles
     from pg_namespace n where n.nspname = any ($2::text[]) order by 1`,
    [user, names, roles],
  );
  return rows.map(({ roles: have, ...rest }) => ({
    ...rest,
    rolesHave: new Map(Object.entries(have as Record<string, string[]>)),
  }));
}
