import type { MetricsDocument, RouteDocument, TableCounts, TableDocument } from '../api/documents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Panel } from '../components/panel.tsx';
import { count } from '../format/numbers.ts';
import { useDocument } from '../state/use-document.ts';

interface Row extends TableDocument {
  readonly counts: TableCounts | null;
}

const nothing = { inserts: 0, updates: 0, deletes: 0, truncates: 0, loaded: 0, rows: 0 };

const columns: readonly Column<Row>[] = [
  { title: 'At the source', head: true, cell: ({ source }) => source },
  { title: 'At the target', cell: ({ target }) => target },
  { title: 'Rows', numeric: true, cell: ({ counts }) => (counts === null ? '–' : count(counts.rows)) },
  { title: 'Inserts', numeric: true, cell: ({ counts }) => (counts === null ? '–' : count(counts.inserts)) },
  { title: 'Updates', numeric: true, cell: ({ counts }) => (counts === null ? '–' : count(counts.updates)) },
  { title: 'Deletes', numeric: true, cell: ({ counts }) => (counts === null ? '–' : count(counts.deletes)) },
  { title: 'Loaded', numeric: true, cell: ({ counts }) => (counts === null ? '–' : count(counts.loaded)) },
  {
    title: 'Copied as of',
    cell: ({ loadedTo }) => (loadedTo == null ? <span class="muted">start</span> : <code>{loadedTo}</code>),
  },
  {
    title: 'Columns left out',
    cell: ({ ignored = [] }) => (ignored.length === 0 ? <span class="muted">none</span> : ignored.join(', ')),
  },
];

export function RouteTables({ route }: { readonly route: RouteDocument }) {
  const path = `routes/${encodeURIComponent(route.name)}`;
  const tables = useDocument<{ readonly tables: readonly TableDocument[] }>(`${path}/tables`, { everyMs: 30_000 });
  const metrics = useDocument<MetricsDocument>(`${path}/metrics`, { everyMs: 5000 });
  const counts = new Map(metrics.document?.perTable.map((one) => [one.table, one]));
  const rows = (tables.document?.tables ?? []).map((table) => ({
    ...table,
    counts: metrics.document === null ? null : (counts.get(table.target) ?? { ...nothing, table: table.target }),
  }));
  return (
    <Panel title="Tables" aside={<span class="muted">row changes since the service was started</span>}>
      {tables.error !== null && (
        <ErrorNotice error={tables.error} what="The tables could not be read." retry={tables.reload} />
      )}
      {tables.document === null && tables.error === null ? (
        <p class="empty">Reading…</p>
      ) : (
        <DataTable
          caption="Tables of the route"
          columns={columns}
          rows={rows}
          rowKey={({ source, target }) => `${source} ${target}`}
          empty="No tables yet: the route has not started."
        />
      )}
    </Panel>
  );
}
