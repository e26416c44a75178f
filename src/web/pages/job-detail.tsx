import { confirmAction } from '../actions/action-dialog.tsx';
import { repairAction } from '../actions/job-actions.ts';
import type { JobDetailDocument, JobDocument, JobTable, RouteDocument } from '../api/documents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { useInView } from '../components/use-in-view.ts';
import { count } from '../format/numbers.ts';
import { may } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';

const compared: readonly Column<JobTable>[] = [
  { title: 'Table', head: true, cell: ({ name, target }) => (name === target ? name : `${name} → ${target}`) },
  { title: 'Rows', numeric: true, cell: ({ rows }) => count(rows) },
  { title: 'Missing', numeric: true, cell: ({ missing = 0 }) => count(missing) },
  { title: 'Extra', numeric: true, cell: ({ extra = 0 }) => count(extra) },
  { title: 'Different', numeric: true, cell: ({ different = 0 }) => count(different) },
  { title: 'Undecided', numeric: true, minor: true, cell: ({ undecided = 0 }) => count(undecided) },
];
const repaired: readonly Column<JobTable>[] = [
  { title: 'Repaired', numeric: true, cell: ({ repaired: rows = 0 }) => count(rows) },
  { title: 'Left', numeric: true, cell: ({ left = 0 }) => count(left) },
];
const result: Column<JobTable> = { title: 'Result', full: true, cell: resultText };

/** What came of a job, or how far it is; of rows their keys' digests and the columns that differ, never a value. */
export function JobDetail({ job, route }: { readonly job: JobDocument; readonly route: RouteDocument }) {
  const number = job.id.split('/').at(-1) ?? '';
  const path = `routes/${encodeURIComponent(job.route)}/jobs/${number}`;
  const { document, error } = useDocument<JobDetailDocument>(path, { version: `${job.state} ${job.done}` });
  const section = useInView<HTMLElement>(document !== null);
  if (error !== null) return <ErrorNotice error={error} what={`Job ${job.id} could not be read.`} />;
  if (document === null) return <p class="empty">Reading…</p>;
  const tables = document.result?.tables ?? document.progress?.tables ?? [];
  const differing = tables.filter(({ missing = 0, extra = 0, different = 0 }) => missing + extra + different > 0);
  const isCompare = job.kind === 'compare' || job.kind === 'repair';
  const columns = isCompare ? [...compared, ...(job.kind === 'repair' ? repaired : []), result] : compared.slice(0, 2);
  const repairs = job.kind === 'compare' && job.state === 'done' && differing.length > 0 && may('admin');
  return (
    <section ref={section} class="detail" aria-label={`Job ${job.id}`}>
      <div class="detail-head">
        <h3>
          {job.kind} {job.id}
        </h3>
        {repairs && (
          <button
            type="button"
            class="small"
            onClick={() =>
              confirmAction(
                repairAction(
                  route,
                  differing.map(({ name = '' }) => name),
                ),
                () => {},
              )
            }
          >
            Repair…
          </button>
        )}
      </div>
      {job.reason?.remedy !== undefined && <p class="muted">{job.reason.remedy}</p>}
      <DataTable
        caption={`Tables of job ${job.id}`}
        columns={columns}
        rows={tables}
        rowKey={({ name, target, table }) => `${name ?? table} ${target}`}
        empty="Nothing yet."
      />
      {tables.flatMap(({ name = '', examples = [] }) =>
        examples.length === 0
          ? []
          : [
              <div key={name}>
                <h4>{name}</h4>
                <ul class="changes">
                  {examples.map(({ kind, digest, columns: differs }) => (
                    <li key={digest}>
                      <strong>{kind}</strong> <code>{digest}</code> {differs.join(', ')}
                    </li>
                  ))}
                </ul>
              </div>,
            ],
      )}
    </section>
  );
}

function resultText({
  unverified,
  missing = 0,
  extra = 0,
  different = 0,
  undecided = 0,
  state,
  refused = {},
}: JobTable) {
  if (unverified != null) return `not compared: ${unverified}`;
  if (state !== undefined && state !== 'done') return state;
  const told = Object.entries(refused).map(([why, rows]) => `${count(rows)} refused (${why})`);
  const verdict = missing + extra + different > 0 ? 'differs' : undecided > 0 ? 'undecided' : 'equal';
  return [verdict, ...told].join('; ');
}
