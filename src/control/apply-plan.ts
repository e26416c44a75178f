import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, type TidelockError } from '../core/errors/tidelock-error.ts';
import { pause } from '../core/pause.ts';
import { fingerprintOf } from '../core/route-description.ts';
import type { Reason } from '../core/route-status.ts';
import { planLines, refusalLines } from '../operations/plan-text.ts';
import type { Asked } from './control.ts';
import { journalled } from './journalled.ts';
import type { OpenedRoute } from './open-route.ts';
import { keptRows, type PlanDocument, type PlannedRoute } from './plan-routes.ts';

export interface ApplyOptions {
  readonly routes?: readonly string[];
  readonly keepRows: readonly string[];
  /** Of the plan that was seen and agreed to; null: only what needs nobody's agreement. */
  readonly fingerprint: string | null;
  /** How long an engine that has the route may take. */
  readonly timeoutMs: number;
  /** Of an earlier answer, to go on waiting: nothing is asked for again. */
  readonly waitFor?: readonly { readonly name: string; readonly to: string }[];
}

/** `apply --json`. */
export interface AppliedDocument {
  readonly version: 1;
  readonly routes: readonly AppliedRoute[];
}

export interface AppliedRoute {
  readonly name: string;
  /**
   * `unchanged`: nothing was to be done; `applied`: done; `asked`: stored for the engine that has the route, or takes it next;
   * `failed`: the engine has halted at it; `new`: begins with the next start.
   */
  readonly outcome: 'unchanged' | 'applied' | 'asked' | 'failed' | 'new';
  /** Why it has failed, or why nobody does it now; null where it was done, or the engine is still at it. */
  readonly reason: Reason | null;
  /** Fingerprint of what was asked for, to go on waiting for it; absent where nothing was. */
  readonly to?: string;
}

const pollMs = 100;

function reasonOf({ code, message, remedy }: TidelockError): Reason {
  return { code, message, remedy };
}

/** Throws where something of the plan can't be done, or needs an agreement that was not given: before anything is stored. */
export function demandApplicable(plan: PlanDocument, agreed: string | null): void {
  for (const route of plan.routes) demandPossible(route);
  // Whoever names a plan agrees to that one, also where nobody would have to.
  const asking = plan.routes.find(
    ({ state, needsConsent, pending }) => !pending && (needsConsent || (agreed !== null && state === 'changed')),
  );
  if (asking === undefined || agreed === plan.fingerprint) return;
  throw fail(routeErrors.planNotAgreed, { route: asking.name, other: agreed !== null });
}

function demandPossible(route: PlannedRoute): void {
  const { name, refused, problems } = route;
  if (refused.length > 0) throw fail(routeErrors.changeRefused, { route: name, what: refusalLines(route) });
  const [first] = problems;
  if (first === undefined) return;
  const place = { route: name, errors: problems.length, first: `${first.code} ${first.message}` };
  throw fail(routeErrors.preflightFailed, { ...place, remedy: first.remedy });
}

/**
 * What is written otherwise, and changes nothing for the tables that the route carries: an engine that runs has to take it up all the
 * same, as where a table is excluded at which it has halted.
 */
function isRewritten({ state, applied, configured }: Pick<PlannedRoute, 'state' | 'applied' | 'configured'>): boolean {
  return state === 'unchanged' && applied !== null && applied !== configured;
}

/** Stores it for the engine. Nothing is done here: the lease's holder alone writes. */
export async function askToApply(route: OpenedRoute, planned: PlannedRoute, asked: Asked): Promise<void> {
  const { applied, configured } = planned;
  if (planned.state === 'new') return await begin(route, asked);
  if ((planned.state !== 'changed' && !isRewritten(planned)) || applied === null || planned.pending) return;
  const keepRows = keptRows(planned);
  await journalled(route, asked, {
    action: 'apply',
    details: { from: applied, to: configured, plan: planLines(planned) },
    run: async ({ done }) =>
      (await route.store()).setPending(
        { from: applied, to: configured, keepRows, steps: planned.tables, askedBy: asked.by },
        done,
      ),
  });
}

/** One that was dropped, and that no engine begins anew by itself, comes back. */
async function begin(route: OpenedRoute, asked: Asked): Promise<void> {
  const store = await route.store();
  if ((await store.read()) !== null) return;
  await journalled(route, asked, {
    action: 'apply',
    details: { new: true },
    run: async ({ done }) => {
      await store.migrate();
      await store.register();
      await store.setWanted('running', { askedBy: asked.by, reason: asked.reason, entry: done });
    },
  });
}

export async function awaitApplied(
  route: OpenedRoute,
  planned: Pick<PlannedRoute, 'name' | 'applied' | 'configured' | 'state'>,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<AppliedRoute> {
  const { name, configured } = planned;
  if (planned.state === 'new') return { name, outcome: 'new', reason: null };
  if (planned.state !== 'changed' && !isRewritten(planned)) return { name, outcome: 'unchanged', reason: null };
  const answer = { name, to: configured };
  const store = await route.store();
  const deadlineMs = performance.now() + timeoutMs;
  let wasHeld = false;
  for (;;) {
    const stored = await store.read();
    const { applied = null, holder = null, pending = null } = stored ?? {};
    if (applied !== null && fingerprintOf(applied) === configured)
      return { ...answer, outcome: 'applied', reason: null };
    wasHeld ||= holder !== null && holder.expiresInMs > 0;
    // A lease that is given back tells of an engine that has ended; one that has expired may be between two workers.
    const isHeld = wasHeld && holder !== null;
    // The next start takes it as it is.
    if (!isHeld && isRewritten(planned)) return { name, outcome: 'unchanged', reason: null };
    if (pending?.to === configured && pending.failed !== undefined)
      return { ...answer, outcome: 'failed', reason: pending.failed };
    if (!isHeld || performance.now() > deadlineMs || signal.aborted)
      return {
        ...answer,
        outcome: 'asked',
        reason: isHeld ? null : reasonOf(fail(routeErrors.noEngine, { route: name, since: '' })),
      };
    await pause(pollMs, signal);
  }
}
