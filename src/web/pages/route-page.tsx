import type { ComponentChildren } from 'preact';
import { ActionButtons } from '../actions/action-buttons.tsx';
import type { RouteDocument } from '../api/documents.ts';
import { HealthBadge, StateBadge } from '../components/badge.tsx';
import { Concerns } from '../components/concerns.tsx';
import { Moment } from '../components/moment.tsx';
import { ReasonNotice } from '../components/reason-notice.tsx';
import { lasting, utc } from '../format/times.ts';
import { now } from '../state/clock.ts';
import { liveStatus } from '../state/live.ts';
import { hrefOf, overview, type RouteSection } from '../state/place.ts';
import { RouteCheck } from './route-check.tsx';
import { RouteJobs } from './route-jobs.tsx';
import { RouteJournal } from './route-journal.tsx';
import { RouteOverview } from './route-overview.tsx';
import { RouteParked } from './route-parked.tsx';
import { RouteSchema } from './route-schema.tsx';
import { RouteTables } from './route-tables.tsx';
import { RouteTabs } from './route-tabs.tsx';

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
            <span class="lasting">
              <StateBadge state={route.state} health={route.health} />
              <For since={route.since} />
            </span>
            <span class="lasting">
              <HealthBadge health={route.health} />
              {route.healthSince !== route.since && <For since={route.healthSince} />}
            </span>
            <span class="muted">
              {route.source.node} → {route.target.node}
              {route.engine != null && `, by the engine on ${route.engine.host} (process ${route.engine.pid})`}
            </span>
            <Wish {...route} />
          </p>
        </div>
        <ActionButtons route={route} />
      </div>
      <ReasonNotice route={route} />
      <Concerns route={route} nowMs={now.value} />
      <RouteTabs route={route} section={section} />
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
      return <RouteJobs route={route} />;
    case 'journal':
      return <RouteJournal route={route.name} />;
    case 'check':
      return <RouteCheck route={route.name} />;
    case 'schema':
      return <RouteSchema route={route.name} />;
  }
}

/** How long it is like that already; the moment on hover. */
function For({ since }: { readonly since: string | null | undefined }) {
  if (since == null) return null;
  const sinceMs = Date.parse(since);
  return (
    <time class="muted" dateTime={since} title={`since ${utc(sinceMs)}`}>
      for {lasting(now.value - sinceMs)}
    </time>
  );
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
