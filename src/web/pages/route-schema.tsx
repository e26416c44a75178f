import type { SchemaDocument } from '../api/documents.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Findings } from '../components/findings.tsx';
import { Panel } from '../components/panel.tsx';
import { counted } from '../format/numbers.ts';
import { useDocument } from '../state/use-document.ts';

/** How the target's tables differ from what the source's would be there, and what they lack. `tidelock schema ROUTE` makes it. */
export function RouteSchema({ route }: { readonly route: string }) {
  const schema = useDocument<SchemaDocument>(`routes/${encodeURIComponent(route)}/schema`);
  const { document: found } = schema;
  return (
    <Panel
      title="Schema"
      aside={
        <button type="button" class="small" onClick={schema.reload} disabled={schema.loading}>
          {schema.loading ? 'Checking…' : 'Look again'}
        </button>
      }
    >
      {schema.error !== null && <ErrorNotice error={schema.error} what="The schemas could not be compared." />}
      {schema.loading && found === null && <p class="empty">Asking both nodes…</p>}
      {found !== null && (
        <>
          <p role="status">{summaryOf(found)}</p>
          <Findings findings={found.findings} fine="" />
          <Lacks {...found} />
          <LeftOut {...found} />
        </>
      )}
    </Panel>
  );
}

function summaryOf({ statements, findings }: SchemaDocument): string {
  if (statements.length + findings.length === 0) return 'The target’s tables are as the source’s would be there.';
  const differ =
    findings.length === 0 ? 'What is there is as it should be' : `${counted(findings.length, 'difference')}`;
  return `${differ}; ${statements.length === 0 ? 'nothing is missing' : `${counted(statements.length, 'statement')} would make what is missing`}.`;
}

function Lacks({ route, statements }: SchemaDocument) {
  if (statements.length === 0) return null;
  const script = statements.map(({ text }) => `${text};\n`).join('');
  return (
    <section class="detail">
      <h3>What the target lacks</h3>
      <ul>
        {statements.map(({ what, half }) => (
          <li key={what}>
            {what} <span class="muted">{half === 'before' ? 'before the load' : 'after the load'}</span>
          </li>
        ))}
      </ul>
      <details>
        <summary>The statements</summary>
        <div class="statement">
          <pre>
            <code>{script}</code>
          </pre>
          <CopyButton text={script} what="statements" />
        </div>
      </details>
      <p class="muted">
        <code>tidelock schema {route} --apply</code> carries them out.
      </p>
    </section>
  );
}

/** What is nobody's to make but a person's. */
function LeftOut({ left }: SchemaDocument) {
  if (left.length === 0) return null;
  return (
    <details class="detail">
      <summary>Not made by Tidelock: {left.length}</summary>
      <ul>
        {left.map(({ kind, name, why, isNeeded }) => (
          <li key={`${kind} ${name}`}>
            {kind} {name}
            {isNeeded && <strong> (has to be there first)</strong>}
            {why !== undefined && <span class="muted">: {why}</span>}
          </li>
        ))}
      </ul>
    </details>
  );
}
