import { expect, test } from 'vitest';
import { outcomeOf } from '../../connectors/mysql/target/evolution-outcome.ts';
import type { SchemaStep } from '../../src/core/schema-step.ts';

const shape = (...columns: readonly string[]) => columns.map((name) => [name, 'int'] as const);
const was = shape('id', 'a', 'b');
/** Name, type and default of each. */
const typed = (...columns: readonly string[]) =>
  columns.map((text) => text.split(' ') as [name: string, type: string, byDefault?: string]);
const texts = (type: string, collation: string) => [...was, ['c', `${type} collate ${collation}`] as const];
const add = (name: string, existing: string | null = null, type = 'int') =>
  ({ kind: 'add', column: { name, type }, existing }) as unknown as SchemaStep;
const retype = (name: string, type: string) => ({ kind: 'retype', column: { name, type } }) as unknown as SchemaStep;
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
  // Nor do names in another order, or of other types.
  [[drop('a'), add('a')], shape('id', 'b', 'a', 'c'), 'unclear'],
  [[drop('a'), add('a')], typed('id int', 'b int', 'a bigint'), 'unclear'],
  [[drop('a'), add('a')], typed('a int', 'id int', 'b int'), 'unclear'],
  [traded, typed('id int', 'b bigint', 'a int'), 'unclear'],
  [traded, typed('b int', 'id int', 'a int'), 'unclear'],
  [[add('c')], typed('id int', 'a int', 'b int', 'c bigint'), 'unclear'],
  // A default is what the rows that were there have.
  [[add('c', '5')], typed('id int', 'a int', 'b int', 'c int'), 'unclear'],
  [[add('c', '5')], typed('id int', 'a int', 'b int', 'c int 6'), 'unclear'],
  [[add('c', '5')], typed('id int', 'a int', 'b int', 'c int 5'), 'done'],
  [[add('c', "it's")], typed('id int', 'a int', 'b int', "c int 'it''s'"), 'done'],
  [[add('c')], typed('id int', 'a int', 'b int', 'c int NULL'), 'done'],
  // The other vendor's collation of that charset, and its JSON.
  [[retype('a', 'bigint'), rename('a', 'c')], typed('id int', 'a bigint', 'b int'), 'unclear'],
  [[rename('a', 'c'), retype('c', 'bigint')], typed('id int', 'c bigint', 'b int'), 'done'],
  [[rename('a', 'c'), retype('c', 'smallint')], typed('id int', 'c int', 'b int'), 'done'],
  [[add('c', null, 'text collate utf8mb4_0900_ai_ci')], texts('text', 'utf8mb4_general_ci'), 'done'],
  [[add('c', null, 'text collate utf8mb4_0900_ai_ci')], texts('text', 'latin1_bin'), 'unclear'],
  [[add('c', null, 'json')], texts('longtext', 'utf8mb4_bin'), 'done'],
] as const)('after %j at a table that is %j now: %s', ([steps, now, outcome]) => {
  expect(outcomeOf(steps, was, now)).toBe(outcome);
});
