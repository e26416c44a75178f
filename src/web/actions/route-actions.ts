import type { RouteDocument } from '../api/documents.ts';
import type { Action } from './action.ts';
import { type ActionShape, actionOfRoute } from './action-of-route.ts';
import { adminActions } from './admin-actions.ts';

/** It was never started, or it was dropped: there is nothing to pause or to drop. */
const nothingStored = 'TL-4008';
/** What is stored has another name, which the configuration should say: a start would begin a second route. */
const storedElsewhere = 'TL-4139';

/** What makes sense for the route as it is, the likeliest first. */
export function routeActions(route: RouteDocument): Action[] {
  const action = (shape: ActionShape): Action => actionOfRoute(route, shape);
  const source = route.source.node;
  const target = route.target.node;
  const kept = `${source} keeps the changes that come meanwhile: its disk fills until the route runs again.`;
  const start = `routes/${encodeURIComponent(route.name)}/start`;
  const halted = route.state === 'failed' || route.state === 'fenced';
  const rests = route.desiredState !== 'running';
  if (route.reason?.code === storedElsewhere) return [];
  if (route.reason?.code === nothingStored)
    return [
      action({
        id: 'start',
        label: 'Start',
        prominent: true,
        effect: [`The route begins anew, as if it had never run: its tables are loaded from ${source} into ${target}.`],
      }),
    ];
  const actions: Action[] = [];
  if (route.desiredState === 'paused') {
    actions.push(
      action({
        id: 'resume',
        label: 'Resume',
        prominent: true,
        effect: [`Changes flow from ${source} to ${target} again, from where they stopped.`],
      }),
    );
  } else if (rests || halted) {
    actions.push(
      action({
        id: 'start',
        label: 'Start',
        prominent: true,
        effect: [`The route goes on from its checkpoint at ${target}.`],
      }),
    );
  }
  if (!rests && !halted) {
    actions.push(
      action({
        id: 'pause',
        label: 'Pause',
        prominent: true,
        fields: ['duration', 'reason'],
        effect: [`Nothing more is written to ${target} until the route is resumed, or the time is over.`, kept],
      }),
    );
  }
  if (!rests) {
    actions.push(
      action({
        id: 'restart',
        label: 'Restart',
        effect: [
          'The worker ends in order and is started again from the checkpoint. No change is lost or applied twice.',
        ],
      }),
      action({
        id: 'stop',
        label: 'Stop',
        prominent: halted,
        effect: ['The open transaction is finished and the connections to both databases are closed.', kept],
      }),
    );
  }
  const { reason } = route;
  if (reason?.transaction !== undefined) {
    const { id, position } = reason.transaction;
    actions.push(
      action({
        id: 'skip',
        label: 'Skip transaction',
        body: { transaction: id },
        reasonNeeded: true,
        typed: route.name,
        effect: [
          `Transaction ${id}${position === null ? '' : ` at ${position}`} is set aside whole, and so is what comes later and touches the same keys.`,
          `${target} is not what ${source} was until it is retried or given up.`,
        ],
      }),
    );
  }
  if (halted || route.state === 'standby') {
    actions.push(
      action({
        id: 'takeover',
        label: 'Take over',
        path: start,
        body: { takeover: true },
        typed: route.name,
        effect: [
          'The engine that has the route, on whatever host, is fenced and its sessions are ended at once; this service or another standby runs the route from then on.',
        ],
      }),
    );
  }
  if (halted) {
    actions.push(
      action({
        id: 'acceptSchemaChange',
        label: 'Accept schema change',
        path: start,
        body: { acceptSchemaChange: true },
        typed: route.name,
        effect: [
          `You say that the tables at ${target} are by now what the tables at ${source} are: definitions that ${source} has at this moment are accepted unseen.`,
          `Rows at ${target} that a definition should have changed and did not stay wrong.`,
        ],
      }),
    );
  }
  actions.push(
    action({
      id: 'sequences',
      label: 'Carry sequences',
      effect: [`Values of sequences at ${target} are set forward to those at ${source}. None is set back.`],
    }),
    ...adminActions(route),
  );
  return actions;
}
