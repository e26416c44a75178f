import type { LoadDocument, LoadedTable } from '../api/documents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Panel } from '../components/panel.tsx';
import { bytes, count, rate } from '../format/numbers.ts';
import { duration } from '../format/times.ts';

const waitTexts: Readonly<Record<NonNullable<LoadDocument['waits']>, string>> = {
  lag: 'Nothing is read while changes are late at the target (load.limits.lag).',
  rate: 'Read at the rate of load.limits.',
  share: 'Read in the share of the time of load.limits.',
};

const columns: readonly Column<LoadedTable>[] = [
  { title: 'Table', head: true, full: true, cell: ({ table }) => table },
  {
    title: 'Progress',
    cell: ({ table, rows, expectedRows }) =>
      expectedRows === 0 ? (
        '–'
      ) : (
        <progress value={Math.min(rows, expectedRows)} max={expectedRows} aria-label={`Rows of ${table} read`} />
      ),
  },
  { title: 'Rows read', numeric: true, cell: ({ rows }) => count(rows) },
  { title: 'Bytes read', numeric: true, minor: true, cell: (table) => bytes(table.bytes) },
  {
    title: 'Rows a second',
    numeric: true,
    minor: true,
    cell: ({ rowsPerSecond }) => (rowsPerSecond === null ? '–' : rate(rowsPerSecond)),
  },
  { title: 'Left', numeric: true, cell: leftText },
];

function leftText({ rests, unfollowed, emptying, leftMs }: LoadedTable): string {
  if (rests) return 'rests';
  if (unfollowed) return 'waits to begin anew';
  if (emptying) return 'old rows go first';
  return leftMs === null ? '–' : duration(leftMs);
}

/** What is being loaded of a route, in all and by table. What the source thinks that a table holds is a guess. */
export function LoadPanel({ load }: { readonly load: LoadDocument }) {
  const { tablesDone, tables, rows, bytes: read, rowsPerSecond = null, leftMs = null, waits, loading = [] } = load;
  return (
    <Panel title="Load">
      <p>
        <progress value={tablesDone} max={Math.max(1, tables)} aria-label="Tables loaded" /> {tablesDone} of {tables}{' '}
        tables, {count(rows)} rows{read === undefined ? '' : ` read, ${bytes(read)}`}
        {rowsPerSecond === null ? '' : `, ${rate(rowsPerSecond)}`}
        {leftMs === null ? '' : `, ${duration(leftMs)} left`}
      </p>
      {waits !== undefined && <p class="muted">{waitTexts[waits]}</p>}
      {loading.length > 0 && (
        <DataTable
          caption="Tables that are being loaded"
          columns={columns}
          rows={loading}
          rowKey={({ table }) => table}
          empty=""
          stacked
        />
      )}
    </Panel>
  );
}
