import { configErrors } from '../core/errors/catalogue/config.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import { didYouMean } from '../core/nearest-name.ts';

/** For a name that the configuration does not have, with those that it has; `what` is route or node. */
export function unknownName(what: string, name: string, there: readonly string[]): TidelockError {
  return fail(configErrors.unknownName, { what, name, hint: hint(name, there) });
}

function hint(name: string, there: readonly string[]): string {
  const nearest = didYouMean(name, there);
  if (nearest !== '' || there.length === 0) return nearest;
  return `; there ${there.length === 1 ? 'is' : 'are'} ${there.slice(0, 10).join(', ')}${there.length > 10 ? ' and more' : ''}`;
}
