import type pg from 'pg';
import { activities } from './activities.ts';
import { routeName, writeConfiguration } from './demo-configuration.ts';
import { embeddedBinaries } from './embedded-binaries.ts';
import { EmbeddedServer } from './embedded-server.ts';
import type { Scenario } from './scenario.ts';
import { bankTotal, createSource } from './schema.ts';
import { Stage } from './stage.ts';
import { compareAll } from './verdict.ts';
import { WorkDirectory } from './work-directory.ts';

/** A bank and a shop, from PostgreSQL to PostgreSQL. */
export const bankScenario: Scenario = {
  source: 'PostgreSQL',
  target: 'PostgreSQL',
  opening: 'two PostgreSQL servers are started, a bank and a shop are made',
  routeName,
  activities,
  // One row for each transaction: what has arrived can be told by the newest of them at the target.
  journalSql: 'INSERT INTO bank.journal (kind) VALUES ($1)',
  lookSql: `
  SELECT (SELECT sum(balance)::text FROM bank.accounts) AS money,
         (SELECT count(*) FROM (SELECT * FROM shop.orders ORDER BY id DESC LIMIT 100) o
           WHERE o.total <> (SELECT coalesce(sum(quantity * price), 0) FROM shop.order_lines l WHERE l.order_id = o.id)
         ) AS wrong_orders,
         newest.id AS newest_id, extract(epoch FROM newest.at) * 1000 AS newest_at_ms,
         extract(epoch FROM clock_timestamp() - newest.at) * 1000 AS age_ms,
         counted.*
    FROM (SELECT count(*) AS counted, count(*) FILTER (WHERE id <= $2) AS newly_settled
            FROM bank.journal WHERE id > $1) counted
    LEFT JOIN (SELECT id, at FROM bank.journal ORDER BY id DESC LIMIT 1) newest ON true`,
  total: bankTotal,
  loadedAnew: 'shop.customers',
  patienceMs: 60_000,
  compares: true,
  isRefused: (error) => /^(23|40)/.test(error instanceof Error && 'code' in error ? String(error.code) : ''),
  stage: setBankStage,
  compare: async (stage) => {
    const [source, target] = [await stage.client('source'), await stage.client('target')];
    const { maskKey = '' } = stage.configuration;
    return await compareAll({ source: source as pg.Client, target: target as pg.Client, maskKey });
  },
};

export async function setBankStage(): Promise<Stage<pg.Client, pg.Client>> {
  const work = new WorkDirectory();
  const start = async (name: string, settings: Record<string, string>): Promise<EmbeddedServer> => {
    const binaries = await embeddedBinaries(work.path);
    return await EmbeddedServer.start({ name, database: 'demo', binaries, work, settings });
  };
  return await Stage.set({
    work,
    servers: [start('source', { wal_level: 'logical' }), start('target', {})],
    configure: (urls) => writeConfiguration(work.path, urls),
    fill: createSource,
  });
}
