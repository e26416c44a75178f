import { errorKind } from '../tidelock-error.ts';

/** TL-2xxx: targets. */
export const targetErrors = {
  unexpected: errorKind<{ route: string; sqlState: string; message: string }>({
    code: 'TL-2001',
    title: 'The target refused a statement',
    recovery: 'halt',
    message: ({ route, sqlState, message }) => `route ${route}: the target answered ${sqlState}: ${message}`,
    remedy: ({ route }) => `Mend what the server names, then "tidelock start ${route}".`,
    explanation: 'The server answered with an error that has no remedy of its own in this catalogue.',
  }),
};
