import type pg from 'pg';
import type { Finding } from '../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { carriedSequences, readSequenceRights } from '../sequences.ts';
import type { TargetTable } from './target-table.ts';

/**
 * What the user lacks for what comes later: definitions and commands of the source that are carried over, values of
 * sequences. Rows flow without it, so that these are warnings; the route halts when the first of them comes.
 */
export async function alteringRights(
  client: pg.Client,
  route: RouteDefinition,
  { tables, versions }: { readonly tables: readonly TargetTable[]; readonly versions: readonly TableVersion[] },
): Promise<Finding[]> {
  const node = route.to.name;
  const findings: Finding[] = [];
  if (route.schemaChanges === 'evolve' || route.ddl === 'replicate')
    findings.push(...(await ownership(client, route, tables)));
  if (route.sequencesEveryMs !== null)
    for (const { sequence, user, privileges } of await readSequenceRights(
      client,
      await carriedSequences(client, route.sequences, versions),
      ['SELECT', 'UPDATE'],
    ))
      findings.push({
        level: 'warning',
        code: 'target.sequencePrivilege',
        node,
        message: `user ${quoteIdentifier(user)} may not set sequence ${tableLabel(sequence)}: its value is not carried`,
        remedy: 'Grant it.',
        statement: `GRANT ${privileges.join(', ')} ON SEQUENCE ${quoteTable(sequence)} TO ${quoteIdentifier(user)};`,
      });
  return findings;
}

async function ownership(
  client: pg.Client,
  route: RouteDefinition,
  tables: readonly TargetTable[],
): Promise<Finding[]> {
  const { rows } = await client.query<{
    user: string;
    owners: { name: string; superuser: boolean; schema: string; table: string }[];
    closed: string[];
  }>(
    `select current_user::text as user,
       (select coalesce(json_agg(json_build_object('name', r.rolname, 'superuser', r.rolsuper, 'schema', n.nspname, 'table', c.relname) order by n.nspname, c.relname), '[]')
        from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.oid = c.relowner
        where c.oid = any ($1::oid[]) and not pg_has_role(c.relowner, 'USAGE')) as owners,
       array(select distinct n.nspname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.oid = any ($1::oid[]) and not has_schema_privilege(n.oid, 'CREATE') order by 1) as closed`,
    [tables.map(({ oid }) => oid)],
  );
  const { user = '', owners = [], closed = [] } = rows[0] ?? {};
  const name = quoteIdentifier(user);
  const base = { level: 'warning', node: route.to.name } as const;
  const setting = route.ddl === 'replicate' ? 'ddl: replicate' : 'schemaChanges: evolve';
  return [
    ...[...Map.groupBy(owners, (owner) => owner.name)].map(([owner, of]) => ({
      ...base,
      code: 'target.tableOwner',
      message: `${setting}: user ${name} is no member of ${quoteIdentifier(owner)}, which owns ${of.map(({ schema, table }) => `${schema}.${table}`).join(', ')}, so it cannot alter the tables`,
      ...(of.some(({ superuser }) => superuser)
        ? {
            remedy:
              'Give the user the tables (a member of the owning role would be a superuser); else the route halts at the first change of a definition.',
            statement: of
              .map(({ schema, table }) => `ALTER TABLE ${quoteTable({ schema, name: table })} OWNER TO ${name};`)
              .join('\n'),
          }
        : {
            remedy:
              'Make the user a member of the owning role; else the route halts at the first change of a definition.',
            statement: `GRANT ${quoteIdentifier(owner)} TO ${name};`,
          }),
    })),
    ...(route.ddl === 'replicate' ? closed : []).map((schema) => ({
      ...base,
      code: 'target.schemaCreate',
      message: `${setting}: user ${name} may not create in schema ${quoteIdentifier(schema)}, so it cannot make indexes there`,
      remedy: 'Grant it; else the route halts at the first CREATE INDEX.',
      statement: `GRANT CREATE ON SCHEMA ${quoteIdentifier(schema)} TO ${name};`,
    })),
  ];
}
