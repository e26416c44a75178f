import { useState } from 'preact/hooks';
import { confirmAction } from '../actions/action-dialog.tsx';
import { parkedAction } from '../actions/parked-action.ts';
import type { ParkedDocument, RouteDocument } from '../api/documents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ErrorNotice } from '../components/error-notice.tsx';
import { Moment } from '../components/moment.tsx';
import { Panel } from '../components/panel.tsx';
import { count } from '../format/numbers.ts';
import { may } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';
import { ParkedDetail } from './parked-detail.tsx';

/** What was set aside, in source order, and what can be done about it. */
export function RouteParked({ route }: { readonly route: RouteDocument }) {
  const path = `routes/${encodeURIComponent(route.name)}/parked`;
  const list = useDocument<{ readonly parked: readonly ParkedDocument[] }>(path, {
    everyMs: 15_000,
    version: route.parked,
  });
  const [shown, setShown] = useState<number | null>(null);
  const parked = list.document?.parked ?? [];
  const acts = may('operator');
  const ask = (verb: 'retry' | 'discard', one: ParkedDocument) =>
    confirmAction(parkedAction(verb, { route, ids: [one.id], rows: one.rows }), list.reload);
  const askAll = (verb: 'retry' | 'discard') => {
    const rows = parked.reduce((sum, one) => sum + one.rows, 0);
    // Given up are those that were seen: what parks meanwhile is not among them.
    const ids = verb === 'discard' ? parked.map(({ id }) => id) : null;
    confirmAction(parkedAction(verb, { route, ids, rows }), list.reload);
  };
  const shownOne = parked.find(({ id }) => id === shown);
  const doButtons = (one: ParkedDocument) => (
    <span class="row-actions">
      <button type="button" class="small" aria-label={`Retry ${one.id}`} onClick={() => ask('retry', one)}>
        Retry…
      </button>
      <button
        type="button"
        class="small danger-quiet"
        aria-label={`Discard ${one.id}`}
        onClick={() => ask('discard', one)}
      >
        Discard…
      </button>
    </span>
  );
  const columns: readonly Column<ParkedDocument>[] = [
    {
      title: 'Transaction',
      head: true,
      full: true,
      cell: ({ id, transaction, position }) => (
        <>
          <button
            type="button"
            class="link"
            aria-expanded={shown === id}
            onClick={() => setShown(shown === id ? null : id)}
          >
            No. {id}
          </button>
          <span class="sub">
            transaction {transaction} at <code>{position}</code>
          </span>
        </>
      ),
    },
    { title: 'Committed', named: true, cell: ({ committedAt }) => <Moment at={committedAt} /> },
    { title: 'Rows', numeric: true, cell: ({ rows }) => count(rows) },
    { title: 'Tables', full: true, cell: ({ tables }) => tables.map(tableText).join(', ') },
    {
      title: 'Why',
      full: true,
      cell: ({ cause, code, message, behind, reason, askedBy }) => (
        <div class="story">
          {behind !== null ? (
            <span class="muted">waits for {behind}</span>
          ) : (
            <span>
              {cause}: <code>{code}</code> {message}
            </span>
          )}
          {reason !== null && (
            <span class="muted">
              skipped by {askedBy ?? 'somebody'}: “{reason}”
            </span>
          )}
        </div>
      ),
    },
    { title: 'Tries', numeric: true, cell: ({ attempts }) => count(attempts) },
    ...(acts
      ? [
          {
            title: 'Do',
            cell: doButtons,
          },
        ]
      : []),
  ];
  return (
    <Panel
      title="Parked transactions"
      aside={
        acts &&
        parked.length > 0 && (
          <span class="row-actions">
            <button type="button" class="small" onClick={() => askAll('retry')}>
              Retry all…
            </button>
            <button type="button" class="small danger-quiet" onClick={() => askAll('discard')}>
              Discard all shown…
            </button>
          </span>
        )
      }
    >
      {list.error !== null && (
        <ErrorNotice error={list.error} what="What is parked could not be read." retry={list.reload} />
      )}
      {list.document === null && list.error === null ? (
        <p class="empty">Reading…</p>
      ) : (
        <DataTable
          caption="Parked transactions, in source order"
          columns={columns}
          rows={parked}
          rowKey={({ id }) => String(id)}
          rowClass={({ id }) => (id === shown ? 'is-shown' : '')}
          empty="Nothing is parked."
          stacked
        />
      )}
      {shown !== null && shownOne !== undefined && (
        <ParkedDetail key={shown} path={`${path}/${shown}`} id={shown}>
          {acts && shownOne !== undefined && doButtons(shownOne)}
        </ParkedDetail>
      )}
    </Panel>
  );
}

function tableText({ table, inserts, updates, deletes, truncates }: ParkedDocument['tables'][number]): string {
  const counts = [
    inserts > 0 && `+${inserts}`,
    updates > 0 && `~${updates}`,
    deletes > 0 && `−${deletes}`,
    truncates > 0 && 'truncate',
  ].filter(Boolean);
  return `${table} ${counts.join(' ')}`;
}
