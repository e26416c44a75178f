import type { TestDatabase } from '../../test/support/postgres.ts';
import { childrenOf, isAlive } from '../../test/support/process-tree.ts';
import { RouteFile } from '../../test/support/route.ts';
import { type Contender, startMs } from './contender.ts';

export interface TidelockOptions {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
  readonly name?: string;
  /** Of a proxy in front of the target. */
  readonly targetPort?: number;
  /** `apply.lanes` of its routes; their default where it is absent. */
  readonly lanes?: number;
  /** A route for each. */
  readonly schemas?: readonly string[];
  /** Told what is to be ended, in the reverse order. */
  ends(end: () => Promise<unknown>): void;
}

const first = 'here-to-there';

/** One `tidelock run` as users have it, with a worker process for each route. Resolves when all is copied and all routes run. */
export async function tidelock(options: TidelockOptions): Promise<Contender> {
  const { source, target, targetPort, name = 'tidelock', lanes = 1, schemas = ['public'], ends } = options;
  const routes = schemas.map((schema, at) => ({ schema, name: at === 0 ? first : `route-${at}` }));
  const file = new RouteFile({
    source,
    target,
    name,
    ...(targetPort === undefined ? {} : { targetPort }),
    route: `tables: ["${schemas[0]}.*"]\napply: { lanes: ${lanes} }`,
  });
  for (const route of routes.slice(1))
    file.append(
      `  ${route.name}: { from: here, to: there, tables: ["${route.schema}.*"], apply: { lanes: ${lanes} } }\n`,
    );
  ends(async () => file[Symbol.dispose]());
  const service = file.run();
  ends(() => service[Symbol.asyncDispose]());
  const all = (state: string): Promise<unknown> =>
    Promise.all(routes.map((route) => service.state(state, startMs, route.name)));
  await all('running');
  const begun = childrenOf(service.pid);
  let isEnabled = true;
  const want = (state: string): Promise<void> =>
    target.session(async (client) => {
      await client.query(`UPDATE tidelock.requests SET wanted = '${state}', request = request + 1`);
      // At once, as the commands do.
      await client.query(`SELECT pg_notify('tidelock_' || id, '') FROM tidelock.routes`);
    });
  return {
    name,
    target,
    schemas,
    enable: async () => {
      isEnabled = true;
      await want('running');
    },
    disable: async () => {
      // It reports each state once.
      if (!isEnabled) return;
      isEnabled = false;
      await want('stopped');
      await all('stopped');
    },
    workers: () => childrenOf(service.pid),
    demandAlive: () => {
      const dead = begun.filter((pid) => !isAlive(pid));
      if (dead.length > 0)
        throw new Error(`worker ${dead.join(', ')} of ${name} has died:\n${service.log.slice(-4_000)}`);
    },
  };
}
