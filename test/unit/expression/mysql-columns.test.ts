import { beforeAll, expect, test } from 'vitest';
import { alteredValue } from '../../../connectors/mysql/target/altered-value.ts';
import { parseType } from '../../../connectors/mysql/target/column-kind.ts';
import { typeFits } from '../../../connectors/mysql/target/type-fit.ts';
import { configuredExpression } from '../../../src/config/configured-expression.ts';
import type { Cell } from '../../../src/core/cell.ts';
import { isTextType } from '../../../src/core/text-types.ts';
import { mysqlColumnType } from '../../../src/expression/mysql-column-type.ts';

beforeAll(() => import('../../../src/expression/load-parser.ts'));

/** Whether the condition is true of a row with this cell in the column `v`. */
function isTrue(type: string, cell: Cell, condition: string): boolean {
  const columns = [{ name: 'v', type, modifier: -1, key: false }];
  return configuredExpression(condition).bind({ route: 'r', table: 'd.t', columns, as: 'condition' }).isTrue([cell]);
}

test.for([
  ['bigint unsigned', '18446744073709551615', 'v > 9223372036854775807'],
  ['tinyint unsigned', '255', 'v = 255'],
  ['decimal(12,2) unsigned', '1.50', 'v = 1.5'],
  ['double', '1e22', 'v >= 1e22'],
  ["enum('a','b, c)','d''') collate utf8mb4_bin", "d'", "v = 'd'''"],
  ['varchar(9) collate utf8mb4_general_ci', 'EU', "v <> 'eu'"],
  ['datetime(3)', '2026-11-01 00:00:00.500', "v > '2026-11-01' and v < '2026-11-01 00:00:01'"],
  ['timestamp', '2026-11-01 00:00:00', "v = timestamptz '2026-11-01 01:00:00+01'"],
  ['time(1)', '-838:59:59.0', "v < '-34 days'"],
  ['binary(2)', Buffer.from([97, 0]), "v = '\\x6100'"],
  ['uuid', '0b4d1f0e-8a3c-4c52-9d61-5f6f6f1b2a3c', "v = '0B4D1F0E8A3C4C529D615F6F6F1B2A3C'"],
  ['json', '{"a": 1}', "v ->> 'a' = '1'"],
  ['geometry', null, 'v is null'],
] as const)('a column %s is computed with as what it is', ([type, cell, condition]) => {
  expect(isTrue(type, cell, condition)).toBe(true);
});

test.for([
  ['date', '0000-00-00', "v > '2000-01-01'"],
  ['date', '2026-02-31', "v > '2000-01-01'"],
  ['datetime', '0000-00-00 00:00:00', "v > '2000-01-01'"],
  ['timestamp', '2026-00-01 00:00:00', 'v is null'],
] as const)('of a %s a date that there is not is no value', ([type, cell, condition]) => {
  expect(() => isTrue(type, cell, condition)).toThrow();
});

test('types of other vendors are not taken for those of MySQL, nor others of its own for numbers', () => {
  for (const type of ['pg_catalog.int4', 'public.mood', 'int.mood', 'my schema.int', 'bit(1)', 'inet6', 'geometry'])
    expect(mysqlColumnType(type), type).toBeNull();
  expect(
    ['varchar(9) collate utf8mb4_bin', 'text collate latin1_swedish_ci', 'pg_catalog.text'].map(isTextType),
  ).toEqual([true, true, true]);
  expect(["enum('char')", 'char.x', 'varbinary(9)', 'json'].map(isTextType)).toEqual([false, false, false, false]);
});

test('what the language makes goes into columns of its kind, and what a column would alter is known', () => {
  expect(typeFits('pg_catalog.int8', 'int')).toBe(true);
  expect(typeFits('pg_catalog.text', 'varchar(9) collate latin1_bin')).toBe(true);
  expect(typeFits('pg_catalog.timestamptz', 'timestamp')).toBe(false);
  expect(typeFits('pg_catalog.bool', 'tinyint')).toBe(false);
  expect(typeFits('pg_catalog.text', 'int')).toBe(false);
  const alters = (type: string, text: string): boolean => (alteredValue(parseType(type))?.(text) ?? null) !== null;
  expect(alters('decimal(9,2)', '1.255')).toBe(true);
  expect(alters('decimal(9,2)', '-1.25')).toBe(false);
  expect(alters('datetime(3)', '2026-11-01 00:00:00.1234')).toBe(true);
  expect(alters('datetime', '2026-11-01 00:00:00')).toBe(false);
  expect(alters('varchar(3) collate utf8mb4_bin', 'abc ')).toBe(true);
  expect(alters('varchar(3) collate utf8mb4_bin', '🦭🦭 ')).toBe(false);
  expect(alters('char(3) collate utf8mb4_bin', 'a ')).toBe(true);
  expect(alters('decimal(10,2)', '11.0000')).toBe(false);
  expect(alters('decimal(10,0)', '100')).toBe(false);
  expect(alters('decimal(10,2)', '11.0010')).toBe(true);
  expect(alters('time(1)', '12:00:00.1000')).toBe(false);
  const blanks = ' '.repeat(10);
  expect(alters('tinytext collate utf8mb4_bin', `${'a'.repeat(250)}${blanks}`)).toBe(true);
  expect(alters('tinytext collate utf8mb4_bin', `${'a'.repeat(245)}${blanks}`)).toBe(false);
  expect(alters('tinytext collate utf8mb4_bin', `${'ä'.repeat(125)}${blanks}`)).toBe(true);
  expect(alters('tinytext collate latin1_bin', `${'ä'.repeat(125)}${blanks}`)).toBe(false);
  expect(alters('tinytext collate utf16_bin', `${'a'.repeat(120)}${blanks}`)).toBe(true);
  expect(alters('tinytext collate utf32_bin', `${'a'.repeat(60)}${blanks}`)).toBe(true);
  expect(alters('tinytext collate utf8mb4_bin', 'a'.repeat(256))).toBe(false);
  expect(alters('text collate utf8mb4_bin', `${'a'.repeat(65_535)} `)).toBe(true);
  expect(alters('mediumtext collate utf8mb4_bin', `${'a'.repeat(65_535)} `)).toBe(false);
  expect(alters('mediumtext collate utf8mb4_bin', `${'a'.repeat(16_777_215)} `)).toBe(true);
  expect(alters('longtext collate utf8mb4_bin', `${'a'.repeat(65_535)} `)).toBe(false);
});
