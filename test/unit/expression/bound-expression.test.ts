import { expect, test } from 'vitest';
import '../../../src/expression/load-parser.ts';
import { ABSENT, type Cell, UNCHANGED } from '../../../src/core/cell.ts';
import {
  type BindOptions,
  type BoundExpression,
  bindExpression,
  type ExpressionColumn,
  ExpressionFailure,
  ExpressionProblem,
  parseExpression,
} from '../../../src/expression/expression.ts';

const types: Readonly<Record<string, string>> = {
  id: 'pg_catalog.int4',
  region: 'pg_catalog.text',
  code: 'pg_catalog.bpchar',
  total: 'pg_catalog.numeric',
  status: 'public.mood',
  tags: 'pg_catalog._text',
  data: 'pg_catalog.bytea',
};
const columns: ExpressionColumn[] = Object.entries(types).map(([name, type]) => ({ name, type, modifier: -1 }));

function bind(text: string, options: BindOptions = { as: 'value' }): BoundExpression {
  return bindExpression(parseExpression(text), columns, options);
}

function row(cells: Readonly<Record<string, Cell>>): Cell[] {
  return columns.map(({ name }) => (name in cells ? (cells[name] ?? null) : null));
}

/** What becomes of a value that a column takes. */
function assigned(text: string, type: string, modifier = -1): string | null {
  try {
    return bind(text, { as: 'value', wanted: { type, modifier } }).evaluate(
      row({ region: 'EU', total: '1.50', id: '7' }),
    );
  } catch (error) {
    if (error instanceof ExpressionFailure || error instanceof ExpressionProblem) return `fails: ${error.message}`;
    throw error;
  }
}

test('names the columns that it reads, before and after it is tied to a table', () => {
  const parsed = parseExpression('CASE WHEN region IN (code, \'x\') THEN total ELSE "id" + total END');
  expect(parsed.columns).toEqual(['region', 'code', 'total', 'id']);
  expect(bindExpression(parsed, columns, { as: 'value' }).reads).toEqual([0, 1, 2, 3]);
  expect(bind("'a'").reads).toEqual([]);
});

test('what the text alone shows is refused before there is a table', () => {
  for (const text of ['lowr(name)', 'now()', 'name ==', 'name::integr', 'a.name'])
    expect(() => parseExpression(text)).toThrow(ExpressionProblem);
});

test('a condition that is false or NULL is not true', () => {
  const condition = bind("region = 'EU' AND id > 5", { as: 'condition' });
  expect(condition.isTrue(row({ region: 'EU', id: '7' }))).toBe(true);
  expect(condition.isTrue(row({ region: 'US', id: '7' }))).toBe(false);
  expect(condition.isTrue(row({ region: 'EU' }))).toBe(false);
  expect(condition.evaluate(row({ region: 'EU' }))).toBeNull();
  expect(condition.type).toBe('pg_catalog.bool');
});

test('a value that the change does not carry is a failure, and nothing else', () => {
  const value = bind("coalesce(region, 'none')");
  for (const missing of [UNCHANGED, ABSENT] satisfies Cell[])
    expect(() => value.evaluate(row({ region: missing }))).toThrow(
      new ExpressionFailure('the change does not carry column "region"'),
    );
  expect(bind("CASE WHEN id = 1 THEN 'a' ELSE region END").evaluate(row({ id: '1', region: UNCHANGED }))).toBe('a');
});

test('what is NULL by its text is not computed further, as at the server', () => {
  expect(bind('NULL::int + 1 / id').evaluate(row({ id: '0' }))).toBeNull();
  expect(() => bind('id + 1 / id').evaluate(row({ id: '0' }))).toThrow(new ExpressionFailure('division by zero'));
  expect(bind('CASE WHEN id <> 0 THEN 1 / id END').evaluate(row({ id: '0' }))).toBeNull();
  expect(bind('id = 0 OR 1 / id > 2').evaluate(row({ id: '0' }))).toBe('t');
});

test('a failure does not tell the value', () => {
  const secret = row({ region: '4111-1111', total: '98765.43', id: '4242' });
  for (const text of [
    'region::int',
    'region::date',
    'id / 0 * id',
    'id * 2147483647',
    'total::numeric(3,2)',
    'region::uuid',
  ])
    try {
      bind(text).evaluate(secret);
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message).not.toMatch(/4111|98765|4242/);
    }
});

