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
import { formatTimestamp } from '../../src/expression/functions/format-time.ts';
import { matchesRegex, replaceRegex, substringOfRegex } from '../../src/expression/regex/regex.ts';
import { parseTimestamp } from '../../src/expression/types/date-time.ts';
import { float4Text, float8Text, parseFloat4 } from '../../src/expression/types/float.ts';
import { expressionValue } from '../support/expression-value.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../support/postgres.ts';
import { cellTexts, columnTypes, expressions } from '../support/random-expressions.ts';
import { seeds } from '../support/seed.ts';
import { isThorough } from '../support/thorough.ts';

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
const runs = Number(process.env.TIDELOCK_TEST_EXPRESSION_RUNS ?? (isThorough ? 60 : 20));

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
  isBefore15 = Number((await client.query('SHOW server_version_num')).rows[0].server_version_num) < 150_000;
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

let isBefore15 = false;

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
    // And joining texts was computed while planning, in branches that no row takes, too.
    if (isBefore15 && values.every(isFailure)) continue;
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

const patternPieces = fc.constantFrom(
  ...[
    ...'abAZ09_-éß😀 ',
    '.',
    '\\.',
    '\\d',
    '\\w',
    '\\s',
    '\\D',
    '\\W',
    '\\S',
    '\\A',
    '\\Z',
    '\\n',
    '\\u0061',
    '^',
    '$',
  ],
  ...[
    '[ab]',
    '[^ab]',
    '[a-f0-9]',
    '[^a-f]',
    '[[:alpha:]_]',
    '[^[:upper:]]',
    '[\\d.]',
    '[]x]',
    '[^]-]',
    '[a-]',
    '[[:punct:][:space:]]',
  ],
  ...[
    '*',
    '+',
    '?',
    '{2}',
    '{1,2}',
    '{0,}',
    '*?',
    '+?',
    '|',
    '(',
    ')',
    '(?:',
    '(?=',
    '\\1',
    '\\m',
    '[',
    ']',
    '{',
    '\\',
  ],
);
const patterns = fc.oneof(
  fc.array(patternPieces, { maxLength: 6 }).map((pieces) => pieces.join('')),
  fc
    .tuple(
      fc.array(patternPieces, { maxLength: 4 }),
      fc.array(patternPieces, { maxLength: 4 }),
      fc.constantFrom('*', '?', '{2}', ''),
    )
    .map(([inner, outer, times]) => `(?:${inner.join('')})${times}${outer.join('')}`),
);
const searched = fc
  .array(fc.constantFrom(...'aaabbABf019_-. é😀ßx\n]'), { maxLength: 12 })
  .map((characters) => characters.join(''));

test.each(seeds())('regular expressions find what a server finds, or are refused (seed %i)', async (seed) => {
  await client.query(`CREATE OR REPLACE FUNCTION found(t text, p text) RETURNS text[] LANGUAGE plpgsql AS $body$ BEGIN
    RETURN ARRAY[(t COLLATE "C" ~ p)::text, (t COLLATE "C" ~* p)::text, substring(t COLLATE "C" from p),
      regexp_replace(t COLLATE "C", p, '<\\&>', 'g'), regexp_replace(t COLLATE "C", p, '\\\\', 'i')];
    EXCEPTION WHEN OTHERS THEN RETURN NULL; END $body$`);
  const pairs = fc.sample(fc.tuple(searched, patterns), { seed, numRuns: isThorough ? 15_000 : 5_000 });
  const { rows } = await client.query({
    text: 'SELECT to_json(found(t, p)) FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u(t, p, i) ORDER BY i',
    values: [pairs.map(([text]) => text), pairs.map(([, pattern]) => pattern)],
    rowMode: 'array',
  });
  let agreed = 0;
  const differences: unknown[] = [];
  for (const [i, [text, pattern]] of pairs.entries()) {
    const theirs: (string | null)[] | null = JSON.parse(rows[i]?.[0] ?? 'null');
    const mine = [
      () => String(matchesRegex(text, pattern, false)),
      () => String(matchesRegex(text, pattern, true)),
      () => substringOfRegex(text, pattern),
      () => replaceRegex(text, pattern, '<\\&>', 'g'),
      () => replaceRegex(text, pattern, '\\\\', 'i'),
    ];
    for (const [at, find] of mine.entries()) {
      let found: string | null;
      try {
        found = find();
      } catch (error) {
        if (!(error instanceof ExpressionFailure)) throw error;
        continue;
      }
      agreed++;
      if (theirs === null || found !== theirs[at]) differences.push({ text, pattern, at, found, theirs });
    }
  }
  expect(differences.slice(0, 5)).toEqual([]);
  expect(agreed).toBeGreaterThan(2 * pairs.length);
});

