import type { JobDocument, RouteDocument } from '../api/documents.ts';
import type { Action } from './action.ts';
import { actionOfRoute } from './action-of-route.ts';

export type JobVerb = 'pause' | 'resume' | 'cancel';

const effects: Readonly<Record<JobVerb, string>> = {
  pause: 'The job rests where it is until it is resumed.',
  resume: 'The job goes on from where it was.',
  cancel: 'The job ends. What it has done stays done.',
};

export function jobAction(
  verb: JobVerb,
  { route, job }: { readonly route: RouteDocument; readonly job: JobDocument },
): Action {
  const number = job.id.split('/').at(-1) ?? '';
  return actionOfRoute(route, {
    id: 'job',
    label: `${verb[0]?.toUpperCase()}${verb.slice(1)} ${job.kind} ${number}`,
    path: `routes/${encodeURIComponent(route.name)}/jobs/${number}/${verb}`,
    effect: [effects[verb]],
  });
}

export function compareAction(route: RouteDocument): Action {
  const { source, target } = route;
  return actionOfRoute(route, {
    id: 'compare',
    label: 'Compare',
    effect: [
      `All tables of the route are compared, ${source.node} with ${target.node}, while everything goes on. Nothing is written.`,
    ],
  });
}

/** `tables`: as the source names them. */
export function repairAction(route: RouteDocument, tables: readonly string[]): Action {
  const { source, target } = route;
  return actionOfRoute(route, {
    id: 'repair',
    label: 'Repair',
    role: 'admin',
    typed: route.name,
    // The dialog has said which side is right.
    body: { tables, from: source.node },
    effect: [
      `Rows of ${tables.join(', ')} at ${target.node} become what they are at ${source.node}: those that are missing are inserted, those that differ are overwritten, those that are extra are deleted.`,
      'What they were is kept: “tidelock repair --undo” gives it back.',
    ],
  });
}

/** `table`: as the source names it. */
export function loadAction(
  route: RouteDocument,
  { table, existing }: { readonly table: string; readonly existing: 'merge' | 'replace' },
): Action {
  const { source, target } = route;
  const replaces = existing === 'replace';
  return actionOfRoute(route, {
    id: 'load',
    label: `${replaces ? 'Replace' : 'Merge'} ${table}`,
    role: 'admin',
    typed: replaces ? route.name : null,
    body: { tables: [table], existing },
    effect: replaces
      ? [
          `The rows of ${table} that the route has brought to ${target.node} are deleted, and all of them loaded anew from ${source.node}: readers find the table empty, then growing.`,
        ]
      : [
          `All rows of ${table} are loaded anew from ${source.node}, over those that ${target.node} has of the same key. Rows that only ${target.node} has stay.`,
        ],
  });
}