test('values of other types are passed on as they are', () => {
  expect(bind('status').evaluate(row({ status: 'happy' }))).toBe('happy');
  expect(bind('status').type).toBe('public.mood');
  expect(bind("status::text = 'happy'").evaluate(row({ status: 'happy' }))).toBe('t');
  expect(bind('CASE WHEN id = 1 THEN status END').evaluate(row({ id: '1', status: 'sad' }))).toBe('sad');
  expect(bind("coalesce(status, 'new')").evaluate(row({}))).toBe('new');
  expect(bind('tags IS NULL').evaluate(row({ tags: '{}' }))).toBe('f');
  expect(bind("tags::text || '!'").evaluate(row({ tags: '{a}' }))).toBe('{a}!');
});

test('bytes come as text or as a buffer', () => {
  for (const data of ['\\x00ff', Buffer.from([0, 255])]) {
    expect(bind('data').evaluate(row({ data }))).toBe('\\x00ff');
    expect(bind("encode(data, 'hex')").evaluate(row({ data }))).toBe('00ff');
  }
});

test('a value that a column takes loses nothing', () => {
  expect(assigned("'12'", 'pg_catalog.int4')).toBe('12');
  expect(assigned('id', 'pg_catalog.text')).toBe('7');
  expect(assigned('id', 'pg_catalog.numeric', ((5 << 16) | 2) + 4)).toBe('7.00');
  expect(assigned('total', 'pg_catalog.numeric', ((5 << 16) | 1) + 4)).toBe('1.5');
  expect(assigned('total * 1.11', 'pg_catalog.numeric', ((5 << 16) | 2) + 4)).toBe(
    'fails: a number has more than 2 digits after the point: round it',
  );
  expect(assigned('round(total * 1.11, 2)', 'pg_catalog.numeric', ((5 << 16) | 2) + 4)).toBe('1.67');
  expect(assigned('total * 1000', 'pg_catalog.numeric', ((5 << 16) | 2) + 4)).toBe(
    'fails: a value does not fit numeric(5,2)',
  );
  expect(assigned('total', 'pg_catalog.int4')).toBe('fails: a number is not whole: round it');
  expect(assigned('total * 2', 'pg_catalog.int4')).toBe('3');
  expect(assigned('id * 10000', 'pg_catalog.int2')).toBe('fails: a number is out of range of int2');
  expect(assigned('id', 'pg_catalog.int2')).toBe('7');
  expect(assigned('region', 'pg_catalog.varchar', 6)).toBe('EU');
  expect(assigned("region || '-'", 'pg_catalog.varchar', 6)).toBe(
    'fails: a text is longer than the 2 characters of its column',
  );
  expect(assigned("region || '  '", 'pg_catalog.varchar', 7)).toBe('EU ');
  expect(assigned('region', 'pg_catalog.bpchar', 9)).toBe('EU   ');
  expect(assigned("timestamp '2026-01-01 00:00:00.123'", 'pg_catalog.timestamp', 0)).toMatch(
    /^fails: a time has more digits/,
  );
  expect(assigned("timestamp '2026-01-01 00:00:00.12'", 'pg_catalog.timestamp', 2)).toBe('2026-01-01 00:00:00.12');
  expect(assigned("interval '1.5 seconds'", 'pg_catalog.interval')).toBe('00:00:01.5');
  expect(assigned("interval '1.5 seconds'", 'pg_catalog.interval', 0x7fff0000)).toMatch(
    /^fails: a column of interval with/,
  );
  expect(assigned("date '2026-01-01'", 'pg_catalog.timestamptz')).toBe('2026-01-01 00:00:00+00');
  expect(assigned("timestamp '2026-01-01 12:00'", 'pg_catalog.date')).toBe(
    'fails: a timestamp stands where the column wants a date: write (...)::date if that is meant',
  );
  expect(assigned('id::float8', 'pg_catalog.numeric')).toMatch(
    /^fails: a float8 stands where .* write \(\.\.\.\)::numeric/,
  );
  expect(assigned('region', 'pg_catalog.int4')).toMatch(/^fails: a text stands where the column wants a int4/);
  expect(assigned('region', 'public.mood')).toBe('fails: a text stands where the column wants a public.mood');
  expect(assigned("'happy'", 'public.mood')).toBe('happy');
  expect(assigned('NULL', 'public.mood')).toBeNull();
  expect(assigned("'10.0.0.1'", 'pg_catalog.inet')).toBe('10.0.0.1');
  expect(assigned('\'{"b": 1, "a":2.0}\'', 'pg_catalog.jsonb')).toBe('{"a": 2.0, "b": 1}');
  expect(assigned("'maybe'", 'pg_catalog.bool')).toBe('fails: a text is no bool (wanted is, for example, true)');
});
