import { afterAll, beforeAll, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';

let here: PostgresServer;
let there: PostgresServer;

beforeAll(async () => {
  [here, there] = await Promise.all([startPostgres(), startPostgres()]);
});
afterAll(async () => {
  await Promise.all([here, there].map((server) => server[Symbol.asyncDispose]()));
});

const tables = ['a', 'b', 'c', 'd'] as const;

async function pair(): Promise<{ source: TestDatabase; target: TestDatabase }> {
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  const columns = 'id int PRIMARY KEY, total int NOT NULL DEFAULT 0, region text, email text';
  const schema = tables.map((name) => `CREATE TABLE ${name} (${columns}); ALTER TABLE ${name} REPLICA IDENTITY FULL;`);
  await Promise.all([
    source.query(schema.join('')),
    target.query(`${schema.join('')} CREATE SCHEMA crm; CREATE TABLE crm.a (${columns})`),
  ]);
  for (const name of tables)
    await source.query(
      `INSERT INTO ${name} SELECT n, n, CASE n % 2 WHEN 0 THEN 'EU' ELSE 'US' END, 'm' || n FROM generate_series(1, 200) n`,
    );
  return { source, target };
}

test('a changed definition is refused with the plan, and carried out when it was agreed to', async () => {
  const { source, target } = await pair();
  using file = new RouteFile({ source, target, route: 'tables: [public.a, public.b]' });
  {
    await using route = file.run();
    await route.state('running');
    expect((await file.tidelock('plan')).code).toBe(0);
    await route.stop();
  }
  file.configure('tables: [public.b, public.c, { name: public.a, where: "region = \'EU\'" }]\nnewTables: ignore');
  const planned = await file.tidelock('plan');
  expect(planned).toMatchObject({ code: 1, err: '' });
  expect(planned.out).toContain('~ public.a  where: loaded again, the rows of public.a are replaced');
  expect(planned.out).toContain('+ public.c  loaded into public.c');
  expect(planned.out).toContain('200 rows of public.a at there (');
  await using route = file.run();
  const { reason } = await route.state('failed');
  expect(reason).toMatchObject({ code: 'TL-4130', message: expect.stringContaining('~ public.a  where') });
  expect(await file.tidelock('apply')).toMatchObject({ code: 2, err: expect.stringContaining('TL-4134') });
  await source.query('UPDATE b SET total = total + 1');
  expect(await file.tidelock('apply', '--yes')).toMatchObject({ code: 0, out: 'here-to-there: applied\n' });
  await route.state('running');
  await source.query(`UPDATE a SET region = 'EU' WHERE id = 1; DELETE FROM c WHERE id < 5`);
  await route.caughtUp();
  expect(await contents(target, ['b', 'c'])).toEqual(await contents(source, ['b', 'c']));
  expect((await contents(target, ['a'])).a).toEqual(
    (await source.query(`SELECT a::text AS row FROM a WHERE region = 'EU' ORDER BY 1`)).map(({ row }) => row),
  );
  expect((await file.tidelock('plan')).code).toBe(0);
});
