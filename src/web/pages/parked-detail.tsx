import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { ParkedDetailDocument, ShownCell, ShownChange } from '../api/documents.ts';
import { ErrorNotice } from '../components/error-notice.tsx';
import { useInView } from '../components/use-in-view.ts';
import { bytes, counted } from '../format/numbers.ts';
import { may } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';

/** One parked transaction; the values of its rows only when an operator asks for them. */
export interface ParkedDetailProps {
  readonly path: string;
  readonly id: number;
  /** What can be done about it. */
  readonly children?: ComponentChildren;
}

export function ParkedDetail({ path, id, children }: ParkedDetailProps) {
  const [values, setValues] = useState(false);
  const { document: parked, error } = useDocument<ParkedDetailDocument>(values ? `${path}?values=true` : path);
  const section = useInView<HTMLElement>(parked !== null);
  if (error !== null) return <ErrorNotice error={error} what={`Parked transaction ${id} could not be read.`} />;
  if (parked === null) return <p class="empty">Reading…</p>;
  const truncates = parked.tables.reduce((sum, table) => sum + table.truncates, 0);
  const hidden = parked.rows + truncates - parked.changes.length;
  return (
    <section ref={section} class="detail" aria-label={`Parked transaction ${id}`}>
      <div class="detail-head">
        <h3>Parked transaction {id}</h3>
        {children}
      </div>
      <p>
        <code>{parked.code}</code> {parked.message}
      </p>
      <p class="muted">{parked.remedy}</p>
      <p class="muted">
        {counted(parked.rows, 'row')}, {bytes(parked.bytes)} stored; holds {counted(parked.keys.length, 'key')}.
      </p>
      {may('operator') && !values && (
        <button type="button" class="small" onClick={() => setValues(true)}>
          Show the values (they may be confidential)
        </button>
      )}
      <ol class="changes">
        {parked.changes.map((change, at) => (
          <Change key={at} change={change} />
        ))}
      </ol>
      {hidden > 0 && (
        <p class="muted">
          {counted(hidden, 'change')} more: <code>tidelock parked show</code> has them all.
        </p>
      )}
    </section>
  );
}

function Change({ change }: { readonly change: ShownChange }) {
  const { before, after } = change;
  const columns = Object.keys({ ...before, ...after });
  return (
    <li>
      <strong>{change.change}</strong> {change.tables.join(', ')}{' '}
      {change.keys.length > 0 && <code>{change.keys.join(' → ')}</code>}
      {columns.length > 0 && (
        <div class="scroll">
          <table class="values">
            <thead>
              <tr>
                <th scope="col">Column</th>
                {before !== undefined && <th scope="col">Before</th>}
                {after !== undefined && <th scope="col">After</th>}
              </tr>
            </thead>
            <tbody>
              {columns.map((name) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  {before !== undefined && <td>{cellText(before[name])}</td>}
                  {after !== undefined && <td>{cellText(after[name])}</td>}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </li>
  );
}

function cellText(cell: ShownCell | undefined) {
  if (cell === undefined) return <span class="muted">–</span>;
  if (cell === null) return <span class="muted">null</span>;
  if (typeof cell === 'string') return cell;
  if ('base64' in cell) return <span class="muted">bytes {cell.base64}</span>;
  return <span class="muted">{'unchanged' in cell ? 'unchanged' : 'not logged'}</span>;
}
