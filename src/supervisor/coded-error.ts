import { nodeErrors } from '../core/errors/catalogue/node.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { asTidelockError, isDefect } from '../core/errors/defect.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Reason } from '../core/route-status.ts';

/** A plain error without a code is nobody's halt: it ends the worker, which is started again. */
export function codedError(reason: unknown): TidelockError {
  if (!(reason instanceof TidelockError || isDefect(reason))) throw reason;
  return asTidelockError(reason);
}

/** As it is told and stored. */
export function reasonOf({ code, message, remedy, place }: TidelockError): Reason {
  const { transaction } = place as Pick<Reason, 'transaction'>;
  return { code, message, remedy, ...(transaction !== undefined && { transaction }) };
}

/** The route's state at the target, or all of them, went while it was read. */
export function isStateGone({ code, place }: TidelockError): boolean {
  if (code === routeErrors.notRegistered.code) return true;
  return (
    code === nodeErrors.unexpected.code && /^(42P01|3F000)$/.test(String((place as { sqlState?: string }).sqlState))
  );
}
