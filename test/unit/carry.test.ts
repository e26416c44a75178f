import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mysqlTypes } from '../../connectors/mysql/types/mysql-types.ts';
import { postgresTypes } from '../../connectors/postgres/types/postgres-types.ts';
import { withTypeMatrix } from '../../src/control/documentation/type-matrix.ts';
import { carry } from '../../src/core/types/carry.ts';
import type { Conversions } from '../../src/core/types/conversions.ts';
import { plainDecimal, roundDecimal } from '../../src/core/types/decimal-text.ts';
import { readArray, withPlainNumbers } from '../../src/core/types/json-text.ts';
import { isCalendarDate, roundFraction } from '../../src/core/types/time-text.ts';
import { ValueRefused } from '../../src/core/types/value-refused.ts';
import type { ColumnCodec, NativeValue } from '../../src/core/types/vendor-types.ts';

const numeric = (precision: number, scale: number): number => ((precision << 16) | (scale & 0x7ff)) + 4;

function postgres(type: string, modifier = -1): ColumnCodec {
  return postgresTypes.codec({ type: `pg_catalog.${type}`, modifier });
}

function mysql(type: string): ColumnCodec {
  return mysqlTypes.codec({ type, modifier: -1 });
}

/** What becomes of a value; a condition that it does not meet as `!condition`, a pair that is not carried as `refused`. */
function carried(from: ColumnCodec, to: ColumnCodec, value: NativeValue, conversions: Conversions = {}): unknown {
  const carrying = carry(from.type, to.type, conversions);
  if (carrying.kind === 'refused') return 'refused';
  try {
    const canonical = from.toCanonical === null ? value : from.toCanonical(value);
    const made = carrying.step === null ? canonical : carrying.step(canonical);
    return made === null || to.fromCanonical === null ? made : to.fromCanonical(made);
  } catch (error) {
    if (!(error instanceof ValueRefused)) throw error;
    expect(carrying.conditions).toContain(error.condition);
    return `!${error.condition}`;
  }
}

const collated = 'collate utf8mb4_0900_ai_ci';

