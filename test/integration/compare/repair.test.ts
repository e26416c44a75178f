import { expect, test } from 'vitest';
import type { RepairDocument, UndoneDocument } from '../../../src/operations/repair/repair-document.ts';
import { contents } from '../../support/compare.ts';
import { dumpAndDiff } from '../../support/dump-and-diff.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';
import { quiet, writing } from './writing.ts';

const servers = twoServers();

const schema = `
  CREATE TABLE item (id bigint PRIMARY KEY, s text, n numeric(12,4), b bytea, turns int NOT NULL DEFAULT 0);
  CREATE TABLE hot (id int PRIMARY KEY, n bigint NOT NULL);
  CREATE TABLE loose (v text, n numeric(8,2), b bytea, x bool); ALTER TABLE loose REPLICA IDENTITY FULL;
  CREATE TABLE secret (code text PRIMARY KEY, n int);`;
const rows = 4_000;
const fill = `
  INSERT INTO item SELECT i, 'text ' || i, i / 8.0, decode(md5(i::text), 'hex') FROM generate_series(1, ${rows}) i;
  INSERT INTO hot SELECT i, 0 FROM generate_series(1, 10) i;
  INSERT INTO loose SELECT 'x' || i % 300, i % 10, decode(md5((i % 10)::text), 'hex'), i % 2 = 0 FROM generate_series(1, 900) i;
  INSERT INTO secret SELECT 'code ' || i, i FROM generate_series(1, 300) i;`;

/** Rows that the writers leave alone, and some that they are at all the time. */
const spoil = `
  UPDATE item SET s = NULL WHERE id % ${quiet} = 0 AND id <= 1000;
  DELETE FROM item WHERE id % ${quiet} = 0 AND id > 1000 AND id <= 2000;
  INSERT INTO item (id, s) SELECT -i, 'nobody made it' FROM generate_series(1, 30) i;
  UPDATE item SET b = NULL WHERE id BETWEEN 2100 AND 2200;
  DELETE FROM loose WHERE ctid IN (SELECT min(ctid) FROM loose WHERE v IN ('x7', 'x17') GROUP BY v); DELETE FROM loose WHERE v = 'x27';
  UPDATE loose SET n = -1 WHERE v = 'x8'; INSERT INTO loose SELECT 'x9', 9, NULL, NULL FROM generate_series(1, 2);
  INSERT INTO loose SELECT * FROM loose WHERE v = 'x11';
  UPDATE secret SET n = -n WHERE n IN (3, 4); DELETE FROM secret WHERE n = 5; INSERT INTO secret VALUES ('nobody', 6);`;