const formatPieces = fc.constantFrom(
  ...'YYYY YYY YY Y IYYY IY I MM MI MS DDD DD D ID IW WW W Q J HH24 HH12 HH SS SSSSS US FF1 FF6 AM pm BC ad'.split(' '),
  ...'Month MONTH month Mon MON mon Day DAY day Dy DY dy yyyy mm dd hh24 mi ss FMMM FMDD FMMonth FMDay FMHH24 FMMS FMYY'.split(
    ' ',
  ),
  ...['-', '/', ':', ' ', '.', ',', '"T"', '"of day"', '"', 'T', 'x', 'TH', 'th', 'CC', 'TZ', 'FX', '\\', '1', 'é'],
);

test.each(seeds())('to_char writes times as a server does, or refuses the format (seed %i)', async (seed) => {
  const formats = fc.array(formatPieces, { minLength: 1, maxLength: 5 }).map((pieces) => pieces.join(''));
  const given = fc.sample(fc.tuple(cellTexts.ts ?? fc.constant(''), formats), { seed, numRuns: 10_000 });
  const { rows } = await client.query({
    text: 'SELECT t::timestamp::text, to_char(t::timestamp, f) FROM unnest($1::text[], $2::text[]) WITH ORDINALITY u(t, f, i) ORDER BY i',
    values: [given.map(([at]) => at), given.map(([, format]) => format)],
    rowMode: 'array',
  });
  let agreed = 0;
  const differences: unknown[] = [];
  for (const [i, [, format]] of given.entries()) {
    const [at = '', theirs] = rows[i] ?? [];
    try {
      const mine = formatTimestamp(parseTimestamp(at, false) ?? 0n, format);
      agreed++;
      if (mine !== theirs) differences.push({ at, format, mine, theirs });
    } catch (error) {
      if (!(error instanceof ExpressionFailure)) throw error;
    }
  }
  expect(differences.slice(0, 5)).toEqual([]);
  expect(agreed).toBeGreaterThan(3_000);
});

/** What the server makes of expressions without columns, by one statement for some hundred of them. */
async function computedThere(given: readonly string[]): Promise<(string | null)[]> {
  const values: (string | null)[] = [];
  for (let at = 0; at < given.length; at += 500) {
    const list = given.slice(at, at + 500).map((one, i) => `(${one})::text AS c${i}`);
    const { rows } = await client.query<(string | null)[]>({ text: `SELECT ${list.join(', ')}`, rowMode: 'array' });
    values.push(...(rows[0] ?? []));
  }
  return values;
}

async function demandSame(given: readonly string[]): Promise<void> {
  const theirs = await computedThere(given);
  const here = given.map((expression, at) => ({ expression, mine: expressionValue(expression), theirs: theirs[at] }));
  expect(here.filter(({ mine, theirs: there }) => mine !== there).slice(0, 5)).toEqual([]);
}

const numberPieces = fc.constantFrom('9', '9', '9', '0', '9,', '0,', '9 ', '9-', '9"x9"', '9%');
const numberFormats = fc
  .tuple(
    fc.constantFrom('', 'FM'),
    fc.array(numberPieces, { minLength: 1, maxLength: 8 }).map((all) => all.join('')),
    fc.option(fc.array(fc.constantFrom('9', '9', '0'), { minLength: 1, maxLength: 4 }), { nil: null }),
    fc.constantFrom('', '', ' %', '"EUR"'),
  )
  .map(([trim, whole, places, end]) => `${trim}${whole}${places === null ? '' : `.${places.join('')}`}${end}`);
