import { styleText } from 'node:util';
import type { LoadWait } from '../../core/load.ts';
import { sizeText } from '../../core/quantity-text.ts';
import type { TableProgress } from '../../core/route-status.ts';
import type { LoadDocument } from '../../operations/load/load-job.ts';
import { counted } from '../counted.ts';

type Shown = Pick<TableProgress, 'table' | 'rows' | 'bytes' | 'expectedRows'> & Partial<TableProgress>;

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
    if (typeof table.rowsPerSecond === 'number') parts.push(`${table.rowsPerSecond.toLocaleString('en')} rows/s`);
    if (table.emptying) parts.push('old rows go first');
    if (table.rests) parts.push('rests');
    else if (typeof table.leftMs === 'number') parts.push(`${leftText(table.leftMs)} left`);
    return `${table.table.padEnd(widest)}  ${bar}${percent}  ${parts.join(', ')}`;
  });
}

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
