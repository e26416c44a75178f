import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ByteBudget } from '../../src/core/byte-budget.ts';
import { seed } from '../support/seed.ts';

test('a budget pauses at its limit and not before, goes on at half of it and not before, and tells each once', () => {
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
          if (paused && used <= Math.floor(limit / 2)) expected.push(false);
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
