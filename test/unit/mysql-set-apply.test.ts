import { expect, test } from 'vitest';
import { RowStatements, type RowStatementsOptions } from '../../connectors/mysql/target/row-statements.ts';
import {
  insertRows,
  orderedStatements,
  type SetOptions,
  setStatements,
} from '../../connectors/mysql/target/set-apply.ts';
import type { TablePlan } from '../../connectors/mysql/target/table-plan.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { randomNumbers } from '../support/seed.ts';

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

test('a statement holds as many rows as its bytes allow, whatever their characters are', () => {
  const column = { name: 'note', kind: 'text', insteadOfNull: null, altered: null, type: { base: 'text' } };
  const statements = new RowStatements({
    target: table,
    columns: [{ index: 0, column }],
    key: [],
    vendor: 'mysql',
  } as unknown as RowStatementsOptions);
  const written = { label: 'shop.orders', statements } as unknown as TablePlan;
  const random = randomNumbers(5);
  const characters = ['a', 'ü', '€', '😀'];
  for (const maxBytes of [90, 300, 2_000]) {
    const rows = Array.from({ length: 300 }, () => [
      (characters[Math.floor(random() * 4)] ?? '').repeat(Math.floor(random() * 30)),
    ]);
    let at = 0;
    for (const { text, rows: count } of insertRows(written, rows, maxBytes)) {
      const bytes = Buffer.byteLength(String(text));
      expect(bytes <= maxBytes || count === 1).toBe(true);
      at += count ?? 0;
      const next = rows[at];
      if (next !== undefined) expect(bytes + Buffer.byteLength(`,('${next[0]}')`)).toBeGreaterThan(maxBytes);
    }
    expect(at).toBe(rows.length);
  }
});
