import { nodeErrors, type RefusalCause } from '../../src/core/errors/catalogue/node.ts';
import { asTidelockError, isDefect } from '../../src/core/errors/defect.ts';
import { fail, TidelockError } from '../../src/core/errors/tidelock-error.ts';

/** The fields of a server's error that we rely on. */
export interface MysqlError extends Error {
  readonly errno: number;
  readonly sqlState: string;
}

/** What a server has answered; errors of the network have the system's negative numbers, and no state. */
export function isMysqlError(error: unknown): error is MysqlError {
  return (
    error instanceof Error &&
    'errno' in error &&
    typeof error.errno === 'number' &&
    error.errno > 0 &&
    'sqlState' in error &&
    typeof error.sqlState === 'string' &&
    error.sqlState !== ''
  );
}

/** The server's number of an error, also of one that was classified; null of what is none of the server's. */
export function errnoOf(error: unknown): number | null {
  const cause = error instanceof TidelockError ? error.cause : error;
  return isMysqlError(cause) ? cause.errno : null;
}

/** ER_CON_COUNT_ERROR, ER_OUTOFMEMORY, ER_OUT_OF_RESOURCES, ER_DISK_FULL, ER_RECORD_FILE_FULL, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED. */
const resources: ReadonlySet<number> = new Set([1040, 1037, 1041, 1021, 1114, 1203, 1226]);
/**
 * ER_ACCESS_DENIED, ER_ACCESS_DENIED_NO_PASSWORD, ER_MUST_CHANGE_PASSWORD_LOGIN; ER_DBACCESS_DENIED, ER_BAD_DB; ER_NOT_SUPPORTED_AUTH_MODE, ER_HOST_NOT_PRIVILEGED,
 * ER_ACCOUNT_HAS_BEEN_LOCKED.
 */
const refused: ReadonlyMap<number, RefusalCause> = new Map([
  [1045, 'password'],
  [1698, 'password'],
  [1862, 'password'],
  [1044, 'database'],
  [1049, 'database'],
  [1251, 'access'],
  [1130, 'access'],
  [3118, 'access'],
]);
/** ER_TABLEACCESS_DENIED, ER_COLUMNACCESS_DENIED, ER_SPECIFIC_ACCESS_DENIED, ER_PROCACCESS_DENIED. */
const privilege: ReadonlySet<number> = new Set([1142, 1143, 1227, 1370]);
/**
 * ER_SERVER_SHUTDOWN, ER_LOCK_WAIT_TIMEOUT, ER_LOCK_DEADLOCK, ER_QUERY_INTERRUPTED, ER_NEW_ABORTING_CONNECTION, ER_CONNECTION_KILLED, ER_NORMAL_SHUTDOWN,
 * ER_READ_ONLY_MODE, ER_OPTION_PREVENTS_STATEMENT (read_only), ER_QUERY_TIMEOUT and MariaDB's ER_STATEMENT_TIMEOUT, ER_CLIENT_INTERACTION_TIMEOUT,
 * ER_TRANSACTION_ROLLBACK_DURING_COMMIT (a cluster's other member was faster). ER_MASTER_FATAL_ERROR_READING_BINLOG: whether the binlog
 * is gone is told by the check at the next start.
 */
const interrupted: ReadonlySet<number> = new Set([
  1053, 1205, 1213, 1317, 1184, 1927, 1077, 1836, 1290, 3024, 1969, 4031, 3101, 1236,
]);
/** ER_DUP_ENTRY and errors of values and of users' code quote what is in a row. */
const mayQuoteValues = /^(22|23|45)/;
/**
 * So do ER_PARSE_ERROR and ER_SYNTAX_ERROR with a piece of the statement, and ER_INVALID_CHARACTER_STRING, ER_WRONG_VALUE, ER_TRUNCATED_WRONG_VALUE_FOR_FIELD,
 * ER_WRONG_VALUE_FOR_TYPE, ER_NO_PARTITION_FOR_GIVEN_VALUE, ER_DUP_ENTRY_AUTOINCREMENT_CASE, ER_ROW_IN_WRONG_PARTITION, whose states tell nothing.
 */
const quotesStatement: ReadonlySet<number> = new Set([1064, 1149, 1300, 1525, 1366, 1411, 1526, 1569, 1863]);

/** The one place where errors of mysql2 become TidelockErrors, by number, never by text. `address` is told where the words lack it. */
export function classifyMysqlError(error: unknown, node: string, address = ''): TidelockError {
  if (error instanceof TidelockError) return error;
  if (isDefect(error)) return asTidelockError(error);
  const at = (message: string): string =>
    address === '' || message.includes(address) ? message : `${message} (${address})`;
  if (!isMysqlError(error)) return fail(nodeErrors.unreachable, { node, why: at(lostBecause(error)) }, error);
  const { errno, sqlState: state } = error;
  const message =
    mayQuoteValues.test(state) || quotesStatement.has(errno)
      ? `error ${errno}; the server's text is left out since it may hold row values`
      : `error ${errno}: ${error.message}`;
  const why = refused.get(errno);
  if (why !== undefined) return fail(nodeErrors.refused, { node, sqlState: state, message: at(message), why }, error);
  if (privilege.has(errno)) return fail(nodeErrors.privilege, { node, message }, error);
  if (resources.has(errno)) return fail(nodeErrors.resources, { node, sqlState: state, message }, error);
  if (interrupted.has(errno) || state.startsWith('08'))
    return fail(nodeErrors.interrupted, { node, sqlState: state, message }, error);
  return fail(nodeErrors.unexpected, { node, sqlState: state, message }, error);
}

function lostBecause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const words =
    error.message === '' && error instanceof AggregateError ? error.errors.map(String).join('; ') : error.message;
  const code = 'code' in error ? String(error.code) : '';
  return code === '' || words.includes(code) ? words : `${code}: ${words}`;
}
