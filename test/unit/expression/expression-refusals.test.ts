import { expect, test } from 'vitest';
import '../../../src/expression/load-parser.ts';
import {
  bindExpression,
  type ExpressionColumn,
  ExpressionProblem,
  parseExpression,
} from '../../../src/expression/expression.ts';

const columns: readonly ExpressionColumn[] = [
  { name: 'id', type: 'pg_catalog.int4', modifier: -1 },
  { name: 'region', type: 'pg_catalog.text', modifier: -1 },
  { name: 'status', type: 'public.mood', modifier: -1 },
  { name: 'address', type: 'pg_catalog.inet', modifier: -1 },
  { name: 'born', type: 'pg_catalog.date', modifier: -1 },
  { name: 'tags', type: 'pg_catalog._text', modifier: -1 },
  { name: 'moods', type: 'public._mood', modifier: -1 },
  { name: 'Ünïcode', type: 'pg_catalog.text', modifier: -1 },
];

/** The message, with `^` in front of the place it names. */
function refusalOf(text: string, as: 'condition' | 'value' = 'value'): string {
  try {
    bindExpression(parseExpression(text), columns, { as });
  } catch (error) {
    if (error instanceof ExpressionProblem)
      return `${text.slice(0, error.offset)}^${text.slice(error.offset)}: ${error.message}`;
    throw error;
  }
  throw new Error(`${text} was taken`);
}

