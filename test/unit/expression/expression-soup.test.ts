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
