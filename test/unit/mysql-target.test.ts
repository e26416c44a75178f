import { describe, expect, test } from 'vitest';
import { classifyMysqlError } from '../../connectors/mysql/classify-error.ts';
import { dumpPlace } from '../../connectors/mysql/source/dump-request.ts';
import { Progress } from '../../connectors/mysql/source/progress.ts';
import { alterStatement } from '../../connectors/mysql/target/alter-statement.ts';
import { literalKind, parseType } from '../../connectors/mysql/target/column-kind.ts';
import { demandVersion } from '../../connectors/mysql/target/demand-version.ts';
import { keepsNumbers } from '../../connectors/mysql/target/json-numbers.ts';
import { checkLoads, type LoadCheck } from '../../connectors/mysql/target/load-check.ts';
import { isOfItsRows } from '../../connectors/mysql/target/refusals.ts';
import { planTable, type TablePlan } from '../../connectors/mysql/target/table-plan.ts';
import type { TargetTable } from '../../connectors/mysql/target/target-table.ts';
import { typeFits } from '../../connectors/mysql/target/type-fit.ts';
import type { BegunLoad } from '../../src/core/load.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TableSchema } from '../../src/core/table-schema.ts';

test.for([
  ['mysql', '8.0.18', false],
  ['mysql', '5.7.44-log', false],
  ['mysql', '8.0.19', true],
  ['mysql', '9.7.0', true],
  ['mysql', '8.4.1', true],
  ['mariadb', '10.2.44-MariaDB', false],
  ['mariadb', '10.3.2-MariaDB', false],
  ['mariadb', '10.11.6-MariaDB-0+deb12u1', true],
] as const)('a target of %s %s: %s', ([type, version, isNewEnough]) => {
  const check = (): void => demandVersion({ name: 'target', type }, version);
  if (isNewEnough) expect(check).not.toThrow();
  else expect(check).toThrow(expect.objectContaining({ code: 'TL-5007' }));
});

test.for([
  ['[1.5, 0.1, 1e300, -0.0]', true],
  ['[18446744073709551615, -9223372036854775808]', true],
  ['[18446744073709551617]', false],
  ['{"a": 3.141592653589793, "b": 0.30000000000000004}', true],
  ['{"a": [3.1415926535897932384]}', false],
  ['[1000000000000000000000]', true],
  ['{"12345678901234567890.123": "12345678901234567890.123", "b": 1}', true],
  ['{"a\\"12345678901234567890.123": 1}', true],
  ['[0.10000000000000000000]', true],
] as const)('of %s MySQL keeps every number: %s', ([document, kept]) => {
  expect(keepsNumbers(document)).toBe(kept);
});

test('a place beyond 4 GB is reached from the beginning of its file, and what is before it was applied', () => {
  const place = { file: 'binlog.000007', offset: 2 ** 32 + 500 };
  expect(dumpPlace({ ...place, offset: 2 ** 32 - 1 })).toEqual({ ...place, offset: 2 ** 32 - 1 });
  expect(dumpPlace(place)).toEqual({ ...place, offset: 4 });
  const progress = new Progress({ kind: 'file', place });
  expect(progress.has({ kind: 'file' })).toBe(true);
  // A transaction of more than 4 GB: the events' own ends have 32 bits.
  for (let at = 1; at <= 5; at++) progress.passed((at * 2 ** 30) % 2 ** 32, 1_000);
  expect(progress.place.offset).toBe(5 * 2 ** 30);
  expect(progress.has({ kind: 'file' })).toBe(false);
});