test('a repair under load leaves the target as the source is, and can be taken back', async () => {
  const { source, target } = await servers.pair(schema);
  await source.query(fill);
  using file = new RouteFile({
    source,
    target,
    route: `tables:
  - public.*
  - { name: public.secret, transforms: [{ mask: { columns: [code], method: hmac, key: "a key that is long enough for a test" } }] }`,
  });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  const secrets = await contents(target, ['secret']);
  let written = 0;
  {
    await using _writers = writing(source, rows, true);
    await target.query(spoil);
    const refused = await file.tidelock('repair', 'here-to-there', '--json');
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('--yes');
    const planned = JSON.parse(refused.out) as RepairDocument;
    expect(planned).toMatchObject({ dryRun: true, job: null, equal: false });
    expect((await target.query('SELECT count(*)::int AS n FROM item WHERE id < 0'))[0]).toEqual({ n: 30 });

    const { code, out, err } = await file.tidelock('repair', 'here-to-there', '--yes', '--json');
    if (code > 1) throw new Error(`${out}\n${err}`);
    const done = JSON.parse(out) as RepairDocument;
    // Rows without a key that come and go all the time may be seen changing each time.
    const hot = done.tables.find(({ name }) => name === 'public.loose')?.undecided ?? 0;
    expect(done).toMatchObject({ equal: hot === 0, dryRun: false, job: 'here-to-there/2' });
    const item = done.tables.find(({ name }) => name === 'public.item');
    expect(item).toMatchObject({ missing: 20, extra: 30, undecided: 0, left: 0, refused: {} });
    // A row that the source has changed since it was spoilt is whole again by itself where its b was written.
    expect(item?.different).toBeGreaterThanOrEqual(20);
    expect(item?.repaired).toBe(50 + (item?.different ?? 0));
    written = (item?.different ?? 0) - 20;
    // Rows without a key are counted: a changed one is one that is missing and one that is extra.
    const loose = { missing: 8, extra: 8, different: 0, repaired: 16, left: 0, refused: {} };
    expect(done.tables.find(({ name }) => name === 'public.loose')).toMatchObject(loose);
    // Rows whose key is another one at the target are mended by that.
    const secret = { missing: 1, extra: 1, different: 2, undecided: 0, repaired: 4, left: 0, refused: {} };
    expect(done.tables.find(({ name }) => name === 'public.secret')).toMatchObject(secret);
  }
  await route.caughtUp();
  for (const table of ['item', 'hot'])
    expect(await dumpAndDiff(source, target, { table, key: 'id' })).toEqual({ missing: [], extra: [], different: [] });
  expect(await contents(target, ['loose'])).toEqual(await contents(source, ['loose']));
  expect(await contents(target, ['secret'])).toEqual(secrets);

  // Two rows change after the repair: those are newer.
  await source.query(`UPDATE item SET s = 'newer' WHERE id = ${quiet}; INSERT INTO item (id) VALUES (-1)`);
  await route.caughtUp();
  let document: UndoneDocument;
  // The session is lost where the first of the rows without a key are marked as taken back: they are not given back once more.
  await target.query(`
    CREATE SEQUENCE lost;
    CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF nextval('public.lost') = 1 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER lose BEFORE UPDATE ON tidelock.repaired FOR EACH ROW WHEN (NEW.target = 'public.loose') EXECUTE FUNCTION lose();
    ALTER TABLE tidelock.repaired ENABLE ALWAYS TRIGGER lose`);
  {
    await using _writers = writing(source, rows);
    const undone = await file.tidelock('repair', 'here-to-there', '--undo', 'here-to-there/2', '--yes', '--json');
    document = JSON.parse(undone.out) as UndoneDocument;
  }
  await route.caughtUp();
  expect(document).toMatchObject({ undone: 'here-to-there/2', refused: {} });
  expect(await target.query('SELECT last_value::int FROM lost')).not.toEqual([{ last_value: 1 }]);
  // And of what was repaired among the rows that the writers write, any that they have written since.
  expect(document.changed).toBeGreaterThanOrEqual(2);
  expect(document.changed).toBeLessThanOrEqual(2 + written);
  expect(
    await target.query(`SELECT count(*)::int AS n FROM item WHERE s IS NULL AND id % ${quiet} = 0 AND id > 0`),
  ).toEqual([{ n: 19 }]);
  expect(await target.query(`SELECT count(*)::int AS n FROM item WHERE id < 0 AND s = 'nobody made it'`)).toEqual([
    { n: 29 },
  ]);
  expect(await target.query(`SELECT s FROM item WHERE id = ${quiet}`)).toEqual([{ s: 'newer' }]);
  // Of rows that are alike one comes or goes for each.
  const counts = `SELECT v, n::int, count(*)::int AS rows FROM loose WHERE v IN ('x7', 'x17', 'x27', 'x8', 'x9', 'x11') GROUP BY 1, 2 ORDER BY 1, 2`;
  expect((await target.query(counts)).map(({ v, n, rows: count }) => `${v} ${n}: ${count}`)).toEqual([
    'x11 1: 6',
    'x17 7: 2',
    'x7 7: 2',
    'x8 -1: 3',
    'x9 9: 5',
  ]);

  // What is repaired does not come back in a route the other way, and what a person is to say has to be said.
  const { out } = await file.tidelock(
    'repair',
    'here-to-there',
    'public.item',
    '--where',
    `id = ${2 * quiet}`,
    '--yes',
    '--json',
  );
  expect((JSON.parse(out) as RepairDocument).tables).toMatchObject([{ rows: 1, different: 1, repaired: 1, left: 0 }]);

  // What a load has yet to bring would come once more with it.
  await target.query(
    `INSERT INTO tidelock.loads (route_id, source, targets, existing, key, expected_rows, expected_bytes)
     SELECT id, 'public.loose', '["public.loose"]', 'refuse', '[]', 1, 1 FROM tidelock.routes`,
  );
  const loading = await file.tidelock('repair', 'here-to-there', 'public.loose', '--yes');
  expect(loading).toMatchObject({ code: 2, err: expect.stringContaining('TL-4173') });
});

