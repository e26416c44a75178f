import { expect, test } from 'vitest';
import { startPostgres } from '../support/postgres.ts';
import { findBinaries, refusedVersion } from '../support/postgres-binaries.ts';
import { RouteFile } from '../support/route.ts';

const schema = 'CREATE TABLE item (id int PRIMARY KEY, v text)';

/** Where the registries have no 13 it is listed as skipped, which fails `npm run test:full` where CI is set. */
test.skipIf(findBinaries(refusedVersion) === null).for(['source', 'target'] as const)(
  'a %s of PostgreSQL 13 is refused, by check and at the start, and nothing is made in it',
  { timeout: 120_000 },
  async (old) => {
    await using tooOld = await startPostgres({ version: refusedVersion });
    await using other = await startPostgres();
    const [before, beside] = [tooOld.database('postgres'), await other.createDatabase()];
    await Promise.all([before, beside].map((database) => database.query(schema)));
    const nodes = old === 'source' ? { source: before, target: beside } : { source: beside, target: before };
    using file = new RouteFile({ ...nodes, route: 'tables: ["public.*"]' });

    const checked = await file.tidelock('check', '--json');
    expect(checked.code).not.toBe(0);
    const node = old === 'source' ? 'here' : 'there';
    const told = JSON.parse(checked.out) as { nodes: { name: string; findings: object[] }[] };
    expect(told.nodes.find(({ name }) => name === node)?.findings).toEqual([
      expect.objectContaining({ level: 'error', code: 'TL-5007', message: expect.stringContaining('PostgreSQL 14') }),
    ]);

    await using route = file.run();
    await route.state('failed', 60_000);
    expect((await file.status()).reason).toMatchObject({ code: 'TL-5007' });
    expect(await before.query(`SELECT nspname FROM pg_namespace WHERE nspname = 'tidelock'`)).toEqual([]);
    expect(await before.query('SELECT slot_name FROM pg_replication_slots')).toEqual([]);
  },
);
