import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { PreparedQueue } from '../core/source.ts';
import type { Asked } from './control.ts';
import { journalled } from './journalled.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';
import type { OpenedRoute } from './open-route.ts';

/** `prepare --json`. */
export interface PreparedDocument {
  readonly version: 1;
  readonly route: string;
  readonly source: NodePlace;
  /** Everything that is committed behind it is kept for the route. */
  readonly position: string;
  /** Where the route will begin, if that was told and is another position. */
  readonly copiedAt: string | null;
  /** Good while the command runs (--hold); null where it does not. */
  readonly snapshot: string | null;
  /** The route is configured to load its tables itself, which it does not begin now: load.mode has to be none. */
  readonly loads: boolean;
}

export interface PrepareOptions {
  /** As a person wrote it. */
  readonly copiedAt: string | null;
}

/**
 * Makes the queue of a route for a copy by other means. Needs the source only: the target may not be there yet, or be what is to be
 * copied onto. Where it is, its journal has it; the source has who has asked in any case. Whoever gets the queue closes it when nobody reads
 * its snapshot any more.
 */
export function prepareRoute(
  route: OpenedRoute,
  options: PrepareOptions,
  asked: Asked,
  signal: AbortSignal,
): Promise<PreparedQueue> {
  const { copiedAt } = options;
  return journalled(route, asked, {
    action: 'prepare',
    details: copiedAt === null ? {} : { copiedAt },
    isOptional: true,
    run: () => prepare(route, copiedAt, asked, signal),
    outcome: ({ position }) => ({ position }),
  });
}

async function prepare(
  { definition, source }: OpenedRoute,
  given: string | null,
  { by }: Asked,
  signal: AbortSignal,
): Promise<PreparedQueue> {
  const [first, ...more] = (await source.preflight()).filter(({ level }) => level === 'error');
  if (first !== undefined) {
    const place = { route: definition.name, errors: 1 + more.length, first: `${first.code} ${first.message}` };
    throw fail(routeErrors.preflightFailed, { ...place, remedy: first.remedy });
  }
  const copiedAt = given === null ? null : source.order.parse(given);
  return await source.prepareQueue({ copiedAt, by }, signal);
}

export function preparedDocument(
  { definition }: OpenedRoute,
  { position, copiedAt, snapshot }: PreparedQueue,
  { holds }: { readonly holds: boolean },
): PreparedDocument {
  const { name: route, from, load } = definition;
  return {
    version: 1,
    route,
    source: placeOfNode(from),
    position,
    copiedAt,
    snapshot: holds ? snapshot : null,
    loads: load.mode === 'initial',
  };
}
