import type { JobDetail } from '../../control/jobs.ts';
import type { CompareProgress, TableProgress } from '../../operations/compare/compare-document.ts';
import { jobLine } from '../jobs/job-text.ts';

const barCells = 20;
/** A route may have thousands. */
const mostTables = 12;

/** How far a compare is: the tables at work or with something found, and all of them in one line. */
export function compareProgressText(job: JobDetail): string {
  const progress = job.progress as unknown as CompareProgress | null;
  if (progress === null) return jobLine(job);
  const { tables, done, total, rowsPerSecond } = progress;
  const shown = tables.filter((table) => table.state === 'comparing' || differs(table)).slice(-mostTables);
  const finished = tables.filter(({ state }) => state === 'done').length;
  const leftS = rowsPerSecond === 0 ? null : Math.round(Math.max(0, total - done) / rowsPerSecond);
  return [
    ...shown.map(tableLine),
    `${bar(done, total)} ${number(done)} rows, ${number(rowsPerSecond)} rows/s${leftS === null ? '' : `, about ${duration(leftS)} left`}; ${finished} of ${tables.length} tables`,
  ].join('\n');
}

function tableLine(table: TableProgress): string {
  const found = (['missing', 'extra', 'different', 'undecided'] as const)
    .filter((kind) => table[kind] > 0)
    .map((kind) => `${number(table[kind])} ${kind}`);
  return `${bar(table.rows, table.total)} ${table.name}${found.length === 0 ? '' : `: ${found.join(', ')}`}`;
}

function differs({ missing, extra, different, undecided }: TableProgress): boolean {
  return missing + extra + different + undecided > 0;
}

function bar(done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.floor(share * barCells);
  return `${'█'.repeat(full)}${'░'.repeat(barCells - full)} ${String(Math.floor(share * 100)).padStart(3)}%`;
}

function number(count: number): string {
  return count.toLocaleString('en');
}

function duration(seconds: number): string {
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
