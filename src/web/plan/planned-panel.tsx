import type { ComponentChildren } from 'preact';
import type { PlannedRoute, RouteDocument } from '../api/documents.ts';
import { FindingItem } from '../components/finding-item.tsx';
import { Panel } from '../components/panel.tsx';
import { ReasonNotice } from '../components/reason-notice.tsx';
import { counted } from '../format/numbers.ts';
import { words } from '../format/words.ts';
import { hrefOf } from '../state/place.ts';
import { goingRows } from './going-rows.ts';
import { PlanSteps, type PlanStepsProps } from './plan-steps.tsx';
import { refusalText, stateText } from './step-text.ts';

export interface PlannedPanelProps extends PlanStepsProps {
  /** As the status tells it; absent where it does not. */
  readonly live: RouteDocument | undefined;
  /** What can be done about it. */
  readonly children?: ComponentChildren;
}

/** What would be done to one route, what keeps it from being done, and how far it is once somebody has agreed. */
export function PlannedPanel({ route, live, children, ...steps }: PlannedPanelProps) {
  const { name, refused, problems, pending } = route;
  return (
    <Panel
      title={<a href={hrefOf({ page: 'route', route: name, section: 'overview' })}>{name}</a>}
      aside={
        <span class="row-actions">
          <span class="muted">{summaryOf(route)}</span>
          {children}
        </span>
      }
    >
      {pending && <Progress live={live} />}
      {live?.state === 'failed' && <ReasonNotice route={live} />}
      {refused.map((what) => (
        <p key={what} class="tone-text-critical">
          {refusalText(what)}
        </p>
      ))}
      {stateText(route) !== null && <p class="muted">{stateText(route)}</p>}
      <PlanSteps route={route} {...steps} />
      {goingRows(route).map((line) => (
        <p key={line} class="tone-text-warning">
          {line}
        </p>
      ))}
      {problems.length > 0 && (
        <ul class="findings">
          {problems.map((finding) => (
            <FindingItem key={`${finding.code} ${finding.message}`} {...finding} />
          ))}
        </ul>
      )}
    </Panel>
  );
}

function Progress({ live }: { readonly live: RouteDocument | undefined }) {
  const load = live?.load ?? null;
  return (
    <p role="status">
      Agreed to, and under way{live !== undefined && `: the route is ${words(live.state)}`}
      {load !== null && (
        <>
          {' '}
          <progress value={load.tablesDone} max={Math.max(1, load.tables)} aria-label="Tables loaded" />{' '}
          {load.tablesDone} of {load.tables} tables
        </>
      )}
      .
    </p>
  );
}

function summaryOf({ tables, settings, refused, problems }: PlannedRoute): string {
  if (refused.length > 0) return 'can’t be changed like that';
  const parts = [
    tables.length > 0 && counted(tables.length, 'table'),
    settings.length > 0 && counted(settings.length, 'setting'),
    problems.length > 0 && counted(problems.length, 'obstacle'),
  ];
  return parts.filter(Boolean).join(', ');
}
