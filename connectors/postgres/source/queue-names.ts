import { queueName, type RouteDefinition } from '../../../src/core/route.ts';

/** Slot and publication of a route: its own, named after it, or ones that somebody else made and keeps. */
export interface QueueNames {
  readonly slot: string;
  readonly publication: string;
  readonly ownsSlot: boolean;
  readonly ownsPublication: boolean;
}

export function queueNames(route: RouteDefinition): QueueNames {
  const own = queueName(route);
  return {
    slot: route.given.slot ?? own,
    publication: route.given.publication ?? own,
    ownsSlot: route.given.slot === undefined,
    // A publication has to be there before its slot, so that of a given slot is given too, whatever its name.
    ownsPublication: route.given.publication === undefined && route.given.slot === undefined,
  };
}