test('a repair breaks no constraint of the target that is only checked under the ordinary role', async () => {
  const { source, target } = await servers.pair(`
    CREATE TABLE item (id int PRIMARY KEY, u int NOT NULL, CONSTRAINT item_u UNIQUE (u) DEFERRABLE INITIALLY DEFERRED)`);
  await source.query('INSERT INTO item VALUES (1, 10), (2, 20), (3, 30)');
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]' });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  await target.query('UPDATE item SET u = id * 10 - 30 WHERE id < 3; UPDATE item SET u = 10 WHERE id = 2');
  const { out } = await file.tidelock('repair', 'here-to-there', '--where', 'id = 1', '--yes', '--json');
  expect((JSON.parse(out) as RepairDocument).tables).toMatchObject([
    { different: 1, repaired: 0, left: 1, refused: { 'SQLSTATE 23505, constraint item_u': 1 } },
  ]);
  expect(await contents(target, ['item'])).toEqual({ item: ['(1,-20)', '(2,10)', '(3,30)'] });
  const whole = await file.tidelock('repair', 'here-to-there', '--yes', '--json');
  expect((JSON.parse(whole.out) as RepairDocument).tables).toMatchObject([{ repaired: 2, left: 0, refused: {} }]);
  expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
});

test('a repair that meets a row that somebody holds does not hold up the route', async () => {
  const { source, target } = await servers.pair('CREATE TABLE item (id int PRIMARY KEY, s text)');
  await source.query(`INSERT INTO item SELECT i, 'text' FROM generate_series(1, 10) i`);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]' });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  await target.query(`UPDATE item SET s = 'spoilt' WHERE id = 5`);
  const holder = await target.client();
  let repair: ReturnType<typeof file.tidelock>;
  try {
    await holder.query('BEGIN; SELECT FROM item WHERE id = 5 FOR UPDATE');
    repair = file.tidelock('repair', 'here-to-there', '--yes', '--json');
    await until('a repair that waits', async () => {
      const [waiting] = await target.query(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'tidelock %'`,
      );
      return waiting?.n === 1;
    });
    await source.query(`INSERT INTO item VALUES (11, 'comes meanwhile')`);
    await until(
      'the row behind the look',
      async () => (await target.query('SELECT FROM item WHERE id = 11')).length === 1,
      15_000,
    );
  } finally {
    await holder.end();
  }
  // The job tries again by itself.
  expect(JSON.parse((await repair).out)).toMatchObject({ equal: true, tables: [{ repaired: 1 }] });
  expect(await target.query('SELECT s FROM item WHERE id = 5')).toEqual([{ s: 'text' }]);
});

test('a repair that is cancelled during its COMMIT has done all of a batch or nothing, before what comes behind it, and can be taken back', async () => {
  const { source, target } = await servers.pair('CREATE TABLE item (id int PRIMARY KEY, s text)');
  await source.query(`INSERT INTO item SELECT i, 'text' FROM generate_series(1, 10) i`);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nallow: [targetTriggers]' });
  await using route = file.run();
  await route.state('running');
  await route.caughtUp();
  await target.query(`
    UPDATE item SET s = 'spoilt' WHERE id IN (5, 6); DELETE FROM item WHERE id = 7;
    CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(3); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slow AFTER UPDATE ON item DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 5) EXECUTE FUNCTION slowly();
    ALTER TABLE item ENABLE ALWAYS TRIGGER slow`);
  const repair = file.tidelock('repair', 'here-to-there', '--yes', '--json');
  await until('a COMMIT that takes long', async () => {
    const [busy] = await target.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = 'commit' AND state = 'active' AND wait_event = 'PgSleep'`,
    );
    return busy?.n === 1;
  });
  expect((await file.tidelock('jobs', 'cancel', 'here-to-there/1')).code).toBe(0);
  // The one that the repair brings is there for nobody yet.
  await source.query(`INSERT INTO item VALUES (11, 'goes on'); DELETE FROM item WHERE id = 7`);
  await route.caughtUp();
  await repair;
  const [job] = await target.query('SELECT state FROM tidelock.jobs WHERE id = 1');
  expect(job?.state).toBe('cancelled');
  // Its session may still be at it.
  await until('the end of the COMMIT', async () => {
    const [busy] = await target.query(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE query = 'commit' AND state = 'active'`,
    );
    return busy?.n === 0;
  });
  const [rowsNow] = await target.query(`SELECT count(*)::int AS n FROM item WHERE s = 'spoilt'`);
  const [kept] = await target.query('SELECT count(*)::int AS n FROM tidelock.repaired WHERE job_id = 1');
  expect([rowsNow?.n, kept?.n]).toEqual([0, 3]);
  expect(await target.query('SELECT FROM item WHERE id = 7')).toEqual([]);
  await target.query('ALTER TABLE item DISABLE TRIGGER slow');
  const undone = await file.tidelock('repair', 'here-to-there', '--undo', 'here-to-there/1', '--yes', '--json');
  expect(JSON.parse(undone.out)).toMatchObject({ rows: 2, changed: 1 });
  expect(await target.query(`SELECT id FROM item WHERE s = 'spoilt' ORDER BY id`)).toEqual([{ id: 5 }, { id: 6 }]);
});

test('a job outlives its engine, goes on where it was, and rests when it is told to', async () => {
  const { source, target } = await servers.pair(schema);
  await source.query(`INSERT INTO item SELECT i, 'text ' || i FROM generate_series(1, 260000) i`);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]' });
  const job = async (): Promise<Record<string, unknown>> => {
    const { out } = await file.tidelock('jobs', '--limit', '1', '--json');
    return (JSON.parse(out) as { jobs: Record<string, unknown>[] }).jobs[0] ?? {};
  };
  let watching: ReturnType<typeof file.tidelock>;
  {
    await using route = file.run();
    await route.state('running');
    await route.caughtUp();
    watching = file.tidelock('compare', 'here-to-there', '--max-load', '0.5%', '--json');
    await until('a chunk that is stored', async () => Number((await job()).done) > 0, 60_000);
    await route.kill9();
  }
  const killed = await job();
  expect(killed).toMatchObject({ state: 'running', kind: 'compare' });
  await using route = file.run();
  await until('another attempt', async () => Number((await job()).attempts) === 2, 60_000);
  expect((await file.tidelock('jobs', 'pause', 'here-to-there/1')).code).toBe(0);
  await until('a job that rests', async () => (await job()).state === 'paused');
  // Who watches a job that rests is let go, without an answer.
  expect((await watching).code).toBe(130);
  const steps = await target.query(
    `SELECT state -> 'rows' AS rows FROM tidelock.job_steps WHERE step = 'table public.item'`,
  );
  expect(Number(steps[0]?.rows)).toBeGreaterThanOrEqual(Number(killed.done));
  expect(Number(steps[0]?.rows)).toBeLessThan(260_000);
  // It goes on with what it was asked for, until it is told to be done sooner, also while it is under way.
  expect((await file.tidelock('jobs', 'resume', 'here-to-there/1')).code).toBe(0);
  await until('a third attempt', async () => Number((await job()).attempts) === 3);
  const resume = (...more: string[]) => file.tidelock('compare', 'here-to-there', '--resume', ...more);
  expect((await resume('--where', 'id = 1')).err).toContain('TL-1014');
  const fresh = await resume('--max-load', '100%', '--json');
  expect(JSON.parse(fresh.out)).toMatchObject({
    equal: true,
    tables: [{ rows: 0 }, { rows: 260_000 }, { rows: 0 }, { rows: 0 }],
  });
  expect(await job()).toMatchObject({ id: 'here-to-there/1', state: 'done', attempts: 4 });
  expect(await target.query('SELECT options FROM tidelock.jobs')).toMatchObject([{ options: { maxLoad: 1 } }]);
  const again = await file.tidelock('jobs', 'resume', 'here-to-there/1');
  expect(again.code).toBe(2);
  expect(again.err).toContain('TL-4152');
  const undone = await file.tidelock('repair', 'here-to-there', '--undo', 'here-to-there/1', '--yes');
  expect(undone).toMatchObject({ code: 2, err: expect.stringContaining('is a compare, and no repair') });
  expect((await resume()).err).toContain('TL-1014');
  expect(await contents(source, ['hot'])).toEqual({ hot: [] });
  await route.stop();
});
