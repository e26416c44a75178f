import { expect, test } from 'vitest';
import { openMysqlSession } from '../../src/demo/mysql/mysql-session.ts';
import { rentalRows } from '../../src/demo/rental/rental-rows.ts';
import { rentalScenario } from '../../src/demo/rental/rental-scenario.ts';
import { rentalSchemaSql, rentalTriggersSql } from '../../src/demo/rental/rental-schema.ts';
import { compareRental } from '../../src/demo/rental/rental-verdict.ts';
import type { DemoSession, Scenario } from '../../src/demo/scenario.ts';
import { allEqual } from '../../src/demo/verdict.ts';
import { type MysqlServer, startMysql } from '../support/mysql.ts';
import { startPostgres } from '../support/postgres.ts';
import { workersOf } from '../support/process-tree.ts';
import { RouteFile } from '../support/route.ts';
import { until } from '../support/until.ts';

const routes = ['shops-to-copy', 'copy-to-back'] as const;
/** Some of it: a million with TIDELOCK_RENTAL_ROWS=1000000. */
const rows = Number(process.env.TIDELOCK_RENTAL_ROWS ?? 20_000);

function session({ port }: MysqlServer): Promise<DemoSession> {
  return openMysqlSession({ port, user: 'root', password: '' });
}

/** What one application does, until it is told to stop. Returns how many transactions it has committed. */
async function application(scenario: Scenario, at: number, client: DemoSession, signal: AbortSignal): Promise<number> {
  const activity = scenario.activities[at];
  if (activity === undefined) throw new RangeError('no such activity');
  let committed = 0;
  while (!signal.aborted) {
    await client.query('BEGIN');
    try {
      await activity.write(client);
      await client.query('COMMIT');
      committed++;
    } catch (error) {
      await client.query('ROLLBACK');
      if (!scenario.isRefused(error)) throw error;
    }
  }
  await client.end();
  return committed;
}

test('the sample database goes to PostgreSQL and back to another MySQL server while applications write, over kills of both workers', {
  timeout: 900_000,
}, async () => {
  const scenario = rentalScenario(rows);
  await using shops = await startMysql({ vendor: 'mysql' });
  await using postgres = await startPostgres();
  await using back = await startMysql({ vendor: 'mysql' });
  const copy = await postgres.createDatabase();
  const source = await session(shops);
  for (const statement of [...rentalSchemaSql.split(/;\n/), ...rentalRows(rows), ...rentalTriggersSql.split(/;\n/)])
    if (statement.trim() !== '') await source.query(statement);
  using file = new RouteFile({ source: shops, target: back });
  file.write({
    'tidelock.yaml': `version: 1
name: round
nodes:
  shops: { type: mysql, url: "${shops.url()}" }
  copy: { type: postgres, url: "${copy.url()}" }
  back: { type: mysql, url: "${back.url()}" }
routes:
  shops-to-copy: { from: shops, to: copy, tables: ["rental.*"], load: { wholeUpTo: 0B } }
  copy-to-back: { from: copy, to: back, tables: ["rental.*"], load: { wholeUpTo: 0B }, forward: all }
`,
  });
  for (const route of routes) {
    const made = await file.tidelock('schema', route, '--apply', 'all');
    expect(made, made.out + made.err).toMatchObject({ code: 0 });
    // What a person has to do for a table without a key; "tidelock check" says so.
    await copy.query('ALTER TABLE rental.audit REPLICA IDENTITY FULL');
  }
  const clients = await Promise.all(scenario.activities.map(() => session(shops)));
  const stop = new AbortController();
  const writing = clients.map((client, at) => application(scenario, at, client, stop.signal));
  await using service = file.run();
  // While they load, and once more when they run.
  for (const state of ['loading', 'running']) {
    for (const route of routes) await service.state(state, 300_000, route);
    const workers = workersOf(service.pid);
    expect(workers).toHaveLength(2);
    for (const worker of workers) process.kill(worker, 'SIGKILL');
    await until('new workers', () => workersOf(service.pid).filter((pid) => !workers.includes(pid)).length === 2);
  }
  const caughtUp = async (): Promise<void> => {
    for (const route of routes)
      expect(await file.tidelock('wait', route, '--timeout', '300s')).toMatchObject({ code: 0 });
  };
  await caughtUp();
  stop.abort();
  const committed = await Promise.all(writing);
  expect(Math.min(...committed)).toBeGreaterThan(0);
  await caughtUp();
  const there = await copy.client();
  const last = await session(back);
  for (const [side, as] of [
    [there as unknown as DemoSession, 'copy'],
    [last, 'back'],
  ] as const) {
    const verdicts = await compareRental(source, side, as);
    expect(verdicts.filter((verdict) => !allEqual([verdict]))).toEqual([]);
    expect(verdicts).toHaveLength(20);
  }
  for (const route of routes) {
    const compared = await file.tidelock('compare', route);
    expect(compared, compared.out + compared.err).toMatchObject({ code: 0 });
  }
  await Promise.all([source.end(), there.end(), last.end()]);
});
