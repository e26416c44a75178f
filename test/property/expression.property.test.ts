import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, test } from 'vitest';
import type { Row } from '../../src/core/cell.ts';
import {
  bindExpression,
  type ExpressionColumn,
  ExpressionFailure,
  ExpressionProblem,
  parseExpression,
} from '../../src/expression/expression.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';
import { cellTexts, columnTypes, expressions } from '../support/random-expressions.ts';
import { seeds } from '../support/seed.ts';

let server: PostgresServer;
let db: TestDatabase;
let client: pg.Client;
let columns: ExpressionColumn[];
const names = Object.keys(columnTypes);
const batch = 150;
const runs = Number(process.env.TIDELOCK_TEST_EXPRESSION_RUNS ?? 80);

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
    const values = rows.map((row) => {
      try {
        return bound.evaluate(row);
      } catch (error) {
        if (error instanceof ExpressionFailure) return `${failed}: ${error.message}`;
        throw error;
      }
    });
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
        await client.query('TRUNCATE cells');
        for (const [i, row] of cells.entries())
          await client.query(`INSERT INTO cells VALUES ($1, ${names.map((_, at) => `$${at + 2}`).join(', ')})`, [
            i + 1,
            ...names.map((name) => row[name]),
          ]);
        const stored = await client.query({
          text: `SELECT ${names.join(', ')} FROM cells ORDER BY n_row`,
          rowMode: 'array',
        });
        const rows = stored.rows as Row[];
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
