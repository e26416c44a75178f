import type { RouteDocument } from '../api/documents.ts';
import type { Action } from './action.ts';
import { routeFacts } from './facts.ts';

export interface ActionShape extends Partial<Action> {
  readonly id: string;
  readonly label: string;
  readonly effect: readonly string[];
}

/** One that is asked of a route: for operators, by POST, with a reason that may be left out, unless the shape says else. */
export function actionOfRoute(route: RouteDocument, shape: ActionShape): Action {
  return {
    subject: route.name,
    role: 'operator',
    method: 'POST',
    path: `routes/${encodeURIComponent(route.name)}/${shape.id}`,
    body: {},
    fields: ['reason'],
    reasonNeeded: false,
    facts: routeFacts(route),
    details: null,
    rehearsed: null,
    typed: null,
    prominent: false,
    ...shape,
  };
}
