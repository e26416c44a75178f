import type { JobView } from '../../control/jobs.ts';
import { tableText } from '../table-text.ts';
import { wrapped } from '../wrapped.ts';

/** Of all jobs, with why those have failed that did. */
export function jobsText(jobs: readonly JobView[], columns: number | null): string {
  const titles = ['JOB!', 'KIND', 'STATE', 'DONE>', 'ASKED (UTC)!', 'BY', 'TABLES'];
  const rows = jobs.map((job) => [
    job.id,
    job.kind,
    stateText(job),
    shareText(job),
    job.askedAt.slice(0, 19).replace('T', ' '),
    job.askedBy,
    job.tables.length === 0 ? 'all' : job.tables.join(', '),
  ]);
  const [head = '', ...lines] = tableText(titles, rows, columns).split('\n');
  const text = [head];
  for (const [at, row] of lines.entries()) {
    text.push(row);
    const reason = jobs[at]?.reason ?? null;
    if (reason !== null) text.push(...wrapped(`${reason.code} ${reason.message}`, { indent: 2, columns }));
  }
  return text.join('\n');
}

/** One job in one line. */
export function jobLine(job: JobView): string {
  const share = shareText(job);
  return `${job.id} ${job.kind}: ${stateText(job)}${share === '-' ? '' : `, ${share}`}`;
}

function stateText({ state, wish }: JobView): string {
  if (state !== 'running' && state !== 'waiting') return state;
  return wish === 'pause' ? 'pausing' : wish === 'cancel' ? 'cancelling' : state;
}

function shareText({ done, total, state }: JobView): string {
  if (done === null) return '-';
  if (total === null || total === 0 || state === 'done') return done.toLocaleString('en');
  return `${Math.min(100, Math.floor((100 * done) / total))}%`;
}
