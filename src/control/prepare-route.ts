import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { PreparedQueue } from '../core/source.ts';
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
}

export interface PrepareOptions {
  /** As a person wrote it. */
  readonly copiedAt: string | null;
  readonly signal: AbortSignal;
}

/**
 * Makes the queue of a route for a copy by other means. Asks the source only: the target may not be there yet, or be what is to be
 * copied onto. Whoever gets the queue closes it when nobody reads its snapshot any more.
 */
export async function prepareRoute(
  { definition, source }: OpenedRoute,
  { copiedAt, signal }: PrepareOptions,
): Promise<PreparedQueue> {
  const [first, ...more] = (await source.preflight()).filter(({ level }) => level === 'error');
  if (first !== undefined) {
    const place = { route: definition.name, errors: 1 + more.length, first: `${first.code} ${first.message}` };
    throw fail(routeErrors.preflightFailed, { ...place, remedy: first.remedy });
  }
  return await source.prepareQueue(signal, copiedAt === null ? null : source.order.parse(copiedAt));
}

export function preparedDocument(
  { definition }: OpenedRoute,
  { position, copiedAt, snapshot }: PreparedQueue,
  { holds }: { readonly holds: boolean },
): PreparedDocument {
  const { name: route, from } = definition;
  return { version: 1, route, source: placeOfNode(from), position, copiedAt, snapshot: holds ? snapshot : null };
}
