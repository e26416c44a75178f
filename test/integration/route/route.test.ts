import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';

const { pair } = twoServers();

test('tables are loaded, then follow: renamed, masked and excluded columns as configured', async () => {
  const { source, target } = await pair(`CREATE TABLE person (id int PRIMARY KEY, name text, email text, secret text)`);
  await target.query(`ALTER TABLE person RENAME name TO full_name; ALTER TABLE person DROP COLUMN secret`);
  await source.query(
    `INSERT INTO person SELECT i, 'name ' || i, 'm' || i || '@example.org', 's' FROM generate_series(1, 100) i`,
  );
  using file = new RouteFile({
    source,
    target,
    route: `tables:
  - name: public.person
    columns: { exclude: [secret], rename: { name: full_name } }
    transforms: [{ mask: { columns: [email], method: hmac, key: k } }]`,
  });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO person VALUES (101, 'new', 'm1@example.org', 's')`);
  await source.query(`UPDATE person SET name = 'changed' WHERE id = 1`);
  await route.caughtUp();
  const rows = await target.query('SELECT id, full_name, email FROM person WHERE id IN (1, 2, 101) ORDER BY id');
  expect(rows.map(({ id, full_name }) => [id, full_name])).toEqual([
    [1, 'changed'],
    [2, 'name 2'],
    [101, 'new'],
  ]);
  expect(rows[0]?.email).not.toContain('@example.org');
  // The same value, loaded or streamed, gets the same mask.
  expect(rows[2]?.email).toBe(rows[0]?.email);
  expect(rows[1]?.email).not.toBe(rows[0]?.email);
  expect(await route.stop()).toBe(0);
});

const shapes = `
  CREATE TABLE parent (id int PRIMARY KEY, boss int REFERENCES parent, label text UNIQUE);
  CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL REFERENCES parent, position int, UNIQUE (parent, position));
  CREATE TABLE slot (id int PRIMARY KEY, place int UNIQUE DEFERRABLE INITIALLY IMMEDIATE, note text);
  CREATE TABLE pair (a int, b text, value numeric, PRIMARY KEY (a, b));
  CREATE TABLE loose (value int, note text);
  ALTER TABLE loose REPLICA IDENTITY FULL;
`;

test('every order of changes inside a transaction ends as at the source', async () => {
  const { source, target } = await pair(shapes);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  const transactions: (string | string[])[] = [
    `INSERT INTO parent VALUES (1, NULL, 'a'), (2, 1, 'b'), (3, 2, 'c')`,
    `INSERT INTO child VALUES (1, 1, 1), (2, 1, 2), (3, 1, 3), (4, 2, 1)`,
    // Unique values swapped and rotated through free ones.
    [
      'UPDATE parent SET label = label || 0',
      `UPDATE parent SET label = CASE id WHEN 1 THEN 'b' WHEN 2 THEN 'c' ELSE 'a' END`,
    ],
    [
      'UPDATE child SET position = -position WHERE parent = 1',
      'UPDATE child SET position = 1 - position % 3 WHERE parent = 1 AND id < 3',
    ],
    // Primary keys swapped.
    ['UPDATE pair SET a = 0', `INSERT INTO pair VALUES (1, 'x', 1.10), (2, 'x', 2.20), (3, 'y', 'NaN')`],
    [`UPDATE pair SET a = 100 WHERE a = 1`, `UPDATE pair SET a = 1 WHERE a = 2`, `UPDATE pair SET a = 2 WHERE a = 100`],
    // Deleted and inserted again, with other values; inserted and deleted.
    [
      `DELETE FROM pair WHERE a = 3`,
      `INSERT INTO pair VALUES (3, 'y', 3.3)`,
      `INSERT INTO pair VALUES (9, 'z', 0)`,
      `DELETE FROM pair WHERE a = 9`,
    ],
    // A parent that leaves with all that hangs on it, and comes back.
    [
      `DELETE FROM child WHERE parent = 2`,
      `UPDATE parent SET boss = NULL WHERE boss = 2`,
      `DELETE FROM parent WHERE id = 2`,
    ],
    [`INSERT INTO parent VALUES (2, 3, 'again')`, `UPDATE parent SET boss = 2 WHERE id = 3`],
    // A constraint that is checked at the end of a statement or a transaction.
    [`INSERT INTO slot SELECT i, i, 'n' FROM generate_series(1, 6) i`],
    [`UPDATE slot SET place = 7 - place`],
    [
      `SET CONSTRAINTS ALL DEFERRED`,
      `UPDATE slot SET place = 5 WHERE id = 1`,
      `UPDATE slot SET place = 6 WHERE id = 2`,
    ],
    // Identical rows, of which one at a time changes.
    [
      `INSERT INTO loose SELECT 1, 'same' FROM generate_series(1, 5)`,
      `INSERT INTO loose VALUES (NULL, NULL), (NULL, NULL)`,
    ],
    [`DELETE FROM loose WHERE ctid = (SELECT min(ctid) FROM loose)`],
    [`UPDATE loose SET note = 'other' WHERE ctid = (SELECT min(ctid) FROM loose)`],
    [`UPDATE loose SET value = 7 WHERE ctid = (SELECT max(ctid) FROM loose)`],
    // Emptied and filled again.
    [`TRUNCATE slot`, `INSERT INTO slot VALUES (1, 1, 'first again')`],
    [`TRUNCATE parent, child`, `INSERT INTO parent VALUES (5, 5, 'itself')`],
  ];
  const client = await source.client();
  for (const statements of transactions) {
    await client.query('BEGIN');
    for (const statement of [statements].flat()) await client.query(statement);
    await client.query('COMMIT');
  }
  await client.end();
  await route.caughtUp();
  const tables = ['parent', 'child', 'slot', 'pair', 'loose'];
  expect(await contents(target, tables)).toEqual(await contents(source, tables));
});

test('a changed table definition halts until a person accepts it', async () => {
  const { source, target } = await pair(`CREATE TABLE item (id int PRIMARY KEY)`);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO item VALUES (1)`);
  await source.query(`ALTER TABLE item ADD COLUMN label text DEFAULT 'd'`);
  await source.query(`INSERT INTO item VALUES (2, 'two')`);
  const failed = await route.state('failed');
  expect(failed.reason).toMatchObject({ code: 'TL-4105', message: expect.stringContaining('public.item') });
  expect(await contents(target, ['item'])).toEqual({ item: ['(1)'] });
  await target.query(`ALTER TABLE item ADD COLUMN label text DEFAULT 'd'`);
  expect((await file.tidelock('start', 'here-to-there', '--accept-schema-change')).code).toBe(0);
  await route.caughtUp();
  expect(await contents(target, ['item'])).toEqual(await contents(source, ['item']));
  // What was accepted is what was there: the next change halts again.
  await source.query(`ALTER TABLE item DROP COLUMN label`);
  await source.query(`INSERT INTO item VALUES (3)`);
  expect((await route.state('failed')).reason?.code).toBe('TL-4105');
});

