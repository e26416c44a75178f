import type { Compared } from '../core/compared.ts';
import type { RouteMetrics, WorkerVitals } from '../core/route-metrics.ts';
import { routeStates } from '../core/route-status.ts';
import { operations, stages } from '../core/work-meter.ts';
import type { MeasuredRoute } from './metrics-store.ts';
import { tableSeries } from './route-totals.ts';

export type Labels = Readonly<Record<string, string>>;
export type Value = readonly [labels: Labels, value: number];

interface Described {
  readonly name: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** More, for docs/metrics.md. */
  readonly about?: string;
}

/** One that is read from the routes when somebody asks. */
export interface RouteMetric extends Described {
  readonly type: 'gauge' | 'counter';
  values(route: MeasuredRoute): readonly Value[];
}

/** One that is counted where it happens. */
export interface ServiceMetric extends Described {
  readonly type: 'gauge' | 'counter' | 'histogram';
}

const healths = ['ok', 'warning', 'critical', 'unknown'] as const;
const one = (value: number | null | undefined): readonly Value[] => (value == null ? [] : [[{}, value]]);
const seconds = (ms: number | null | undefined): readonly Value[] => one(ms == null ? null : ms / 1000);

/** What a worker measures; nothing where the one that runs now has not told yet. */
function measured(read: (metrics: RouteMetrics) => readonly Value[]): RouteMetric['values'] {
  return ({ now }) => (now === null ? [] : read(now.metrics));
}

/** The same where only the engine that has the route knows it. */
function led(read: (metrics: RouteMetrics) => readonly Value[]): RouteMetric['values'] {
  return (route) => (route.condition.leads ? measured(read)(route) : []);
}

function ofCompares(read: (compared: Compared) => readonly Value[]): RouteMetric['values'] {
  return ({ condition: { leads, status } }) => (leads && status?.compared !== undefined ? read(status.compared) : []);
}

function vitals(read: (vitals: WorkerVitals) => readonly Value[]): RouteMetric['values'] {
  return ({ now }) => (now === null ? [] : read(now.vitals));
}

