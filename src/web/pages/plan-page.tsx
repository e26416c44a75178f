import type { PlanDocument } from '../api/documents.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { counted } from '../format/numbers.ts';
import { useDocument } from '../state/use-document.ts';
import { PlannedPanel } from './planned-panel.tsx';

/** What `tidelock apply` would do. It is looked at here, and done on the command line. */
export function PlanPage() {
  const plan = useDocument<PlanDocument>('plan');
  const routes = plan.document?.routes ?? [];
  const changed = routes.filter(({ state }) => state !== 'unchanged');
  return (
    <>
      <div class="route-head">
        <div>
          <h1>Plan</h1>
          <p class="muted">What the configuration file asks for that the routes don’t do yet.</p>
        </div>
        <button type="button" onClick={plan.reload} disabled={plan.loading}>
          {plan.loading ? 'Reading…' : 'Read again'}
        </button>
      </div>
      {plan.error !== null && <ErrorNotice error={plan.error} what="The plan could not be made." />}
      {plan.document !== null && changed.length === 0 && (
        <p class="empty" role="status">
          Nothing is to be done: {counted(routes.length, 'route')} as configured.
        </p>
      )}
      {changed.map((route) => (
        <PlannedPanel key={route.name} route={route} />
      ))}
      {plan.document !== null && changed.length > 0 && (
        <p class="muted">
          It is carried out with <code>tidelock apply</code>. Plan <code>{plan.document.fingerprint}</code>
        </p>
      )}
    </>
  );
}
