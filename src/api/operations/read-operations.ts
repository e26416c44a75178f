import { z } from 'zod';
import { parkedDocument, parkedList } from '../documents/parked.ts';
import { planDocument, sharedCheck } from '../documents/plan.ts';
import { checkedRoute, journalDocument, positionDocument, schemaDocument, tablesDocument } from '../documents/route.ts';
import { metricsDocument, routeView, serviceDocument, statusDocument } from '../documents/status.ts';
import { metricsAnswer } from '../metrics-answer.ts';
import { type Operation, operation } from '../operation.ts';
import { mayDo } from '../role.ts';
import { queryNumber } from './query-number.ts';

const page = z.strictObject({
  limit: queryNumber({ least: 1, most: 1000, otherwise: 100 }).describe('Entries at most.'),
  before: z.string().max(40).optional().describe('Only what was done before: `before` of an earlier answer.'),
});

/** A key of a query that may be there several times. */
const several = z
  .union([z.string().max(300), z.array(z.string().max(300)).max(1000)])
  .transform((value) => (typeof value === 'string' ? [value] : value))
  .optional();

const inTime =
  'One run for all who ask. Where the nodes take longer than 20 seconds the answer is TL-1050; the run goes on, and asking again joins it.';

/** What changes nothing. */
export const readOperations: readonly Operation[] = [
  operation({
    id: 'readService',
    method: 'GET',
    path: '/v1/service',
    role: 'viewer',
    summary: 'The service: its deployment, process, nodes and routes, and the role of the token',
    answer: serviceDocument,
    run: async ({ control, live, role }) => ({
      version: live.version,
      name: live.name(),
      ...live.process(),
      startedAt: live.startedAt.toISOString(),
      state: live.state(),
      nodes: live.nodes().map((node) => ({ ...node, hosts: [...node.hosts] })),
      routes: [...(await control.routes())],
      role,
    }),
  }),
  operation({
    id: 'readStatus',
    method: 'GET',
    path: '/v1/status',
    role: 'viewer',
    summary: 'State, reason, lag and counts of all routes',
    answer: statusDocument,
    run: ({ control }) => control.status(),
  }),
  operation({
    id: 'readRoute',
    method: 'GET',
    path: '/v1/routes/{route}',
    role: 'viewer',
    summary: 'The same of one route',
    answer: routeView,
    run: async ({ control, route }) => {
      const { routes } = await control.status([route]);
      const [view] = routes;
      if (view === undefined) throw new RangeError('no view of the route');
      return view;
    },
  }),
  operation({
    id: 'readTables',
    method: 'GET',
    path: '/v1/routes/{route}/tables',
    role: 'viewer',
    summary: 'The tables that the route carries',
    answer: tablesDocument,
    run: ({ control, route }) => control.tables(route),
  }),
  operation({
    id: 'readSchema',
    method: 'GET',
    path: '/v1/routes/{route}/schema',
    role: 'viewer',
    summary: "What the target lacks of the source's schema, as the route maps it; changes nothing",
    description: `To viewers without the texts of views, triggers and functions. ${inTime}`,
    answer: schemaDocument,
    shared: true,
    run: ({ control, route }) => control.schema(route),
    seenBy: (schema, role) =>
      mayDo(role, 'operator') ? schema : { ...schema, left: schema.left.map((one) => ({ ...one, text: null })) },
  }),
  operation({
    id: 'checkRoute',
    method: 'GET',
    path: '/v1/routes/{route}/check',
    role: 'viewer',
    summary: 'What keeps the route from running, at both sides; changes nothing',
    description: inTime,
    answer: checkedRoute,
    shared: true,
    run: ({ control, route }) => control.check(route),
  }),
  operation({
    id: 'readMetrics',
    method: 'GET',
    path: '/v1/routes/{route}/metrics',
    role: 'viewer',
    summary: 'What the route does: rows by table, rates, and samples of the last hour',
    description: 'Of the worker that this service runs: a service that stands by has none of the route.',
    answer: metricsDocument,
    run: async ({ control, live, route }) => metricsAnswer(live, route, await control.routes()),
  }),
  operation({
    id: 'readPosition',
    method: 'GET',
    path: '/v1/routes/{route}/position',
    role: 'viewer',
    summary: 'Where the route stands',
    answer: positionDocument,
    run: ({ control, route }) => control.position(route),
  }),
  operation({
    id: 'readRouteJournal',
    method: 'GET',
    path: '/v1/routes/{route}/journal',
    role: 'viewer',
    summary: 'What operators have done with the route, the newest first',
    query: page,
    answer: journalDocument,
    run: ({ control, route, query: { limit, before = null } }) => control.journal({ route, limit, before }),
  }),
  operation({
    id: 'readJournal',
    method: 'GET',
    path: '/v1/journal',
    role: 'viewer',
    summary: 'What operators have done with all routes, dropped ones too, the newest first',
    query: page,
    answer: journalDocument,
    run: ({ control, query: { limit, before = null } }) => control.journal({ limit, before }),
  }),
  operation({
    id: 'checkShared',
    method: 'GET',
    path: '/v1/check',
    role: 'viewer',
    summary: 'What the servers and the service have to be mended for, with all the routes that use them',
    description: inTime,
    shared: true,
    query: z.strictObject({ route: several.describe('Of what these routes use; of all where left out.') }),
    answer: sharedCheck,
    run: ({ control, query: { route } }) => control.checkShared(route),
  }),
  operation({
    id: 'readPlan',
    method: 'GET',
    path: '/v1/plan',
    role: 'viewer',
    summary: 'What would change if the configuration file, as it is now, were applied',
    description: inTime,
    shared: true,
    query: z.strictObject({
      route: several.describe('Of these routes; of all where left out.'),
      keepRows: several.describe('Tables whose rows would stay as they are.'),
    }),
    answer: planDocument,
    run: ({ control, query: { route, keepRows = [] } }) =>
      control.plan({ keepRows, ...(route !== undefined && { routes: route }) }),
  }),
  operation({
    id: 'listParked',
    method: 'GET',
    path: '/v1/routes/{route}/parked',
    role: 'viewer',
    summary: 'Transactions that were set aside, in source order',
    answer: parkedList,
    run: ({ control, route }) => control.parked(route),
  }),
  operation({
    id: 'readParked',
    method: 'GET',
    path: '/v1/routes/{route}/parked/{id}',
    role: 'viewer',
    summary: 'One of them: its changes, and the keys that it holds',
    description: 'With values=true, which is for operators, with the values of its rows.',
    query: z.strictObject({
      values: z.enum(['true', 'false']).default('false').describe('With the values of its rows.'),
      limit: queryNumber({ least: 0, most: 10_000, otherwise: 100 }).describe('Changes at most.'),
      keys: queryNumber({ least: 0, most: 10_000, otherwise: 1000 }).describe('Keys at most.'),
    }),
    answer: parkedDocument,
    needs: ({ values }) => (values === 'true' ? 'operator' : 'viewer'),
    run: ({ control, route, id, query: { values, limit, keys } }) =>
      control.parkedTransaction(route, id, { values: values === 'true', limit, keys }),
  }),
];