/** Every metric of a route, in the order of docs/metrics.md. Names and labels are part of the contract. All have the label `route`, too. */
export const routeMetrics: readonly RouteMetric[] = [
  {
    name: 'tidelock_route_state',
    type: 'gauge',
    help: '1 for the state that the route is in, 0 for the others',
    labels: ['state'],
    about:
      'States are those of `tidelock status`. An engine that stands by shows `standby`; add up over all engines to see whether one has the route.',
    values: ({ condition }) => routeStates.map((state) => [{ state }, Number(state === condition.state)]),
  },
  {
    name: 'tidelock_route_health',
    type: 'gauge',
    help: '1 for the health that the route has, 0 for the others',
    labels: ['health'],
    about: '`ok`, `warning`, `critical`, or `unknown` while it is starting.',
    values: ({ condition }) => healths.map((health) => [{ health }, Number(health === condition.health)]),
  },
  {
    name: 'tidelock_lag_seconds',
    type: 'gauge',
    help: 'From the commit at the source to the commit at the target, measured with heartbeats',
    labels: [],
    about:
      'Grows with the time since the last heartbeat where none comes through any more. Not there while the route does not stream.',
    values: led(({ lagMs }) => seconds(lagMs)),
  },
  {
    name: 'tidelock_source_position_bytes',
    type: 'gauge',
    help: 'How far the source has written its log, in bytes since its beginning',
    labels: [],
    about:
      'As of the last heartbeat, and for all databases of the server. Only where positions are places in one log (PostgreSQL).',
    values: led(({ sourceBytes }) => one(sourceBytes)),
  },
  {
    name: 'tidelock_target_position_bytes',
    type: 'gauge',
    help: 'How far the target is in the log of the source, in bytes since its beginning',
    labels: [],
    about: 'The last checkpoint. An idle route stores one every ten seconds.',
    values: led(({ targetBytes }) => one(targetBytes)),
  },
  {
    name: 'tidelock_position_gap_bytes',
    type: 'gauge',
    help: 'Bytes of the log of the source that are not at the target yet',
    labels: [],
    about:
      'The difference of the two before. On an idle route it is what the rest of the server has written in the last ten seconds.',
    values: led(({ sourceBytes, targetBytes }) =>
      one(sourceBytes === null || targetBytes === null ? null : Math.max(0, sourceBytes - targetBytes)),
    ),
  },
  {
    name: 'tidelock_rows_total',
    type: 'counter',
    help: 'Row changes that were applied at the target, and rows that were loaded',
    labels: ['table', 'operation'],
    about: `Tables as named at the target; the first ${tableSeries} of a route that had changes since the service was started have series of their own, all others are \`table="other"\`. Operations: \`insert\`, \`update\`, \`delete\`, \`truncate\` (commands, not rows), \`load\`. What is rolled back and applied again counts again.`,
    values: ({ totals }) =>
      [...totals.bounded()].flatMap(([table, counts]) =>
        operations.flatMap((operation, at): Value[] => {
          const count = counts[at] ?? 0;
          return count === 0 ? [] : [[{ table, operation }, count]];
        }),
      ),
  },
  {
    name: 'tidelock_transactions_total',
    type: 'counter',
    help: 'Source transactions that were applied at the target',
    labels: [],
    values: ({ totals }) => one(totals.transactions),
  },
  {
    name: 'tidelock_groups_total',
    type: 'counter',
    help: 'Groups of source transactions that were applied, each in one target transaction',
    labels: [],
    about: 'A transaction that is larger than a group counts with each of its parts.',
    values: ({ totals }) => one(totals.groups),
  },
  {
    name: 'tidelock_stage_seconds_total',
    type: 'counter',
    help: 'Where the time of a route goes',
    labels: ['stage'],
    about: 'See [Stages](#stages).',
    values: ({ totals }) => stages.map((stage, at) => [{ stage }, (totals.stageMs[at] ?? 0) / 1000]),
  },
  {
    name: 'tidelock_replays_total',
    type: 'counter',
    help: 'Groups that did not go through as a whole and were applied change by change',
    labels: [],
    about: 'Many of them make a route slow: look for a trigger, a constraint or another writer at the target.',
    values: ({ totals }) => one(totals.replays),
  },
  {
    name: 'tidelock_retained_bytes',
    type: 'gauge',
    help: 'How much of its log the source keeps for the route',
    labels: [],
    about:
      'Measured every ten seconds while the route streams, every minute while it is stopped, paused or has halted.',
    values: led(({ retainedBytes }) => one(retainedBytes)),
  },
  {
    name: 'tidelock_collisions_total',
    type: 'counter',
    help: 'Rows of the target that were not what the source said they were, and were resolved',
    labels: [],
    values: ({ totals }) => one(totals.collisions),
  },
  {
    name: 'tidelock_parked_transactions',
    type: 'gauge',
    help: 'Source transactions that are set aside at the target',
    labels: [],
    values: led(({ parked }) => one(parked)),
  },
  {
    name: 'tidelock_compared_rows',
    type: 'gauge',
    help: 'Rows that the last compare of each table has looked at, by what it has found',
    labels: ['result'],
    about:
      'Results: `equal`, `missing` (at the target), `extra`, `different`, `undecided`. The last compare of all rows of a table counts, and a repair after it. Not there before the first.',
    values: ofCompares(({ rows, missing, extra, different, undecided }) =>
      Object.entries({
        equal: Math.max(0, rows - missing - different - undecided),
        missing,
        extra,
        different,
        undecided,
      }).map(([result, count]) => [{ result }, count]),
    ),
  },
  {
    name: 'tidelock_compared_timestamp_seconds',
    type: 'gauge',
    help: 'When that table was compared which was compared longest ago, in seconds since 1970',
    labels: [],
    about: 'By the clock of the target. Not there before the first compare.',
    values: ofCompares(({ oldest }) => seconds(Date.parse(oldest))),
  },
  {
    name: 'tidelock_worker_restarts_total',
    type: 'counter',
    help: 'Workers of the route that ended without being told to',
    labels: [],
    values: ({ restarts }) => one(restarts),
  },
  {
    name: 'tidelock_worker_memory_bytes',
    type: 'gauge',
    help: "Memory of the route's worker",
    labels: ['kind'],
    about: '`rss` is what the system has given it, `heapUsed`, `heapTotal` and `external` are parts of that.',
    values: vitals(({ memory }) => Object.entries(memory).map(([kind, bytes]) => [{ kind }, bytes])),
  },
  {
    name: 'tidelock_event_loop_delay_seconds',
    type: 'gauge',
    help: "How much later than planned the event loop of the route's worker turned, lately",
    labels: ['quantile'],
    about:
      'Quantiles `0.5` and `0.99` of the last two seconds, and `1`: the longest of the last minute, so that a look now and then does not miss it.',
    values: vitals(({ eventLoopDelayMs: { p50, p99, longest } }) => [
      [{ quantile: '0.5' }, p50 / 1000],
      [{ quantile: '0.99' }, p99 / 1000],
      [{ quantile: '1' }, longest / 1000],
    ]),
  },
  {
    name: 'tidelock_last_progress_timestamp_seconds',
    type: 'gauge',
    help: 'When something came through to the target last, in seconds since 1970',
    labels: [],
    about: 'Heartbeats count, so that an idle route makes progress every two seconds. By the clock of the engine.',
    values: led(({ lastProgressAtMs }) => seconds(lastProgressAtMs)),
  },
  {
    name: 'tidelock_heartbeat_age_seconds',
    type: 'gauge',
    help: 'Time since the last heartbeat came through to the target',
    labels: [],
    values: led(({ heartbeatAgeMs }) => seconds(heartbeatAgeMs)),
  },
];

