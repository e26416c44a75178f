import type { MakeEntry } from '../core/action.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import type { Position } from '../core/position.ts';
import type { WantedState } from '../core/route-status.ts';
import type { Asked } from './control.ts';
import type { OpenedRoute } from './open-route.ts';

/** `skip --json`. */
export interface SkippedTransaction {
  readonly version: 1;
  readonly route: string;
  readonly transaction: string;
  readonly position: string | null;
  readonly desiredState: WantedState;
}

/** Sets the transaction aside that the route has halted at, and lets it go on. */
export async function skipTransaction(
  route: OpenedRoute,
  transaction: string,
  asked: Asked,
  entry: MakeEntry,
): Promise<SkippedTransaction> {
  const { name } = route.definition;
  const store = await route.store();
  const stored = await store.read();
  const status = stored?.status ?? null;
  const halted = status?.state === 'failed' ? (status.reason?.transaction ?? null) : null;
  if (stored === null || status?.reason == null || halted === null || halted.id !== transaction) {
    const at = halted === null ? '' : ` at transaction ${halted.id}`;
    throw fail(routeErrors.notHalted, { route: name, transaction, state: status?.state ?? 'not running', at });
  }
  const { code, message, remedy = '' } = status.reason;
  await store.parked.skip(
    {
      transaction: halted.id,
      position: halted.position as Position | null,
      code,
      message,
      remedy,
      reason: asked.reason ?? '',
      askedBy: asked.by,
    },
    entry,
  );
  // An engine that has halted there tries again; one that was stopped stays so.
  const { by: askedBy, reason } = asked;
  const wanted = await store.setWanted('running', { askedBy, reason, instead: ['running'] });
  const { id, position } = halted;
  const desiredState = wanted?.state ?? stored.wanted.state;
  return { version: 1, route: name, transaction: id, position, desiredState };
}
