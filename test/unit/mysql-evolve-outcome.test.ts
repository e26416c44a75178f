import { expect, test } from 'vitest';
import { outcomeOf } from '../../connectors/mysql/target/evolve-table.ts';
import type { SchemaStep } from '../../src/core/schema-step.ts';

const shape = (...columns: readonly string[]) => columns.map((name) => [name, 'int'] as const);
const was = shape('id', 'a', 'b');
const add = (name: string) => ({ kind: 'add', column: { name, type: 'int' }, existing: null }) as unknown as SchemaStep;
const drop = (column: string) => ({ kind: 'drop', column }) as SchemaStep;
const rename = (from: string, to: string) => ({ kind: 'rename', from, to }) as SchemaStep;
const traded = [rename('a', '$a'), rename('b', 'a'), rename('$a', 'b')];

test.for([
  [[add('c')], shape('id', 'a', 'b'), 'undone'],
  [[add('c')], shape('id', 'a', 'b', 'c'), 'done'],
  [[drop('b')], shape('id', 'a'), 'done'],
  [[rename('b', 'c')], shape('id', 'a', 'c'), 'done'],
  [[drop('a'), add('a')], shape('id', 'b', 'a'), 'done'],
  [traded, shape('id', 'b', 'a'), 'done'],
  // A target whose names are written otherwise.
  [[drop('B')], shape('id', 'a'), 'done'],
  [[rename('A', 'c')], shape('id', 'c', 'b'), 'done'],
  // Somebody else's column beside names that tell nothing.
  [[drop('a'), add('a')], shape('id', 'a', 'b', 'other'), 'unclear'],
  [traded, shape('id', 'a', 'b', 'other'), 'unclear'],
  [[add('c')], shape('id', 'a', 'b', 'other'), 'unclear'],
  [[drop('b')], shape('id'), 'unclear'],
  [
    [drop('b'), add('b')],
    [
      ['id', 'int'],
      ['a', 'bigint'],
      ['b', 'int'],
    ],
    'unclear',
  ],
] as const)('after %j at a table that is %j now: %s', ([steps, now, outcome]) => {
  expect(outcomeOf(steps, was, now)).toBe(outcome);
});
