import { errorKind } from '../tidelock-error.ts';

/** TL-4xxx: routes, leases, stored state, Supervisor. */
export const routeErrors = {
  fenced: errorKind<{ route: string; epoch: string }>({
    code: 'TL-4001',
    title: 'Another engine has taken the route',
    recovery: 'fenced',
    message: ({ route, epoch }) =>
      `route ${route}: this engine's epoch ${epoch} is over, another engine has taken the route`,
    remedy: ({ route }) => `Nothing, where that was meant. To take it back: "tidelock start ${route} --takeover".`,
    explanation:
      'Two engines must never write for one route. The one whose epoch is older stops and does not take the route back by itself.',
  }),
  notRegistered: errorKind<{ route: string }>({
    code: 'TL-4002',
    title: 'Nothing is stored about the route at its target',
    recovery: 'halt',
    message: ({ route }) => `route ${route}: its target holds no state of it`,
    remedy: () => 'Start it with "tidelock run", which registers it.',
    explanation: 'The schema tidelock of the target has no row for the route: it was never started, or it was dropped.',
  }),
};
