import { expect, test } from 'vitest';
import { StartGate } from '../../../src/supervisor/start-gate.ts';

test('so many start at a time, in their order; whoever is taken back is passed over', () => {
  const gate = new StartGate(2);
  const begun: string[] = [];
  const over = new Map<string, () => void>();
  const enter = (name: string): (() => void) =>
    gate.enter((started) => {
      begun.push(name);
      over.set(name, started);
    });
  const [, , , takeBack] = ['a', 'b', 'c', 'd', 'e'].map(enter);
  expect(begun).toEqual(['a', 'b']);
  takeBack?.();
  over.get('b')?.();
  expect(begun).toEqual(['a', 'b', 'c']);
  // Said twice, it counts once.
  over.get('b')?.();
  expect(begun).toEqual(['a', 'b', 'c']);
  over.get('a')?.();
  expect(begun).toEqual(['a', 'b', 'c', 'e']);
});

test('a start that is over at once does not hold up the next', () => {
  const gate = new StartGate(1);
  const begun: number[] = [];
  for (const each of [1, 2, 3])
    gate.enter((started) => {
      begun.push(each);
      started();
    });
  expect(begun).toEqual([1, 2, 3]);
});
