import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import initials from '../../docs/examples/initials.ts';

const table = {
  name: 'public.customers',
  columns: [{ name: 'name', type: 'pg_catalog.text', modifier: -1, key: false }],
};

test('the example makes initials', () => {
  const exit = initials.bind({ ...table, options: undefined });
  expect(exit.row({ name: 'zoë  van Quartz' })).toEqual({ initials: 'Z.V.Q.' });
  expect(exit.row({ name: null })).toEqual({ initials: null });
  expect(initials.bind({ ...table, options: { separator: '' } }).row({ name: 'Ada L' })).toEqual({ initials: 'AL' });
});

test('the example refuses a table without its column', () => {
  expect(() => initials.bind({ ...table, columns: [], options: undefined })).toThrow('no column name');
});

test('docs/transforms.md shows the example as it is', () => {
  const read = (path: string): string => readFileSync(new URL(`../../docs/${path}`, import.meta.url), 'utf8');
  const shown = /```ts\n(.*?)```/s.exec(read('transforms.md'))?.[1] ?? 'nothing';
  const whole = read('examples/initials.ts').replace(/\/\*\*.*?\*\/\n/s, '');
  expect(whole.startsWith(shown)).toBe(true);
});
