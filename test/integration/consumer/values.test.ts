import { describe, expect, test } from 'vitest';
import { contents } from '../../support/compare.ts';
import { versions } from '../../support/postgres-binaries.ts';
import { twoServers } from '../../support/two-servers.ts';
import { stage } from './harness.ts';

const servers = twoServers();

/** Type and values, as SQL; every one is inserted, updated to the next, and part of a replica identity of all columns. */
const values: readonly (readonly [string, readonly string[]])[] = [
  [
    'text',
    [
      `''`,
      `'NULL'`,
      `'null'`,
      `'"'`,
      `'\\'`,
      `'a\\"b'`,
      `'{}'`,
      `','`,
      `' '`,
      `E'\\n\\t\\r\\b\\f\\v'`,
      `'\\N'`,
      `'ü𝄞\u2028'`,
      'NULL',
    ],
  ],
  ['varchar(5)', [`'ab   '`, `''`, `'𝄞𝄞𝄞𝄞𝄞'`, 'NULL']],
  ['char(5)', [`'ab'`, `''`, `'ü'`, 'NULL']],
  ['"char"', [`'a'`, `'"'`, `'\\'`, `','`, `''`, `'{'`]],
  ['name', [`'x'`, `'a"b'`, `''`]],
  ['bytea', [`''`, `'\\x00ff5c22'`, `'\\x7b2c7d'`, 'NULL']],
  ['bool', ['true', 'false', 'NULL']],
  ['int2', ['-32768', '32767', '0']],
  ['int8', ['-9223372036854775808', '9223372036854775807']],
  ['oid', ['0', '4294967295']],
  [
    'numeric',
    [`'NaN'`, `'Infinity'`, `'-Infinity'`, '0', '-0.0000', '1.000', '1e100', `repeat('9', 200)::numeric`, '1e-100'],
  ],
  ['numeric(10,3)', ['1.5', `'NaN'`, '-9999999.999']],
  // From 15 on.
  ...(versions.includes('14') ? [] : [['numeric(3,-2)', ['99900', '100']] as const]),
  ['float4', [`'NaN'`, `'-Infinity'`, `'-0'`, '1e-45', '3.4028235e38', '0.1']],
  ['float8', [`'NaN'`, `'Infinity'`, `'-0'`, '5e-324', '1.7976931348623157e308', '0.1', '1e23']],
  ['money', [`'-12.34'`, `'1234567.89'`]],
  ['date', [`'infinity'`, `'-infinity'`, `'0044-03-15 BC'`, `'5874897-12-31'`]],
  ['time', [`'24:00:00'`, `'00:00:00.000001'`]],
  ['timetz', [`'12:00:00.5+15:59'`, `'00:00-08'`]],
  ['timestamp', [`'infinity'`, `'0044-03-15 12:00 BC'`, `'294276-12-31 23:59:59.999999'`]],
  ['timestamptz', [`'-infinity'`, `'2024-03-31 02:30:00.123456+02'`, `'0001-01-01 00:00 BC'`]],
  ['interval', [`'1 year -2 mons 3 days -04:05:06.789'`, `'-178000000 years'`, `'00:00:00'`]],
  ['uuid', [`'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'`]],
  ['json', [`'{ "a" : [1, "\\\\\\"" ] , "a": 2}'`, `'null'`, 'NULL']],
  ['jsonb', [`'{"b": 1.00, "a": "\\\\\\""}'`, `'null'`, `'"{,}"'`]],
  ['xml', [`'<a b="c">&lt;,"</a>'`, `'text'`]],
  ['bit(3)', [`B'101'`, `B'000'`]],
  ['varbit', [`B''`, `B'10110'`]],
  ['inet', [`'10.0.0.1/8'`, `'::1'`]],
  ['cidr', [`'10.0.0.0/8'`]],
  ['macaddr', [`'08:00:2b:01:02:03'`]],
  ['point', [`'(1.5,-2)'`]],
  ['box', [`'(1,1),(0,0)'`, `'(3,4),(1,2)'`]],
  ['path', [`'((0,0),(1,1))'`, `'[(0,0),(1,1)]'`]],
  ['tsvector', [`$$'a"b':1A '\\'' c$$`]],
  ['int4range', [`'[1,5)'`, `'empty'`, `'(,)'`]],
  ['int4multirange', [`'{[1,3),[5,9)}'`, `'{}'`]],
  ['int[]', [`'{}'`, `'{1,NULL,3}'`, `'[0:1]={7,8}'`, `'{{1,2},{3,4}}'`, 'NULL']],
  ['text[]', [`ARRAY['', 'NULL', NULL, '"', '\\', '{,}', E'\\n']`, `ARRAY[['a b','c'],['d','"e']]`]],
  ['bytea[]', [`ARRAY['\\x00'::bytea, '\\x5c22', NULL]`]],
  ['box[]', [`'{(1,1),(0,0);(3,4),(1,2)}'`]],
  ['int2vector', [`'1 2 3'`, `''`]],
  ['pg_lsn', [`'0/16B3748'`]],
  ['public.mood', [`'so "so", \\'`, `'NULL'`, `''`]],
  ['public.mood[]', [`ARRAY['so "so", \\', 'NULL', NULL]::public.mood[]`]],
  ['public.pair', [`ROW('a"b,c', NULL)`, `ROW('', '{1,2}')`, 'NULL']],
  ['public.pair[]', [`ARRAY[ROW('a"b', '{1}'), NULL]::public.pair[]`]],
  ['public.cents', ['1.25', 'NULL']],
  ['public.digits', [`'{1,2}'`, `'{{1},{2}}'`]],
  ['public.span', [`'["a","b"]'`]],
];

