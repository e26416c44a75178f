import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextGroup } from '../../connectors/sql/apply/group.ts';
import type { Change } from '../../src/core/change.ts';
import type { Position } from '../../src/core/position.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';

interface Shape {
  /** Rows of each part. */
  readonly parts: readonly number[];
  readonly from: string;
}

const shapes = fc.array(
  fc.record<Shape>({
    parts: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
    from: fc.constantFrom('', 'a', 'b'),
  }),
  { minLength: 1, maxLength: 20 },
);

const insert = { kind: 'insert' } as unknown as Change;

function partsOf(transactions: readonly Shape[]): TransactionPart[] {
  return transactions.flatMap(({ parts, from }, xid) =>
    parts.map((rows, i) => ({
      id: String(xid),
      origin: from === '' ? [] : [{ node: from, position: String(xid), committedAtMs: xid }],
      changes: Array.from({ length: rows }, () => insert),
      rows,
      bytes: rows * 10,
      commit: i === parts.length - 1 ? { position: `0/${xid + 1}` as Position, atMs: xid, id: String(xid) } : null,
      urgency: 'ride' as const,
    })),
  );
}

test('groups keep the order, hold whole transactions of one origin, and only a transaction of its own is cut', () => {
  fc.assert(
    fc.property(shapes, fc.integer({ min: 1, max: 12 }), fc.boolean(), (transactions, limit, cutShort) => {
      const all = partsOf(transactions);
      // The last transaction may still be on its way.
      const parts = cutShort ? all.slice(0, -1) : all;
      const limits = { rows: limit, bytes: 1_000 };
      let at = 0;
      let open = false;
      while (at < parts.length) {
        const group = nextGroup(parts, at, limits, open);
        expect(group.parts.length).toBeGreaterThan(0);
        expect(group.parts).toEqual(parts.slice(at, at + group.parts.length));
        expect(group.rows).toBe(group.parts.reduce((sum, part) => sum + part.rows, 0));
        expect(group.commit).toBe(group.parts.at(-1)?.commit ?? null);
        const ids = new Set(group.parts.map(({ id }) => id));
        expect(new Set(group.parts.map(({ origin }) => origin[0]?.node)).size).toBe(1);
        // Above the limit a group is a piece of one transaction, or a single part that can't be cut.
        if (group.rows > limit) expect(group.parts.length === 1 || !open).toBe(true);
        if (ids.size > 1) {
          expect(group.rows).toBeLessThanOrEqual(limit);
          expect(open).toBe(false);
          expect(group.commit).not.toBeNull();
        }
        open = group.commit === null;
        at += group.parts.length;
      }
    }),
    { numRuns: 3_000 },
  );
});
