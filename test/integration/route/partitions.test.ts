import { expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';

const { pair } = twoServers();

/** Of two levels, with a partition whose columns lie in another order and one that had a column more. */
const root = `
  CREATE TABLE m (id int, day date NOT NULL, region text NOT NULL, v numeric, big text, PRIMARY KEY (id, day, region)) PARTITION BY RANGE (day);
  CREATE TABLE m_2023 PARTITION OF m FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
  CREATE TABLE m_2024 (big text, gone int, v numeric, region text NOT NULL, day date NOT NULL, id int NOT NULL);
  ALTER TABLE m_2024 DROP COLUMN gone;
  ALTER TABLE m ATTACH PARTITION m_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
  CREATE TABLE m_2025 PARTITION OF m FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (region);
  CREATE TABLE m_2025_eu PARTITION OF m_2025 FOR VALUES IN ('eu');
  CREATE TABLE "M 2025 rest" PARTITION OF m_2025 DEFAULT;
  CREATE TABLE m_rest PARTITION OF m DEFAULT;`;

const flat = `CREATE TABLE m (id int, day date NOT NULL, region text NOT NULL, v numeric, big text, PRIMARY KEY (id, day, region))`;

const hashed = `${flat} PARTITION BY HASH (id);
  CREATE TABLE h0 PARTITION OF m FOR VALUES WITH (MODULUS 2, REMAINDER 0);
  CREATE TABLE h1 PARTITION OF m FOR VALUES WITH (MODULUS 2, REMAINDER 1);`;

const fill = (from: number): string => `
  INSERT INTO m SELECT i, '2022-11-01'::date + i * 40, (ARRAY['eu', 'us', 'as'])[1 + i % 3], i * 1.50, repeat(md5(i::text), 200)
  FROM generate_series(${from}, ${from + 29}) i;`;

const work = `
  BEGIN; UPDATE m SET v = v + 1 WHERE id % 2 = 0; UPDATE m SET day = day + 365 WHERE id % 3 = 0; COMMIT;
  UPDATE m SET region = 'eu' WHERE day >= '2025-01-01'; DELETE FROM m WHERE id % 7 = 0;
  UPDATE m_2024 SET v = -1 WHERE id < 20; UPDATE m SET id = id + 1000, day = '2030-01-01' WHERE id % 11 = 0;`;

test.for([
  ['the same partitions', root],
  ['other partitions', hashed],
  ['no partitions', flat],
] as const)('a partitioned table is carried under its own name, to %s', async ([_, targetSchema]) => {
  const { source, target } = await pair(root, targetSchema);
  await source.query(`ALTER TABLE m_2024 ALTER big SET STORAGE EXTERNAL; ${fill(1)}`);
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]' });
  await using route = file.run();
  await route.unhalted(route.state('running'));
  expect(await contents(target, ['m'])).toEqual(await contents(source, ['m']));
  await source.query(fill(101));
  for (const statement of work.split(';').filter((text) => text.trim() !== '')) await source.query(statement);
  await source.query(work);
  await route.unhalted(route.caughtUp());
  expect(await contents(target, ['m'])).toEqual(await contents(source, ['m']));
  await source.query(`TRUNCATE m; ${fill(201)}`);
  await route.unhalted(route.caughtUp());
  expect(await contents(target, ['m'])).toEqual(await contents(source, ['m']));
});

test('partitions are carried leaf to leaf where the root is left out: truncated, attached and detached as tables of their own', async () => {
  const { source, target } = await pair(root);
  await source.query(fill(1));
  using file = new RouteFile({ source, target, route: 'tables: ["public.*"]\nexclude: [public.m, public.m_2025]' });
  await using route = file.run();
  await route.unhalted(route.state('running'));
  await source.query(fill(101));
  await source.query(work);
  await source.query('TRUNCATE m_2023, m_rest');
  await source.query(`ALTER TABLE m DETACH PARTITION m_2024`);
  await source.query(`UPDATE m_2024 SET v = 5; INSERT INTO m_2024 (id, day, region) VALUES (999, '2024-05-05', 'eu')`);
  await source.query(`ALTER TABLE m ATTACH PARTITION m_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01')`);
  await source.query(`UPDATE m SET v = 6 WHERE id = 999`);
  await route.unhalted(route.caughtUp());
  const leaves = ['m_2023', 'm_2024', 'm_2025_eu', '"M 2025 rest"', 'm_rest'];
  expect(await contents(target, leaves)).toEqual(await contents(source, leaves));
  await source.query('TRUNCATE m');
  await route.unhalted(route.caughtUp());
  expect(await contents(target, leaves)).toEqual(await contents(source, leaves));
});

test('a partition that is made while the route runs is carried with its table', async () => {
  const { source, target } = await pair(
    'CREATE TABLE m (id int PRIMARY KEY, v text) PARTITION BY LIST (id)',
    'CREATE TABLE m (id int PRIMARY KEY, v text)',
  );
  using file = new RouteFile({ source, target, route: 'tables: [public.m]' });
  await using route = file.run();
  await route.state('running');
  for (let i = 1; i <= 5; i++) {
    await source.query(`CREATE TABLE m_${i} PARTITION OF m FOR VALUES IN (${i}); INSERT INTO m VALUES (${i}, 'v')`);
    await source.query(`UPDATE m SET v = 'changed' WHERE id = ${i}`);
  }
  await route.caughtUp();
  expect(await contents(target, ['m'])).toEqual(await contents(source, ['m']));
  // Of a table that is in a publication by itself the server refuses it.
  await source.query('ALTER TABLE m_1 SET UNLOGGED');
  const { reason } = await route.state('failed');
  expect(reason).toMatchObject({ code: 'TL-4105', message: expect.stringContaining('public.m_1 is unlogged') });
});

