import type { TestDatabase } from '../../test/support/postgres.ts';
import { until } from '../../test/support/until.ts';
import { type Contender, type SynchronousCommit, startMs } from './contender.ts';

/** PostgreSQL's own logical replication, with its defaults. */
export async function subscription(
  source: TestDatabase,
  target: TestDatabase,
  synchronousCommit: SynchronousCommit,
): Promise<Contender> {
  await source.query('CREATE PUBLICATION peer FOR TABLES IN SCHEMA public');
  const connection = `host=127.0.0.1 port=${source.server.port} dbname=${source.name} user=postgres`;
  // The targets name a standby that is not there, so that nobody else's choice counts: local is what `on` is without one.
  const commit = synchronousCommit === 'on' ? 'local' : 'off';
  await target.query(
    `CREATE SUBSCRIPTION peer CONNECTION '${connection}' PUBLICATION peer WITH (synchronous_commit = '${commit}')`,
  );
  await until(
    'the copy of the peer',
    async () => (await target.query(`SELECT FROM pg_subscription_rel WHERE srsubstate <> 'r'`)).length === 0,
    startMs,
  );
  return {
    name: 'postgresql',
    target,
    schemas: ['public'],
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
    workers: () => [],
    demandAlive: () => {},
  };
}
