import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tableSelection, wholeTable } from '../../src/config/table-selection.ts';
import { begin, Reading } from '../integration/collector/reading.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';

let server: PostgresServer;
let db: TestDatabase;
beforeAll(async () => {
  server = await startPostgres();
  db = await server.createDatabase();
  await db.query(`CREATE TYPE mood AS ENUM ('sad', 'so "so"', 'glücklich'); CREATE DOMAIN posint AS int CHECK (value > 0);
    CREATE TYPE pair AS (a int, b text)`);
});
afterAll(() => server[Symbol.asyncDispose]());

const string = fc.string({ unit: 'binary', maxLength: 60 }).map((s) => s.toWellFormed().replaceAll('\0', ''));
const long = fc.integer({ min: 100, max: 9000 }).map((length) => 'ü'.repeat(length));
/** Types with expressions that make values of them. */
const types: Record<string, fc.Arbitrary<string>> = {
  int4: fc.integer().map(String),
  int8: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  'numeric(30,8)': fc.tuple(fc.integer(), fc.nat(99_999_999)).map(([a, b]) => `${a}.${String(b).padStart(8, '0')}`),
  numeric: fc.constantFrom('NaN', '1.0', '1.000', '0.1e-20', 'Infinity'),
  float8: fc
    .double()
    .map((n) => (Number.isFinite(n) ? String(n) : Number.isNaN(n) ? 'NaN' : n < 0 ? '-Infinity' : 'Infinity')),
  float4: fc.float({ noNaN: true }).map((n) => (Number.isFinite(n) ? String(n) : '-Infinity')),
  bool: fc.constantFrom('true', 'false'),
  text: fc.oneof(string, long),
  'varchar(100)': string,
  'char(70)': string,
  bytea: fc.uint8Array({ maxLength: 300 }).map((a) => `\\x${Buffer.from(a).toString('hex')}`),
  date: fc.constantFrom('2024-02-29', '0044-03-15 BC', 'infinity', '-infinity'),
  timestamptz: fc.constantFrom('2024-02-29 12:34:56.789+05:30', 'infinity', '0044-03-15 00:00:00+00 BC'),
  timestamp: fc.constantFrom('2024-02-29 12:34:56.789012', '294276-12-31 23:59:59'),
  interval: fc.constantFrom('1 year 2 mons -3 days 04:05:06.789', '-00:00:01'),
  jsonb: fc.json({ maxDepth: 2 }).map((s) => s.toWellFormed().replaceAll('\\u0000', '')),
  'text[]': fc.constantFrom('{}', '{a,"b c",NULL,"\\""}', '{{1,2},{3,4}}'),
  mood: fc.constantFrom('sad', 'so "so"', 'glücklich'),
  posint: fc.integer({ min: 1 }).map(String),
  pair: fc.constantFrom('(1,x)', '(,"a b")'),
  uuid: fc.uuid(),
  inet: fc.constantFrom('::1/64', '10.0.0.0/8'),
  tstzrange: fc.constantFrom('empty', '[2020-01-01,2021-01-01)', '(,)'),
};

const tables = fc.array(fc.constantFrom(...Object.keys(types)), { minLength: 1, maxLength: 7 }).chain((columns) =>
  fc.record({
    columns: fc.constant(columns),
    identity: fc.constantFrom('DEFAULT', 'FULL'),
    rows: fc.array(fc.tuple(...columns.map((type) => fc.option(types[type] ?? string))), {
      minLength: 1,
      maxLength: 8,
    }),
  }),
);

test('random tables: stream and COPY give every value as the server prints it', async () => {
  let number = 0;
  await fc.assert(
    fc.asyncProperty(tables, async ({ columns, identity, rows }) => {
      const name = `t${++number}`;
      const list = columns.map((type, i) => `c${i} ${type}`).join(', ');
      await db.query(`CREATE TABLE ${name} (id int PRIMARY KEY, ${list})`);
      await db.query(`ALTER TABLE ${name} REPLICA IDENTITY ${identity}`);
      await using queue = await begin(db, onlyTable(name));
      await using reading = new Reading(queue);
      const places = columns.map((_, i) => `$${i + 2}`).join(', ');
      for (const [id, row] of rows.entries())
        await db.query(`INSERT INTO ${name} VALUES ($1, ${places})`, [id, ...row]);
      await db.query(`DELETE FROM ${name} WHERE id < 0`);
      await reading.reached(await queue.source.mark());
      const expected = await printed(name, columns.length);
      expect(reading.rows).toEqual(expected);
      expect(await copied(name)).toEqual(expected);
      await db.query(`DELETE FROM ${name}`);
      await reading.reached(await queue.source.mark());
      const gone = reading.parts.flatMap(({ changes }) =>
        changes.flatMap((change) => (change.kind === 'delete' ? [change.before] : [])),
      );
      if (identity === 'FULL') expect(gone).toEqual(expected);
      else expect(gone.map((row) => row[0])).toEqual(expected.map((row) => row[0]));
      const announced = reading.parts.flatMap(({ changes }) => changes).find(({ kind }) => kind === 'schemaChange');
      // What a type is made of, and what tells rows apart that are logged whole, only the catalogue knows.
      const known = (await queue.source.tables()).map(({ uniqueKeys: _, ...table }) => ({
        ...table,
        columns: table.columns.map(({ definition: _, ...column }) => column),
      }));
      expect(known).toEqual([announced?.kind === 'schemaChange' && announced.to]);
      await db.query(`DROP TABLE ${name}`);
    }),
    { numRuns: 25 },
  );
}, 120_000);

function onlyTable(name: string) {
  return { tables: tableSelection('r', [{ ...wholeTable, name: `public.${name}` }], []) };
}

/** What SELECT prints under the settings of our sessions. */
async function printed(name: string, columns: number): Promise<unknown[][]> {
  const client = await db.client();
  await client.query(`SET TimeZone = 'UTC'; SET extra_float_digits = 1`);
  const cells = ['id::text', ...Array.from({ length: columns }, (_, i) => `format('%s', c${i}), c${i} IS NULL`)];
  const { rows } = await client.query({
    text: `SELECT ${cells.join(', ')} FROM ${name} ORDER BY id`,
    rowMode: 'array',
  });
  await client.end();
  return rows.map(([id, ...pairs]: unknown[]) => [
    id,
    ...Array.from({ length: columns }, (_, i) => (pairs[2 * i + 1] === true ? null : pairs[2 * i])),
  ]);
}

async function copied(name: string): Promise<unknown[]> {
  const { postgresSource } = await import('../../connectors/postgres/source/postgres-source.ts');
  const { silentLogger } = await import('../../src/core/logger.ts');
  const { routeOf } = await import('../integration/collector/reading.ts');
  const source = postgresSource({ route: routeOf(db, onlyTable(name)), logger: silentLogger });
  const snapshot = await source.createQueue(AbortSignal.timeout(60_000), async () => {});
  const found: unknown[] = [];
  for (const table of snapshot.tables)
    for await (const rows of snapshot.read(table, AbortSignal.timeout(60_000))) found.push(...rows);
  await snapshot.close();
  await source.dropQueue();
  return found;
}
