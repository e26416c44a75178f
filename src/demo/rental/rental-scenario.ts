import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { embeddedBinaries } from '../embedded-binaries.ts';
import { EmbeddedServer } from '../embedded-server.ts';
import { demoMysql } from '../mysql/demo-mysql.ts';
import { EmbeddedMysql } from '../mysql/embedded-mysql.ts';
import type { DemoSession, Scenario } from '../scenario.ts';
import { Stage } from '../stage.ts';
import { WorkDirectory } from '../work-directory.ts';
import { rentalActivities } from './rental-activities.ts';
import { rentalCounts, rentalRows } from './rental-rows.ts';
import { booksTotal, rentalSchemaSql, rentalTriggersSql } from './rental-schema.ts';
import { compareRental } from './rental-verdict.ts';

const routeName = 'rental-to-copy';

/** A chain of shops that lends films, of so many rows, from MySQL to PostgreSQL. */
export function rentalScenario(rows: number): Scenario {
  return {
    source: 'MySQL',
    target: 'PostgreSQL',
    opening: 'a MySQL and a PostgreSQL server are started, 20 tables of a chain of shops are made',
    routeName,
    activities: rentalActivities(rentalCounts(rows)),
    journalSql: 'INSERT INTO rental.journal (kind) VALUES (?)',
    lookSql: `
  SELECT (SELECT sum(balance)::text FROM rental.account) AS money,
         (SELECT count(*) FROM (SELECT id, rental_id FROM rental.payment ORDER BY id DESC LIMIT 100) p
           WHERE rental_id IS NOT NULL AND NOT EXISTS (SELECT FROM rental.rental r WHERE r.id = p.rental_id)) AS wrong_orders,
         newest.id AS newest_id, extract(epoch FROM newest.at) * 1000 AS newest_at_ms,
         extract(epoch FROM (clock_timestamp() AT TIME ZONE 'UTC') - newest.at) * 1000 AS age_ms,
         counted.*
    FROM (SELECT count(*) AS counted, count(*) FILTER (WHERE id <= $2) AS newly_settled
            FROM rental.journal WHERE id > $1) counted
    LEFT JOIN (SELECT id, at FROM rental.journal ORDER BY id DESC LIMIT 1) newest ON true`,
    total: booksTotal,
    loadedAnew: 'rental.customer',
    patienceMs: 60_000 + rows / 2,
    compares: true,
    // Deadlock, lock wait, duplicate, foreign key.
    isRefused: (error) =>
      [1213, 1205, 1062, 1451, 1452].includes(Number(error instanceof Error && 'errno' in error ? error.errno : 0)),
    stage: () => setRentalStage(rows),
    compare: async (stage) => compareRental(await stage.client('source'), await stage.client('target')),
  };
}

async function setRentalStage(rows: number): Promise<Stage> {
  const work = new WorkDirectory();
  const startTarget = async (): Promise<EmbeddedServer> => {
    const binaries = await embeddedBinaries(work.path);
    return await EmbeddedServer.start({ name: 'target', database: 'demo', binaries, work, settings: {} });
  };
  return await Stage.set<DemoSession, DemoSession>({
    work,
    servers: [demoMysql().then((binaries) => EmbeddedMysql.start(binaries, work)), startTarget()],
    configure: ({ source, target }) => {
      const file = join(work.path, 'tidelock.yaml');
      // Only the owner reads it: it holds secrets.
      writeFileSync(file, configuration(source, target), { mode: 0o600 });
      return { file };
    },
    fill: async (source) => {
      const statements = [...rentalSchemaSql.split(/;\n/), ...rentalRows(rows), ...rentalTriggersSql.split(/;\n/)];
      for (const statement of statements) if (statement.trim() !== '') await source.query(statement);
    },
  });
}

function configuration(source: string, target: string): string {
  return `# The configuration of "tidelock demo mysql-to-postgres".
version: 1
name: demo
nodes:
  shops: { type: mysql, url: "${source}" }
  copy: { type: postgres, url: "${target}" }
routes:
  ${routeName}:
    from: shops
    to: copy
    tables: ["rental.*"]
    load: { wholeUpTo: 0B }
`;
}
