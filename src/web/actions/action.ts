import type { Role, RouteDocument } from '../api/documents.ts';

export type ActionField = 'reason' | 'duration' | 'withEarlier';

/** Something an operator can ask of a route. */
export interface Action {
  readonly id: string;
  /** On the button: "Pause". */
  readonly label: string;
  readonly role: Role;
  /** Below /v1. */
  readonly path: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly fields: readonly ActionField[];
  /** Why it is asked for has to be said. */
  readonly reasonNeeded: boolean;
  /** What it does, in sentences that an operator decides by. */
  readonly effect: readonly string[];
  /** It can't be taken back: the route's name is typed first. */
  readonly destructive: boolean;
  /** Stands beside the heading, not among the others. */
  readonly prominent: boolean;
}

interface ActionShape extends Partial<Action> {
  readonly id: string;
  readonly label: string;
  readonly effect: readonly string[];
}

/** What makes sense for the route as it is, the likeliest first. */
export function routeActions(route: RouteDocument): Action[] {
  const base = `routes/${encodeURIComponent(route.name)}`;
  const action = (shape: ActionShape): Action => ({
    role: 'operator',
    path: `${base}/${shape.id}`,
    body: {},
    fields: ['reason'],
    reasonNeeded: false,
    destructive: false,
    prominent: false,
    ...shape,
  });
  const source = route.source.node;
  const target = route.target.node;
  const kept = `${source} keeps the changes that come meanwhile: its disk fills until the route runs again.`;
  const halted = route.state === 'failed' || route.state === 'fenced';
  const rests = route.desiredState !== 'running';
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
        destructive: true,
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
        path: `${base}/start`,
        body: { takeover: true },
        destructive: true,
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
        path: `${base}/start`,
        body: { acceptSchemaChange: true },
        destructive: true,
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
  );
  return actions;
}

export interface ParkedChoice {
  readonly route: RouteDocument;
  /** Null for all that are parked. */
  readonly ids: readonly number[] | null;
  readonly rows: number;
}

export function parkedAction(verb: 'retry' | 'discard', { route, ids, rows }: ParkedChoice): Action {
  const target = route.target.node;
  const what =
    ids === null
      ? 'All parked transactions'
      : ids.length === 1
        ? `Parked transaction ${ids[0]}`
        : `Parked transactions ${ids.join(', ')}`;
  const isOne = ids?.length === 1;
  return {
    id: verb,
    label: `${verb === 'retry' ? 'Retry' : 'Discard'} ${ids === null ? 'all' : ids.join(', ')}`,
    role: 'operator',
    path: `routes/${encodeURIComponent(route.name)}/parked/${verb}`,
    body: { ...(ids === null ? { all: true } : { ids }), timeoutMs: 20_000 },
    fields: verb === 'retry' && ids !== null ? ['withEarlier', 'reason'] : ['reason'],
    reasonNeeded: verb === 'discard',
    destructive: verb === 'discard',
    prominent: false,
    effect:
      verb === 'retry'
        ? [
            `${what} ${isOne ? 'is' : 'are'} applied to ${target} in source order, each in one transaction. What fails again stays parked.`,
          ]
        : [
            `${what} with ${rows.toLocaleString('en')} row changes ${isOne ? 'is' : 'are'} given up for good: ${target} stays without ${isOne ? 'it' : 'them'}.`,
          ],
  };
}
