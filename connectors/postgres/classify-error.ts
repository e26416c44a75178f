import { nodeErrors, type RefusalCause } from '../../src/core/errors/catalogue/node.ts';
import { asTidelockError, isDefect } from '../../src/core/errors/defect.ts';
import { fail, TidelockError } from '../../src/core/errors/tidelock-error.ts';

/** The fields of a server's error that we rely on. */
export interface PostgresError extends Error {
  readonly code: string;
  readonly severity: string;
  readonly schema?: string;
  readonly table?: string;
  readonly column?: string;
  readonly constraint?: string;
  /** May hold values. */
  readonly where?: string;
}

export function isPostgresError(error: unknown): error is PostgresError {
  return error instanceof Error && 'severity' in error && 'code' in error && /^[0-9A-Z]{5}$/.test(String(error.code));
}

/** SQLSTATE of a server's error, null for anything else. */
export function sqlState(error: unknown): string | null {
  return isPostgresError(error) ? error.code : null;
}

/** invalid_password; invalid_catalog_name. The rest of class 28 is about who may come from where. */
const refusals: Readonly<Record<string, RefusalCause>> = { '28P01': 'password', '3D000': 'database' };

const at = (message: string, address: string): string =>
  address === '' || message.includes(address) ? message : `${message} (${address})`;

/** The driver's own words, with the system's code where they lack it. What it says of its own state means nothing to a reader. */
function lostBecause(error: unknown, message: string): string {
  if (/^Client .* is not queryable$/.test(message)) return 'the connection was lost';
  // A name with several addresses (localhost: ::1 and 127.0.0.1) fails as one error without words for all of them.
  const words = message === '' && error instanceof AggregateError ? error.errors.map(String).join('; ') : message;
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return code === '' || words.includes(code) ? words : `${code}: ${words}`;
}

/**
 * The one place where errors of pg become TidelockErrors, by SQLSTATE (PostgreSQL, Appendix A), never by text.
 * Class 08 and 57P: the connection or the server went away. 53: out of a resource. 40, 55P03: whole transaction again.
 * 28, 3D000: refused by who we are; a person has to act, though it is retried since credentials are rotated.
 * `address` (host:port) is told where the words lack it.
 */
export function classifyPostgresError(error: unknown, node: string, address = ''): TidelockError {
  if (error instanceof TidelockError) return error;
  if (isDefect(error)) return asTidelockError(error);
  const state = sqlState(error);
  const message = safeMessage(error, state);
  if (state === null)
    return fail(nodeErrors.unreachable, { node, why: at(lostBecause(error, message), address) }, error);
  const why = refusals[state] ?? (state.startsWith('28') ? 'access' : null);
  if (why !== null)
    return fail(nodeErrors.refused, { node, sqlState: state, message: at(message, address), why }, error);
  if (state === '42501') return fail(nodeErrors.privilege, { node, message }, error);
  if (state.startsWith('53')) return fail(nodeErrors.resources, { node, sqlState: state, message }, error);
  if (/^(08|57P|40|55P03|25006|57014)/.test(state))
    return fail(nodeErrors.interrupted, { node, sqlState: state, message }, error);
  return fail(nodeErrors.unexpected, { node, sqlState: state, message }, error);
}

/**
 * Data exceptions (class 22) and messages raised by user code (P0) may quote a row's values, which are never logged:
 * of those only the place is kept.
 */
function safeMessage(error: unknown, state: string | null): string {
  if (!(error instanceof Error)) return String(error);
  if (!isPostgresError(error) || (!state?.startsWith('22') && !state?.startsWith('P0'))) return error.message;
  const place = [error.schema, error.table, error.column, error.constraint].filter(Boolean).join('.');
  return `the server's text is left out since it may hold row values${place && `; it names ${place}`}`;
}
