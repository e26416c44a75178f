import type { ComponentChildren } from 'preact';
import { ActionButtons } from '../actions/action-buttons.tsx';
import type { RouteDocument } from '../api/documents.ts';
import { HealthBadge, StateBadge } from '../components/badge.tsx';
import { Moment } from '../components/moment.tsx';
import { ReasonNotice } from '../components/reason-notice.tsx';
import { liveStatus } from '../state/live.ts';
import { hrefOf, overview, type RouteSection, routeSections } from '../state/place.ts';
import { RouteCheck } from './route-check.tsx';
import { RouteJobs } from './route-jobs.tsx';
import { RouteJournal } from './route-journal.tsx';
import { RouteOverview } from './route-overview.tsx';
import { RouteParked } from './route-parked.tsx';
import { RouteTables } from './route-tables.tsx';

const titles: Readonly<Record<RouteSection, string>> = {
  overview: 'Overview',
  tables: 'Tables',
  parked: 'Parked',
  jobs: 'Jobs',
  journal: 'Journal',
  check: 'Check',
};

export function RoutePage({ name, section }: { readonly name: string; readonly section: RouteSection }) {
  const status = liveStatus.value;
  const route = status?.routes.find((one) => one.name === name);
  if (status === null) return <p class="empty">Waiting for the first status…</p>;
  if (route === undefined) {
    return (
      <>
        <h1>{name}</h1>
        <p class="empty">
          There is no route of this name. <a href={hrefOf(overview)}>All routes</a>
        </p>
      </>
    );
  }
  return (
    <>
      <div class="route-head">
        <div>
          <h1>{name}</h1>
          <p class="route-facts">
            <StateBadge state={route.state} health={route.health} />
            <HealthBadge health={route.health} />
            <span class="muted">
              {route.source.node} → {route.target.node}
            </span>
            <Wish {...route} />
          </p>
        </div>
        <ActionButtons route={route} />
      </div>
      <ReasonNotice route={route} />
      <nav class="sections" aria-label={`Parts of ${name}`}>
        {routeSections.map((one) => (
          <a
            key={one}
            href={hrefOf({ page: 'route', route: name, section: one })}
            aria-current={one === section ? 'page' : undefined}
          >
            {titles[one]}
            {one === 'parked' && route.parked > 0 && <span class="pill">{route.parked}</span>}
          </a>
        ))}
      </nav>
      {sectionOf(route, section)}
    </>
  );
}

function sectionOf(route: RouteDocument, section: RouteSection): ComponentChildren {
  switch (section) {
    case 'overview':
      return <RouteOverview route={route} />;
    case 'tables':
      return <RouteTables route={route} />;
    case 'parked':
      return <RouteParked route={route} />;
    case 'jobs':
      return <RouteJobs route={route.name} />;
    case 'journal':
      return <RouteJournal route={route.name} />;
    case 'check':
      return <RouteCheck route={route.name} />;
  }
}

/** What is wanted of the route where it is not to run, by whom, why, and until when. */
function Wish({ state, desiredState, askedBy, askedReason, pausedUntil }: RouteDocument) {
  if (desiredState === 'running' || desiredState === 'unknown') return null;
  return (
    <span class="muted">
      {desiredState !== state && `to be ${desiredState} `}
      {askedBy != null && `by ${askedBy}`}
      {askedReason != null && `: “${askedReason}”`}
      {pausedUntil != null && (
        <>
          {' '}
          until <Moment at={pausedUntil} />
        </>
      )}
    </span>
  );
}
