import { errorKind } from '../tidelock-error.ts';

interface Answered {
  readonly url: string;
  readonly status: number;
}

/** TL-103x, TL-104x: the service that `tidelock run` is. */
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
  unauthorised: errorKind<object>({
    code: 'TL-1040',
    title: 'The API wants a token',
    recovery: 'usage',
    message: () => 'the API wants a token, and none was sent, or one that it does not know',
    remedy: () =>
      'Send a token of service.api.tokens (or service.api.token) as "Authorization: Bearer TOKEN"; the command line takes it from TIDELOCK_TOKEN.',
    explanation:
      'Every path below /v1 wants a token where the service has any. After several wrong ones from an address the API does not listen to that address for a while (TL-1042).',
  }),
  forbidden: errorKind<{ name: string; role: string; needed: string }>({
    code: 'TL-1041',
    title: 'The role of the token does not allow it',
    recovery: 'usage',
    message: ({ name, role, needed }) => `the token ${name} has the role ${role}; this wants the role ${needed}`,
    remedy: () => 'Use a token whose role allows it, or ask somebody who has one.',
    explanation:
      'A viewer sees all but row values. An operator starts, stops, skips and retries, and sees values of parked rows. An admin changes what a route is: adopts positions, drops routes.',
  }),
  tooMany: errorKind<{ seconds: number }>({
    code: 'TL-1042',
    title: 'Too many requests',
    recovery: 'retry',
    message: ({ seconds }) => `too many requests from this address; it is heard again in ${seconds} s`,
    remedy: () => 'Ask less often. Where tokens were refused before, mend the token first: wrong ones count much more.',
    explanation:
      'An address may send 200 requests at once and 50 a second, and ten wrong tokens at once and one every six seconds.',
  }),
  noSuchPath: errorKind<{ method: string; path: string }>({
    code: 'TL-1043',
    title: 'The API has no such path',
    recovery: 'usage',
    message: ({ method, path }) => `the API has no ${method} ${path}`,
    remedy: () => 'docs/api.md and /v1/openapi.json have all there are.',
    explanation: 'A path or a verb that this version of the service does not have.',
  }),
  invalidRequest: errorKind<{ why: string }>({
    code: 'TL-1044',
    title: 'A request is not valid',
    recovery: 'usage',
    message: ({ why }) => `the request is not valid: ${why}`,
    remedy: () => 'docs/api.md and /v1/openapi.json tell what each path takes.',
    explanation:
      'A body that is no JSON object, a key that the path does not have, or a value of the wrong kind. Unknown keys are refused, so that nothing that was asked for is silently without effect.',
  }),
  otherOrigin: errorKind<object>({
    code: 'TL-1045',
    title: 'A request comes from a page of another origin, or for another host',
    recovery: 'usage',
    message: () => 'the request comes from a page of another origin, or names another host than this service',
    remedy: () => 'Use the address that the service listens at, and its own page.',
    explanation:
      'A page that somebody opens in a browser must not give commands to a service that this browser can reach. Without a token the service answers only under a loopback address, whatever a name resolves to.',
  }),
  noApi: errorKind<{ why: string }>({
    code: 'TL-1046',
    title: 'The API cannot be reached',
    recovery: 'retry',
    message: ({ why }) => `the API cannot be reached: ${why}`,
    remedy: () =>
      'Check --url (or TIDELOCK_URL), and that "tidelock run" runs there with service.api. For a certificate of your own authority: --ca FILE.',
    explanation: 'No connection, no answer in time, or a certificate that is not trusted.',
  }),
  notTidelock: errorKind<Answered>({
    code: 'TL-1047',
    title: 'What answers is not the API of Tidelock',
    recovery: 'usage',
    message: ({ url, status }) => `${url} answered with status ${status}, and not as the API of Tidelock does`,
    remedy: () => 'Check --url: the address of service.api, without a path. A proxy in between may have answered.',
    explanation: 'The answer is no JSON document of the API.',
  }),
  notReady: errorKind<{ why: string }>({
    code: 'TL-1048',
    title: 'The service cannot answer now',
    recovery: 'retry',
    message: ({ why }) => `the service cannot answer now: ${why}`,
    remedy: () => 'Try again; its log tells more.',
    explanation:
      'The tokens cannot be resolved (a file or variable is gone), too many streams are open, too many different things are being asked of the nodes, or the service is ending.',
  }),
  failed: errorKind<object>({
    code: 'TL-1049',
    title: 'The service has met an error of its own',
    recovery: 'usage',
    message: () => 'the service has met an error of its own; its log has it',
    remedy: () => 'Report it with the lines of the log.',
    explanation: 'The request was not carried out, or not wholly: look at status before asking again.',
  }),
  stillAsking: errorKind<{ seconds: number }>({
    code: 'TL-1050',
    title: 'The nodes have not answered yet',
    recovery: 'retry',
    message: ({ seconds }) => `the nodes have not told all within ${seconds} s; they are still being asked`,
    remedy: () => 'Ask again: what they tell meanwhile is kept for a minute.',
    explanation:
      'The API answers within a time. A check or a comparison of schemas that takes longer, since a catalogue is large, locked or its server does not answer, goes on once for all who ask.',
  }),
};
