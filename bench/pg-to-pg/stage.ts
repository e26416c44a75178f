import { type PostgresServer, startPostgres, type TestDatabase } from '../../test/support/postgres.ts';
import { childrenOf } from '../../test/support/process-tree.ts';
import { RouteFile, type RunningRoute } from '../../test/support/route.ts';
import { until } from '../../test/support/until.ts';

/** One of the two that follow the same source, each to a target of its own. */
export interface Contender {
  readonly name: 'tidelock' | 'postgresql';
  readonly target: TestDatabase;
  enable(): Promise<void>;
  /** Resolves when it has let the source go. */
  disable(): Promise<void>;
  /** Its processes, where they are not the database's. */
  pids(): readonly number[];
}

const settings = { shared_buffers: '256MB', max_wal_size: '8GB', fsync: 'on' };
const startMs = 120_000;

export interface StageOptions {
  readonly schema: string;
  prepare(source: TestDatabase): Promise<void>;
  /** Of the apply sessions of both. */
  readonly synchronousCommit: 'off' | 'on';
}

/** Three servers of one machine: a source, the target of PostgreSQL's own subscription, and Tidelock's. Both have copied what is there. */
export class Stage implements AsyncDisposable {
  readonly source: TestDatabase;
  readonly tidelock: Contender;
  readonly peer: Contender;
  readonly #ends: (() => Promise<unknown>)[];

  private constructor(
    source: TestDatabase,
    contenders: readonly [Contender, Contender],
    ends: (() => Promise<unknown>)[],
  ) {
    this.source = source;
    [this.tidelock, this.peer] = contenders;
    this.#ends = ends;
  }

  static async open(options: StageOptions): Promise<Stage> {
    const ends: (() => Promise<unknown>)[] = [];
    const start = async (): Promise<PostgresServer> => {
      const server = await startPostgres({ settings });
      ends.unshift(() => server[Symbol.asyncDispose]());
      return server;
    };
    try {
      const source = await (await start()).createDatabase();
      const [peer, target] = [await (await start()).createDatabase(), await (await start()).createDatabase()];
      // Whoever follows has done so when it shows this row of the round.
      const schema = `${options.schema} CREATE TABLE round_end (round int PRIMARY KEY);`;
      for (const database of [source, peer, target]) await database.query(schema);
      await options.prepare(source);
      for (const database of [source, peer, target]) await database.query('VACUUM ANALYZE');
      return new Stage(
        source,
        [await tidelock(source, target, ends), await subscription(source, peer, options.synchronousCommit)],
        ends,
      );
    } catch (error) {
      for (const end of ends) await end().catch(() => {});
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) await end();
  }
}

async function tidelock(
  source: TestDatabase,
  target: TestDatabase,
  ends: (() => Promise<unknown>)[],
): Promise<Contender> {
  const file = new RouteFile({ source, target });
  ends.unshift(async () => file[Symbol.dispose]());
  const route: RunningRoute = file.run();
  ends.unshift(() => route[Symbol.asyncDispose]());
  await route.state('running', startMs);
  let isEnabled = true;
  const want = (state: string): Promise<unknown> =>
    target.query(`UPDATE tidelock.requests SET wanted = '${state}', request = request + 1`).then(() =>
      // At once, as the commands do.
      target.query(`SELECT pg_notify('tidelock_' || id, '') FROM tidelock.routes`),
    );
  return {
    name: 'tidelock',
    target,
    enable: async () => {
      isEnabled = true;
      await want('running');
    },
    disable: async () => {
      // It reports each state once.
      if (!isEnabled) return;
      isEnabled = false;
      await want('stopped');
      await route.state('stopped', startMs);
    },
    pids: () => [route.pid, ...childrenOf(route.pid)],
  };
}

async function subscription(
  source: TestDatabase,
  target: TestDatabase,
  synchronousCommit: 'off' | 'on',
): Promise<Contender> {
  await source.query('CREATE PUBLICATION peer FOR TABLES IN SCHEMA public');
  const connection = `host=127.0.0.1 port=${source.server.port} dbname=${source.name} user=postgres`;
  await target.query(
    `CREATE SUBSCRIPTION peer CONNECTION '${connection}' PUBLICATION peer WITH (synchronous_commit = '${synchronousCommit}')`,
  );
  await until(
    'the copy of the peer',
    async () => (await target.query(`SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r'`)).length === 0,
    startMs,
  );
  return {
    name: 'postgresql',
    target,
    enable: async () => void (await target.query('ALTER SUBSCRIPTION peer ENABLE')),
    disable: async () => {
      await target.query('ALTER SUBSCRIPTION peer DISABLE');
      await until(
        'the peer to rest',
        async () =>
          (await source.query(`SELECT FROM pg_replication_slots WHERE slot_name = 'peer' AND active`)).length === 0,
        startMs,
      );
    },
    pids: () => [],
  };
}
