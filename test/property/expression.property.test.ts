import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import '../../src/expression/load-parser.ts';
import type { Row } from '../../src/core/cell.ts';
import {
  type BoundExpression,
  bindExpression,
  type ExpressionColumn,
  ExpressionFailure,
  ExpressionProblem,
  parseExpression,
} from '../../src/expression/expression.ts';
import { float4Text, float8Text, parseFloat4 } from '../../src/expression/types/float.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';
import { cellTexts, columnTypes, expressions } from '../support/random-expressions.ts';
import { seeds } from '../support/seed.ts';

let server: PostgresServer;
let db: TestDatabase;
let client: pg.Client;
let columns: ExpressionColumn[];
let wanted: { readonly type: string; readonly modifier: number }[];
const names = Object.keys(columnTypes);
const wantedTypes = [
  'int2',
  'int4',
  'int8',
  'numeric(6,2)',
  'float4',
  'float8',
  'text',
  'varchar(4)',
  'char(4)',
  'timestamp(2)',
  'timestamptz',
  'time(0)',
  'date',
  'bool',
  'jsonb',
];
const batch = 150;
const runs = Number(process.env.TIDELOCK_TEST_EXPRESSION_RUNS ?? 60);

beforeAll(async () => {
  server = await startPostgres();
  db = await server.createDatabase();
  const definition = Object.entries(columnTypes).map(([name, type]) => `${name} ${type}`);
  await db.query(`CREATE TABLE cells (n_row int, ${definition.join(', ')})`);
  // Each expression on all rows at once; where that fails, on each row by itself.
  await db.query(`CREATE FUNCTION evaluate(expressions text[]) RETURNS SETOF text[] LANGUAGE plpgsql AS $body$
    DECLARE expression text; answer text[]; one text[]; number int; total int := (SELECT count(*) FROM cells);
      query text := $query$SELECT array_agg(typname) || array_agg(value) FROM (
        SELECT CASE WHEN x IS NULL THEN NULL ELSE format('%%s', x) END AS value,
          (SELECT typname::text FROM pg_type WHERE oid = pg_typeof(x)) AS typname
        FROM (SELECT (%s) AS x FROM cells WHERE n_row %s ORDER BY n_row OFFSET 0) inside) outside$query$;
    BEGIN
      FOREACH expression IN ARRAY expressions LOOP
        BEGIN
          EXECUTE format(query, expression, '> 0') INTO answer;
          answer := answer[1:1] || answer[total + 1:];
        EXCEPTION WHEN OTHERS THEN
          answer := ARRAY[NULL];
          FOR number IN 1..total LOOP
            BEGIN
              EXECUTE format(query, expression, '= ' || number) INTO one;
              answer := ARRAY[one[1]] || answer[2:] || one[2];
            EXCEPTION WHEN OTHERS THEN answer := answer || ('failed: ' || SQLSTATE || ' ' || SQLERRM);
            END;
          END LOOP;
        END;
        RETURN NEXT answer;
      END LOOP;
    END $body$`);
  for (const [i, type] of wantedTypes.entries()) await db.query(`CREATE TABLE wanted_${i} (x ${type})`);
  await db.query(`CREATE FUNCTION store(target int, expression text) RETURNS SETOF text LANGUAGE plpgsql AS $body$
    DECLARE answer text;
    BEGIN
      FOR number IN 1..(SELECT count(*) FROM cells) LOOP
        BEGIN
          EXECUTE format($query$INSERT INTO wanted_%s SELECT (%s) FROM cells WHERE n_row = %s
            RETURNING CASE WHEN x IS NULL THEN NULL ELSE format('%%s', x) END$query$, target, expression, number) INTO answer;
        EXCEPTION WHEN OTHERS THEN answer := 'failed: ' || SQLERRM;
        END;
        RETURN NEXT answer;
      END LOOP;
    END $body$`);
  client = new pg.Client({
    host: '127.0.0.1',
    port: server.port,
    database: db.name,
    user: 'postgres',
    types: { getTypeParser: () => (text: string) => text },
    options:
      '-c DateStyle=ISO,YMD -c IntervalStyle=postgres -c TimeZone=UTC -c extra_float_digits=1 -c bytea_output=hex',
  });
  await client.connect();
  const { rows } = await client.query(
    `SELECT attname AS name, 'pg_catalog.' || typname AS type, atttypmod AS modifier
     FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
     WHERE attrelid = 'cells'::regclass AND attnum > 1 ORDER BY attnum`,
  );
  columns = rows.map(({ name, type, modifier }) => ({ name, type, modifier: Number(modifier) }));
  const targets = await client.query(
    `SELECT 'pg_catalog.' || typname AS type, atttypmod AS modifier FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
     JOIN pg_class c ON c.oid = attrelid WHERE relname LIKE 'wanted%' AND attnum > 0 ORDER BY substr(relname, 8)::int`,
  );
  wanted = targets.rows.map(({ type, modifier }) => ({ type, modifier: Number(modifier) }));
});
afterAll(async () => {
  await client?.end();
  await server?.[Symbol.asyncDispose]();
});

