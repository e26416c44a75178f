import { describe, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { isAlive } from '../../support/process-tree.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';
import { versionPairs } from '../../support/version-pairs.ts';

const root = 'CREATE TABLE part (id int, day date NOT NULL, note text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)';

const schema = `
  CREATE TABLE parent (id int PRIMARY KEY, label text UNIQUE, note text);
  CREATE TABLE child (id int PRIMARY KEY, parent int NOT NULL REFERENCES parent, n numeric(12,2), gone text);
  CREATE TABLE tally (id int PRIMARY KEY, total int NOT NULL);
  CREATE TABLE event (n int, what text); ALTER TABLE event REPLICA IDENTITY FULL;
  ${root};`;

const sourcePartitions = `
  CREATE TABLE part_2024 PARTITION OF part FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  CREATE TABLE part_rest PARTITION OF part DEFAULT;`;

const targetPartitions = 'CREATE TABLE part_all PARTITION OF part DEFAULT;';

const fill = `
  INSERT INTO parent SELECT i, 'l' || i, repeat(md5(i::text), 100) FROM generate_series(1, 20) i;
  INSERT INTO child SELECT i, 1 + i % 20, i * 1.5, 'x' FROM generate_series(1, 50) i;
  INSERT INTO part SELECT i, '2023-12-01'::date + i * 5, 'p' FROM generate_series(1, 100) i;
  INSERT INTO tally VALUES (1, 0);`;

const addOne = `BEGIN; UPDATE tally SET total = total + 1; INSERT INTO event VALUES (1, 'same'); COMMIT`;

const tables = ['parent', 'child', 'tally', 'event', 'part'];

/** `npm run test:full` runs it for each version to each; what a version has of its own shows here within seconds. */
describe.for(versionPairs)('PostgreSQL %s to %s', ([from, to]) => {
  const servers = twoServers({ version: from }, { version: to });

  test('loaded, followed through new definitions, partitions and kills, parked and retried', {
    timeout: 180_000,
  }, async () => {
    const { here, there } = servers;
    const { source, target } = await servers.pair(schema + sourcePartitions, schema + targetPartitions);
    await source.query(fill);
    const file = new RouteFile({
      source,
      target,
      route: 'tables: ["public.*"]\nschemaChanges: evolve\napply: { onError: park }',
    });
    using _file = file;
    // Its answer is lost: whether the transaction was committed is looked up after the restart.
    await using route = file.run({ TIDELOCK_FAILPOINTS: 'commit.answerLost=3:kill' });
    const same = async (): Promise<void> => {
      await route.caughtUp(60_000);
      expect(await contents(target, tables)).toEqual(await contents(source, tables));
    };
    await route.state('running');
    await same();

    const worker = await route.workerPid();
    for (let i = 0; i < 10; i++) await source.query(addOne);
    await until('the end of the worker', () => !isAlive(worker));
    await same();

    await source.query(`
      ALTER TABLE child ADD COLUMN state text NOT NULL DEFAULT 'new', DROP COLUMN gone;
      ALTER TABLE child RENAME n TO amount;
      INSERT INTO child (id, parent, amount) VALUES (100, 1, -1), (101, 2, 'NaN')`);
    await source.query(`
      UPDATE child SET state = 'old', id = id + 1000 WHERE id % 3 = 0;
      UPDATE part SET day = day + 365, note = note || '!' WHERE id % 4 = 0; DELETE FROM part_2024 WHERE id % 5 = 0;
      UPDATE parent SET label = label || 'n'; TRUNCATE event`);
    await same();

    for (const server of [there, here]) {
      await server.kill9();
      await server.start();
      await source.query(addOne);
      await same();
    }

    await target.query(`ALTER TABLE parent ADD CONSTRAINT refuses CHECK (note <> 'bad')`);
    await source.query(`INSERT INTO parent VALUES (50, 'parked', 'bad')`);
    await source.query(`INSERT INTO child VALUES (500, 50, 1)`);
    await source.query(`INSERT INTO child VALUES (501, 1, 1); ${addOne}`);
    await route.caughtUp();
    expect(await target.query('SELECT id FROM child WHERE id >= 500 AND id < 600')).toEqual([{ id: 501 }]);
    await target.query('ALTER TABLE parent DROP CONSTRAINT refuses');
    expect((await file.tidelock('parked', 'retry', 'here-to-there', '--all')).code).toBe(0);
    await same();
    expect(await route.stop()).toBe(0);
  });

  const refusesChar = Number(from) > 14 && to === '14';

  test('"char" is refused where the target would cut what the source writes for a byte that is not ASCII', async () => {
    const { source, target } = await servers.pair(`
      CREATE TYPE two AS (a "char", b int);
      CREATE TABLE c (id int PRIMARY KEY, v "char"); CREATE TABLE cs (id int PRIMARY KEY, v "char"[], t two)`);
    await source.query(`INSERT INTO c VALUES (1, 'x'); INSERT INTO cs VALUES (1, '{y,NULL}', '(z,1)')`);
    if (Number(from) > 14) await source.query(`INSERT INTO c VALUES (2, '\\200')`);
    using file = new RouteFile({ source, target });
    await using route = file.run();
    if (refusesChar) {
      expect((await route.state('failed')).reason?.message).toContain('TL-2104');
      return;
    }
    await route.state('running');
    await source.query(`INSERT INTO c SELECT id + 10, v FROM c`);
    await route.caughtUp();
    expect(await contents(target, ['c', 'cs'])).toEqual(await contents(source, ['c', 'cs']));
  });
});
