import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { Finding } from '../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { MysqlSession } from '../connect.ts';
import { readVariables } from '../server-facts.ts';
import { foreignKeysAct, isDurable, namesKeys } from './apply-session.ts';
import { demandVersion } from './demand-version.ts';
import { demandNothingFires } from './firing-triggers.ts';
import { missingGrants } from './missing-grants.ts';
import { planTable } from './table-plan.ts';
import { readTargetTables } from './target-table.ts';

/** Name under which a node allows that a commit of it need not survive a crash of its host. */
const allowForgetting = 'targetMayForget';

/** Everything at the target that would stop or spoil the route, table by table. */
export async function targetPreflight(
  session: MysqlSession,
  route: RouteDefinition,
  versions: readonly TableVersion[],
): Promise<Finding[]> {
  const node = route.to.name;
  const findings: Finding[] = [];
  const add = (error: TidelockError, table?: TableVersion, statement?: string): void => {
    const { code, message, remedy } = error;
    findings.push({
      level: 'error',
      code,
      node,
      message,
      remedy,
      ...(table && { table: tableLabel(table) }),
      ...(statement && { statement }),
    });
  };
  const alters = route.schemaChanges === 'evolve';
  for (const { what, statement, table, later } of await missingGrants(session, versions, { alters }))
    if (later)
      findings.push({
        ...{
          level: 'warning',
          code: 'target.alterPrivilege',
          node,
          statement,
          ...(table && { table: tableLabel(table) }),
        },
        message: `schemaChanges: evolve: ${what} is missing`,
        remedy: 'Grant it; else the route halts at the first change of a definition.',
      });
    else add(fail(nodeErrors.privilege, { node, message: `${what} is missing` }), table, statement);
  const variables = await readVariables(session, [
    ...['version', 'read_only', 'super_read_only', 'innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin'],
  ]);
  const told = (check: () => void, table?: TableVersion): void => {
    try {
      check();
    } catch (error) {
      if (!(error instanceof TidelockError)) throw error;
      const { statement } = error.place as { statement?: string };
      add(error, table, statement);
    }
  };
  told(() => demandVersion(route.to, variables.get('version') ?? ''));
  for (const name of ['read_only', 'super_read_only'])
    if (variables.get(name) === 'ON')
      add(fail(targetErrors.readOnly, { node, name }), undefined, `SET GLOBAL ${name} = OFF;`);
  if (!isDurable(variables) && !route.to.allow.includes(allowForgetting)) {
    const isLogged = variables.get('log_bin') === 'ON';
    const statement = `SET GLOBAL innodb_flush_log_at_trx_commit = 1${isLogged ? ', GLOBAL sync_binlog = 1' : ''};`;
    add(fail(targetErrors.notDurable, { node }), undefined, statement);
  }
  const tables = new Map((await readTargetTables(session, versions)).map((table) => [tableLabel(table), table]));
  const vendor = session.node.type === 'mariadb' ? 'mariadb' : 'mysql';
  const acting = { foreignKeysAct: foreignKeysAct(route), namesKeys: namesKeys(route) };
  const options = { route: route.name, node, vendor, ...acting } as const;
  for (const version of versions) {
    const target = tables.get(tableLabel(version));
    if (target === undefined) {
      add(fail(targetErrors.tableMissing, { route: route.name, table: tableLabel(version) }), version);
      continue;
    }
    told(() => planTable(version, target, options), version);
    told(() => demandNothingFires(route, target), version);
  }
  return findings;
}
