import { TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { MappingFailure } from '../../../src/core/transaction.ts';

/** The error that the transforms have ended with. */
export function mappingError({ code, message, remedy, place }: MappingFailure): TidelockError {
  const kind = { code, title: '', explanation: '', message: () => message, remedy: () => remedy };
  return new TidelockError({ ...kind, recovery: 'halt' }, { message, remedy, place });
}
