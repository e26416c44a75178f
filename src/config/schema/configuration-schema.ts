import { z } from 'zod';
import { nodeSchema } from './node-schema.ts';
import { routeSchema } from './route-schema.ts';
import type { Scalars } from './scalars.ts';
import { notifySchema, serviceSchema } from './service-schema.ts';

/** The whole file, after includes were merged and `defaults` were laid under every route. */
export function configurationSchema(s: Scalars) {
  const route = routeSchema(s);
  return s
    .section({
      version: z
        .literal(1, { error: (issue) => (issue.input === undefined ? 'is required' : 'wants 1') })
        .meta({ 'x-type': '1', description: 'Version of the format.', examples: [1] }),
      name: s.name('The deployment: prefixes slots, publications and state.', { example: 'prod' }),
      nodes: z
        .record(key('node'), nodeSchema(s))
        .meta({ 'x-type': 'name: node', description: 'The databases, by name.' }),
      routes: z.record(key('route'), route).meta({ 'x-type': 'name: route', description: 'The routes, by name.' }),
      defaults: route.partial().optional().meta({
        'x-type': 'part of a route',
        description: 'Laid under every route: mappings are merged key by key, everything else a route overrides whole.',
      }),
      service: serviceSchema(s).prefault({}),
      notify: notifySchema(s).prefault([]),
    })
    .meta({ description: 'Configuration of Tidelock.' });

  function key(what: string) {
    return z.string().regex(/^(?=.{1,30}$)[a-z][a-z0-9]*(-[a-z0-9]+)*$/, {
      error: () => `is no name for a ${what}: small letters, digits and single hyphens, at most 30`,
    });
  }
}
