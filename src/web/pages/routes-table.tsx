import { Fragment } from 'preact';
import type { RouteDocument } from '../api/documents.ts';
import { condensed, lagPoints, type Point, ratePoints, since } from '../charts/series.ts';
import { Sparkline } from '../charts/sparkline.tsx';
import { HealthBadge, StateBadge } from '../components/badge.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { otherConcerns } from '../components/other-concerns.ts';
import { compact, count, rate } from '../format/numbers.ts';
import { duration } from '../format/times.ts';
import { historyOf } from '../state/live.ts';
import { hrefOf } from '../state/place.ts';
import { currentRates } from '../state/route-history.ts';

const sparkMs = 600_000;
const sparkPieces = 40;

const columns: readonly Column<RouteDocument>[] = [
  {
    title: 'Route',
    head: true,
    cell: (route) => (
      <>
        <a class="route-link" href={hrefOf({ page: 'route', route: route.name, section: 'overview' })}>
          {route.name}
        </a>
        <span class="sub">
          {route.source.node} → {route.target.node}
          {[...(route.reason === null ? [] : [route.reason]), ...otherConcerns(route)].map(({ code, message }) => (
            <Fragment key={code}>
              {' · '}
              <code title={message}>{code}</code>
            </Fragment>
          ))}
        </span>
      </>
    ),
  },
  {
    title: 'State',
    cell: ({ state, health, load }) => (
      <>
        <StateBadge state={state} health={health} />
        {health !== 'ok' && (
          <span class="sub narrow-only">
            <HealthBadge health={health} />
          </span>
        )}
        {load !== null && (
          <span class="sub">
            {load.tablesDone} of {load.tables} tables
          </span>
        )}
      </>
    ),
  },
  { title: 'Health', minor: true, cell: ({ health }) => <HealthBadge health={health} /> },
  {
    title: 'Lag',
    numeric: true,
    cell: ({ name, lagMs }) => (
      <span class="with-spark">
        <Sparkline values={condensed(recent(lagPoints(historyOf(name))), sparkPieces)} />
        <span class="value">{lagMs === null ? '–' : duration(lagMs)}</span>
      </span>
    ),
  },
  {
    title: 'Rows/s',
    numeric: true,
    minor: true,
    cell: ({ name }) => {
      const rates = currentRates(historyOf(name));
      return (
        <span class="with-spark">
          <Sparkline values={condensed(recent(ratePoints(historyOf(name), 'rows')), sparkPieces)} />
          <span class="value">{rates === null ? '–' : rate(rates.rows)}</span>
        </span>
      );
    },
  },
  {
    title: 'Rows',
    numeric: true,
    minor: true,
    cell: ({ rows, loadedRows = 0 }) => (
      <>
        {count(rows)}
        {loadedRows > 0 && <span class="sub">{compact(loadedRows)} loaded</span>}
      </>
    ),
  },
  { title: 'Collisions', numeric: true, minor: true, cell: ({ collisions }) => count(collisions) },
  {
    title: 'Parked',
    numeric: true,
    minor: true,
    cell: ({ name, parked }) =>
      parked === 0 ? '0' : <a href={hrefOf({ page: 'route', route: name, section: 'parked' })}>{count(parked)}</a>,
  },
  { title: 'Restarts', numeric: true, minor: true, cell: ({ restarts }) => count(restarts) },
  { title: 'Applied', minor: true, roomy: true, cell: ({ target }) => <code>{target.position ?? '–'}</code> },
];

export function RoutesTable({
  routes,
  filtered,
}: {
  readonly routes: readonly RouteDocument[];
  readonly filtered: boolean;
}) {
  return (
    <DataTable
      caption="Routes"
      columns={columns}
      rows={routes}
      rowKey={({ name }) => name}
      rowClass={({ health }) => `health-${health}`}
      empty={filtered ? 'No route fits the filter.' : 'The configuration has no routes.'}
    />
  );
}

function recent(points: readonly Point[]): Point[] {
  return since(points, Date.now() - sparkMs);
}
