import type { PlanDocument } from '../api/documents.ts';
import { goingRows } from '../plan/going-rows.ts';
import { PlanLines } from '../plan/plan-lines.tsx';
import { currentService } from '../state/session.ts';
import type { Action } from './action.ts';
import { serviceFacts } from './facts.ts';

/** Does what this plan says, and nothing else: the service refuses it where the plan is another one by then. */
export function applyAction({ fingerprint, routes }: PlanDocument, keepRows: readonly string[]): Action {
  const changed = routes.filter(({ state }) => state !== 'unchanged');
  const [first, ...more] = changed;
  const goes = changed.some(({ needsConsent }) => needsConsent);
  const subject = first !== undefined && more.length === 0 ? first.name : (currentService()?.name ?? '');
  const targets = new Map(
    changed.map(({ target }) => [target.node, `${target.node} (${target.hosts.join(', ')}, ${target.database})`]),
  );
  return {
    id: 'apply',
    label: 'Apply',
    subject,
    role: 'admin',
    method: 'POST',
    path: 'apply',
    body: { fingerprint, routes: routes.map(({ name }) => name), keepRows, timeoutMs: 5000 },
    fields: ['reason'],
    reasonNeeded: false,
    facts: [
      { name: changed.length === 1 ? 'Route' : 'Routes', value: changed.map(({ name }) => name).join(', ') },
      { name: targets.size === 1 ? 'Target' : 'Targets', value: [...targets.values()].join('; ') },
      ...serviceFacts(),
    ],
    effect: goes
      ? ['Rows at the target go, or no longer follow the source. Other routes and tables flow on.']
      : ['No row at a target goes. Other routes and tables flow on.'],
    details: (
      <div class="plan-summary">
        {changed.map((route) => (
          <section key={route.name} aria-label={`Plan of ${route.name}`}>
            {more.length > 0 && <h3>{route.name}</h3>}
            <PlanLines route={route} />
            {goingRows(route).map((line) => (
              <p key={line} class="tone-text-critical">
                {line}
              </p>
            ))}
          </section>
        ))}
      </div>
    ),
    rehearsed: null,
    typed: goes ? subject : null,
    prominent: false,
  };
}
