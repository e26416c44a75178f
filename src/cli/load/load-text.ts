import { styleText } from 'node:util';
import type { JobDetail } from '../../control/jobs.ts';
import type { LoadWait } from '../../core/load.ts';
import { sizeText } from '../../core/quantity-text.ts';
import type { TableProgress } from '../../core/route-status.ts';
import type { LoadDocument } from '../../operations/load/load-job.ts';
import { counted } from '../counted.ts';
import { jobLine } from '../jobs/job-text.ts';

type Shown = Pick<TableProgress, 'table' | 'rows' | 'bytes' | 'expectedRows'> &
  Partial<TableProgress> & { /** All of it is at the target. */ readonly done?: boolean };

const barCells = 24;

/** Why nothing is read now. */
export const waitTexts: Readonly<Record<LoadWait, string>> = {
  lag: 'rests while changes are late (load.limits.lag)',
  rate: 'at the rate of load.limits',
  share: 'at the share of the time of load.limits',
};

/** One line a table: a bar of what has come of what the source thinks that there is, and how fast. */
export function loadLines(
  tables: readonly Shown[],
  style: { readonly bars: boolean; readonly colours: boolean },
): string[] {
  const widest = Math.max(0, ...tables.map(({ table }) => table.length));
  return tables.map((table) => {
    const share = table.expectedRows === 0 ? null : Math.min(1, table.rows / table.expectedRows);
    const bar = style.bars && share !== null ? `${barText(share, style.colours)} ` : '';
    const percent = share === null ? '' : `${Math.floor(share * 100)}%`.padStart(4);
    const parts = [`${table.rows.toLocaleString('en')} rows read`, sizeText(table.bytes)];
    if (table.emptying) parts.push('old rows go first');
    if (table.rests) parts.push('rests');
    else if (table.unfollowed) parts.push('waits to begin anew');
    else parts.push(...speedParts(table));
    return `${table.table.padEnd(widest)}  ${bar}${percent}  ${parts.join(', ')}`;
  });
}

/** How fast rows come, and until when. */
export function speedParts({
  rowsPerSecond,
  leftMs,
}: Partial<Pick<TableProgress, 'rowsPerSecond' | 'leftMs'>>): string[] {
  const parts: string[] = [];
  if (typeof rowsPerSecond === 'number') parts.push(`${rowsPerSecond.toLocaleString('en')} rows/s`);
  if (typeof leftMs === 'number') parts.push(`${leftText(leftMs)} left`);
  return parts;
}

/** How far a load is that somebody has asked for: its tables, and all of them where there are several. */
export function loadProgressText(job: JobDetail, colours: boolean): string {
  const { tables = [], ...all } = (job.progress ?? {}) as unknown as LoadJobProgress;
  const lines = loadLines(tables.filter(({ done }) => !done).slice(0, mostTables), { bars: true, colours });
  const finished = tables.filter(({ done }) => done).length;
  if (tables.length > 1) {
    const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
    const rows = tables.reduce((sum, table) => sum + table.rows, 0);
    const parts = [`${rows.toLocaleString('en')} rows read`, sizeText(bytes), ...speedParts(all)];
    lines.push(`${finished} of ${tables.length} tables, ${parts.join(', ')}`);
  }
  return [jobLine(job), ...lines.map((text) => `  ${text}`)].join('\n');
}

interface LoadJobProgress extends Partial<Pick<TableProgress, 'rowsPerSecond' | 'leftMs'>> {
  readonly tables?: readonly Shown[];
}

/** A route may have thousands. */
const mostTables = 12;

export function loadText({ tables }: LoadDocument): string {
  const rows = tables.reduce((sum, table) => sum + table.rows, 0);
  const bytes = tables.reduce((sum, table) => sum + table.bytes, 0);
  return `${counted(tables.length, 'table')} loaded: ${counted(rows, 'row')} read, ${sizeText(bytes)}\n`;
}

function barText(share: number, colours: boolean): string {
  const full = Math.round(share * barCells);
  const bar = '█'.repeat(full) + '░'.repeat(barCells - full);
  return colours ? styleText('cyan', bar) : bar;
}

/** What takes days is told in hours. */
function leftText(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
}