const writtenNumbers = fc.oneof(
  fc.constantFrom('0', '-0.5', '0.5', '0.05', '-0.004', '9.995', '-99.999', '999999.995', '-2147483648', '1e20'),
  fc.integer({ min: -99_999, max: 99_999 }).map(String),
  fc
    .tuple(fc.integer({ min: -99_999_999, max: 99_999_999 }), fc.nat(6))
    .map(([digits, scale]) => `${digits}e-${scale}`),
);

test.each(seeds())('to_char writes numbers as a server does (seed %i)', async (seed) => {
  const form = fc
    .tuple(writtenNumbers, fc.constantFrom('numeric', 'int', 'int8'), numberFormats)
    .map(([value, type, format]) => {
      const isWhole = /^-?\d{1,10}$/.test(value);
      return `to_char('${value}'::${isWhole ? type : 'numeric'}, '${format}')`;
    });
  await demandSame(fc.sample(form, { seed, numRuns: 4_000 }));
});

/** Of offsets of whole and half hours, quarters and seconds, of days that were left out, of summers of half an hour and of winters that are the summer. */
const zoneNames =
  'Europe/Berlin europe/london Europe/Dublin Europe/Moscow America/New_York America/St_Johns America/Sao_Paulo America/Caracas ' +
  'America/Argentina/Buenos_Aires Asia/Kolkata Asia/Kathmandu Asia/Tehran Asia/Pyongyang Australia/Lord_Howe Pacific/Apia ' +
  'Pacific/Kwajalein Antarctica/Troll Africa/Monrovia Etc/GMT+5';

test.each(seeds())('time zones by name are those of a server (seed %i)', async (seed) => {
  const two = (value: number): string => String(value).padStart(2, '0');
  const days = fc.oneof(
    // Where clocks are set.
    fc.constantFrom(
      '2024-03-10',
      '2024-03-31',
      '2024-04-07',
      '2024-10-06',
      '2024-10-27',
      '2024-11-03',
      '2011-03-27',
      '2014-10-26',
      '2011-12-30',
      '9999-12-31',
    ),
    fc
      .tuple(
        fc.oneof(fc.integer({ min: 1970, max: 2040 }), fc.integer({ min: 2041, max: 9998 })),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 2, max: 28 }),
      )
      .map(([year, month, day]) => `${year}-${two(month)}-${two(day)}`),
  );
  const clocks = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 29, 30, 59), fc.constantFrom('00', '30', '59.999999'))
    .map(([hour, minute, second]) => `${two(hour)}:${two(minute)}:${second}`);
  const form = fc
    .tuple(days, clocks, fc.constantFrom(...zoneNames.split(' ')), fc.boolean())
    .map(([day, clock, zone, isMoment]) =>
      isMoment
        ? `timestamptz '${day} ${clock}+00' AT TIME ZONE '${zone}'`
        : `timestamp '${day} ${clock}' AT TIME ZONE '${zone}'`,
    );
  await demandSame(fc.sample(form, { seed, numRuns: 4_000 }));
});

test.each(seeds())('slices of arrays are those of a server (seed %i)', async (seed) => {
  const bound = fc.integer({ min: -2, max: 6 }).map(String);
  const subscript = fc.oneof(
    fc.tuple(fc.option(bound, { nil: '' }), fc.option(bound, { nil: '' })).map(([from, to]) => `[${from}:${to}]`),
    bound.map((to) => `[${to}]`),
    fc.constant('[NULL:2]'),
  );
  const arrays = [
    `'{1,2,3}'::int[]`,
    `'[0:2]={1,2,3}'::int[]`,
    `'{{1,2,3},{4,5,6}}'::int[]`,
    `'[-1:0][5:7]={{1,2,3},{4,NULL,6}}'::int[]`,
    `'{}'::int[]`,
    String.raw`'{a,"b c",NULL,"NULL","","x\\y","q\"q","{}","a,b",é," tab"}'::text[]`,
    `'{{{1,2},{3,4}},{{5,6},{7,8}}}'::int8[]`,
    `'{1.50,NaN}'::numeric[]`,
  ];
  const form = fc
    .tuple(fc.constantFrom(...arrays), fc.array(subscript, { minLength: 1, maxLength: 3 }), fc.boolean())
    .map(([array, all, isCounted]) => {
      const slice = `(${array})[1:]${all.join('')}`;
      return isCounted ? `cardinality(${slice})` : slice;
    });
  await demandSame(fc.sample(form, { seed, numRuns: 3_000 }));
});

