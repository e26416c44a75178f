import { confirmAction } from '../actions/action-dialog.tsx';
import { loadAction } from '../actions/job-actions.ts';
import type { MetricsDocument, RouteDocument, TableCounts, TableDocument } from '../api/documents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Moment } from '../components/moment.tsx';
import { Panel } from '../components/panel.tsx';
import { count } from '../format/numbers.ts';
import { currentService, may } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';

interface Row extends TableDocument {
  readonly counts: TableCounts | null;
}

const nothing = { inserts: 0, updates: 0, deletes: 0, truncates: 0, loaded: 0, rows: 0 };

const counted = (of: (counts: TableCounts) => number) => (row: Row) =>
  row.counts === null ? '–' : count(of(row.counts));

const columns: readonly Column<Row>[] = [
  {
    title: 'Table',
    head: true,
    full: true,
    cell: ({ source, target }) => (
      <>
        {source}
        {target !== source && <span class="sub">→ {target}</span>}
      </>
    ),
  },
  { title: 'Loaded', numeric: true, cell: counted(({ loaded }) => loaded) },
  { title: 'Inserts', numeric: true, cell: counted(({ inserts }) => inserts) },
  { title: 'Updates', numeric: true, cell: counted(({ updates }) => updates) },
  { title: 'Deletes', numeric: true, cell: counted(({ deletes }) => deletes) },
  { title: 'Truncates', numeric: true, minor: true, cell: counted(({ truncates }) => truncates) },
  {
    title: 'Copy is of',
    named: true,
    cell: ({ loadedTo }) =>
      loadedTo == null ? (
        <span class="muted">the route’s start</span>
      ) : (
        <code title="a table that came, or was loaded again, later">{loadedTo}</code>
      ),
  },
  {
    title: 'Columns left out',
    minor: true,
    cell: ({ ignored = [] }) => (ignored.length === 0 ? <span class="muted">none</span> : ignored.join(', ')),
  },
];

function loadButtons(route: RouteDocument): Column<Row> {
  const button = (label: string, action: Parameters<typeof loadAction>[1]) => (
    <button
      type="button"
      class={action.existing === 'replace' ? 'small danger-quiet' : 'small'}
      aria-label={`${label} ${action.table}`}
      onClick={() => confirmAction(loadAction(route, action), () => {})}
    >
      {label}…
    </button>
  );
  return {
    title: 'Load anew',
    cell: ({ source }) => (
      <span class="row-actions">
        {button('Merge', { table: source, existing: 'merge' })}
        {button('Replace', { table: source, existing: 'replace' })}
      </span>
    ),
  };
}

export function RouteTables({ route }: { readonly route: RouteDocument }) {
  const service = currentService();
  const path = `routes/${encodeURIComponent(route.name)}`;
  const tables = useDocument<{ readonly tables: readonly TableDocument[] }>(`${path}/tables`, { everyMs: 30_000 });
  const metrics = useDocument<MetricsDocument>(`${path}/metrics`, { everyMs: 5000 });
  const counts = new Map(metrics.document?.perTable.map((one) => [one.table, one]));
  const rows = (tables.document?.tables ?? []).map((table) => ({
    ...table,
    counts: metrics.document === null ? null : (counts.get(table.target) ?? { ...nothing, table: table.target }),
  }));
  return (
    <Panel
      title="Tables"
      aside={
        <span class="muted">
          rows since the service was started
          {service !== null && (
            <>
              , <Moment at={service.startedAt} />
            </>
          )}
        </span>
      }
    >
      {tables.error !== null && (
        <ErrorNotice error={tables.error} what="The tables could not be read." retry={tables.reload} />
      )}
      {tables.document === null && tables.error === null ? (
        <p class="empty">Reading…</p>
      ) : (
        <DataTable
          caption="Tables of the route"
          columns={may('admin') ? [...columns, loadButtons(route)] : columns}
          rows={rows}
          rowKey={({ source, target }) => `${source} ${target}`}
          empty="No tables yet: the route has not started."
          stacked
        />
      )}
    </Panel>
  );
}
