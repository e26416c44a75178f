import { expect, test } from 'vitest';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

interface Report {
  readonly source: string;
  readonly outcome: string;
  readonly value: string | null;
}

async function carry(file: RouteFile): Promise<{ code: number; reports: Record<string, string> }> {
  const { code, out } = await file.tidelock('sequences', 'here-to-there', '--json');
  const { sequences } = JSON.parse(out) as { sequences: Report[] };
  const text = ({ outcome, value }: Report): string => (value === null ? outcome : `${outcome} ${value}`);
  return { code, reports: Object.fromEntries(sequences.map((report) => [report.source, text(report)])) };
}

async function next(database: TestDatabase, sequence: string): Promise<string> {
  return String((await database.query(`SELECT nextval('${sequence}') AS n`))[0]?.n);
}

const schema = `
  CREATE TABLE plain (id serial PRIMARY KEY);
  CREATE TABLE "Odd name" (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
  CREATE TABLE never (id serial PRIMARY KEY);
  CREATE TABLE ahead (id serial PRIMARY KEY);
  CREATE TABLE down (id int PRIMARY KEY, n int);
  CREATE SEQUENCE down_n INCREMENT -2 MAXVALUE -1 MINVALUE -1000 OWNED BY down.n;
  CREATE TABLE round (id int PRIMARY KEY, n int);
  CREATE SEQUENCE round_n MAXVALUE 10 CYCLE OWNED BY round.n;
  CREATE SEQUENCE shared;
  CREATE TABLE first_of_two (id int PRIMARY KEY DEFAULT nextval('shared'));
  CREATE TABLE second_of_two (id int PRIMARY KEY DEFAULT 1000 + nextval('shared'));
  CREATE TABLE cached (id int PRIMARY KEY, n int);
  CREATE SEQUENCE cached_n CACHE 50 OWNED BY cached.n;`;

test('values are carried forward and never back, in the direction and with the steps of each side', async () => {
  const { source, target } = await servers.pair();
  await source.query(`${schema}; CREATE TABLE stepped (id serial PRIMARY KEY); CREATE TABLE bare (id serial PRIMARY KEY);
    CREATE TABLE odd (id int PRIMARY KEY); CREATE SEQUENCE odd_id_seq INCREMENT 2 OWNED BY odd.id; CREATE TABLE restarted (id serial PRIMARY KEY);
    CREATE TABLE small (id serial PRIMARY KEY); CREATE TABLE named (id serial PRIMARY KEY); CREATE TABLE alone (id serial PRIMARY KEY);
    CREATE SEQUENCE free_invoice; CREATE SEQUENCE free_gone; CREATE SEQUENCE free_left; CREATE SEQUENCE nobody`);
  await target.query(`${schema}; CREATE TABLE stepped (id int PRIMARY KEY); CREATE TABLE bare (id int PRIMARY KEY);
    CREATE TABLE small (id int PRIMARY KEY); CREATE TABLE named (number serial PRIMARY KEY);
    CREATE TABLE alone (id int PRIMARY KEY); CREATE SEQUENCE free_invoice; CREATE SEQUENCE free_left;
    CREATE SEQUENCE stepped_id_seq START 2 INCREMENT 2 OWNED BY stepped.id;
    CREATE TABLE odd (id int PRIMARY KEY); CREATE SEQUENCE odd_id_seq START 2 INCREMENT 2 OWNED BY odd.id;
    CREATE TABLE restarted (id serial PRIMARY KEY); ALTER SEQUENCE restarted_id_seq INCREMENT 2 RESTART 2;
    CREATE SEQUENCE small_id_seq MAXVALUE 5 OWNED BY small.id`);
  await source.query(`SELECT nextval('plain_id_seq') FROM generate_series(1, 41);
    SELECT nextval('"Odd name_id_seq"') FROM generate_series(1, 7); SELECT nextval('down_n') FROM generate_series(1, 3);
    SELECT nextval('round_n') FROM generate_series(1, 12); SELECT nextval('cached_n');
    SELECT nextval('shared') FROM generate_series(1, 3);
    SELECT nextval('stepped_id_seq') FROM generate_series(1, 5); SELECT nextval('odd_id_seq') FROM generate_series(1, 5);
    SELECT nextval('restarted_id_seq') FROM generate_series(1, 5); SELECT nextval('bare_id_seq');
    SELECT nextval('small_id_seq') FROM generate_series(1, 9); SELECT nextval('named_id_seq');
    SELECT nextval('free_invoice') FROM generate_series(1, 6); SELECT nextval('free_left')`);
  await target.query(`SELECT setval('ahead_id_seq', 1000); SELECT setval('round_n', 8)`);
  using file = new RouteFile({
    source,
    target,
    route:
      'tables:\n  - "public.*"\n  - { name: public.named, columns: { rename: { id: number } } }\nsequences: { include: ["public.free*", public.plain_id_seq], exclude: [public.alone_id_seq, "*.*_left"] }',
  });
  const first = await carry(file);
  expect(first).toEqual({
    code: 1,
    reports: {
      'public.plain_id_seq': 'carried 41',
      'public.Odd name_id_seq': 'carried 7',
      'public.never_id_seq': 'same',
      'public.ahead_id_seq': 'ahead',
      'public.down_n': 'carried -5',
      'public.round_n': 'carried 2',
      'public.shared': 'carried 3',
      'public.cached_n': 'carried 50',
      'public.stepped_id_seq': 'carried 6',
      'public.odd_id_seq': 'carried 10',
      'public.restarted_id_seq': 'carried 6',
      'public.bare_id_seq': 'missing',
      'public.small_id_seq': 'outOfRange',
      'public.named_id_seq': 'carried 1',
      'public.free_gone': 'missing',
      'public.free_invoice': 'carried 6',
    },
  });
  expect(await next(target, 'plain_id_seq')).toBe('42');
  expect(await next(target, 'down_n')).toBe('-7');
  expect(await next(target, 'round_n')).toBe('3');
  expect(await next(target, 'cached_n')).toBe('51');
  // Odd at the source, even at the target, whatever START says.
  expect(await next(target, 'stepped_id_seq')).toBe('8');
  expect(await next(target, 'odd_id_seq')).toBe('12');
  expect(await next(target, 'restarted_id_seq')).toBe('8');
  // Not called here, not called there: its first value is the first.
  expect(await next(target, 'never_id_seq')).toBe('1');
  expect(await next(target, 'ahead_id_seq')).toBe('1001');
  expect((await carry(file)).reports['public.plain_id_seq']).toBe('ahead');
});

test('values follow at an interval while the route runs', async () => {
  const { source, target } = await servers.pair();
  await Promise.all([source, target].map((db) => db.query('CREATE TABLE t (id serial PRIMARY KEY)')));
  using file = new RouteFile({
    source,
    target,
    route: 'tables: [public.t]\nsequences: { carry: interval, interval: 200ms }',
  });
  await using route = file.run();
  await route.state('running');
  await source.query('INSERT INTO t SELECT FROM generate_series(1, 30)');
  await until('the value', async () => {
    const [row] = await target.query('SELECT last_value::int AS n FROM t_id_seq');
    return row?.n === 30;
  });
});