const element = fc.option(
  fc.constantFrom('1', '2', '10', 'a', 'B c', '', '"', '\\', 'null', ',', '{', '2026-11-21', '1.0', 't'),
  { freq: 6 },
);
const elementTypes = ['text', 'int4', 'int8', 'numeric', 'date', 'varchar', 'bool', 'timestamp', 'bpchar'];

test.each(seeds())('ANY and ALL look through arrays as at a server (seed %i)', async (seed) => {
  await client.query(`CREATE OR REPLACE FUNCTION tried(t text, x text, a text[], e text) RETURNS text[] LANGUAGE plpgsql AS $body$
    DECLARE answer text[]; BEGIN
      EXECUTE format('SELECT ARRAY[(%s)::text, a::text, x::text] FROM (SELECT %L::%s AS x, %L::text[]::%s[] AS a) s', e, x, t, a::text, t) INTO answer;
      RETURN answer;
    EXCEPTION WHEN OTHERS THEN RETURN ARRAY['failed', SQLERRM]; END $body$`);
  const text = (value: string | null): string => (value === null ? 'NULL' : `'${value.replaceAll("'", "''")}'`);
  const braces = (values: readonly (string | null)[]): string =>
    text(
      `{${values.map((v) => (v === null ? 'NULL' : /^[a-z0-9.-]+$/.test(v) && v !== 'null' ? v : JSON.stringify(v))).join(',')}}`,
    );
  const arrays = fc.array(element, { maxLength: 4 });
  const forms = fc
    .tuple(
      fc.constantFrom('=', '<>', '<', '>='),
      fc.constantFrom('ANY', 'ALL', 'SOME'),
      arrays,
      fc.constantFrom('a', 'items', 'braces', 'cast'),
    )
    .map(([sign, kind, values, form]) => ({ sign, kind, values, form }));
  const given = fc
    .sample(fc.tuple(fc.constantFrom(...elementTypes), element, arrays, forms), {
      seed,
      numRuns: isThorough ? 4_000 : 1_500,
    })
    .map(([type, x, a, { sign, kind, values, form }]) => {
      const array = {
        a: 'a',
        items: `ARRAY[${values.map(text).join(',')}]`,
        braces: braces(values),
        cast: `${braces(values)}::${type}[]`,
      }[form];
      return { type, x, a, expression: `x ${sign} ${kind} (${array})` };
    });
  let agreed = 0;
  const differences: unknown[] = [];
  for (const { type, x, a, expression } of given) {
    const { rows } = await client.query({
      text: 'SELECT to_json(tried($1, $2, $3, $4))',
      values: [type, x, a, expression],
      rowMode: 'array',
    });
    const [theirs, array = null, value = null] = JSON.parse(rows[0]?.[0] ?? '[]');
    const printed = { true: 't', false: 'f' }[String(theirs)] ?? theirs;
    const columnsHere = [
      { name: 'x', type: `pg_catalog.${type}`, modifier: -1 },
      { name: 'a', type: `pg_catalog._${type}`, modifier: -1 },
    ];
    let mine: string | null;
    try {
      const cell = type === 'bool' && value !== null ? value[0] : value;
      mine = bindExpression(parseExpression(expression), columnsHere, { as: 'value' }).evaluate([cell, array]) as
        | string
        | null;
    } catch (error) {
      if (!(error instanceof ExpressionProblem || error instanceof ExpressionFailure)) throw error;
      mine = 'failed';
    }
    if (mine === 'failed' && theirs !== 'failed') differences.push({ type, x, a, expression, mine, theirs });
    else if (theirs === 'failed') continue;
    else {
      agreed++;
      if (mine !== printed) differences.push({ type, value, array, expression, mine, theirs });
    }
  }
  expect(differences.slice(0, 5)).toEqual([]);
  expect(agreed).toBeGreaterThan(given.length / 8);
});

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
