import type { FindingDocument } from '../api/documents.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Findings } from '../components/findings.tsx';
import { Panel } from '../components/panel.tsx';
import { counted } from '../format/numbers.ts';
import { hrefOf } from '../state/place.ts';
import { useDocument } from '../state/use-document.ts';

/** What the preflight finds at both nodes now, with the statements that mend it. */
export function RouteCheck({ route }: { readonly route: string }) {
  const check = useDocument<{ readonly findings: readonly FindingDocument[] }>(
    `routes/${encodeURIComponent(route)}/check`,
  );
  const findings = check.document?.findings ?? [];
  const errors = findings.filter(({ level }) => level === 'error').length;
  return (
    <Panel
      title="Check"
      aside={
        <button type="button" class="small" onClick={check.reload} disabled={check.loading}>
          {check.loading ? 'Checking…' : 'Check again'}
        </button>
      }
    >
      {check.error !== null && <ErrorNotice error={check.error} what="The check could not be made." />}
      {check.loading && check.document === null && <p class="empty">Asking both nodes…</p>}
      {check.document !== null && (
        <>
          <p role="status">
            {errors > 0
              ? `Not ready: ${errors} of ${counted(findings.length, 'finding')} ${errors === 1 ? 'keeps' : 'keep'} the route from starting.`
              : findings.length === 0
                ? 'Ready: nothing to say about either node.'
                : `Ready, with ${counted(findings.length, 'finding')}.`}
          </p>
          <Findings findings={findings} fine="" />
          <p class="muted">
            What concerns the servers and the service with all their routes:{' '}
            <a href={hrefOf({ page: 'check' })}>Check</a>
          </p>
        </>
      )}
    </Panel>
  );
}