test('stopped and started, over restarts of the service', async () => {
  const { source, target } = await pair(`CREATE TABLE item (id int PRIMARY KEY)`);
  using file = new RouteFile({ source, target });
  {
    await using route = file.run();
    await route.state('running');
    expect((await file.tidelock('stop', 'here-to-there')).code).toBe(0);
    await route.state('stopped');
    await source.query(`INSERT INTO item VALUES (1)`);
    expect(await route.stop()).toBe(0);
  }
  await using route = file.run();
  await route.state('stopped');
  expect(await contents(target, ['item'])).toEqual({ item: [] });
  expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
  await route.caughtUp();
  expect(await contents(target, ['item'])).toEqual({ item: ['(1)'] });
});

test('nothing is copied over rows that are there, and a load that was refused leaves no slot', async () => {
  const { source, target } = await pair(`CREATE TABLE item (id int PRIMARY KEY)`);
  await source.query(`INSERT INTO item VALUES (1)`);
  await target.query(`INSERT INTO item VALUES (2)`);
  using file = new RouteFile({ source, target });
  await using route = file.run();
  expect((await route.state('failed')).reason).toMatchObject({ message: expect.stringContaining('public.item') });
  expect(await source.query('SELECT FROM pg_replication_slots WHERE database = current_database()')).toEqual([]);
  await target.query(`DELETE FROM item`);
  await file.tidelock('start', 'here-to-there');
  await route.caughtUp();
  expect(await contents(target, ['item'])).toEqual({ item: ['(1)'] });
});

test('rows of 1,600 columns, and of many megabytes', async () => {
  const columns = Array.from({ length: 1_599 }, (_, i) => `c${i} int`).join(', ');
  const { source, target } = await pair(
    `CREATE TABLE wide (id int PRIMARY KEY, ${columns}); CREATE TABLE big (id int PRIMARY KEY, t text, b bytea)`,
  );
  using file = new RouteFile({ source, target });
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO wide (id, c0, c1598) SELECT i, i, -i FROM generate_series(1, 50) i`);
  await source.query(`INSERT INTO big SELECT i, repeat(md5(i::text), 500000), decode(repeat(md5(i::text), 200000), 'hex')
    FROM generate_series(1, 3) i`);
  await source.query(`UPDATE big SET id = id + 10`);
  await source.query(`UPDATE wide SET c7 = id`);
  await route.caughtUp(60_000);
  const digest = `SELECT md5(string_agg(md5(t::text), '' ORDER BY id)) AS d FROM`;
  for (const table of ['wide', 'big'])
    expect(await target.query(`${digest} ${table} t`)).toEqual(await source.query(`${digest} ${table} t`));
});
