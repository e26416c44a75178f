import { useMemo } from 'preact/hooks';
import type { JournalDocument, RouteDocument } from '../api/documents.ts';
import { JournalTable } from '../components/journal-table.tsx';
import { Panel } from '../components/panel.tsx';
import { bySeverity } from '../components/tone.ts';
import { useNarrow } from '../components/use-narrow.ts';
import { freshJournal, liveness, liveStatus } from '../state/live.ts';
import { correct } from '../state/location.ts';
import { hrefOf } from '../state/place.ts';
import { currentService } from '../state/session.ts';
import { useDocument } from '../state/use-document.ts';
import { TopologyView } from '../topology/topology-view.tsx';
import { OverviewSummary } from './overview-summary.tsx';
import { RoutesTable } from './routes-table.tsx';

/** From this number of routes on the table can be searched. */
const filterFrom = 6;

export function OverviewPage({ filter }: { readonly filter: string }) {
  const status = liveStatus.value;
  const service = currentService();
  const narrow = useNarrow();
  const journal = useDocument<JournalDocument>('journal?limit=8', {
    version: freshJournal.value.length,
  });
  const routes = status?.routes ?? [];
  const sorted = useMemo(() => routes.toSorted(bySeverity), [routes]);
  const shown = sorted.filter((route) => matches(route, filter));
  return (
    <>
      <h1 class="hidden">Overview</h1>
      {status === null ? (
        <p class="empty">Waiting for the first status…</p>
      ) : (
        <>
          <OverviewSummary routes={routes} />
          <Panel title="Topology">
            <TopologyView
              nodes={service?.nodes ?? []}
              routes={routes}
              narrow={narrow}
              live={liveness.value.kind === 'live'}
            />
          </Panel>
          <Panel
            title="Routes"
            aside={
              (routes.length >= filterFrom || filter !== '') && (
                <input
                  type="search"
                  id="filter"
                  class="filter"
                  placeholder="Filter: name, node, state ( / )"
                  aria-label="Filter routes by name, node, state or code"
                  value={filter}
                  onInput={(event) => correct({ page: 'overview', filter: event.currentTarget.value })}
                />
              )
            }
          >
            <RoutesTable routes={shown} filtered={filter !== ''} />
          </Panel>
        </>
      )}
      <Panel title="Latest in the journal" aside={<a href={hrefOf({ page: 'journal' })}>All entries</a>}>
        {journal.error !== null ? (
          <p class="empty">The journal could not be read: {journal.error.message}</p>
        ) : (
          <>
            {journal.document?.missing.map(({ node, reason }) => (
              <p key={node} class="empty tone-text-warning">
                What {node} keeps of the journal is not among this: {reason.message}
              </p>
            ))}
            <JournalTable
              caption="Latest journal entries"
              entries={(journal.document?.journal ?? []).slice(0, 8)}
              isWhole={journal.document?.missing.length === 0}
              withRoute
            />
          </>
        )}
      </Panel>
    </>
  );
}

/** All words are somewhere in what the route's line says; "a > b" is a pair of nodes. */
function matches({ name, state, health, source, target, reason }: RouteDocument, filter: string): boolean {
  const line = `${name} ${state} ${health} ${source.node} > ${target.node} ${reason?.code ?? ''}`.toLowerCase();
  const pair = filter.includes('>');
  const wanted = pair ? [filter.trim()] : filter.split(/\s+/);
  return wanted.every((word) => line.includes(word.toLowerCase()));
}