export const groupRowsMetric: ServiceMetric = {
  name: 'tidelock_group_rows',
  type: 'histogram',
  help: 'Row changes of a group',
  labels: [],
  about:
    'Small groups are a route that keeps up; they grow by themselves under a backlog, up to eight times `apply.groupRows`.',
};

export const serviceMetrics = {
  build: {
    name: 'tidelock_build_info',
    type: 'gauge',
    help: 'Always 1, with the version that runs',
    labels: ['version'],
  },
  supervisorMemory: {
    name: 'tidelock_supervisor_memory_bytes',
    type: 'gauge',
    help: 'Memory of the Supervisor, which serves the API and the probes, too',
    labels: ['kind'],
  },
  supervisorDelay: {
    name: 'tidelock_supervisor_event_loop_delay_seconds',
    type: 'gauge',
    help: 'How much later than planned the event loop of the Supervisor turned, since it was asked last',
    labels: ['quantile'],
  },
  notifications: {
    name: 'tidelock_notifications_total',
    type: 'counter',
    help: 'Notifications that were sent, or were not',
    labels: ['kind', 'result'],
    about:
      'Kinds: `webhook`, `command`. Results: `delivered`, `failed` (given up after the last attempt), `dropped` (too many were waiting).',
  },
  apiRequests: {
    name: 'tidelock_api_requests_total',
    type: 'counter',
    help: 'Requests to the HTTP API',
    labels: ['path', 'method', 'status'],
    about: 'Paths are those of the OpenAPI document, with `{route}` as it stands there.',
  },
} as const satisfies Record<string, ServiceMetric>;

/** Every metric that /metrics shows, with all its labels. */
export function allMetrics(): readonly ServiceMetric[] {
  const { build, supervisorMemory, supervisorDelay, notifications, apiRequests } = serviceMetrics;
  const ofRoutes = [...routeMetrics, groupRowsMetric].map((metric) => ({
    ...metric,
    labels: ['route', ...metric.labels],
  }));
  return [build, ...ofRoutes, notifications, apiRequests, supervisorMemory, supervisorDelay];
}
