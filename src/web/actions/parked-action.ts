import type { RouteDocument } from '../api/documents.ts';
import type { Action } from './action.ts';
import { actionOfRoute } from './action-of-route.ts';

export interface ParkedChoice {
  readonly route: RouteDocument;
  /** Null for all that are parked. */
  readonly ids: readonly number[] | null;
  readonly rows: number;
}

export function parkedAction(verb: 'retry' | 'discard', { route, ids, rows }: ParkedChoice): Action {
  const target = route.target.node;
  const what =
    ids === null
      ? 'All parked transactions'
      : ids.length === 1
        ? `Parked transaction ${ids[0]}`
        : `Parked transactions ${ids.join(', ')}`;
  const isOne = ids?.length === 1;
  return actionOfRoute(route, {
    id: verb,
    label: `${verb === 'retry' ? 'Retry' : 'Discard'} ${ids === null ? 'all' : ids.join(', ')}`,
    path: `routes/${encodeURIComponent(route.name)}/parked/${verb}`,
    body: { ...(ids === null ? { all: true } : { ids }), timeoutMs: 20_000 },
    fields: verb === 'retry' && ids !== null ? ['withEarlier', 'reason'] : ['reason'],
    reasonNeeded: verb === 'discard',
    typed: verb === 'discard' ? route.name : null,
    effect:
      verb === 'retry'
        ? [
            `${what} ${isOne ? 'is' : 'are'} applied to ${target} in source order, each in one transaction. What fails again stays parked.`,
          ]
        : [
            `${what} with ${rows.toLocaleString('en')} row changes ${isOne ? 'is' : 'are'} given up for good: ${target} stays without ${isOne ? 'it' : 'them'}.`,
          ],
  });
}
