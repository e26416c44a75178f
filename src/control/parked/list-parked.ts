import type { ParkedTransaction } from '../../core/parked.ts';
import type { RouteDefinition } from '../../core/route.ts';
import type { RouteStateStore } from '../../core/route-state-store.ts';
import { type NodePlace, placeOfNode } from '../node-place.ts';
import type { RouteReader } from '../route-readings.ts';

/** One parked transaction in --json. Part of the contract: keys are added and never changed. */
export type ParkedView = Omit<ParkedTransaction, 'committedAtMs' | 'parkedAtMs'> & {
  readonly committedAt: string;
  readonly parkedAt: string;
};

/** `parked list --json`: in source order. */
export interface ParkedListDocument {
  readonly version: 1;
  readonly route: string;
  readonly target: NodePlace;
  readonly parked: readonly ParkedView[];
}

export async function listParked(definition: RouteDefinition, reader: RouteReader): Promise<ParkedListDocument> {
  const parked = await reader.store(definition, readParked, { long: true });
  const { name, to } = definition;
  return { version: 1, route: name, target: placeOfNode(to), parked: parked.map((one) => parkedView(name, one)) };
}

export async function readParked(store: RouteStateStore): Promise<readonly ParkedTransaction[]> {
  return (await store.read()) === null ? [] : await store.parked.list();
}

export function parkedView(route: string, { committedAtMs, parkedAtMs, ...parked }: ParkedTransaction): ParkedView {
  return {
    ...parked,
    // Stored as it is told of a route that halts; this one has gone on.
    // The route may have had another name then.
    remedy: parked.remedy
      .replaceAll(/"tidelock start [^"\s]+"/g, `"tidelock parked retry ${route} ${parked.id}"`)
      .replace(/ Or set the transaction aside: "tidelock skip [^"]+"\./, ''),
    committedAt: new Date(committedAtMs).toISOString(),
    parkedAt: new Date(parkedAtMs).toISOString(),
  };
}
