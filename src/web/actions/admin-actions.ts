import type { AdoptedDocument, DroppedDocument, RouteDocument } from '../api/documents.ts';
import { bytes, counted } from '../format/numbers.ts';
import type { Action } from './action.ts';
import { actionOfRoute } from './action-of-route.ts';

/** What changes where a route goes on, or whether there is one. */
export function adminActions(route: RouteDocument): Action[] {
  const { name } = route;
  const path = `routes/${encodeURIComponent(name)}`;
  const source = route.source.node;
  const target = route.target.node;
  const actions = [
    actionOfRoute(route, {
      id: 'rename',
      label: 'Rename',
      role: 'admin',
      body: { timeoutMs: 60_000 },
      fields: ['newName', 'reason'],
      effect: [
        'The route keeps its position: slot, publication and everything that is stored get the new name while it runs. It ends as soon as it has it.',
        'Give it that name in the configuration, too: until the service has read it no engine runs the route.',
      ],
    }),
    actionOfRoute(route, {
      id: 'adopt',
      label: 'Adopt a position',
      role: 'admin',
      path: `${path}/position`,
      fields: ['position', 'reason'],
      reasonNeeded: true,
      typed: name,
      rehearsed: (answer) => adoptedText(answer as AdoptedDocument),
      effect: [
        `The route goes on from this position when it is started. What ${source} committed between the checkpoint and the position is left out, or applied a second time.`,
      ],
    }),
    actionOfRoute(route, {
      id: 'drop',
      label: 'Drop',
      role: 'admin',
      method: 'DELETE',
      path,
      body: { confirm: name },
      reasonNeeded: true,
      typed: name,
      rehearsed: (answer) => droppedText(answer as DroppedDocument),
      effect: [
        `What is stored of the route is gone for good. Rows at ${target} stay as they are.`,
        'Take it out of the configuration, too: where it still has the route, the next start of a service begins it anew, with a load.',
      ],
    }),
  ];
  // A route is renamed while it runs, and dropped or moved while it rests.
  return actions.filter(({ id }) => (id === 'rename') === isRunning(route));
}

function isRunning({ state }: RouteDocument): boolean {
  return !['stopped', 'paused', 'failed', 'fenced', 'unknown'].includes(state);
}

function adoptedText({ position, before }: AdoptedDocument): string[] {
  if (before === null) return [`There is no checkpoint yet: the route begins at ${position}.`];
  return [
    position === before
      ? `The checkpoint is ${position} already.`
      : `The checkpoint moves from ${before} to ${position}.`,
  ];
}

function droppedText({ source, target, queue, tables, targetTables, parked }: DroppedDocument): string[] {
  return [
    `At ${source.node}: ${queueText(queue)}.`,
    `At ${target.node}: the state of ${counted(tables, 'table')}${tables === 0 ? '' : `: ${targetTables.join(', ')}`}.`,
    ...(parked === 0 ? [] : [`${counted(parked, 'parked transaction')}, which nobody can retry any more.`]),
  ];
}

function queueText({ name, parts, given, state, retainedBytes }: DroppedDocument['queue']): string {
  if (parts.length === 0 && !given) return 'nothing that is kept for this route alone';
  const going = parts.map((part) => (part === 'capture' ? 'capture of commands' : part)).join(' and ');
  const kept = `${state}${retainedBytes === null ? '' : `, for which ${bytes(retainedBytes)} are kept`}`;
  if (!given) return `${going} ${name} (${kept})`;
  return `slot ${name} (${kept}) was given, and stays${going === '' ? '' : `; the route’s ${going} goes`}`;
}
