import { expect, test } from 'vitest';
import { GroupSize } from '../../connectors/sql/apply/group-size.ts';

const least = { rows: 1_000, bytes: 1_000_000 };

test('groups grow while rows wait for them, up to eight times, and by rows only', () => {
  const size = new GroupSize(least);
  const sizes = Array.from({ length: 5 }, () => {
    size.applied(50, 100_000);
    return size.limits.rows;
  });
  expect(sizes).toEqual([2_000, 4_000, 8_000, 8_000, 8_000]);
  expect(size.limits.bytes).toBe(least.bytes);
});

test('less than a group waits: what comes next is not held up for a large one', () => {
  const size = new GroupSize(least);
  size.applied(50, 100_000);
  size.applied(50, 1_500);
  expect(size.limits.rows).toBe(2_000);
  size.applied(50, 999);
  expect(size.limits.rows).toBe(1_000);
});

test('a group that takes half a second does not grow, one that takes more than a second is too large', () => {
  const size = new GroupSize(least);
  size.applied(500, 100_000);
  size.applied(501, 100_000);
  expect(size.limits.rows).toBe(2_000);
  size.applied(1_001, 100_000);
  size.applied(1_001, 100_000);
  expect(size.limits.rows).toBe(1_000);
});

test('what did not go through as a whole is not made larger', () => {
  const size = new GroupSize(least);
  size.applied(50, 100_000);
  size.applied(50, 100_000);
  size.replayed();
  expect(size.limits.rows).toBe(1_000);
});
