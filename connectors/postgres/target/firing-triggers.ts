import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail, type TidelockError } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { TargetTable } from './target-table.ts';

/** Name under which a route allows that triggers and cascades at the target act on replicated rows. */
export const allowTriggers = 'targetTriggers';

/** The error (halt) where something at the target would act on rows that the route writes and is not allowed by name. */
export function firingTriggers(
  route: RouteDefinition,
  target: TargetTable,
  replicaRole: boolean,
): TidelockError | null {
  if (route.allow.includes(allowTriggers)) return null;
  // Statements on a table with a deferrable unique constraint run under the ordinary role (see set-apply.ts).
  const isOrdinary = !replicaRole || target.hasDeferrableUnique;
  const triggers = [
    ...(isOrdinary ? target.ordinaryTriggers : target.replicaTriggers),
    ...(isOrdinary ? target.cascades.map((name) => `cascading foreign key ${name}`) : []),
  ];
  if (triggers.length === 0) return null;
  const why = !isOrdinary
    ? 'they are enabled for the replica role'
    : replicaRole
      ? 'its deferrable unique constraint is only checked under the ordinary replication role'
      : "Tidelock's user may not set session_replication_role";
  const place = { route: route.name, table: tableLabel(target) };
  return fail(targetErrors.triggersWouldFire, { ...place, triggers: triggers.join(', '), why });
}
