import type pg from 'pg';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Finding } from '../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import { quoteIdentifier, quoteTable } from '../identifiers.ts';
import { moneyDecimals, moneyFindings } from '../money-decimals.ts';
import { alteringRights } from './altering-rights.ts';
import { checkTypes } from './check-types.ts';
import { firingTriggers } from './firing-triggers.ts';
import { missingPrivileges } from './state-privileges.ts';
import { planTable } from './table-plan.ts';
import { readTargetTables, type TargetTable } from './target-table.ts';

interface Privileges {
  readonly missing: string | null;
  readonly hidden: boolean;
}

export interface PreflightOptions {
  readonly route: RouteDefinition;
  /** Whether triggers and foreign keys are off in the session that applies. */
  readonly replicaRole: Promise<boolean>;
  /** Told the definitions of the tables that are there. */
  onTables(tables: readonly TargetTable[]): void;
}

/** Everything at the target that would stop or spoil the route, table by table. On a session that sends queries at once: what does not wait for an answer goes together. */
export async function targetPreflight(
  client: pg.Client,
  versions: readonly TableVersion[],
  { route, replicaRole: role, onTables }: PreflightOptions,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = (error: TidelockError, table?: TableVersion, statement?: string): void => {
    findings.push(finding(route.to.name, error, table, statement));
  };
  const node = route.to.name;
  const [missing, tables] = await Promise.all([
    missingPrivileges(client, [...new Set(versions.map((t) => t.schema))]),
    readTargetTables(client, versions),
  ]);
  for (const { what, statement } of missing)
    add(fail(nodeErrors.privilege, { node, message: `${what} is missing` }), undefined, statement);
  onTables(tables);
  const [privileges, types, rights, replicaRole] = await Promise.all([
    readPrivileges(client, tables),
    checkTypes(client, route, versions, tables),
    alteringRights(client, route, { tables, versions }),
    role,
  ]);
  const byLabel = new Map(tables.map((table) => [tableLabel(table), table]));
  for (const table of versions) {
    const label = tableLabel(table);
    const place = { route: route.name, table: label };
    const target = byLabel.get(label);
    if (!target) {
      add(fail(targetErrors.tableMissing, place), table);
      continue;
    }
    try {
      planTable(table, target, route);
    } catch (error) {
      if (!(error instanceof TidelockError)) throw error;
      const { statement } = error.place as { statement?: string };
      add(error, table, statement);
    }
    for (const error of types.get(table) ?? []) add(error, table);
    const privilege = privileges.get(target.oid);
    if (privilege?.missing) {
      const statement = `GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE ON ${quoteTable(target)} TO ${quoteIdentifier(route.to.connection().user)};`;
      add(
        fail(nodeErrors.privilege, { node, message: `${privilege.missing} on ${label} is missing` }),
        table,
        statement,
      );
    }
    if (privilege?.hidden) add(fail(targetErrors.rowSecurity, place), table);
    const firing = firingTriggers(route, target, replicaRole);
    if (firing !== null) add(firing, table);
  }
  findings.push(...rights);
  if (route.from.type === 'postgres') return findings;
  return [...findings, ...(await moneyFindings(node, versions, () => moneyDecimals(route.to)))];
}

/** By the oid of the table. */
async function readPrivileges(client: pg.Client, tables: readonly TargetTable[]): Promise<Map<number, Privileges>> {
  const { rows } = await client.query<Privileges & { oid: string }>(
    `select o::text as oid, row_security_active(o::oid) as hidden,
       (select string_agg(p, ', ') from unnest('{SELECT,INSERT,UPDATE,DELETE,TRUNCATE}'::text[]) p where not has_table_privilege(o::oid, p)) as missing
     from unnest($1::int8[]) o`,
    [tables.map((t) => t.oid)],
  );
  return new Map(rows.map(({ oid, missing, hidden }) => [Number(oid), { missing, hidden }]));
}

function finding(node: string, error: TidelockError, table?: TableVersion, statement?: string): Finding {
  const { code, message, remedy } = error;
  return {
    level: 'error',
    code,
    node,
    message,
    remedy,
    ...(table && { table: tableLabel(table) }),
    ...(statement && { statement }),
  };
}
