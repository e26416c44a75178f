import { errorKind } from '../tidelock-error.ts';

/** TL-103x: the service that `tidelock run` is. */
export const serviceErrors = {
  cannotListen: errorKind<{ what: string; address: string; why: string }>({
    code: 'TL-1030',
    title: 'The service cannot listen at an address',
    recovery: 'usage',
    message: ({ what, address, why }) => `${what}: cannot listen at ${address} (${why})`,
    remedy: ({ what }) =>
      `Choose a free address of this host for ${what}.listen, or end what listens there: EADDRINUSE is an address that is taken, EADDRNOTAVAIL one of another host, EACCES a port that only root may use.`,
    explanation:
      'The HTTP API and the probes listen at the addresses that the configuration names. A service that could not be asked how it is does not start.',
  }),
};
