import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mutations } from '../mutations/mutations.ts';

const root = join(import.meta.dirname, '../..');

test.for(mutations.map((mutation) => [mutation.id, mutation] as const))('%s still has its place', ([, mutation]) => {
  const source = readFileSync(join(root, mutation.file), 'utf8');
  expect(source.split(mutation.find)).toHaveLength(2);
  expect(mutation.replace).not.toBe(mutation.find);
  readFileSync(join(root, mutation.test.file));
});

test('every promise has one', () => {
  expect([...new Set(mutations.map(({ promise }) => promise))].sort((a, b) => a - b)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ]);
});
