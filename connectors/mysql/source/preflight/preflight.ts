import type { Finding } from '../../../../src/core/finding.ts';
import type { RouteDefinition } from '../../../../src/core/route.ts';
import type { MysqlSession } from '../../connect.ts';
import { readServerFacts, readVariables, type ServerFacts } from '../../server-facts.ts';
import { signalTable } from '../../signals.ts';
import { checkPrivileges } from './check-privileges.ts';
import { checkTables } from './check-tables.ts';
import { requiredSettings, settingStatement } from './required-settings.ts';

type Found = Omit<Finding, 'node'>;
type Variables = ReadonlyMap<string, string>;

const dayS = 86_400;

/** What has to be mended at the source before its binlog can be read for the route, and what should be. Changes nothing. */
export async function preflight(session: MysqlSession, route: RouteDefinition): Promise<readonly Finding[]> {
  const server = await readServerFacts(session);
  const required = requiredSettings(server);
  const others = [
    'gtid_mode',
    'binlog_expire_logs_seconds',
    'expire_logs_days',
    'log_slave_updates',
    'log_replica_updates',
    'read_only',
    'gtid_strict_mode',
  ];
  const variables = await readVariables(session, [...required.map(({ name }) => name), ...others]);
  const found = [
    ...checkSettings(server, variables, route.from.allow),
    ...checkReadOnly(variables),
    ...(await checkSessions(session, server)),
    ...checkExpiry(server, variables),
    ...checkTopology(server, variables),
    ...(await checkPrivileges(session, server, { loads: route.load.mode === 'initial' })),
    ...(variables.get('log_bin') === 'ON' ? await checkFilters(session, route, server) : []),
    ...(await checkTables(session, route, server)),
  ];
  return found.map((finding) => ({ ...finding, node: route.from.name }));
}

function checkSettings(server: ServerFacts, variables: Variables, allow: readonly string[]): Found[] {
  return requiredSettings(server).flatMap((setting): Found[] => {
    const value = variables.get(setting.name);
    if (value === undefined || value.toUpperCase() === setting.value) return [];
    const statement = settingStatement(setting, server.vendor);
    const isAllowed = setting.allowedBy !== undefined && allow.includes(setting.allowedBy);
    const persist = server.vendor === 'mariadb' ? ', and write it into its configuration' : '';
    return [
      {
        level: isAllowed ? 'info' : 'error',
        code: setting.code,
        message: `${setting.name} is ${value}${isAllowed ? `, allowed by ${setting.allowedBy}` : ''}: ${setting.why}`,
        remedy: setting.atStart
          ? (setting.remedy ?? `Set ${setting.name} in the server's configuration and restart it.`)
          : `Set it${persist}.${setting.ofSessions ? ' Sessions that are there keep theirs: end them.' : ''}${setting.allowedBy ? ` Or allow it by name at the node: allow: [${setting.allowedBy}].` : ''}`,
        ...(statement !== undefined && { statement }),
      },
    ];
  });
}

/** Heartbeats are written: a replica that takes no writes is waited for until it is promoted. */
function checkReadOnly(variables: Variables): Found[] {
  if (!['ON', '1'].includes(variables.get('read_only') ?? 'OFF')) return [];
  return [
    {
      level: 'error',
      code: 'source.standby',
      message: 'the server is read-only: it is a replica, or about to be one',
      remedy: 'Name the server that takes writes, or all that may (hosts), of which the first that does is taken.',
    },
  ];
}

/** Sessions that still log statements; where the server shows no settings of sessions, a statement in the binlog halts (TL-3304). */
async function checkSessions(session: MysqlSession, { vendor }: ServerFacts): Promise<Found[]> {
  if (vendor !== 'mysql') return [];
  const rows = await session
    .query(
      `SELECT t.processlist_id FROM performance_schema.variables_by_thread v JOIN performance_schema.threads t USING (thread_id)
        WHERE v.variable_name = 'binlog_format' AND v.variable_value <> 'ROW' AND t.processlist_id <> CONNECTION_ID()`,
    )
    .catch(() => []);
  if (rows.length === 0) return [];
  const ids = rows.map(([id]) => id);
  return [
    {
      level: 'error',
      code: 'source.sessionFormat',
      message: `${ids.length} sessions have another binlog_format than ROW: what they change would halt the route (TL-3304)`,
      remedy: 'End them: their applications connect again, with the format that is set now.',
      statement: ids.map((id) => `KILL ${id};`).join(' '),
    },
  ];
}