test.each<[string, ColumnCodec, ColumnCodec, NativeValue, unknown, Conversions?]>([
  [
    'digits of elements',
    mysql('json'),
    postgresTypes.codec({ type: 'pg_catalog._numeric', modifier: numeric(5, 2) }),
    '[1.239]',
    '!form',
  ],
  ['elements of fewer bits', mysql('json'), postgres('_float4'), '[0.12345678901234]', '!form'],
  ['a word that means a date', mysql('json'), postgres('_date'), '["today"]', 'refused'],
  ['elements that are no bytes', mysql('json'), postgres('_bytea'), '["zz"]', '!form'],
  ['elements that are bytes', mysql('json'), postgres('_bytea'), '["00ff"]', '{"\\\\x00ff"}'],
  ['documents in an array', postgres('_jsonb'), mysql('json'), '{"null",NULL}', 'refused'],
  ['rounded to infinity', mysql('double'), postgres('float4'), '1e300', '!range', { precision: 'round' }],
  ['a name that would be cut', postgres('text'), postgres('name'), 'x'.repeat(64), '!length'],
  ['a number without an end', postgres('json'), mysql('json'), '[1e999999999]', '!json', { json: 'normalize' }],
  ['zero without a place for ones', mysql('int'), postgres('numeric', numeric(3, -2)), '0', '0'],
  [
    'a moment that leaves the year',
    mysql('timestamp'),
    postgres('timestamp'),
    '2024-01-01 00:00:00',
    '2023-12-31 22:00:00',
    { zone: '-02:00' },
  ],
  [
    'a moment beyond the calendar',
    postgres('timestamptz'),
    mysql('datetime'),
    '9999-12-31 23:59:59+00',
    null,
    { zone: '+02:00', dateRange: 'toNull' },
  ],
  ['a leap day before our era', postgres('date'), mysql('date'), '0005-02-29 BC', '!dateRange'],
  [
    'two bytes a character',
    postgres('text'),
    mysql('tinytext collate gbk_bin'),
    '汉'.repeat(126) + ' '.repeat(10),
    '!length',
  ],
  ['beyond an unsigned number', mysql('bigint unsigned'), postgres('int8'), '18446744073709551615', '!range'],
  [
    'the last of an unsigned number',
    mysql('bigint unsigned'),
    postgres('numeric'),
    '18446744073709551615',
    '18446744073709551615',
  ],
  ['below zero', postgres('int4'), mysql('int unsigned'), '-1', '!range'],
  ['a 2 that is no boolean', mysql('tinyint'), postgres('bool'), '2', '!range'],
  ['digits that have no place', postgres('numeric'), mysql('decimal(10,2)'), '1.005', '!precision'],
  ['digits, rounded', postgres('numeric'), mysql('decimal(10,2)'), '-1.005', '-1.01', { precision: 'round' }],
  ['rounded beyond the range', postgres('numeric'), mysql('decimal(4,2)'), '99.995', '!range', { precision: 'round' }],
  ['a fraction into a whole number', mysql('decimal(10,2)'), postgres('int4'), '1.50', '!precision'],
  ['a whole number with zeros', mysql('decimal(10,2)'), postgres('int4'), '2.00', '2'],
  ['NaN', postgres('numeric'), mysql('decimal(65,30)'), 'NaN', '!special'],
  ['NaN, named', postgres('float8'), mysql('double'), 'NaN', null, { special: 'toNull' }],
  ['numbers of a negative scale', postgres('numeric', numeric(3, -2)), mysql('int'), '12300', '12300'],
  ['a large float', postgres('float8'), mysql('double'), '1e+22', '1e22'],
  ['a float of more digits', postgres('float8'), mysql('float'), '0.1', '!precision'],
  ['a float that widens', postgres('float4'), mysql('double'), '0.1', '0.10000000149011612'],
  ['two digits of a year', postgres('int4'), mysql('year'), '69', '!range'],
  ['the year 0', mysql('year'), postgres('int4'), '0000', '0'],
  ['U+0000', mysql(`varchar(9) ${collated}`), postgres('text'), 'a\0b', '!nul'],
  ['U+0000, named', mysql(`varchar(9) ${collated}`), postgres('text'), 'a\0b', 'ab', { nul: 'remove' }],
  ['a character beyond latin1', postgres('text'), mysql('text collate latin1_swedish_ci'), 'ł€', '!charset'],
  ['characters of cp1252', postgres('text'), mysql('text collate latin1_swedish_ci'), 'ü€', 'ü€'],
  ['a replaced character', postgres('text'), mysql('text collate utf8mb3_bin'), 'a🏠', 'a?', { charset: 'replace' }],
  ['a long text', postgres('text'), mysql(`varchar(2) ${collated}`), '🏠🏠🏠', '!length'],
  ['a text as long as may be', postgres('text'), mysql(`varchar(2) ${collated}`), '🏠🏠', '🏠🏠'],
  [
    'a cut text',
    postgres('text'),
    mysql(`tinytext ${collated}`),
    'ü'.repeat(200),
    'ü'.repeat(127),
    { length: 'truncate' },
  ],
  ['blanks that would go', postgres('text'), mysql(`char(9) ${collated}`), 'a ', '!blanks'],
  ['blanks that do not count', postgres('bpchar', 13), mysql(`char(9) ${collated}`), 'a        ', 'a'],
  ['an empty text is no NULL', postgres('text'), mysql(`varchar(9) ${collated}`), '', ''],
  [
    'bytes for a UUID',
    mysql('binary(16)'),
    postgres('uuid'),
    Buffer.alloc(16, 0xab),
    'abababab-abab-abab-abab-abababababab',
  ],
  ['fewer bytes than there are', postgres('bytea'), mysql('binary(3)'), '\\x0001', '!length'],
  ['a zero date', mysql('date'), postgres('date'), '0000-00-00', '!zeroDate'],
  ['a day that is none', mysql('datetime'), postgres('timestamp'), '2023-02-29 01:00:00', '!zeroDate'],
  ['a zero date, named', mysql('datetime'), postgres('timestamp'), '2024-00-10 01:00:00', null, { zeroDate: 'toNull' }],
  ['a year of five digits', postgres('date'), mysql('date'), '12024-01-01', '!dateRange'],
  ['before our era', postgres('timestamp'), mysql('datetime(6)'), '0044-03-15 12:00:00 BC', '!dateRange'],
  ['infinity', postgres('timestamptz'), mysql('timestamp(6)'), 'infinity', '!dateRange'],
  ['after 2038', postgres('timestamptz'), mysql('timestamp(6)'), '2038-01-19 03:14:08+00', '!dateRange'],
  ['more digits of a second', postgres('timestamp'), mysql('datetime'), '2024-12-31 23:59:59.5', '!fraction'],
  [
    'rounded into the next year',
    postgres('timestamp'),
    mysql('datetime'),
    '2024-12-31 23:59:59.5',
    '2025-01-01 00:00:00',
    { fraction: 'round' },
  ],
  [
    'rounded out of the range',
    postgres('timestamp'),
    mysql('datetime'),
    '9999-12-31 23:59:59.5',
    '!dateRange',
    { fraction: 'round' },
  ],
  ['cut digits', postgres('time'), mysql('time(2)'), '23:59:59.999', '23:59:59.99', { fraction: 'truncate' }],
  ['a time beyond a day', mysql('time'), postgres('time'), '24:00:01', '!timeRange'],
  ['the end of a day', mysql('time'), postgres('time'), '24:00:00', '24:00:00'],
  ['a negative time', mysql('time(3)'), postgres('time'), '-00:00:00.500', '!timeRange'],
  ['a time without a zone', postgres('timestamp'), mysql('timestamp(6)'), '2024-01-01 00:00:00', 'refused'],
  [
    'a time of a named zone',
    postgres('timestamp'),
    mysql('timestamp'),
    '2024-01-01 00:30:00',
    '2023-12-31 22:30:00',
    { zone: '+02:00' },
  ],
  [
    'a moment in a named zone',
    postgres('timestamptz'),
    mysql('datetime'),
    '2023-12-31 22:30:00+00',
    '2024-01-01 00:30:00',
    { zone: '+02:00' },
  ],
  [
    'a document',
    mysql('json'),
    postgres('jsonb'),
    '{"b": 1e3, "aa": [1.50, "1.50"]}',
    '{"b": 1000, "aa": [1.5, "1.50"]}',
  ],
  ['a number beyond a double', postgres('jsonb'), mysql('json'), '[12345678901234567890.5]', '!json'],
  ['JSON as it was written', postgres('json'), mysql('json'), '{"a":1,"a":2}', 'refused'],
  ['JSON as what it means', postgres('json'), mysql('json'), '{"a":1}', '{"a":1}', { json: 'normalize' }],
  ['a text that is no JSON', mysql(`longtext ${collated}`), postgres('json'), '{', '!form'],
  ['an array', postgres('_text'), mysql('json'), '{a,"b,\\"c",NULL,"NULL"}', '["a", "b,\\"c", null, "NULL"]'],
  ['an array that begins with 0', postgres('_int4'), mysql('json'), '[0:1]={1,2}', '!bounds'],
  ['an array that comes back', mysql('json'), postgres('_int4'), '[[1, 2], [3, null]]', '{{1,2},{3,NULL}}'],
  ['no array', mysql('json'), postgres('_int4'), '[[1], [2, 3]]', '!form'],
  ['texts that are no numbers', mysql('json'), postgres('_int4'), '["1"]', '!form'],
  ['members of a set in another order', postgres('text'), mysql(`set('a','b') ${collated}`), 'b,a', '!member'],
  ['a member', postgres('text'), mysql(`enum('a''s','b') ${collated}`), "a's", "a's"],
  ['no member', postgres('text'), mysql(`enum('a','b') ${collated}`), 'c', '!member'],
  ['an inet', postgres('inet'), mysql(`varchar(50) ${collated}`), '10.0.0.1/8', '10.0.0.1/8'],
  ['a text that is to be an inet', mysql(`varchar(50) ${collated}`), postgres('inet'), '10.0.0.1', 'refused'],
  ['a float for a column that rounds', postgres('float8'), mysql('double(10,2)'), '0.1', 'refused'],
  ['a float of a column that has rounded it', mysql('double(10,2)'), postgres('float8'), '0.13', '0.13'],
  ['a float that is to be a decimal', mysql('double'), postgres('numeric'), '0.1', 'refused'],
  [
    'a UUID in capitals',
    mysql(`char(36) ${collated}`),
    postgres('uuid'),
    'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11',
    '!form',
  ],
])('%s', (_, from, to, value, becomes, conversions) => {
  expect(carried(from, to, value, conversions)).toEqual(becomes);
});