const types = `
  CREATE TYPE public.mood AS ENUM ('so "so", \\', 'NULL', '');
  CREATE TYPE public.pair AS (a text, b int[]);
  CREATE DOMAIN public.cents AS numeric CHECK (value >= 0);
  CREATE DOMAIN public.digits AS int[];
  CREATE TYPE public.span AS RANGE (subtype = text);
`;

describe.for(['DEFAULT', 'FULL'])('replica identity %s', (identity) => {
  test('every value of every type arrives as it is: inserted, updated, found by its old value, deleted', async () => {
    const tables = values.map((_, at) => `(SELECT id, v, md5(more) FROM t${at})`);
    const key = identity === 'DEFAULT' ? 'PRIMARY KEY' : '';
    const schema = `${types}${values.map(([type], at) => `CREATE TABLE t${at} (id int ${key}, v ${type}, more text); ALTER TABLE t${at} REPLICA IDENTITY ${identity};`).join('')}`;
    await using on = await stage(servers.here, servers.there, { schema });
    const consumer = await on.consumer();
    const signal = new AbortController().signal;
    const step = async (statement: (table: string, list: readonly string[], type: string) => string): Promise<void> => {
      for (const [at, [type, list]] of values.entries()) await on.source.query(statement(`t${at}`, list, type));
      await consumer.apply(await on.capture(), signal);
      expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
    };
    // json, xml and point have no equality: compared is the text of whole rows.
    await step((t, list) => `INSERT INTO ${t} VALUES ${list.map((value, id) => `(${id}, ${value})`).join(', ')}`);
    await step((t, list, type) =>
      list.map((_, id) => `UPDATE ${t} SET v = (${list[(id + 1) % list.length]})::${type} WHERE id = ${id};`).join(''),
    );
    await step((t) => `DELETE FROM ${t} WHERE id % 2 = 0`);
    await step((t) => `DELETE FROM ${t}`);
    // So many at once that they are copied, but for those that are large.
    await step((t, list, type) => {
      const rows = list.map((value, id) => `(${id}, (${value})::${type})`).join(', ');
      const more = `CASE n % 50 WHEN 1 THEN repeat(E'a"\\t\\\\ü', 4000) END`;
      return `INSERT INTO ${t} SELECT id * 100 + n, v, ${more} FROM (VALUES ${rows}) s (id, v), generate_series(1, 60) n`;
    });
    expect(consumer.counts().replays).toBe(0);
  });
});

