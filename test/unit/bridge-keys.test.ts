import { expect, test } from 'vitest';
import { mysqlTypes } from '../../connectors/mysql/types/mysql-types.ts';
import { postgresTypes } from '../../connectors/postgres/types/postgres-types.ts';
import type { KeyCarrier } from '../../src/core/target.ts';
import { Bridge } from '../../src/pipeline/bridge/bridge.ts';

type Way = 'toPostgres' | 'toMysql';

/** Of a table whose key is one column: of this type at the source, and of that at the target. `key`: the change queue tells rows apart by it. */
async function keys(way: Way, from: string, to: string, conversions = {}, key = true): Promise<KeyCarrier | null> {
  const column = (type: string) => {
    const [name = '', modifier] = type.split(' @');
    return { name: 'k', type: name, modifier: Number(modifier ?? -1) };
  };
  const table = {
    schema: 's',
    name: 't',
    identity: 'default' as const,
    columns: [{ ...column(from), key }],
  };
  const types =
    way === 'toPostgres' ? { from: mysqlTypes, to: postgresTypes } : { from: postgresTypes, to: mysqlTypes };
  const bridge = new Bridge({ route: 'r', ...types, conversions, columns: async () => [column(to)] });
  await bridge.look([table]);
  return bridge.carrier(table).keys(['k']);
}

/** As the source's CompareSide writes a key, and the target's. */
const pairs: readonly [Way, from: string, to: string, here: string, there: string, conversions?: object][] = [
  ['toPostgres', 'bigint unsigned', 'pg_catalog.numeric @1310724', '18446744073709551615', '18446744073709551615'],
  ['toPostgres', 'tinyint', 'pg_catalog.bool', '1', 't'],
  ['toPostgres', 'decimal(10,2)', 'pg_catalog.numeric @655366', '1.5', '1.5'],
  ['toPostgres', 'varbinary(8)', 'pg_catalog.bytea', '\\x00ff', '\\x00ff'],
  ['toPostgres', 'bit(8)', 'pg_catalog.bit @8', '101', '00000101'],
  ['toPostgres', 'timestamp(3)', 'pg_catalog.timestamptz', '2026-01-01 10:00:00.5', '2026-01-01 10:00:00.5+00'],
  [
    'toPostgres',
    'datetime',
    'pg_catalog.timestamptz',
    '2026-01-01 10:00:00',
    '2026-01-01 08:00:00+00',
    { zone: '+02:00' },
  ],
  [
    'toMysql',
    'pg_catalog.uuid',
    'binary(16)',
    'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
    '\\xa0eebc999c0b4ef8bb6d6bb9bd380a11',
  ],
  ['toMysql', 'pg_catalog.bool', 'tinyint', 'f', '0'],
  ['toMysql', 'pg_catalog.timestamp', 'datetime(6)', '2026-01-01 10:00:00.5', '2026-01-01 10:00:00.5'],
  ['toMysql', 'pg_catalog.bpchar @9', 'char(5)', 'ab', 'ab'],
  ['toMysql', 'pg_catalog.numeric @655366', 'decimal(12,4)', '-0.5', '-0.5'],
];

test.for(pairs)('%s: a key of %s as one of %s, and back', async ([way, from, to, here, there, conversions]) => {
  const carrier = await keys(way, from, to, conversions);
  expect(carrier?.there([here])).toEqual([there]);
  expect(carrier?.back([there])).toEqual([here]);
});

test('a key that only the target can have is none of the source', async () => {
  expect((await keys('toPostgres', 'int unsigned', 'pg_catalog.int8'))?.back(['-1'])).toBeNull();
  expect((await keys('toPostgres', 'varchar(3)', 'pg_catalog.text'))?.back(['abcd'])).toBeNull();
  expect((await keys('toPostgres', 'datetime', 'pg_catalog.timestamp'))?.back(['infinity'])).toBeNull();
  expect((await keys('toMysql', 'pg_catalog.bool', 'tinyint'))?.back(['2'])).toBeNull();
});

test('keys are told apart by columns of which both sides have one text for a value only', async () => {
  expect(await keys('toMysql', 'pg_catalog.float4', 'float')).toBeNull();
  // Its 0000 would be taken for a year that the source can't have.
  expect(await keys('toPostgres', 'year', 'pg_catalog.int2')).toBeNull();
});

test('keys are not told by columns whose values the route converts', async () => {
  expect(await keys('toPostgres', 'datetime(6)', 'pg_catalog.timestamp @3', {}, false)).not.toBeNull();
  expect(await keys('toPostgres', 'datetime(6)', 'pg_catalog.timestamp @3', { fraction: 'round' }, false)).toBeNull();
  expect(await keys('toMysql', 'pg_catalog.numeric', 'decimal(10,2)', { precision: 'round' }, false)).toBeNull();
  expect(await keys('toMysql', 'pg_catalog.text', 'varchar(5)', { length: 'truncate' }, false)).toBeNull();
});

test('a key of the source that has no form at the target is none there', async () => {
  const carrier = await keys('toPostgres', 'bigint', 'pg_catalog.int2');
  expect(carrier?.there(['70000'])).toBeNull();
});
