import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { connectMysql, type MysqlSession } from '../connect.ts';
import { readVariables } from '../server-facts.ts';
import { type SessionUse, takeSessionLock } from '../state/session-locks.ts';
import { demandVersion } from './demand-version.ts';

/** A session that writes rows, and what is true of it. */
export interface ApplySession {
  readonly session: MysqlSession;
  /** Foreign keys are checked, and their actions carried out, as rows are written. */
  readonly foreignKeysAct: boolean;
  /** The longest message that the server takes. */
  readonly maxPacketBytes: number;
  /** A COMMIT that was answered survives a crash of the host. */
  readonly isDurable: boolean;
}

/**
 * Strict: what does not fit is refused and never cut. Values are as they were at the source: zeros in keys that count by themselves, dates of any kind that
 * a server can hold.
 */
const sqlMode =
  'STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES';

/** An earlier session of the route rolls back first: that may take as long as what it did. */
const lockSeconds = 20;

/**
 * MariaDB logs nothing of what a cascade has done to other tables, so that the target has to do the same; where MySQL logs it, the target must not. With
 * foreign keys off rows may come in any order, and statements may hold whole groups.
 */
export function foreignKeysAct({ from }: Pick<RouteDefinition, 'from'>): boolean {
  return from.type === 'mariadb';
}

/** PostgreSQL calls every column part of the key of a table whose whole rows it logs. */
export function namesKeys({ from }: Pick<RouteDefinition, 'from'>): boolean {
  return from.type === 'mysql' || from.type === 'mariadb';
}

export async function openApplySession(
  route: RouteDefinition,
  routeId: number,
  use: Exclude<SessionUse, 'control'>,
): Promise<ApplySession> {
  const session = await connectMysql(route.to, { batches: true });
  try {
    const acting = foreignKeysAct(route);
    await session.query(
      `set session sql_mode = '${sqlMode}', foreign_key_checks = ${acting ? 1 : 0}, unique_checks = 1, sql_safe_updates = 0, sql_big_selects = 1, completion_type = 0`,
    );
    await session.query('set session transaction isolation level read committed, read write');
    // Aliases in statements of several tables are looked up in the session's own database, whatever is in it.
    await session.query('use tidelock');
    if (!(await takeSessionLock(session, routeId, use, lockSeconds)))
      throw fail(routeErrors.epochLocked, { route: route.name });
    const variables = await readVariables(session, [
      ...['version', 'max_allowed_packet', 'innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin'],
    ]);
    demandVersion(route.to, variables.get('version') ?? '');
    return {
      session,
      foreignKeysAct: acting,
      maxPacketBytes: Number(variables.get('max_allowed_packet')),
      isDurable: isDurable(variables),
    };
  } catch (error) {
    session.close();
    throw error;
  }
}

/** With a binlog a transaction that is not in it after a crash is rolled back, however well InnoDB has kept it. */
export function isDurable(variables: ReadonlyMap<string, string>): boolean {
  const isLogged = variables.get('log_bin') === 'ON';
  return variables.get('innodb_flush_log_at_trx_commit') === '1' && (!isLogged || variables.get('sync_binlog') === '1');
}
