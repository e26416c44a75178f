import { ErrorNotice } from '../components/error-notice.tsx';
import { Panel } from '../components/panel.tsx';
import { useDocument } from '../state/use-document.ts';

interface PlanDocument {
  readonly [key: string]: unknown;
}

/** What `tidelock apply` would do. It is looked at here, and done on the command line. */
export function PlanPage() {
  const plan = useDocument<PlanDocument>('plan');
  return (
    <>
      <h1>Plan</h1>
      <Panel
        title="What the configuration file asks for"
        aside={
          <button type="button" class="small" onClick={plan.reload} disabled={plan.loading}>
            {plan.loading ? 'Reading…' : 'Read again'}
          </button>
        }
      >
        {plan.error !== null && <ErrorNotice error={plan.error} what="The plan could not be made." />}
        {plan.document !== null && (
          <pre class="document">
            <code>{JSON.stringify(plan.document, null, 2)}</code>
          </pre>
        )}
      </Panel>
    </>
  );
}
