import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RowTextError, RowTextReader } from '../../src/core/row-text.ts';

const letters: Record<string, string> = {
  '\b': 'b',
  '\f': 'f',
  '\n': 'n',
  '\r': 'r',
  '\t': 't',
  '\v': 'v',
  '\\': '\\',
};
const line = (row: readonly (string | null)[]): string =>
  row
    .map((value) => (value === null ? '\\N' : value.replaceAll(/[\b\f\n\r\t\v\\]/g, (c) => `\\${letters[c]}`)))
    .join('\t');

test('rows come out whole wherever the chunks are cut', () => {
  const value = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 30 }).map((s) => s.toWellFormed()),
    fc.string({ unit: fc.constantFrom('\\', 'N', 'n', '\t', '\n', '\r', 'ä', '🏠', ''), maxLength: 8 }),
    fc.constant(null),
  );
  const rows = fc
    .integer({ min: 1, max: 5 })
    .chain((columns) =>
      fc.array(fc.array(value, { minLength: columns, maxLength: columns }), { minLength: 1, maxLength: 20 }),
    );
  fc.assert(
    fc.property(rows, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (expected, sizes) => {
      const bytes = Buffer.from(expected.map((row) => `${line(row)}\n`).join(''));
      const reader = new RowTextReader(expected[0]?.length ?? 0);
      const found: unknown[] = [];
      for (let offset = 0, i = 0; offset < bytes.length; i++) {
        const size = sizes[i % sizes.length] ?? 1;
        const chunk = Buffer.from(bytes.subarray(offset, offset + size));
        found.push(...reader.read(chunk));
        chunk.fill(0);
        offset += size;
      }
      expect(found).toEqual(expected);
    }),
  );
});

test('a wrong number of values, or bytes that are no UTF-8, are refused', () => {
  expect(() => new RowTextReader(2).read(Buffer.from('a\n'))).toThrow(RowTextError);
  expect(() => new RowTextReader(1).read(Buffer.from([0xe4, 0x0a]))).toThrow(RowTextError);
});
