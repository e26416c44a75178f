import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { ParkedCause } from '../../../src/core/parked.ts';
import type { Position } from '../../../src/core/position.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';

/** Data (22), constraints (23, 27, 44), what does not fit a page or an index (54), a trigger's own (P0), counts (21). */
const ofTheData = /^(21|22|23|27|44|54|P0)/;

/**
 * Why the transaction could be set aside, null where it can't. Only what is wrong with its rows: a definition, a
 * privilege or a server that is wrong would be met by every transaction after it, and all would be parked one by one.
 */
export function parkableCause(
  error: TidelockError,
  isOfTheData = (sqlState: string, _error: TidelockError): boolean => ofTheData.test(sqlState),
): ParkedCause | null {
  if (error.code === targetErrors.collision.code || error.code === targetErrors.incompleteRow.code) return 'collision';
  if (error.code === targetErrors.tooManyDisplaced.code || error.code === targetErrors.valueAltered.code)
    return 'error';
  if (error.code !== targetErrors.applyFailed.code && error.code !== targetErrors.commitFailed.code) return null;
  const { sqlState } = error.place as { sqlState?: string };
  return isOfTheData(sqlState ?? '', error) ? 'error' : null;
}

/** Which source transaction a route has halted at. Its end is null where not all of it was there yet. */
export interface HaltingTransaction {
  readonly id: string;
  readonly position: Position | null;
}

/** The same error, naming the transaction and the way around it. */
export function haltAt(error: TidelockError, part: TransactionPart, route: string): TidelockError {
  const transaction: HaltingTransaction = { id: part.id, position: part.commit?.position ?? null };
  const { code, message, remedy, recovery, place } = error;
  const more = `Or set the transaction aside: "tidelock skip ${route} --transaction ${part.id} --reason TEXT".`;
  return new TidelockError(
    { code, recovery, title: '', explanation: '', message: () => message, remedy: () => remedy },
    { message, remedy: `${remedy} ${more}`, place: { ...place, transaction } },
    error.cause,
  );
}
