import type { FindingDocument } from '../api/documents.ts';
import { ToneSign } from '../components/badge.tsx';
import { CopyButton } from '../components/copy-button.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Panel } from '../components/panel.tsx';
import type { Tone } from '../components/tone.ts';
import { useDocument } from '../state/use-document.ts';

const toneOf: Readonly<Record<string, Tone>> = { error: 'critical', warning: 'warning', info: 'info' };
const order = ['error', 'warning', 'info'];

/** What the preflight finds at both nodes now, with the statements that mend it. */
export function RouteCheck({ route }: { readonly route: string }) {
  const check = useDocument<{ readonly findings: readonly FindingDocument[] }>(
    `routes/${encodeURIComponent(route)}/check`,
  );
  const findings = check.document?.findings.toSorted((a, b) => order.indexOf(a.level) - order.indexOf(b.level)) ?? [];
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
              ? `Not ready: ${errors} of ${findings.length} findings keep the route from starting.`
              : findings.length === 0
                ? 'Ready: nothing to say about either node.'
                : `Ready, with ${findings.length} findings.`}
          </p>
          <ul class="findings">
            {findings.map((finding) => (
              <Finding key={`${finding.node} ${finding.code} ${finding.message}`} {...finding} />
            ))}
          </ul>
        </>
      )}
    </Panel>
  );
}

function Finding({ level, code, node, message, remedy, statement }: FindingDocument) {
  const tone = toneOf[level] ?? 'unknown';
  return (
    <li class={`notice tone-${tone}`}>
      <ToneSign tone={tone} />
      <div>
        <p>
          <span class="muted">
            {level} at {node}
          </span>{' '}
          <code>{code}</code> {message}
        </p>
        {remedy !== '' && <p class="muted">{remedy}</p>}
        {statement !== undefined && (
          <div class="statement">
            <pre>
              <code>{statement}</code>
            </pre>
            <CopyButton text={statement} what="statement" />
          </div>
        )}
      </div>
    </li>
  );
}