test('1600 columns, generated and identity columns', async () => {
  const wide = Array.from({ length: 1_599 }, (_, i) => `c${i} int`).join(', ');
  await using on = await stage(servers.here, servers.there, {
    schema: `
      CREATE TABLE wide (id int PRIMARY KEY, ${wide});
      CREATE TABLE made (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v int, twice int GENERATED ALWAYS AS (v * 2) STORED);
      CREATE TABLE numbered (id int PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, v int);`,
  });
  const consumer = await on.consumer();
  await on.source.query(`INSERT INTO wide (id, c0, c1598) VALUES (1, 2, 3)`);
  await on.source.query(`UPDATE wide SET c7 = 8, c1598 = NULL`);
  await on.source.query(`INSERT INTO made (v) SELECT i FROM generate_series(1, 60) i`);
  await on.source.query(`UPDATE made SET v = v + 1`);
  await on.source.query(`DELETE FROM made WHERE id = 2`);
  await on.source.query(`INSERT INTO numbered (id, v) VALUES (1, 1), (2, 2)`);
  await on.source.query(`UPDATE numbered SET v = 9, id = 7 WHERE id = 1`);
  await on.source.query(`BEGIN; DELETE FROM numbered WHERE id = 2; INSERT INTO numbered (id, v) VALUES (2, 5); COMMIT`);
  await consumer.apply(await on.capture(), new AbortController().signal);
  const tables = ['wide', 'made', 'numbered'];
  expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
});

test('tables whose every column is an identity that is always generated', async () => {
  await using on = await stage(servers.here, servers.there, {
    schema: `
      CREATE TABLE loose (a int GENERATED ALWAYS AS IDENTITY);
      ALTER TABLE loose REPLICA IDENTITY FULL;
      CREATE TABLE pairs (a int GENERATED ALWAYS AS IDENTITY, b int GENERATED ALWAYS AS IDENTITY);
      ALTER TABLE pairs REPLICA IDENTITY FULL;
      CREATE TABLE keyed (a int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);
      CREATE TABLE numbered (a int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, twice int GENERATED ALWAYS AS (n * 2) STORED);`,
    // Groups are sent before others are answered, too.
    route: { apply: { groupRows: 3, groupTimeMs: 0, lanes: 1, onError: 'halt', maxRowBytes: 1e8, memoryBytes: 1e8 } },
  });
  const consumer = await on.consumer();
  const tables = ['loose', 'pairs', 'keyed', 'numbered'];
  const follows = async (...statements: string[]): Promise<void> => {
    for (const statement of statements) await on.source.query(statement);
    await consumer.apply(await on.capture(), new AbortController().signal);
    expect(await contents(on.target, tables)).toEqual(await contents(on.source, tables));
  };
  await follows(
    'INSERT INTO loose OVERRIDING SYSTEM VALUE VALUES (7), (7), (7), (1)',
    'INSERT INTO pairs (a, b) OVERRIDING SYSTEM VALUE VALUES (7, 8), (7, 8), (7, 8), (1, 2)',
    'INSERT INTO keyed SELECT FROM generate_series(1, 5)',
    'INSERT INTO numbered SELECT FROM generate_series(1, 5)',
  );
  // One of those that are the same, and all.
  for (const table of ['loose', 'pairs']) {
    await follows(`UPDATE ${table} SET a = DEFAULT WHERE ctid = (SELECT min(ctid) FROM ${table} WHERE a = 7)`);
    await follows(
      `UPDATE ${table} SET a = DEFAULT`,
      `DELETE FROM ${table} WHERE ctid = (SELECT min(ctid) FROM ${table})`,
    );
  }
  await follows('UPDATE pairs SET b = DEFAULT WHERE a > 2');
  await follows('UPDATE keyed SET a = DEFAULT WHERE a = 2');
  await follows('UPDATE keyed SET a = DEFAULT');
  await follows('UPDATE numbered SET n = DEFAULT WHERE a > 1');
  await follows('UPDATE numbered SET a = DEFAULT, n = DEFAULT', 'UPDATE numbered SET n = DEFAULT');
  // Every value is there: the row is found as it is.
  for (const table of tables) await on.source.query(`ALTER TABLE ${table} ALTER a SET GENERATED BY DEFAULT`);
  const { replays } = consumer.counts();
  await follows(
    'UPDATE loose SET a = a',
    'UPDATE pairs SET a = a',
    'UPDATE keyed SET a = a',
    'UPDATE numbered SET a = a',
  );
  expect(consumer.counts().replays).toBe(replays);
  // One that is not there is missed.
  for (const table of ['loose', 'keyed']) {
    await on.target.query(`DELETE FROM ${table}`);
    await on.source.query(`UPDATE ${table} SET a = a`);
    const lost = consumer.apply(await on.capture(), new AbortController().signal);
    await expect(lost).rejects.toMatchObject({ message: expect.stringContaining('no such row') });
  }
});