test.each([
  // Its text.
  ['', '^: syntax error at end of input'],
  ['id = = 1', 'id = ^= 1: syntax error at or near "="'],
  ["'Ü' || = 'a'", `'Ü' || ^= 'a': syntax error at or near "="`],
  ["'abc", `^'abc: unterminated quoted string at or near "'abc"`],
  ['id; DROP TABLE x', 'id^; DROP TABLE x: one expression is wanted, without ";"'],
  ['id;', 'id^;: one expression is wanted, without ";"'],
  ['id FROM x', 'id ^FROM x: syntax error at or near "FROM"'],
  ['id GROUP BY id', '^id GROUP BY id: one expression is wanted, without further clauses of a query'],
  ['id LIMIT 1', '^id LIMIT 1: one expression is wanted, not a query'],
  ['id UNION SELECT 1', '^id UNION SELECT 1: one expression is wanted, not a query'],
  ['id, 2', 'id^, 2: syntax error at or near ","'],
  ['id x', 'id ^x: syntax error at or near "x"'],
  ['1) OR (true', '1^) OR (true: syntax error at or near ")"'],
  ['id\0', 'id^\0: a character that SQL has not'],
  ['\ud800', '^\ud800: a character that SQL has not'],
  // Its names.
  ['idd', '^idd: no column "idd", did you mean "id"?'],
  ['"Region"', '^"Region": no column "Region", did you mean "region"?'],
  ['"Ünïcode" || nope', '"Ünïcode" || ^nope: no column "nope"'],
  ['lowr(region)', '^lowr(region): no function lowr, did you mean "lower"?'],
  ['regexp_replace(region, 1)', '^regexp_replace(region, 1): no function regexp_replace(text, int4)'],
  ['public.lower(region)', '^public.lower(region): functions of other schemas are not in the language'],
  ['id OPERATOR(public.+) 1', 'id ^OPERATOR(public.+) 1: operators of other schemas are not in the language'],
  ['orders.id', '^orders.id: columns are named without their table: only the row of the change is there'],
  ['id::integr', 'id^::integr: no cast to type integr, did you mean "integer"?'],
  ['id::public.mood', 'id^::public.mood: no cast to type public.mood'],
  // What changes with time or chance.
  [
    'now()',
    '^now(): now() is refused: the same change must always give the same value, after a restart and in a compare, too',
  ],
  [
    'random() < 0.5',
    '^random() < 0.5: random() is refused: the same change must always give the same value, after a restart and in a compare, too',
  ],
  [
    'born = current_date',
    'born = ^current_date: the current time and user are refused: the same change must always give the same value',
  ],
  ["date 'today'", `date ^'today': a text is no date (wanted is, for example, date '2026-11-21')`],
  // Forms outside of the language.
  ['(SELECT 1)', '^(SELECT 1): a subquery is not in the language'],
  ['EXISTS (SELECT 1)', '^EXISTS (SELECT 1): a subquery is not in the language'],
  ['id = $1', 'id = ^$1: a parameter ("$1") is not in the language'],
  [
    'tags || region',
    'tags ^|| region: an array beside || is not in the language, which makes no arrays: join its text (...::text)',
  ],
  [
    "'x' || moods",
    "'x' ^|| moods: an array beside || is not in the language, which makes no arrays: join its text (...::text)",
  ],
  ['ARRAY[1]', '^ARRAY[1]: an array beside ANY and ALL is not in the language'],
  ['(id, 1) = (1, 1)', '^(id, 1) = (1, 1): a row ("(a, b)") is not in the language'],
  ['id = ANY (ARRAY[]::int[])', 'id = ANY (^ARRAY[]::int[]): an array beside ANY and ALL is not in the language'],
  ['id = ANY (NULL)', "id ^= ANY (NULL): ANY and ALL take a column, ARRAY[...] or '{...}'"],
  ['id = ANY (region)', 'id = ANY (^region): column "region" is no array of a type that is computed with'],
  ["id = ANY ('1,2')", `id = ANY (^'1,2'): an array is written as {a,b,"c d",NULL}`],
  ["id = ANY ('{a}')", `id = ANY (^'{a}'): a text is no int4 (wanted is, for example, 42)`],
  [
    'region COLLATE "C"',
    'region ^COLLATE "C": COLLATE (texts are always compared by collation "C") is not in the language',
  ],
  ["region SIMILAR TO 'a'", `region ^SIMILAR TO 'a': SIMILAR TO is not in the language`],
  ['id BETWEEN SYMMETRIC 1 AND 2', 'id ^BETWEEN SYMMETRIC 1 AND 2: BETWEEN SYMMETRIC is not in the language'],
  ["B'101'", "^B'101': bit strings are not in the language"],
  ['id::int[]', 'id^::int[]: a cast to an array is not in the language'],
  ['count(*)', '^count(*): aggregates, windows and VARIADIC are not in the language'],
  ['lower(DISTINCT region)', '^lower(DISTINCT region): aggregates, windows and VARIADIC are not in the language'],
  ['born::timestamp(0)', 'born^::timestamp(0): timestamp with a precision is not in the language'],
  ["interval '1' hour", "^interval '1' hour: interval with a precision is not in the language"],
  ["id ~ 'a'", `id ^~ 'a': no operator ~ for int4 and unknown`],
  ['region ~ region', 'region ~ ^region: a regular expression that is computed is not in the language'],
  ["region ~ '(a'", `region ~ ^'(a': "(" without ")" is not in the language of regular expressions here`],
  [
    "region !~* 'a\\m'",
    `region !~* ^'a\\m': "\\m" (where a word begins) is not in the language of regular expressions here`,
  ],
  [
    "regexp_replace(region, '(a)', '\\1')",
    `regexp_replace(region, ^'(a)', '\\1'): of the escapes in what regexp_replace writes only "\\&" (the match) and "\\\\" are in the language, not "\\1" (a group: take the parts with substring and join them with ||)`,
  ],
  [
    "substring(region from 'a+?')",
    `substring(region from ^'a+?'): a quantifier that takes as little as it can ("*?") is for ~ only`,
  ],
  [
    "to_char(born, 'DDTH')",
    `to_char(born, ^'DDTH'): "TH" behind a field in a format of to_char is not in the language`,
  ],
  [
    "to_char(id, 'S000')",
    `to_char(id, ^'S000'): "S" in a format of to_char for numbers, which has FM, 9, 0, a comma, a point and text in double quotes, is not in the language`,
  ],
  [
    "to_char(id::float8, '000')",
    `^to_char(id::float8, '000'): function to_char(float8, text) is not in the language: cast it to numeric`,
  ],
  [
    "now() AT TIME ZONE 'UTC'",
    `^now() AT TIME ZONE 'UTC': now() is refused: the same change must always give the same value, after a restart and in a compare, too`,
  ],
  [
    "born::timestamptz AT TIME ZONE 'CET'",
    `born::timestamptz AT TIME ZONE ^'CET': a time zone other than 'UTC', names as 'Europe/Berlin', and intervals (AT TIME ZONE interval '01:00') is not in the language`,
  ],
  [
    "timestamp '1960-06-01' AT TIME ZONE 'Europe/Berlin'",
    `timestamp '1960-06-01' ^AT TIME ZONE 'Europe/Berlin': a time zone by name is known from 1970-01-02 on`,
  ],
  ['id[1] = 2', '^id[1] = 2: column "id" is no array of a type that is computed with'],
  ['(region || region)[1] = 2', '(region ^|| region)[1] = 2: a text has no elements ("a[1]")'],
  ['id[1:2] = 2', '^id[1:2] = 2: column "id" is no array of a type that is computed with'],
  ["('{{1},2}'::int[])[1] = 2", `('{{1},2}'^::int[])[1] = 2: an array is written as {a,b,"c d",NULL}`],
  ["('{{1},{2,3}}'::int[])[1] = 2", `('{{1},{2,3}}'^::int[])[1] = 2: an array is written as {a,b,"c d",NULL}`],
  ["'{1}'::int[] = '{1}'", "'{1}'^::int[] = '{1}': a cast to an array is not in the language"],
  [
    "'{a}'::text[] @> '{1}'::int[]",
    "'{a}'::text[] ^@> '{1}'::int[]: operator @> wants two arrays of one type, not of text and int4",
  ],
  ["region @> '{a}'", `^region @> '{a}': column "region" is no array of a type that is computed with`],
  ["array_length('{1}'::int[])", "^array_length('{1}'::int[]): array_length takes an array and a dimension"],
  ["region #> '{a}'", "^region #> '{a}': operator #> wants a json or a jsonb, not a text"],
  ['2 ^ 3', '2 ^^ 3: operator ^ is not in the language: its last digits differ between servers; write a product'],
  ["interval '1 day' * 2", "interval '1 day' ^* 2: operator * for interval and float8 is not in the language"],
  [
    "extract(week from interval '1 day')",
    "extract(^week from interval '1 day'): field week of extract(text,interval) is not in the language",
  ],
  [
    'extract(yeer from born)',
    'extract(^yeer from born): field yeer of extract(text,date) is not in the language, did you mean "year"?',
  ],
  ['date_trunc(region, born)', 'date_trunc(^region, born): a field that is computed is not in the language'],
  // Types.
  ['id || id', 'id ^|| id: no operator || for int4 and int4'],
  ['region + 1', 'region ^+ 1: no operator + for text and int4'],
  ['region = 1', 'region ^= 1: no operator = for text and int4'],
  ["id = 'x'", `id = ^'x': a text is no int4 (wanted is, for example, 42)`],
  ['round(region)', '^round(region): no function round(text)'],
  ["born + '1'", "born ^+ '1': operator + for date and unknown may be several: say with a cast which type is meant"],
  ['id AND true', '^id AND true: a condition is wanted, not a int4'],
  [
    'CASE WHEN true THEN id ELSE region END',
    '^CASE WHEN true THEN id ELSE region END: CASE has values of types that do not go together: text, int4',
  ],
  ['coalesce(id, born)', '^coalesce(id, born): COALESCE has values of types that do not go together: int4, date'],
  ['born::int', 'born^::int: no cast from date to int4 is in the language'],
  [
    "status = 'happy'",
    `status ^= 'happy': values of type public.mood are only passed on: compute with their text (...::text)`,
  ],
  ["address = '::1'", `address ^= '::1': operator = for inet and inet is not in the language`],
  ['address::text', 'address^::text: no cast from inet to text is in the language'],
  // Constants that fail.
  ['id = 1 / 0', 'id = 1 ^/ 0: division by zero'],
  ['id + 2147483647 * 2', 'id + 2147483647 ^* 2: a number is out of range of int4'],
  ["region LIKE 'a\\'", "region LIKE ^'a\\': a LIKE pattern ends with its escape character"],
])('%s', (text, message) => {
  expect(refusalOf(text)).toBe(message);
});

test('a condition is boolean', () => {
  expect(refusalOf('id', 'condition')).toBe('^id: a condition is wanted, not a int4');
  expect(refusalOf("'maybe'", 'condition')).toBe(`^'maybe': a text is no bool (wanted is, for example, true)`);
});

test('what is too long or too deep is refused, not a crash', () => {
  const long = (text: string): string => refusalOf(text).replace(/^.*: /s, '');
  expect(long(`1${' + 1'.repeat(4_000)}`)).toBe('an expression has at most 10000 characters');
  expect(long(`1${'+1'.repeat(4_000)}`)).toBe('an expression is nested at most 200 deep');
  expect(long(`${'not '.repeat(2_400)}true`)).toBe('an expression is nested at most 200 deep');
  expect(long(`${'('.repeat(4_999)}`)).toMatch(/memory exhausted|syntax error/);
  expect(() => parseExpression('id = 1')).not.toThrow();
});
