import { beforeAll, describe, expect, test } from 'vitest';
import { areApart, bindShare, parseShare } from '../../src/expression/owned-share.ts';
import { ExpressionProblem } from '../../src/expression/problem.ts';

beforeAll(async () => {
  await import('../../src/expression/load-parser.ts');
});

const columns = [
  ['site', 'text'],
  ['id', 'int4'],
  ['tenant', 'uuid'],
  ['live', 'bool'],
  ['at', 'timestamptz'],
].map(([name = '', type]) => ({ name, type: `pg_catalog.${type}`, modifier: -1 }));

const apart = (a: string, b: string): boolean => areApart(parseShare(a), parseShare(b), columns);

const uuid = (last: string): string => `00000000-0000-0000-0000-00000000000${last}`;

describe('shares of which no row can be in both', () => {
  test.for([
    ["site = 'a'", "site = 'b'"],
    ["site = 'a'", "site IN ('b', 'c')"],
    ["site = 'a'", "site <> 'a'"],
    ["site = 'a'", "NOT (site = 'a' OR id = 1)"],
    ["site = 'a'", "site = 'A'"],
    ['id < 1000', 'id >= 1000'],
    ['id BETWEEN 1 AND 9', 'id > 9 OR id < 1'],
    ['id % 4 = 1', 'id % 4 IN (2, 3)'],
    ['id % 2 = 1', 'id % 4 = 2'],
    ['id % 3 = -1', 'id > 0'],
    ["site = 'a' AND id < 5", "site = 'a' AND id > 4"],
    [`tenant = '${uuid('1')}'`, `tenant = '${uuid('2')}'`],
    ['live = true', 'live = false'],
    ['id = -9223372036854775807', 'id > -9223372036854775807'],
  ] as const)('%s | %s', ([a, b]) => {
    expect(apart(a, b)).toBe(true);
    expect(apart(b, a)).toBe(true);
  });
});

describe('shares that meet', () => {
  test.for([
    ["site = 'a'", "site = 'a'"],
    ["site = 'a'", 'id = 1'],
    ["site <> 'a'", "site <> 'b'"],
    ['id <= 1000', 'id >= 1000'],
    ['id % 4 = 1', 'id % 2 = 1'],
    ['id % 3 = -1', 'id < 5'],
    ['id % 3 = 1', 'id % 5 = 1'],
    ["site = 'a' OR id = 3", "site = 'b' AND id = 3"],
    [`tenant = '${uuid('a')}'`, `tenant = '${uuid('A')}'`],
    ['live = true', "site = 'a'"],
    // No column holds such numbers: all rows are in both, or in the second.
    ['id < 100000000000000000000', 'id > -100000000000000000000'],
    ['id <> 100000000000000000000', 'id <> 100000000000000000001'],
    ['id < 9223372036854775809', 'id > -9223372036854775810 AND id < 0'],
  ] as const)('%s | %s', ([a, b]) => {
    expect(apart(a, b)).toBe(false);
    expect(apart(b, a)).toBe(false);
  });
});

test.for([
  "lower(site) = 'a'",
  'site = site',
  'id + 1 = 2',
  'site IS NULL',
  'true',
  "site = 'a' OR true",
  "coalesce(site, 'a') = 'a'",
])('%s is no share', (text) => {
  expect(() => parseShare(text)).toThrow();
});

test.for([
  "site < 'a'",
  "at = '2026-01-01'",
  'id = 1.5',
  'id % 0 = 1',
  'id % 0 IN (1, 2)',
  'site % 2 = 1',
  "missing = 'a'",
])('%s is no share of this table', (text) => {
  expect(() => apart(text, "site = 'b'")).toThrow(ExpressionProblem);
});

describe('of columns of MySQL and MariaDB', () => {
  const mysql = [
    ['site', 'varchar(9) collate utf8mb4_0900_bin'],
    ['small', 'tinyint'],
    ['id', 'bigint unsigned'],
    ['price', 'decimal(9,0)'],
    ['born', 'year'],
    ['raw', 'varbinary(4)'],
  ].map(([name = '', type = '']) => ({ name, type, modifier: -1 }));
  const meet = (a: string, b: string): boolean => !areApart(parseShare(a), parseShare(b), mysql);

  test.for([
    ["site = 'a'", "site = 'b'", false],
    ['small = 1', 'small IN (2, 3)', false],
    ['id % 4 = 1', 'id % 4 IN (2, 3)', false],
    ['id > 18446744073709551614', 'id < 18446744073709551615', false],
    ['id > 18446744073709551613', 'id < 18446744073709551615', true],
    // The other source may well have a column with a sign.
    ['id % 4 = -1', 'id < 0', true],
  ] as const)('%s | %s', ([a, b, meets]) => {
    expect(meet(a, b)).toBe(meets);
    expect(meet(b, a)).toBe(meets);
  });

  test.for(['price = 1', "raw = 'a'", 'site < 1', "site < 'a'", 'small = 1.5'])('%s is no share', (text) => {
    expect(() => meet(text, 'small = 1')).toThrow(ExpressionProblem);
  });
});

test('a division by zero is refused before there is another share', () => {
  expect(() => bindShare(parseShare('id % 0 = 1'), columns)).toThrow(ExpressionProblem);
});
