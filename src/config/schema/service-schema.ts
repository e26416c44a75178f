import { z } from 'zod';
import { allowList } from './node-schema.ts';
import type { Scalars } from './scalars.ts';

export function serviceSchema(s: Scalars) {
  return s
    .section({
      api: s
        .section({
          listen: s.listen('Address and port of the HTTP API.', { example: '127.0.0.1:7654' }),
          token: s.secret("An admin's token.", { example: '${TIDELOCK_TOKEN:-}' }).optional(),
          tokens: z
            .array(
              s.section({
                name: s.name('Whose token it is.'),
                role: s.choice({ now: ['admin', 'operator', 'viewer'] }, 'What it may do.'),
                token: s.secret('The token.'),
              }),
            )
            .optional()
            .meta({ 'x-type': 'list', description: 'Several tokens, instead of `token`.' }),
          tls: s
            .section({
              cert: s.secret('Certificate: a PEM file, or PEM text by a reference.'),
              key: s.secret('Its key: a PEM file, or PEM text by a reference.'),
            })
            .optional()
            .meta({ description: 'Needed beyond loopback, as is a token.' }),
        })
        .optional()
        .meta({ description: 'The HTTP API and the web page (docs/api.md). Without this section there is neither.' }),
      probes: s
        .section({
          listen: s.listen('Address and port of /healthz, /readyz, /metrics and /health/routes.', {
            example: '127.0.0.1:7655',
          }),
        })
        .optional()
        .meta({ description: 'Probes, without token and without data.' }),
      allow: allowList(s, 'What is allowed for the service by name.').prefault([]),
    })
    .meta({ description: 'The service that `tidelock run` is.' });
}

export function notifySchema(s: Scalars) {
  return z
    .array(
      s
        .section({
          webhook: s
            .secret('URL that is posted to, as JSON. A secret: it is never logged.', { example: '${ALERT_URL}' })
            .optional(),
          command: z
            .array(s.secret('The program, then its arguments.'))
            .min(1)
            .optional()
            .meta({
              'x-type': 'list of text',
              description:
                'Program that is started, with its arguments, and without a shell; the facts are in its environment and on its standard input.',
              examples: [['/usr/local/bin/page', 'dba']],
            }),
        })
        .superRefine((entry, context) => {
          if ((entry.webhook === undefined) === (entry.command === undefined))
            context.addIssue({ code: 'custom', message: 'wants either webhook or command' });
        }),
    )
    .meta({
      'x-type': 'list',
      description:
        'Who is told when a route fails, lags, parks transactions, or makes its source keep too much, and when it is well again (docs/operations.md#notifications).',
    });
}

export type ServiceData = z.output<ReturnType<typeof serviceSchema>>;
export type NotifyData = z.output<ReturnType<typeof notifySchema>>;
