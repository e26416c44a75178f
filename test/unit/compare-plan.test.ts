import { expect, test } from 'vitest';
import type { SideKeyColumn, SideTable } from '../../src/core/compare-side.ts';
import { planTable } from '../../src/operations/compare/table-plan.ts';
import { notATable, notMeant } from '../../src/operations/not-a-table.ts';
import type { TableBinding } from '../../src/pipeline/mapping/table-binding.ts';

const columns = [
  { name: 'code', type: 'pg_catalog.text', modifier: -1 },
  { name: 'n', type: 'pg_catalog.int4', modifier: -1 },
];

function side(code: string | null, logged: readonly number[], first = { by: '', injectiveOf: 0 }) {
  const keys: SideKeyColumn[][] = [[{ name: 'code', order: code }], [{ name: 'n', order: 'number' }]];
  const table: SideTable = { schema: 'public', name: 'item', columns, keys, estimatedRows: 0 };
  const output = { table: { ...table }, lineage: [first, { by: '', injectiveOf: 1 }], key: logged };
  const binding = {
    source: table,
    outputs: [output],
    steps: [],
    kept: null,
    dropped: new Set(),
  } as unknown as TableBinding;
  const sides = {
    source: table,
    target: table,
    conditions: { source: null, target: null },
    refusal: null,
    carrier: null,
  };
  return planTable(binding, () => sides);
}

test('a key that a transform changes is no key of the source, whatever its name', () => {
  const [plan] = side('text C', [0], { by: 'mask', injectiveOf: 0 });
  expect(plan).toMatchObject({ by: 'buckets', sourceShape: { key: [] }, targetShape: { key: ['code'] } });
});

test('rows are told apart by the key that the source logs, also where another one has the better order', () => {
  const shape = { key: ['code'] };
  expect(side('text C', [0])).toMatchObject([{ by: 'ranges', sourceShape: shape, targetShape: shape }]);
  expect(side(null, [0])).toMatchObject([{ by: 'buckets', sourceShape: shape, targetShape: shape }]);
  // Old rows are logged whole.
  expect(side(null, [])).toMatchObject([{ by: 'ranges', sourceShape: { key: ['n'] } }]);
});

test('a table that the route does not carry is told by TL-4153, with the one that was meant', () => {
  const carried = ['public.customers', 'public.orders', 'crm.customers', 'public."A.b"'];
  const nearest = (asked: string) => notATable('sales', asked, carried);
  expect(nearest('customers')).toMatchObject({ code: 'TL-4153', place: { nearest: 'public.customers' } });
  expect(nearest('public.custmers').message).toBe(
    'route sales carries no table public.custmers, did you mean public.customers?',
  );
  expect(nearest('ordesr')).toMatchObject({ place: { nearest: 'public.orders' } });
  expect(nearest('public.nothing_like_it')).toMatchObject({ place: { nearest: null } });
  expect(notMeant(['crm.*', '*.orders', 'public."A.b"'], carried)).toBeUndefined();
  expect(notMeant(['crm.*', 'orders'], carried)).toBe('orders');
  expect(notMeant(['hr.*'], carried)).toBe('hr.*');
});