test('what a conversion makes of values could make one of two keys, and what is checked could not', () => {
  const keyed = (conversions: Conversions): unknown =>
    carry(postgres('text').type, mysql(`varchar(2) ${collated}`).type, conversions);
  expect(keyed({})).toMatchObject({ conditions: ['length'], converted: [], injective: true });
  expect(keyed({ length: 'truncate' })).toMatchObject({ conditions: [], converted: ['length'], injective: false });
});

describe('forms', () => {
  test.each([
    ['1.50', '1.5'],
    ['-0.00', '0'],
    ['1e3', '1000'],
    ['-1.25e-3', '-0.00125'],
    ['12e-1', '1.2'],
    ['00012.0', '12'],
    ['.5', '0.5'],
  ])('%s is %s', (text, plain) => expect(plainDecimal(text)).toBe(plain));

  test.each([
    ['0.005', 2, '0.01'],
    ['-0.004', 2, '0'],
    ['1250', -2, '1300'],
    ['9.99', 1, '10'],
    ['0.5', 0, '1'],
    ['4', -1, '0'],
  ])('%s with %i digits is %s', (text, scale, rounded) => expect(roundDecimal(text, scale)).toBe(rounded));

  test('numbers within texts of a document are not touched', () => {
    expect(withPlainNumbers('{"1.0": "1.50 \\" 2.0", "n": [-0.0, 1E+2]}')).toBe(
      '{"1.0": "1.50 \\" 2.0", "n": [0, 100]}',
    );
  });

  test('arrays are read with their numbers as they are', () => {
    expect(readArray('[1.10, {"a": "]}"}, [null]]')).toEqual([
      { text: '1.10', quoted: false },
      { text: '{"a": "]}"}', quoted: false },
      [null],
    ]);
    for (const wrong of ['1', '[1', '[1,]', '[1] 2', '{}']) expect(() => readArray(wrong)).toThrow(ValueRefused);
  });

  test('dates and fractions', () => {
    expect(['2024-02-29', '2100-02-29', '2000-02-29', '0001-01-01', '2024-04-31'].map(isCalendarDate)).toEqual([
      true,
      false,
      true,
      true,
      false,
    ]);
    expect(roundFraction('09:59:59.996', 2, 'round')).toBe('10:00:00');
    expect(roundFraction('-00:00:59.5', 0, 'round')).toBe('-00:01:00');
    expect(roundFraction('2024-01-01 00:00:00.100400', 3, 'round')).toBe('2024-01-01 00:00:00.1');
  });
});

test('docs/types.md has the matrix as "npm run docs" writes it', () => {
  const page = readFileSync(new URL('../../docs/types.md', import.meta.url), 'utf8');
  expect(withTypeMatrix(page)).toBe(page);
});
