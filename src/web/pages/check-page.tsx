import type { ComponentChildren } from 'preact';
import { confirmAction } from '../actions/action-dialog.tsx';
import { dropOrphansAction, forgetNodeAction } from '../actions/leftover-actions.ts';
import type { FindingDocument, SharedCheckDocument } from '../api/documents.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Findings } from '../components/findings.tsx';
import { Panel } from '../components/panel.tsx';
import { bySeverity } from '../components/tone.ts';
import { liveStatus } from '../state/live.ts';
import { hrefOf } from '../state/place.ts';
import { may } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';

/** No server answers there. */
const unreachable = 'TL-5001';

/** What the servers and the service have to be mended for; what is one route's alone is with the route. */
export function CheckPage() {
  const check = useDocument<SharedCheckDocument>('check');
  const routes = (liveStatus.value?.routes ?? []).toSorted(bySeverity);
  return (
    <>
      <div class="route-head">
        <div>
          <h1>Check</h1>
          <p class="muted">What the servers and this service have to be mended for, with all routes that use them.</p>
        </div>
        <div class="actions">
          <button type="button" onClick={check.reload} disabled={check.loading}>
            {check.loading ? 'Checking…' : 'Check again'}
          </button>
          {may('admin') && (
            <button type="button" onClick={() => confirmAction(dropOrphansAction(), check.reload)}>
              Drop orphans…
            </button>
          )}
        </div>
      </div>
      {check.error !== null && <ErrorNotice error={check.error} what="The check could not be made." />}
      {check.loading && check.document === null && <p class="empty">Asking all nodes…</p>}
      {check.document !== null && (
        <>
          {check.document.nodes.map(({ name, findings, place }) => (
            <Checked
              key={name}
              title={name}
              place={`${place.hosts.join(', ')}${place.database === '' ? '' : ` · ${place.database}`}`}
              findings={findings}
            >
              {may('admin') && findings.some(({ code }) => code === unreachable) && (
                <button type="button" class="small" onClick={() => confirmAction(forgetNodeAction(name), check.reload)}>
                  Forget the node…
                </button>
              )}
            </Checked>
          ))}
          <Checked
            title="Service"
            place="ports, tokens, certificate, notifications"
            findings={check.document.service.findings}
          />
        </>
      )}
      {routes.length > 0 && (
        <Panel title="Routes">
          <p class="muted">What is one route’s alone, such as its tables, is checked there:</p>
          <ul class="links">
            {routes.map(({ name }) => (
              <li key={name}>
                <a href={hrefOf({ page: 'route', route: name, section: 'check' })}>{name}</a>
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </>
  );
}

interface CheckedProps {
  readonly title: string;
  readonly place: string;
  readonly findings: readonly FindingDocument[];
  /** What can be done about it. */
  readonly children?: ComponentChildren;
}

function Checked({ title, place, findings, children }: CheckedProps) {
  // What the server is wants nobody to do anything.
  const about = findings.find(({ code }) => code === 'node.server');
  return (
    <Panel title={title} aside={<span class="muted place">{place}</span>}>
      {about !== undefined && <p>{about.message}</p>}
      <Findings findings={findings.filter((finding) => finding !== about)} fine="Nothing has to be mended." />
      {children}
    </Panel>
  );
}