function checkExpiry({ vendor }: ServerFacts, variables: Variables): Found[] {
  const days = Number(variables.get('expire_logs_days') ?? 0);
  const seconds = Number(variables.get('binlog_expire_logs_seconds') ?? 0) || days * dayS;
  const code = 'source.binlogExpiry';
  if (seconds === 0)
    return [
      {
        level: 'info',
        code,
        message: 'binlogs never expire by themselves: somebody has to purge them, and not before they were read',
        remedy: 'Watch the disk of the source.',
      },
    ];
  if (seconds >= dayS) return [];
  return [
    {
      level: 'warning',
      code,
      message: `binlogs expire after ${seconds} s, whether they were read or not: a route that stays away for longer is lost`,
      remedy: 'Keep them for as long as a route may stay away, for a week, say.',
      statement: `SET ${vendor === 'mysql' ? 'PERSIST' : 'GLOBAL'} binlog_expire_logs_seconds = ${7 * dayS};`,
    },
  ];
}

function checkTopology({ vendor, gtids }: ServerFacts, variables: Variables): Found[] {
  const found: Found[] = [];
  if (vendor === 'mysql' && !gtids)
    found.push({
      level: 'warning',
      code: 'source.gtids',
      message: `gtid_mode is ${variables.get('gtid_mode')}: positions are places in the files of this server, and no other can take its place`,
      remedy:
        'Where a replica is to take over, switch GTIDs on step by step, before the route begins: its position is of one kind.',
      statement:
        'SET PERSIST enforce_gtid_consistency = ON; SET PERSIST gtid_mode = OFF_PERMISSIVE; SET PERSIST gtid_mode = ON_PERMISSIVE; SET PERSIST gtid_mode = ON;',
    });
  if (variables.get('gtid_strict_mode') === 'OFF')
    found.push({
      level: 'warning',
      code: 'source.gtidStrictMode',
      message:
        'gtid_strict_mode is OFF: a transaction that gets a lower number than those before it in its domain would halt the route for good (TL-3312)',
      remedy: 'Set it, and write it into its configuration: the server then refuses such a transaction.',
      statement: 'SET GLOBAL gtid_strict_mode = ON;',
    });
  if ((variables.get('log_replica_updates') ?? variables.get('log_slave_updates')) === 'OFF')
    found.push({
      level: 'warning',
      code: 'source.replicaUpdates',
      message:
        'what this server applies as a replica is not in its binlog (log_replica_updates, on MariaDB log_slave_updates)',
      remedy: 'Where it is a replica, or becomes one after a failover, set it in its configuration and restart it.',
    });
  return found;
}

/** Filters leave databases out of the binlog without a trace. */
async function checkFilters(session: MysqlSession, route: RouteDefinition, { vendor }: ServerFacts): Promise<Found[]> {
  const statement = vendor === 'mysql' ? 'SHOW BINARY LOG STATUS' : 'SHOW MASTER STATUS';
  const [row] = await session.query(statement).catch(() => []);
  const names = (text: string | null | undefined): string[] => (text ?? '').split(',').filter((name) => name !== '');
  const [, , only, ignored] = row ?? [];
  const rows = await session.query('SELECT DISTINCT table_schema FROM information_schema.tables');
  const databases = [
    signalTable.schema,
    ...rows.map(([name]) => String(name)).filter((name) => route.tables.meansSchema(name)),
  ];
  const logged = (name: string): boolean =>
    (names(only).length === 0 || names(only).includes(name)) && !names(ignored).includes(name);
  const missing = databases.filter((name) => !logged(name));
  if (missing.length === 0) return [];
  return [
    {
      level: 'error',
      code: 'source.binlogFilter',
      message: `binlog_do_db or binlog_ignore_db keeps databases out of the binlog that the route needs: ${missing.join(', ')}`,
      remedy: "Take the filter out of the server's configuration and restart it.",
    },
  ];
}
