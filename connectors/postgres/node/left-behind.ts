import type { LeftBehind } from '../../../src/core/node-inspector.ts';
import { type RouteDefinition, routeKey } from '../../../src/core/route.ts';
import { quoteIdentifier, quoteLiteral } from '../identifiers.ts';
import { captureDrops } from '../source/ddl-capture.ts';
import { queueNames } from '../source/queue-names.ts';

/** What is of the route alone, by its names. What was given to it stays. */
export function leftBehind(route: RouteDefinition, side: 'source' | 'target'): LeftBehind {
  if (side === 'target')
    return {
      parts: ['state'],
      statements: [`DELETE FROM tidelock.routes WHERE key = ${quoteLiteral(routeKey(route))};`],
    };
  const { slot, publication, ownsSlot, ownsPublication } = queueNames(route);
  const capture = captureDrops(route);
  return {
    parts: [
      ...(ownsSlot ? (['slot'] as const) : []),
      ...(ownsPublication ? (['publication'] as const) : []),
      ...(capture.length > 0 ? (['capture'] as const) : []),
    ],
    statements: [
      ...(ownsSlot
        ? [
            `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = ${quoteLiteral(slot)} AND database = current_database();`,
          ]
        : []),
      ...(ownsPublication ? [`DROP PUBLICATION IF EXISTS ${quoteIdentifier(publication)};`] : []),
      ...capture,
    ],
  };
}
