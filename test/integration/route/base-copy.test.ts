import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { engineProgram } from '../../support/engine.ts';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

const schema = 'CREATE TABLE item (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY);';
const without = 'tables: ["public.*"]\nload: { mode: none }';

/** What pg_dump does, which refuses servers that are newer than itself. */
async function copy(source: TestDatabase, target: TestDatabase, snapshot: string | null): Promise<void> {
  const client = await source.client();
  try {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    if (snapshot !== null) await client.query(`SET TRANSACTION SNAPSHOT '${snapshot}'`);
    const { rows } = await client.query<{ id: number; v: string }>('SELECT id, v FROM item');
    for (const { id, v } of rows) await target.query(`INSERT INTO item VALUES (${id}, '${v}')`);
  } finally {
    await client.end();
  }
}

/** `tidelock prepare --hold`, with what it has printed. */
async function hold(file: RouteFile) {
  const held = spawn(process.execPath, [engineProgram(), 'prepare', 'here-to-there', '--hold', '--json'], {
    cwd: file.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = await once(held.stdout, 'data');
  const { position, snapshot } = JSON.parse(String(printed)) as { position: string; snapshot: string };
  const end = async (): Promise<number> => {
    held.kill('SIGINT');
    const [code] = await once(held, 'exit');
    return code as number;
  };
  return { position, snapshot, end };
}

test('a route that brings changes only does not begin over tables that nobody has copied', async () => {
  const { source, target } = await servers.pair(schema);
  await source.query(`INSERT INTO item VALUES (1, 'a'), (2, 'b')`);
  using file = new RouteFile({ source, target, route: without });
  await using route = file.run();
  const { reason } = await route.state('failed');
  expect(reason).toMatchObject({ code: 'TL-2308', message: expect.stringContaining('public.item at the target') });
  expect(await source.query('SELECT FROM pg_replication_slots WHERE database = current_database()')).toEqual([]);
  // Nothing that travels is missing: rows that the route leaves out need no copy.
  file.configure(`tables: [{ name: public.item, where: "id > 100" }, public.other]\nload: { mode: none }`);
  await route.stop();
  {
    await using filtered = file.run();
    await filtered.state('running');
    await filtered.stop();
  }
  // One that is added is told of before it would halt the route.
  for (const server of [source, target]) await server.query('CREATE TABLE late (id int PRIMARY KEY)');
  await source.query('INSERT INTO late VALUES (1)');
  file.configure(`tables: [{ name: public.item, where: "id > 100" }, public.other, public.late]\nload: { mode: none }`);
  const planned = await file.tidelock('plan', '--json');
  expect([planned.code, JSON.parse(planned.out)]).toMatchObject([
    1,
    { routes: [{ problems: [{ code: 'TL-2308', message: expect.stringContaining('public.late at the target') }] }] },
  ]);
  expect((await file.tidelock('drop', 'here-to-there', '--yes')).code).toBe(0);
  file.configure(`${without}\nallow: [emptyTarget]`);
  await using allowed = file.run();
  await allowed.state('running');
  await source.query(`INSERT INTO item VALUES (3, 'c')`);
  await allowed.caughtUp();
  expect(await contents(target, ['item'])).toEqual({ item: ['(3,c)'] });
});

test('a copy by other means is made from the snapshot of a prepared queue, and the route goes on from there', async () => {
  const { source, target } = await servers.pair(schema);
  await source.query(`INSERT INTO item VALUES (1, 'a'), (2, 'b')`);
  using file = new RouteFile({ source, target });
  // Interrupted before the position is noted: it is begun anew.
  const killed = await file.tidelockWith({ TIDELOCK_FAILPOINTS: 'prepare.slot=1:kill' }, 'prepare', 'here-to-there');
  expect(killed.out).toBe('');
  // Two at once would each drop what the other has made: the second one leaves it alone.
  const open = await source.client();
  await open.query('BEGIN; SELECT pg_current_xact_id()');
  const waiting = file.tidelock('prepare', 'here-to-there', '--json');
  await until('a slot that waits for the open transaction', async () => {
    const slots = await source.query(`SELECT FROM pg_stat_activity WHERE query LIKE 'CREATE_REPLICATION_SLOT%'`);
    return slots.length > 0;
  });
  expect(await file.tidelock('prepare', 'here-to-there')).toMatchObject({
    code: 2,
    err: expect.stringContaining('TL-3120'),
  });
  await open.query('COMMIT');
  await open.end();
  expect(await waiting).toMatchObject({ code: 0 });
  expect(await file.tidelock('drop', 'here-to-there', '--yes')).toMatchObject({ code: 0 });
  const held = await hold(file);
  await source.query(
    `UPDATE item SET v = 'c' WHERE id = 1; DELETE FROM item WHERE id = 2; INSERT INTO item VALUES (3, 'd')`,
  );
  await copy(source, target, held.snapshot);
  expect(await contents(target, ['item'])).toEqual({ item: ['(1,a)', '(2,b)'] });
  expect(await held.end()).toBe(130);
  const again = await file.tidelock('prepare', 'here-to-there', '--json');
  expect(JSON.parse(again.out)).toMatchObject({ position: held.position, snapshot: null });

  // A load of its own would drop what the copy needs.
  {
    await using route = file.run();
    expect((await route.state('failed')).reason?.code).toBe('TL-4163');
    await route.stop();
  }
  file.configure(without);
  {
    await using route = file.run();
    await route.state('running');
    await route.caughtUp();
    expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
    await source.query(`INSERT INTO item VALUES (4, 'e')`);
    await route.caughtUp();
    await route.stop();
  }
  expect((await file.tidelock('prepare', 'here-to-there', '--reason', 'again')).err).toContain('TL-3118');
  const { out: journal } = await file.tidelock('journal', 'here-to-there', '--json');
  expect((JSON.parse(journal) as { journal: object[] }).journal[0]).toMatchObject({
    action: 'prepare',
    result: 'refused',
    code: 'TL-3118',
    reason: 'again',
  });
  // The target is set back to before the route began: what it has confirmed since is in no queue any more.
  await target.query('DROP SCHEMA tidelock CASCADE');
  await using route = file.run();
  expect((await route.state('failed')).reason?.code).toBe('TL-3118');
});

test('a backup that was restored to a later position is gone on from there', async () => {
  const { source, target } = await servers.pair(schema);
  using file = new RouteFile({ source, target, route: without });
  await source.query(`INSERT INTO item VALUES (1, 'a')`);
  const early = await file.tidelock('prepare', 'here-to-there', '--copied-at', '0/1');
  expect(early.err).toContain('TL-3118');
  const prepared = await file.tidelock('prepare', 'here-to-there');
  expect(prepared).toMatchObject({ code: 0, out: expect.stringContaining('--copied-at') });
  await source.query(`INSERT INTO item VALUES (2, 'b')`);
  const [end] = await source.query('SELECT pg_current_wal_insert_lsn()::text AS lsn');
  await copy(source, target, null);
  await source.query(`INSERT INTO item VALUES (3, 'c')`);
  const at = (lsn: string) => file.tidelock('prepare', 'here-to-there', '--copied-at', lsn);
  expect((await at('0/1')).err).toContain('TL-3119');
  expect((await at('FFFF/0')).err).toContain('TL-3119');
  expect((await at(String(end?.lsn))).code).toBe(0);
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  expect(await contents(target, ['item'])).toEqual({ item: ['(1,a)', '(2,b)', '(3,c)'] });
  expect((await file.tidelock('drop', 'here-to-there', '--yes')).err).toContain('TL-4');
  await route.stop();
  expect((await file.tidelock('drop', 'here-to-there', '--yes')).code).toBe(0);
  expect(await source.query('SELECT FROM pg_publication')).toEqual([]);
});
