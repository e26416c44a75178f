import { afterAll, beforeAll } from 'vitest';
import { type PostgresOptions, type PostgresServer, startPostgres, type TestDatabase } from './postgres.ts';

export interface Pair {
  readonly source: TestDatabase;
  readonly target: TestDatabase;
}

/**
 * A source's server and a target's for all tests of the file, or of the `describe`, that this is called in. Each test
 * makes databases of its own on them.
 */
export function twoServers(source: PostgresOptions = {}, target: PostgresOptions = {}): TwoServers {
  const servers = new TwoServers();
  beforeAll(() => servers.start(source, target));
  afterAll(() => servers.end());
  return servers;
}

export class TwoServers {
  #servers: readonly PostgresServer[] = [];

  async start(source: PostgresOptions, target: PostgresOptions): Promise<void> {
    this.#servers = await Promise.all([startPostgres(source), startPostgres(target)]);
  }

  async end(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server[Symbol.asyncDispose]()));
  }

  get here(): PostgresServer {
    return this.#server(0);
  }

  get there(): PostgresServer {
    return this.#server(1);
  }

  #server(at: 0 | 1): PostgresServer {
    const server = this.#servers[at];
    if (server === undefined) throw new Error('the servers are started before the tests, not when the file is read');
    return server;
  }

  /** Two new databases. The target's tables are the source's where nothing else is told. */
  readonly pair = async (sourceSchema = '', targetSchema = sourceSchema): Promise<Pair> => {
    const [source, target] = await Promise.all([this.here.createDatabase(), this.there.createDatabase()]);
    await Promise.all([source.query(sourceSchema), target.query(targetSchema)]);
    return { source, target };
  };
}
