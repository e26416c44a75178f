import { useState } from 'preact/hooks';
import { confirmAction } from '../actions/action-dialog.tsx';
import { compareAction, type JobVerb, jobAction } from '../actions/job-actions.ts';
import type { JobDocument, RouteDocument } from '../api/documents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Moment } from '../components/moment.tsx';
import { Panel } from '../components/panel.tsx';
import { foundText } from '../format/found-text.ts';
import { count, counted } from '../format/numbers.ts';
import { lasting } from '../format/times.ts';
import { now } from '../state/clock.ts';
import { may } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';
import { JobDetail } from './job-detail.tsx';

/** Loads, compares and repairs of a route: what is under way, what came of those before, and what the last compares have found. */
export function RouteJobs({ route }: { readonly route: RouteDocument }) {
  const path = `jobs?route=${encodeURIComponent(route.name)}&limit=50`;
  const list = useDocument<{ readonly jobs: readonly JobDocument[] }>(path, { everyMs: 2_000 });
  const [shown, setShown] = useState<string | null>(null);
  const jobs = list.document?.jobs ?? [];
  const acts = may('operator');
  const shownOne = jobs.find(({ id }) => id === shown);
  const columns: readonly Column<JobDocument>[] = [
    {
      title: 'Job',
      head: true,
      cell: ({ id, kind, tables }) => (
        <>
          <button
            type="button"
            class="link"
            aria-expanded={shown === id}
            onClick={() => setShown(shown === id ? null : id)}
          >
            {kind} {id.split('/').at(-1)}
          </button>
          {tables.length > 0 && <span class="sub">{tables.join(', ')}</span>}
        </>
      ),
    },
    { title: 'State', full: true, cell: (job) => <JobState job={job} /> },
    { title: 'Asked by', minor: true, cell: ({ askedBy }) => (askedBy === 'tidelock' ? 'the route itself' : askedBy) },
    { title: 'Begun', cell: ({ startedAt }) => (startedAt === null ? '–' : <Moment at={startedAt} />) },
    { title: 'Took', minor: true, cell: tookText },
    ...(acts
      ? [{ title: 'Do', cell: (job: JobDocument) => <JobButtons job={job} route={route} reload={list.reload} /> }]
      : []),
  ];
  return (
    <>
      <Found route={route} />
      <Panel
        title="Jobs"
        aside={
          acts && (
            <button type="button" class="small" onClick={() => confirmAction(compareAction(route), list.reload)}>
              Compare…
            </button>
          )
        }
      >
        {list.error !== null && (
          <ErrorNotice error={list.error} what="The jobs could not be read." retry={list.reload} />
        )}
        {list.document === null && list.error === null ? (
          <p class="empty">Reading…</p>
        ) : (
          <DataTable
            caption="Jobs of the route, the newest first"
            columns={columns}
            rows={jobs}
            rowKey={({ id }) => id}
            rowClass={({ id }) => (id === shown ? 'is-shown' : '')}
            empty="No jobs yet. Compare… asks whether the target is equal; a table is loaded anew on the page Tables."
            stacked
          />
        )}
        {shownOne !== undefined && <JobDetail key={shown} job={shownOne} route={route} />}
      </Panel>
    </>
  );
}

/** What the last compare of each table has found. */
function Found({ route: { compared } }: { readonly route: RouteDocument }) {
  if (compared == null) return null;
  const { rows, missing, extra, different, undecided, unverified, tables, at } = compared;
  const differing = missing + extra + different;
  return (
    <p class={differing > 0 ? 'wrong' : 'muted'}>
      {differing > 0
        ? `By the last compares ${count(missing)} rows are missing at the target, ${count(extra)} are extra and ${count(different)} differ`
        : `By the last compares no row differs`}
      , of {count(rows)} in {counted(tables, 'table')}
      {undecided > 0 && `; ${count(undecided)} undecided`}
      {unverified > 0 && `; ${counted(unverified, 'table')} not compared`} (<Moment at={at} />
      ).
    </p>
  );
}

function JobState({ job }: { readonly job: JobDocument }) {
  const { state, wish, done, total, reason } = job;
  const found = foundText(job);
  const wished = wish !== 'run' && state === 'running' ? ` (to ${wish})` : '';
  return (
    <div class="story">
      <span>
        {state}
        {wished}
        {found !== null && (
          <>
            : <span class={found.differs ? 'wrong' : 'muted'}>{found.text}</span>
          </>
        )}
        {state === 'running' && done !== null && total !== null && (
          <>
            {' '}
            <progress value={done} max={Math.max(1, total)} aria-label="Progress" /> {count(done)} of {count(total)}
          </>
        )}
      </span>
      {reason !== null && (
        <span class="muted">
          <code>{reason.code}</code> {reason.message}
        </span>
      )}
    </div>
  );
}

function JobButtons({
  job,
  route,
  reload,
}: {
  readonly job: JobDocument;
  readonly route: RouteDocument;
  readonly reload: () => void;
}) {
  return (
    <span class="row-actions">
      {verbsOf(job).map((verb) => (
        <button
          key={verb}
          type="button"
          class={verb === 'cancel' ? 'small danger-quiet' : 'small'}
          aria-label={`${labels[verb]} ${job.id}`}
          onClick={() => confirmAction(jobAction(verb, { route, job }), reload)}
        >
          {labels[verb]}…
        </button>
      ))}
    </span>
  );
}

const labels: Readonly<Record<JobVerb, string>> = { pause: 'Pause', resume: 'Resume', cancel: 'Cancel' };

function verbsOf({ state }: JobDocument): readonly JobVerb[] {
  if (state === 'waiting' || state === 'running') return ['pause', 'cancel'];
  if (state === 'paused') return ['resume', 'cancel'];
  return state === 'failed' ? ['resume'] : [];
}

function tookText({ startedAt, endedAt }: JobDocument): string {
  if (startedAt === null) return '–';
  const endMs = endedAt === null ? now.value : Date.parse(endedAt);
  return lasting(Math.max(0, endMs - Date.parse(startedAt)));
}
