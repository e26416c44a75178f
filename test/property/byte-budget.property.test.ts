import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nextGroup } from '../../connectors/sql/apply/group.ts';
import { PartBuilder } from '../../connectors/sql/part-builder.ts';
import { ByteBudget } from '../../src/core/byte-budget.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { seed } from '../support/seed.ts';

test('a budget pauses at its limit and not before, goes on when an eighth of it is free and not before, and tells each once', () => {
  const steps = fc.array(fc.record({ bytes: fc.integer({ min: 0, max: 70 }), takes: fc.boolean() }), { maxLength: 80 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), steps, (limit, given) => {
      const budget = new ByteBudget(limit);
      const told: boolean[] = [];
      const off = budget.onChange((paused) => told.push(paused));
      const expected: boolean[] = [];
      let used = 0;
      let peak = 0;
      for (const { bytes, takes } of given) {
        const paused = expected.at(-1) ?? false;
        if (takes) {
          budget.take(bytes);
          used += bytes;
          if (!paused && used >= limit) expected.push(true);
        } else {
          const back = Math.min(bytes, used);
          budget.release(back);
          used -= back;
          if (paused && used <= Math.floor((limit * 7) / 8)) expected.push(false);
        }
        peak = Math.max(peak, used);
        expect(budget).toMatchObject({ usedBytes: used, peakBytes: peak, paused: expected.at(-1) ?? false });
      }
      expect(told).toEqual(expected);
      expect(() => budget.release(used + 1)).toThrow(RangeError);
      off();
      budget.take(limit);
      expect(told).toEqual(expected);
    }),
    { seed, numRuns: 300 },
  );
});

/** As a route of `apply.memory` has it: a quarter of that is read ahead, and a group may have an eighth. */
test.for([1_000, 100_064, 999_999])(
  'of two groups under way that hold all of it, the first lets reading go on: rows of %i bytes',
  (rowBytes) => {
    const budget = new ByteBudget(32_000_000);
    const limits = { rows: 40_000, bytes: 16_000_000 };
    const parts: TransactionPart[] = [];
    const builder = new PartBuilder('1', (part) => {
      parts.push(part);
      budget.take(part.bytes);
    });
    while (!budget.paused) builder.add({ kind: 'heartbeat', id: '', sentAtMs: 0 }, rowBytes);
    const first = nextGroup(parts, 0, limits, true);
    const second = nextGroup(parts, first.parts.length, limits, true);
    expect(second.parts.length).toBeGreaterThan(0);
    for (const part of first.parts) budget.release(part.bytes);
    expect(budget.paused).toBe(false);
  },
);