test.each([
  ['double(10,2)', 'double(10,2)', true],
  ['double(10,2)', 'double', true],
  ['float(7,4) unsigned', 'float', true],
  ['double', 'double(10,2)', false],
  ['double(10,3)', 'double(10,2)', false],
  ['float', 'float(7,4)', false],
  ['float', 'float unsigned', false],
  ['float', 'double', false],
  ["set('a','b') collate utf8mb4_bin", "set('x','a','y','b','z') collate utf8mb4_bin", true],
  ["set('a','b') collate utf8mb4_bin", "set('b','a') collate utf8mb4_bin", false],
  ["set('a','b') collate utf8mb4_bin", "set('a','c') collate utf8mb4_bin", false],
  ["enum('a','b') collate utf8mb4_bin", "enum('b','c','a') collate utf8mb4_bin", true],
  ["enum('a','A') collate utf8mb4_bin", "enum('a','A') collate utf8mb4_bin", true],
  // The server writes the first of two that are the same to it.
  ["enum('a','A') collate utf8mb4_bin", "enum('a','A') collate utf8mb4_general_ci", false],
  ["set('a','a') collate utf8mb4_bin", "set('a','a') collate utf8mb4_bin", false],
])('values of %s fit into %s: %s', (source, target, fits) => {
  expect(typeFits(source, target)).toBe(fits);
});

const answered = (errno: number, sqlState: string, message: string): Error =>
  Object.assign(new Error(message), { errno, sqlState });

test.for([
  [1366, 'HY000', "Incorrect integer value: 'secret' for column 'n' at row 1"],
  [1411, 'HY000', "Incorrect datetime value: 'secret' for function str_to_date"],
  [1526, 'HY000', 'Table has no partition for value secret'],
  [1062, '23000', "Duplicate entry 'secret' for key 't.PRIMARY'"],
  [1064, '42000', "You have an error in your SQL syntax near 'secret'"],
] as const)('what the server says with error %i is not told, since it quotes values', ([errno, state, message]) => {
  const told = classifyMysqlError(answered(errno, state, message), 'node');
  expect(told.message).toContain(String(errno));
  expect(told.message + told.remedy).not.toContain('secret');
});

test('what every row would be refused with is of the definition, and is not set aside', () => {
  const of = (errno: number): boolean => isOfItsRows(classifyMysqlError(answered(errno, 'HY000', ''), 'node'));
  expect([1364, 3105, 1906].map(of)).toEqual([false, false, false]);
  expect([1366, 3819, 4025, 1292].map(of)).toEqual([true, true, true, true]);
});

test.for([
  ['mysql', 'uuid', 'TL-2221'],
  ['mysql', 'inet6', 'TL-2221'],
  ['mariadb', 'vector(3)', 'TL-2221'],
  ['mariadb', 'uuid', null],
] as const)('a column that is added at %s of type %s: %s', ([vendor, type, code]) => {
  const schema = { schema: 'shop', name: 'item', columns: [] } as unknown as TableSchema;
  const column = { name: 'c', type, modifier: -1, key: false };
  const alter = () =>
    alterStatement(schema, [{ kind: 'add', column, existing: null }], { schema, left: [], vendor, route: 'r' });
  if (code === null) expect(alter()).toContain(type);
  else expect(alter).toThrow(expect.objectContaining({ code, place: expect.objectContaining({ column: 'c', type }) }));
});

test('rows that are to stay when the source deletes them halt, and are not deleted', () => {
  const source = { schema: 'shop', name: 'item', columns: [], identity: 'default', kept: { mark: null } } as const;
  const target = { schema: 'shop', name: 'item', engine: 'InnoDB' } as unknown as TargetTable;
  const options = { route: 'r', node: 'there', vendor: 'mysql', foreignKeysAct: false, namesKeys: true } as const;
  expect(() => planTable(source as unknown as TableVersion, target, options)).toThrow(
    expect.objectContaining({ code: 'TL-5010', message: expect.stringContaining('shop.item') }),
  );
});

