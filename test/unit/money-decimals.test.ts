import { expect, test } from 'vitest';
import { moneyFindings } from '../../connectors/postgres/money-decimals.ts';
import type { TableVersion } from '../../src/core/table.ts';

const column = (name: string, type: string) => ({ name, type, modifier: -1, key: false });
const table = (name: string, ...types: readonly string[]): TableVersion => ({
  ...{ schema: 'public', name, identity: 'default' },
  columns: types.map((type, at) => column(`c${at}`, type)),
});

test('money whose decimals are not those that it is carried with is found before the route starts', async () => {
  const tables = [table('t', 'pg_catalog.int4', 'pg_catalog.money'), table('u', 'pg_catalog._money', 'other.money')];
  const found = await moneyFindings('shop', tables, async () => 0);
  expect(found.map(({ level, table: label, message }) => [level, label, message.split(' is ')[0]])).toEqual([
    ['error', 'public.t', 'column public.t.c1'],
    ['error', 'public.u', 'column public.u.c0'],
  ]);
  expect(await moneyFindings('shop', tables, async () => 2)).toEqual([]);
  const asked = (): never => {
    throw new Error('asked where there is none');
  };
  expect(await moneyFindings('shop', [table('t', 'pg_catalog.numeric')], asked)).toEqual([]);
});
