import { expect, test } from 'vitest';
import { orderedStatements, type SetOptions, setStatements } from '../../connectors/mysql/target/set-apply.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';

const table = { schema: 'shop', name: 'orders', columns: [] } as unknown as TableVersion;
const plan = { label: 'shop.orders', target: table, share: null as string | null };
const options = {
  plans: { get: () => plan, parentsFirst: (plans: unknown[]) => [...plans] },
  foreignKeysAct: false,
  isPartial: () => false,
  maxBytes: 1_000,
} as unknown as SetOptions;

function truncate(shares?: readonly unknown[]): readonly TransactionPart[] {
  return [
    { changes: [{ kind: 'truncate', tables: [table], ...(shares && { shares }) }] } as unknown as TransactionPart,
  ];
}

test.for([setStatements, orderedStatements])(
  'a TRUNCATE of a share is not carried out as one of the whole table',
  (statements) => {
    expect([...statements(options, truncate())].map(({ text }) => text)).toEqual(['delete from `shop`.`orders`']);
    const shared = (): unknown => [...statements(options, truncate([{ table, source: table }]))];
    expect(shared).toThrow(expect.objectContaining({ code: 'TL-2134' }));
    // What the route owns the server can be asked for.
    const owned = { ...options, plans: { ...options.plans, get: () => ({ ...plan, share: '(`site` = 3)' }) } };
    expect(
      [...statements(owned as unknown as SetOptions, truncate([{ table, source: table }]))].map(({ text }) => text),
    ).toEqual(['delete from `shop`.`orders` where (`site` = 3)']);
  },
);