/** What the server computes and the language refuses, all of it named in docs/expressions.md. */
const refusals = [
  /is (not )?in the language/,
  /infinite (timestamp|date) has no difference/,
  // Servers before PostgreSQL 17 give a wrong interval.
  /an interval is out of range/,
  /a text is no (date|timestamp|timestamptz|time|interval) \(/,
  /a LIKE pattern ends with its escape character/,
];

interface Outcome {
  readonly type: string | null;
  readonly values: readonly (string | null)[];
}

const failed = 'failed';

function evaluate(text: string, rows: readonly Row[]): Outcome | { readonly refused: string } {
  try {
    const bound = bindExpression(parseExpression(text), columns, { as: 'value' });
    const values = rows.map((row) => valueOrFailure(bound, row));
    return { type: bound.type, values };
  } catch (error) {
    if (error instanceof ExpressionProblem) return { refused: error.message };
    throw new Error(`on ${text}`, { cause: error });
  }
}

/** Null where both agree, else what they say. */
function difference(text: string, rows: readonly Row[], theirs: readonly (string | null)[]): string | null {
  const mine = evaluate(text, rows);
  const [type, ...values] = theirs;
  const isFailure = (value: string | null | undefined): boolean => value?.startsWith(failed) === true;
  if ('refused' in mine) {
    counts.refused++;
    const agreed = values.every(isFailure) || refusals.some((known) => known.test(mine.refused));
    return agreed ? null : `${text}\n  refused: ${mine.refused}\n  server: ${JSON.stringify(theirs)}`;
  }
  if (type !== null && mine.type !== `pg_catalog.${type}`) return `${text}\n  is ${mine.type}\n  server: ${type}`;
  for (const [i, row] of rows.entries()) {
    const ours = mine.values[i];
    const theirValue = values[i];
    counts.values++;
    // Before PostgreSQL 15 a scale was between 0 and the precision.
    if (theirValue?.includes('NUMERIC scale')) continue;
    if (ours === theirValue || (isFailure(ours) && isFailure(theirValue))) continue;
    if (isFailure(ours) && refusals.some((known) => known.test(ours ?? ''))) continue;
    return `${text}\n  gives ${ours}\n  server: ${theirValue}\n  ${JSON.stringify(row)}`;
  }
  return null;
}

function report(hasFailed: boolean, error: unknown): void {
  if (hasFailed) throw error;
}

type Cells = Readonly<Record<string, string | null>>;

/** The rows as the server prints them after it has taken them. */
async function stored(cells: readonly Cells[]): Promise<Row[]> {
  await client.query('TRUNCATE cells');
  const places = names.map((_, at) => `$${at + 2}`).join(', ');
  for (const [i, row] of cells.entries())
    await client.query(`INSERT INTO cells VALUES ($1, ${places})`, [i + 1, ...names.map((name) => row[name])]);
  const query = `SELECT ${names.join(', ')} FROM cells ORDER BY n_row`;
  return (await client.query({ text: query, rowMode: 'array' })).rows;
}

const counts = { values: 0, refused: 0, expressions: 0 };
const rowTexts = fc.record(
  Object.fromEntries(Object.entries(cellTexts).map(([name, texts]) => [name, fc.option(texts, { freq: 8 })])),
);

test.each(seeds())('random expressions give what a server gives, or fail where it fails (seed %i)', async (seed) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(rowTexts, { minLength: 6, maxLength: 6 }),
      fc.array(
        fc.oneof({ weight: 4, arbitrary: expressions.any }, expressions.bool, expressions.numeric, expressions.text),
        {
          minLength: batch,
          maxLength: batch,
        },
      ),
      async (cells, texts) => {
        const rows = await stored(cells);
        const answers = await client.query({
          text: 'SELECT to_json(evaluate) FROM evaluate($1)',
          values: [texts],
          rowMode: 'array',
        });
        const differences = texts.map((text, i) => difference(text, rows, JSON.parse(answers.rows[i]?.[0])));
        counts.expressions += texts.length;
        const found = differences.filter((one) => one !== null);
        if (found.length > 0) throw new Error(found.join('\n'));
      },
    ),
    // The counterexample itself is thousands of characters long; what is wrong is in the error.
    { seed, numRuns: runs, endOnFailure: true, reporter: (run) => report(run.failed, run.errorInstance) },
  );
  if (process.env.SHOW) console.log(counts);
});