test('a partition that is not in the WAL refuses its table; that a partition can be truncated unseen is told', async () => {
  const { source, target } = await pair(
    `CREATE TABLE m (id int PRIMARY KEY, v text) PARTITION BY LIST (id); CREATE TABLE m_1 PARTITION OF m FOR VALUES IN (1);
     CREATE UNLOGGED TABLE m_2 PARTITION OF m FOR VALUES IN (2); CREATE TABLE plain (id int PRIMARY KEY);`,
    'CREATE TABLE m (id int PRIMARY KEY, v text); CREATE TABLE plain (id int PRIMARY KEY)',
  );
  using file = new RouteFile({ source, target });
  const check = async () => {
    const { out } = await file.tidelock('check', '--json');
    const { routes } = JSON.parse(out) as {
      routes: { findings: { code: string; table?: string; level: string; statement?: string }[] }[];
    };
    return routes.flatMap(({ findings }) => findings).filter(({ code }) => code.startsWith('source.partition'));
  };
  const found = await check();
  expect(found.map(({ code, table, level }) => [code, table, level])).toEqual([
    ['source.partitionNotCarried', 'public.m_2', 'error'],
    ['source.partitionTruncate', 'public.m', 'warning'],
  ]);
  {
    await using route = file.run();
    expect((await route.state('failed')).reason?.message).toContain('public.m_2');
  }
  await source.query(found[0]?.statement ?? '');
  expect((await check()).map(({ level }) => level)).toEqual(['warning']);
});

test('partitions whose old rows are logged otherwise than those of their table are refused, and halt when made later', async () => {
  const { source, target } = await pair(
    `CREATE TABLE m (id int NOT NULL, v text) PARTITION BY LIST (id); ALTER TABLE m REPLICA IDENTITY FULL;
     CREATE TABLE m_1 PARTITION OF m FOR VALUES IN (1);`,
    'CREATE TABLE m (id int NOT NULL, v text)',
  );
  using file = new RouteFile({ source, target, route: 'tables: [public.m]' });
  const { out } = await file.tidelock('check', '--json');
  expect(out).toContain('ALTER TABLE \\"public\\".\\"m_1\\" REPLICA IDENTITY FULL;');
  await source.query('ALTER TABLE m_1 REPLICA IDENTITY FULL');
  await using route = file.run();
  await route.state('running');
  await source.query(`INSERT INTO m VALUES (1, 'a'), (1, 'a'); UPDATE m SET v = 'b' WHERE ctid = '(0,1)'`);
  await route.caughtUp();
  expect(await contents(target, ['m'])).toEqual({ m: ['(1,a)', '(1,b)'] });
  // With a key of its own the server lets it be changed, and logs that key alone: noticed with the first of its rows.
  await source.query(
    `CREATE TABLE m_2 PARTITION OF m (PRIMARY KEY (id)) FOR VALUES IN (2); INSERT INTO m VALUES (2, 'x')`,
  );
  expect((await route.state('failed')).reason).toMatchObject({
    code: 'TL-3206',
    message: expect.stringContaining('public.m '),
  });
  expect(await contents(target, ['m'])).toEqual({ m: ['(1,a)', '(1,b)'] });
});

test('a partition that one transaction makes, fills and attaches halts, as its rows come without row events; one that is made for new rows goes on', async () => {
  const { source, target } = await pair(
    `CREATE TABLE m (id int PRIMARY KEY, v text NOT NULL DEFAULT 'v') PARTITION BY RANGE (id)`,
    'CREATE TABLE m (id int PRIMARY KEY, v text)',
  );
  using file = new RouteFile({ source, target, route: 'tables: [public.m]\nschemaChanges: evolve' });
  await using route = file.run();
  await route.state('running');
  const attach = (of: number, between = ''): string => `BEGIN; CREATE TABLE m_${of} (LIKE m INCLUDING ALL); ${between}
    ALTER TABLE m ATTACH PARTITION m_${of} FOR VALUES FROM (${of}0) TO (${of + 1}0); COMMIT`;
  // As tools make partitions ahead of their rows.
  await source.query(attach(1));
  await source.query(
    'BEGIN; CREATE TABLE m_2 PARTITION OF m FOR VALUES FROM (20) TO (30); INSERT INTO m_2 VALUES (20); COMMIT',
  );
  await source.query('INSERT INTO m VALUES (10), (21)');
  await route.unhalted(route.caughtUp());
  expect(await contents(target, ['m'])).toEqual(await contents(source, ['m']));
  await source.query(attach(3, 'INSERT INTO m_3 SELECT generate_series(30, 39);'));
  expect((await route.state('failed', 30_000)).reason).toMatchObject({
    code: 'TL-4109',
    message: expect.stringContaining('attached as a partition'),
  });
  await target.query(`INSERT INTO m SELECT generate_series(30, 39), 'v'`);
  expect((await file.tidelock('start', 'here-to-there', '--accept-schema-change')).code).toBe(0);
  await route.state('running', 20_000);
  await source.query(`UPDATE m SET v = 'changed' WHERE id > 30`);
  await route.caughtUp();
  expect(await contents(target, ['m'])).toEqual(await contents(source, ['m']));
});
