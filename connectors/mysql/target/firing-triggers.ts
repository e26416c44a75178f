import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { TargetTable } from './target-table.ts';

/** Name under which a route allows that triggers at the target act on replicated rows. */
const allowTriggers = 'targetTriggers';

/**
 * Throws (halt) where a trigger would act on rows that the route writes and is not allowed by name: no session can switch them off here. Cascades are
 * wanted where foreign keys act: then the source logs nothing of its own.
 */
export function demandNothingFires(route: RouteDefinition, target: TargetTable): void {
  if (route.allow.includes(allowTriggers) || target.triggers.length === 0) return;
  throw fail(targetErrors.triggersWouldFire, {
    route: route.name,
    table: tableLabel(target),
    triggers: target.triggers.map((name) => `trigger ${name}`).join(', '),
    why: 'MySQL and MariaDB have no way to switch triggers off for one session',
  });
}
