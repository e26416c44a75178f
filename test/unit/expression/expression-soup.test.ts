import fc from 'fast-check';
import { expect, test } from 'vitest';
import '../../../src/expression/load-parser.ts';
import type { Row } from '../../../src/core/cell.ts';
import {
  bindExpression,
  type ExpressionColumn,
  ExpressionFailure,
  ExpressionProblem,
  parseExpression,
} from '../../../src/expression/expression.ts';
import { functionNames } from '../../../src/expression/function-names.ts';
import { keepsValues, readsAlike } from '../../../src/pipeline/retyped-values.ts';
import { cellTexts, columnTypes, expressions } from '../../support/random-expressions.ts';
import { seed } from '../../support/seed.ts';

const types =
  'int2 int4 int8 numeric float4 float8 text varchar bpchar name bool date time timestamp timestamptz interval uuid bytea json jsonb inet _int4';
const columns: ExpressionColumn[] = types
  .split(' ')
  .map((type, i) => ({ name: `c${i}`, type: `pg_catalog.${type}`, modifier: -1 }))
  .concat({ name: 'mood', type: 'public.mood', modifier: -1 });

const words = [
  ...columns.map(({ name }) => name),
  ...functionNames,
  ...'+ - * / % || = <> < <= -> ->> ~ ^ ( ( ( ) ) ) , , . :: ; [ ] $1 @ !'.split(' '),
  ...'AND OR NOT IS NULL TRUE FALSE UNKNOWN DISTINCT FROM IN LIKE ILIKE ESCAPE BETWEEN SYMMETRIC CASE WHEN THEN ELSE END CAST AS'.split(
    ' ',
  ),
  ...'coalesce nullif greatest least extract trim substring for placing both row array any interval date timestamp collate "C" over distinct select current_date now'.split(
    ' ',
  ),
  ...'int text numeric(5,2) numeric(0) varchar(3) char(0) int[] float(99) bit(3) double precision time with zone at'.split(
    ' ',
  ),
  ...[
    "''",
    "'a'",
    "'2026-01-01'",
    "'{}'",
    '0',
    '1',
    '-5',
    '1.5',
    '1e400',
    '0x1f',
    '99999999999999999999',
    "E'\\n'",
    "U&'\\0041'",
    "B'1'",
    '/* */',
    '--\n',
  ],
];

test('whatever is written is taken or refused with a place in the text, and never ends otherwise', () => {
  const texts = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.array(fc.constantFrom(...words), { maxLength: 14 }).map((all) => all.join(' ')),
    fc
      .tuple(fc.constantFrom(...functionNames), fc.array(fc.constantFrom(...words), { maxLength: 4 }))
      .map(([name, all]) => `${name}(${all.join(',')})`),
  );
  let taken = 0;
  fc.assert(
    fc.property(texts, fc.constantFrom('condition' as const, 'value' as const), (text, as) => {
      try {
        const bound = bindExpression(parseExpression(text), columns, { as });
        taken++;
        const nothing: Row = columns.map(() => null);
        bound.evaluate(nothing);
      } catch (error) {
        if (error instanceof ExpressionFailure) return;
        if (!(error instanceof ExpressionProblem)) throw error;
        expect(error.offset).toBeGreaterThanOrEqual(0);
        expect(error.offset).toBeLessThanOrEqual(text.length);
        expect(error.message).not.toBe('');
      }
    }),
    { seed, numRuns: 8_000 },
  );
  expect(taken).toBeGreaterThan(20);
});

/** A column of random expressions; of one with a modifier any that its values fit is the same here. */
function columnOf(name: string, text: string): ExpressionColumn & { readonly key: boolean } {
  const [, base = text] = /^([a-z0-9]+)\(/.exec(text) ?? [];
  return { name, type: `pg_catalog.${base === 'char' ? 'bpchar' : base}`, modifier: -1, key: false };
}

test('what expressions make of a whole number they make of it where its column has more room, or are refused', () => {
  const names = Object.keys(columnTypes).filter((name) => cellTexts[name] !== undefined);
  const narrow = names.map((name) => columnOf(name, columnTypes[name] ?? ''));
  const widened = { i2: ['int4', 'int8'], i4: ['int8'] } as const;
  const wides = Object.entries(widened).flatMap(([name, types]) =>
    types.map((type) => narrow.map((column) => (column.name === name ? columnOf(name, type) : column))),
  );
  for (const wide of wides)
    for (const [at, column] of narrow.entries()) {
      expect(readsAlike(column, wide[at] as never)).toBe(true);
      expect(keepsValues(column, wide[at] as never)).toBe(true);
      if (column.type !== wide[at]?.type) expect(readsAlike(wide[at] as never, column)).toBe(false);
    }
  for (const type of ['numeric', 'float8', 'text'])
    expect(readsAlike(columnOf('i4', 'int4'), columnOf('i4', type))).toBe(false);
  // As the server would print what is inserted.
  const x = { name: 'x', type: 'pg_catalog.text', modifier: -1 };
  const printed = names.map((name) => bindExpression(parseExpression(`x::${columnTypes[name]}`), [x], { as: 'value' }));
  const cells = names.map((name, at) =>
    fc.option(cellTexts[name] ?? fc.constant(''), { nil: null, freq: 9 }).map((text) => {
      try {
        return printed[at]?.evaluate([text]) ?? null;
      } catch {
        return null;
      }
    }),
  );
  const rows = fc.tuple(...cells);
  const any = fc.oneof(
    expressions.int,
    expressions.numeric,
    expressions.float,
    expressions.text,
    expressions.bool,
    expressions.any,
  );
  const values = (text: string, columns: readonly ExpressionColumn[], all: readonly Row[]): string[] | null => {
    try {
      const { evaluate } = bindExpression(parseExpression(text), columns, { as: 'value' });
      return all.map((row) => {
        try {
          return String(evaluate(row));
        } catch (error) {
          if (error instanceof ExpressionFailure) return 'none';
          throw error;
        }
      });
    } catch (error) {
      if (error instanceof ExpressionProblem) return null;
      throw error;
    }
  };
  let compared = 0;
  fc.assert(
    fc.property(any, fc.array(rows, { minLength: 3, maxLength: 3 }), (text, all) => {
      if (!/\bi[24]\b/.test(text)) return;
      const made = values(text, narrow, all);
      if (made === null) return;
      for (const wide of wides) {
        const now = values(text, wide, all);
        if (now === null) continue;
        compared++;
        // A row without a value has halted.
        expect(now.filter((_, at) => made[at] !== 'none')).toEqual(made.filter((value) => value !== 'none'));
      }
    }),
    { seed, numRuns: 700 },
  );
  expect(compared).toBeGreaterThan(100);
});
