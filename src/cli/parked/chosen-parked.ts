import { configErrors } from '../../core/errors/catalogue/config.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { ParkedTransaction } from '../../core/parked.ts';

/** The parked transactions of these numbers. Throws (usage) for what is none, or not parked. */
export function chosenParked(
  route: string,
  parked: readonly ParkedTransaction[],
  ids: readonly string[],
): ParkedTransaction[] {
  return [...new Set(ids)].map((id) => {
    if (!/^\d+$/.test(id)) throw fail(configErrors.arguments, { why: `a number is wanted, not "${id}"` });
    const found = parked.find((one) => one.id === Number(id));
    if (found === undefined) throw fail(routeErrors.parkedUnknown, { route, id });
    return found;
  });
}
