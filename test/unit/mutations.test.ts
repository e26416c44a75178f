import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { mutations, oneForEachPromise } from '../mutations/mutations.ts';
import { typesAndShapes } from '../mutations/types-and-shapes.ts';

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
  expect(oneForEachPromise.map((id) => mutations.find((mutation) => mutation.id === id)?.promise)).toEqual([
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
  ]);
});

test.for(typesAndShapes.map((one) => [one.line, one] as const))(
  '%s: has its tests, and mutations that they catch',
  ([, one]) => {
    expect([one.tests.length, one.mutations.length].every((count) => count > 0)).toBe(true);
    for (const [file, name] of one.tests) expect(readFileSync(join(root, 'test', file), 'utf8')).toContain(name);
    const known = new Set(mutations.map(({ id }) => id));
    expect(one.mutations.filter((id) => !known.has(id))).toEqual([]);
  },
);