describe('whether the source may have two rows of one key of the target', () => {
  const text = 'varchar(9) collate utf8mb4_bin';
  const coarser = (column: string) => ({ code: 'TL-4603', place: { column } }) as const;
  const column = (name: string, type: string, key = false) => ({ name, type, modifier: -1, key });
  const planOf = (
    own: readonly [type: string, key: boolean][],
    target: string,
    {
      identity = 'full',
      namesKeys = true,
      there: keyed = ['c0'],
      second,
    }: {
      readonly identity?: 'full' | 'default';
      readonly namesKeys?: boolean;
      /** The target's key. */
      readonly there?: readonly string[];
      /** The target's type of the second column, where it is another one. */
      readonly second?: string;
    } = {},
  ): TablePlan => {
    const columns = own.map(([type, key], at) => column(`c${at}`, type, key));
    const source = { schema: 'shop', name: 'item', columns, identity } as TableVersion;
    const there = columns.map(({ name }, at) => {
      const typeName = at === 0 ? target : (second ?? own[at]?.[0] ?? '');
      const type = parseType(typeName);
      return { name, typeName, type, kind: literalKind(type), notNull: true, generated: false, hasDefault: false };
    });
    const key = { name: 'PRIMARY', primary: true, columns: keyed, allNotNull: true, partial: false };
    const table = {
      schema: 'shop',
      name: 'item',
      engine: 'InnoDB',
      columns: there,
      uniqueIndexes: [key],
      cascades: [],
    };
    const options = { route: 'r', node: 'there', vendor: 'mysql', foreignKeysAct: false, namesKeys } as const;
    return planTable(source, table as unknown as TargetTable, options);
  };

  test.for([
    [
      'of its own key',
      [
        ['int', true],
        ['int', false],
      ],
      'int',
      {},
      'never',
    ],
    [
      'of its own key, wider there',
      [
        ['int', true],
        ['int', false],
      ],
      'bigint',
      {},
      'never',
    ],
    [
      'of texts by the same collation',
      [
        [text, true],
        ['int', false],
      ],
      text,
      {},
      'never',
    ],
    [
      'of texts by one that leaves out case',
      [
        [text, true],
        ['int', false],
      ],
      'varchar(9) collate utf8mb4_unicode_ci',
      {},
      'always',
    ],
    ['of texts by one that nobody knows', [[text, true]], 'varchar(9) collate utf8mb4_czech_ci', {}, 'always'],
    [
      'of a table without a key',
      [
        ['int', false],
        ['int', false],
      ],
      'int',
      {},
      'always',
    ],
    [
      'of a part of its key',
      [
        ['int', true],
        ['int', true],
      ],
      'int',
      {},
      'always',
    ],
    [
      'of its own key and a column more',
      [
        ['int', true],
        ['int', false],
      ],
      'int',
      { there: ['c1', 'c0'] },
      'never',
    ],
    [
      'where it does not tell its key',
      [
        ['int', true],
        ['int', true],
      ],
      'int',
      { namesKeys: false },
      'within',
    ],
    [
      'where it logs the key alone',
      [
        ['int', true],
        ['int', false],
      ],
      'int',
      { identity: 'default' },
      'never',
    ],
  ] as const)('%s', ([, own, target, options, expected]) => {
    expect(
      planOf(
        own.map(([type, key]) => [type, key]),
        target,
        options,
      ).sharesKeys,
    ).toBe(expected);
  });

  test.for([
    ['the source has no such key', [['int', false]], 'int', { code: 'TL-2305', place: { table: 'shop.item' } }],
    ['texts are two at the source', [[text, true]], 'varchar(9) collate utf8mb4_unicode_ci', coarser('c0')],
    [
      'texts are two at the source, in another column of the key than its first',
      [
        ['int', true],
        [text, true],
      ],
      'int',
      { ...coarser('c1'), there: ['c0', 'c1'], second: 'varchar(9) collate utf8mb4_unicode_ci' },
    ],
  ] as const)('such a table is not loaded beside the stream: %s', async ([, own, target, { code, place, ...more }]) => {
    const plan = planOf(
      own.map(([type, key]) => [type, key]),
      target,
      more,
    );
    const check = {
      ...{ session: { query: async () => [] }, route: { name: 'r' }, routeId: 1, foreignKeysAct: false },
      plans: { add: async () => {}, get: () => plan },
    } as unknown as LoadCheck;
    const begun = {
      load: { targets: ['shop.item'], key: ['c0'], existing: 'refuse', job: null },
      tables: [plan.source],
      where: null,
    };
    await expect(checkLoads(check, [begun as unknown as BegunLoad], true)).rejects.toMatchObject({ code, place });
  });
});
