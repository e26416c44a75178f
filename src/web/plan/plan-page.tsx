import { useEffect, useState } from 'preact/hooks';
import { confirmAction } from '../actions/action-dialog.tsx';
import { applyAction } from '../actions/apply-action.tsx';
import { ApiError } from '../api/api-error.ts';
import type { PlanDocument, PlannedRoute } from '../api/documents.ts';
import { ToneSign } from '../components/badge.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { counted } from '../format/numbers.ts';
import { liveStatus } from '../state/live.ts';
import { ask, may } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';
import { PlannedPanel } from './planned-panel.tsx';

/** While something is under way that was agreed to. */
const followMs = 2000;

/** What `tidelock apply` would do, the agreement to it, and what has come of it. */
export function PlanPage() {
  const [kept, setKept] = useState<readonly string[]>([]);
  /** Routes that were asked for here. */
  const [asked, setAsked] = useState<readonly string[]>([]);
  const [follows, setFollows] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const plan = useDocument<PlanDocument>(planPath({ kept }), follows ? { everyMs: followMs } : {});
  const routes = plan.document?.routes ?? [];
  const changed = routes.filter(({ state }) => state !== 'unchanged');
  const done = plan.document === null ? [] : asked.filter((name) => !changed.some((route) => route.name === name));
  const isUnderWay = changed.some(({ pending, state, name }) => pending || (state === 'new' && asked.includes(name)));
  useEffect(() => setFollows(isUnderWay), [isUnderWay]);
  // What was kept has been carried out, or is no longer configured: it is nothing to choose any more.
  useEffect(() => {
    if (plan.error?.status === 400 || plan.error?.status === 409) setKept([]);
  }, [plan.error]);

  const known = new Set(liveStatus.value?.routes.map(({ name }) => name));
  const isOpen = ({ state, pending, name }: PlannedRoute) =>
    (state === 'changed' && !pending) || (state === 'new' && !known.has(name));
  const open = changed.filter(isOpen);
  const isPossible = (some: readonly PlannedRoute[]) =>
    some.every(({ refused, problems }) => refused.length + problems.length === 0);
  /** Of these routes, as it is now: what is agreed to is what the dialog shows. */
  const apply = async (some: readonly PlannedRoute[]) => {
    const tables = some.flatMap((route) => route.tables.map(({ source }) => source));
    const keepRows = kept.filter((table) => tables.includes(table));
    const names = some.map(({ name }) => name);
    try {
      const document = await ask<PlanDocument>(planPath({ kept: keepRows, names }));
      setError(null);
      // Somebody else has done it meanwhile, or the file says what it said before.
      if (document.routes.every(({ state }) => state === 'unchanged')) return plan.reload();
      confirmAction(applyAction(document, keepRows), () => {
        setAsked([...new Set([...asked, ...names])]);
        plan.reload();
      });
    } catch (caught) {
      setError(caught instanceof ApiError ? caught : new ApiError(0, { message: String(caught) }));
    }
  };

  return (
    <>
      <div class="route-head">
        <div>
          <h1>Plan</h1>
          <p class="muted">What the configuration file asks for that the routes don’t do yet.</p>
        </div>
        <div class="actions">
          <button type="button" onClick={plan.reload} disabled={plan.loading && !follows}>
            {plan.loading && !follows ? 'Reading…' : 'Read again'}
          </button>
          {may('admin') && open.length > 1 && (
            <button type="button" class="primary" disabled={!isPossible(open)} onClick={() => void apply(open)}>
              Apply all…
            </button>
          )}
        </div>
      </div>
      {may('admin') && open.length > 1 && !isPossible(open) && (
        <p class="muted">All at once is for when nothing stands in the way of any of them.</p>
      )}
      {plan.error !== null && <ErrorNotice error={plan.error} what="The plan could not be made." />}
      {error !== null && <ErrorNotice error={error} what="Nothing was applied." />}
      {done.map((name) => (
        <p key={name} class="notice tone-ok" role="status">
          <ToneSign tone="ok" /> {name} does what the configuration says.
        </p>
      ))}
      {plan.document !== null && changed.length === 0 && (
        <p class="empty" role="status">
          Nothing is to be done: {counted(routes.length, 'route')} as configured.
        </p>
      )}
      {changed.map((route) => (
        <PlannedPanel
          key={route.name}
          route={route}
          live={liveStatus.value?.routes.find(({ name }) => name === route.name)}
          kept={kept}
          onKeep={
            may('admin') && !route.pending
              ? (table, keeps) => setKept(keeps ? [...kept, table] : kept.filter((one) => one !== table))
              : null
          }
        >
          {may('admin') && isOpen(route) && (
            <button
              type="button"
              class="small primary"
              disabled={!isPossible([route])}
              onClick={() => void apply([route])}
            >
              Apply…
            </button>
          )}
        </PlannedPanel>
      ))}
      {!may('admin') && open.length > 0 && (
        <p class="muted">
          An admin applies it here, or with <code>tidelock apply</code>.
        </p>
      )}
    </>
  );
}

function planPath({
  kept,
  names = [],
}: {
  readonly kept: readonly string[];
  readonly names?: readonly string[];
}): string {
  const query = new URLSearchParams([
    ...names.map((name) => ['route', name]),
    ...kept.map((table) => ['keepRows', table]),
  ]).toString();
  return query === '' ? 'plan' : `plan?${query}`;
}
