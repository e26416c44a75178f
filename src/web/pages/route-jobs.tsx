import type { JobDocument } from '../api/documents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Moment } from '../components/moment.tsx';
import { Panel } from '../components/panel.tsx';
import { useDocument } from '../state/use-document.ts';

const columns: readonly Column<JobDocument>[] = [
  { title: 'Job', head: true, cell: ({ id, kind }) => `${kind} ${id}` },
  { title: 'State', cell: ({ state }) => state },
  { title: 'Started', cell: ({ startedAt }) => (startedAt == null ? '–' : <Moment at={startedAt} />) },
  {
    title: 'Progress',
    cell: ({ done, total }) =>
      done == null || total == null ? '–' : <progress value={done} max={Math.max(1, total)} aria-label="Progress" />,
  },
];

export function RouteJobs({ route }: { readonly route: string }) {
  const jobs = useDocument<{ readonly jobs: readonly JobDocument[] }>('jobs', { everyMs: 5000 });
  const rows = (jobs.document?.jobs ?? []).filter((job) => job.route === route);
  return (
    <Panel title="Jobs">
      {jobs.error !== null && <ErrorNotice error={jobs.error} what="The jobs could not be read." retry={jobs.reload} />}
      {jobs.document === null && jobs.error === null ? (
        <p class="empty">Reading…</p>
      ) : (
        <DataTable
          caption="Jobs of the route"
          columns={columns}
          rows={rows}
          rowKey={({ id }) => String(id)}
          empty="No jobs."
        />
      )}
    </Panel>
  );
}
