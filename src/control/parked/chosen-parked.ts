import { configErrors } from '../../core/errors/catalogue/config.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';

/** The parked transaction of this number. Throws (usage) for what is none, or not parked. */
export function chosenParked<P extends { readonly id: number }>(route: string, parked: readonly P[], id: string): P {
  if (!/^\d{1,15}$/.test(id)) throw fail(configErrors.arguments, { why: `a number is wanted, not "${id}"` });
  const found = parked.find((one) => one.id === Number(id));
  if (found === undefined) throw fail(routeErrors.parkedUnknown, { route, id });
  return found;
}
