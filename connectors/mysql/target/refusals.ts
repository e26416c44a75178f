import { errnoOf, isMysqlError } from '../classify-error.ts';
import { CountMismatch } from './flights.ts';
import { ValueRefusal } from './value-refusal.ts';

/**
 * What a server says of a change beside its SQLSTATEs 22, 23 and 45. ER_NO_DEFAULT_FOR_FIELD, ER_TRUNCATED_WRONG_VALUE_FOR_FIELD, WARN_DATA_TRUNCATED,
 * ER_TRUNCATED_WRONG_VALUE, ER_ILLEGAL_VALUE_FOR_TYPE, ER_NO_PARTITION_FOR_GIVEN_VALUE, ER_ROW_DOES_NOT_MATCH_GIVEN_PARTITION_SET, ER_TOO_BIG_ROWSIZE,
 * ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN and MariaDB's, ER_CHECK_CONSTRAINT_VIOLATED and MariaDB's.
 */
const ofTheChange: ReadonlySet<number> = new Set([
  ...[1364, 1366, 1265, 1292, 1367, 1526, 1748, 1118, 3105, 1906, 3819, 4025],
]);

/** ER_DUP_ENTRY, ER_DUP_ENTRY_WITH_KEY_NAME. */
const duplicates: ReadonlySet<number> = new Set([1062, 1586]);

export function isOfTheChange(error: unknown): boolean {
  return isMysqlError(error) && (ofTheChange.has(error.errno) || /^(?:22|23|45)/.test(error.sqlState));
}

/**
 * ER_NO_DEFAULT_FOR_FIELD, ER_NON_DEFAULT_VALUE_FOR_GENERATED_COLUMN and MariaDB's: the target's table is another one by now, and every row after this one
 * would be met by the same.
 */
const ofTheDefinition: ReadonlySet<number> = new Set([1364, 3105, 1906]);

/** Whether a transaction that was refused with this, classified, may be set aside: what is wrong are its rows. */
export function isOfItsRows(error: unknown): boolean {
  return !ofTheDefinition.has(errnoOf(error) ?? 0);
}

export function isDuplicate(error: unknown): boolean {
  return duplicates.has(errnoOf(error) ?? 0);
}

/** True where replaying the group change by change may go through, or tells which change is at fault. */
export function isOff(error: unknown): boolean {
  return error instanceof CountMismatch || error instanceof ValueRefusal || isOfTheChange(error);
}

/** Why it is off, for the log: never the server's own words, which quote values. */
export function offBecause(error: unknown): object {
  if (error instanceof CountMismatch) return { why: error.message };
  if (error instanceof ValueRefusal) return { column: error.column };
  return isMysqlError(error) ? { errno: error.errno, sqlState: error.sqlState } : {};
}

/**
 * ER_LOCK_DEADLOCK has rolled back everything, ER_LOCK_WAIT_TIMEOUT one statement, and ER_TRANSACTION_ROLLBACK_DURING_COMMIT what another member of the
 * target's cluster was faster with: whichever, the whole is done again.
 */
export function isLockError(error: unknown): boolean {
  const errno = errnoOf(error);
  return errno === 1213 || errno === 1205 || errno === 3101;
}