test.each(seeds())('what a column takes here is what a server stores (seed %i)', async (seed) => {
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(rowTexts, { minLength: 3, maxLength: 3 }),
      fc.array(fc.tuple(fc.nat(wantedTypes.length - 1), expressions.any), { minLength: batch, maxLength: batch }),
      async (cells, assignments) => {
        const rows = await stored(cells);
        for (const [target, text] of assignments) {
          const column = wanted[target];
          const bound = column && boundTo(text, column);
          if (!bound) continue;
          const answers = await client.query({
            text: 'SELECT * FROM store($1, $2)',
            values: [target, text],
            rowMode: 'array',
          });
          for (const [i, row] of rows.entries()) {
            const ours = valueOrFailure(bound, row);
            // Where a server rounds or cuts, this fails.
            if (ours?.startsWith(failed)) continue;
            taken++;
            const theirs = answers.rows[i]?.[0];
            if (theirs?.includes('NUMERIC scale')) continue;
            if (ours !== theirs) throw new Error(`${text} to ${wantedTypes[target]}: ${ours}, the server: ${theirs}`);
          }
        }
      },
    ),
    {
      seed,
      numRuns: Math.ceil(runs / 3),
      endOnFailure: true,
      reporter: (run) => report(run.failed, run.errorInstance),
    },
  );
  expect(taken).toBeGreaterThan(runs * 5);
});

function boundTo(text: string, column: { readonly type: string; readonly modifier: number }): BoundExpression | null {
  try {
    return bindExpression(parseExpression(text), columns, { as: 'value', wanted: column });
  } catch (error) {
    if (error instanceof ExpressionProblem) return null;
    throw error;
  }
}

function valueOrFailure(bound: BoundExpression, row: Row): string | null {
  try {
    return bound.evaluate(row);
  } catch (error) {
    if (error instanceof ExpressionFailure) return `${failed}: ${error.message}`;
    throw error;
  }
}

const bits = new DataView(new ArrayBuffer(8));
const anyDouble = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((pattern) => {
    bits.setBigUint64(0, pattern);
    return bits.getFloat64(0);
  }),
  // Whole numbers around and beyond 2 ** 53, where texts lie half-way between two numbers.
  fc
    .tuple(fc.bigInt({ min: 1n, max: 2n ** 54n }), fc.integer({ min: 0, max: 30 }))
    .map(([m, e]) => Number(m << BigInt(e))),
  fc.tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: -30, max: 30 })).map(([m, e]) => Number(`${m}e${e}`)),
  fc.integer({ min: -1074, max: 1023 }).map((power) => 2 ** power),
  fc.tuple(fc.integer({ min: 0, max: 2 ** 25 }), fc.integer({ min: -10, max: 10 })).map(([m, e]) => (m + 0.5) * 2 ** e),
);

test.each(seeds())('floating-point numbers are printed and read as by a server (seed %i)', async (seed) => {
  const values = fc.sample(anyDouble, { seed, numRuns: 20_000 });
  const singles = values.map((value) => Math.fround(value)).filter((value) => Number.isFinite(value));
  const printed = async (type: string, texts: readonly string[]): Promise<string[]> => {
    const query = `SELECT array_to_json(array_agg(v::${type}::text ORDER BY i)) FROM unnest($1::text[]) WITH ORDINALITY u(v, i)`;
    const { rows } = await client.query({ text: query, values: [texts], rowMode: 'array' });
    return JSON.parse(rows[0]?.[0] ?? '[]');
  };
  expect(values.map(float8Text)).toEqual(await printed('float8', values.map(sent)));
  expect(singles.map(float4Text)).toEqual(await printed('float4', singles.map(sent)));
  // A text with more digits than a single has is rounded once, not by way of a double.
  const long = values
    .map((value) => value.toExponential(20))
    .filter((text) => Math.abs(Number(text)) < 1e37 && Math.abs(Number(text)) > 1e-37);
  const between = singles.filter((single) => Math.abs(single) > 1e-30 && Math.abs(single) < 1e30).map(middleOf);
  const texts = [...long, ...between];
  expect(texts.map((text) => float4Text(parseFloat4(text) ?? Number.NaN))).toEqual(await printed('float4', texts));
});

function sent(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

/** All but exactly half-way to the next single: just above, just below, or there. */
function middleOf(single: number, index: number): string {
  bits.setFloat32(0, single);
  bits.setUint32(0, bits.getUint32(0) + 1);
  const middle = (single + bits.getFloat32(0)) / 2;
  const [digits = '', exponent = '0'] = middle.toExponential(60).split('e');
  return `${digits}${['', '1', ''][index % 3]}e${exponent}`;
}
