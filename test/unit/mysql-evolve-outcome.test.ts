import { describe, expect, test } from 'vitest';
import { alterStatement } from '../../connectors/mysql/target/alter-statement.ts';
import { outcomeOf } from '../../connectors/mysql/target/evolution-outcome.ts';
import { givesValue } from '../../connectors/mysql/target/stored-default.ts';
import type { SchemaStep } from '../../src/core/schema-step.ts';
import type { ColumnSchema, TableSchema } from '../../src/core/table-schema.ts';

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

const orders = { schema: 'd', name: 'orders' };
const columnOf = (name: string, type: string): ColumnSchema => ({
  ...{ name, type, typeText: type, modifier: -1, notNull: false, default: null, nextOf: null, identity: null },
  ...{ generated: null, options: [], comment: null, collation: null },
});

describe('a column that is widened', () => {
  const condition = [{ column: 'a' }, ' < ', { column: 'b' }];
  const schema = {
    ...orders,
    columns: [columnOf('a', 'int'), columnOf('b', 'int')],
    checks: [
      { name: '', condition, suffix: '', comment: null, partOf: 'a' },
      { name: 'of_table', condition, suffix: '', comment: null },
    ],
  } as unknown as TableSchema;
  const altered = { schema, left: [], vendor: 'mariadb', route: 'r' } as const;

  test('keeps the CHECK of its definition, by the names from behind the statement', () => {
    expect(alterStatement(orders, [rename('b', 'c'), retype('a', 'bigint')], altered)).toBe(
      'alter table `d`.`orders` change column `a` `a` bigint NULL CHECK (`a` < `c`), rename column `b` to `c`',
    );
    // That of another column, and that of the table, stay by themselves.
    expect(alterStatement(orders, [retype('b', 'bigint')], altered)).toBe(
      'alter table `d`.`orders` change column `b` `b` bigint NULL',
    );
  });

  test('halts where its definition says something that is not read', () => {
    const left = [{ kind: 'option of', name: 'd.orders.a', isNeeded: false, text: 'WITHOUT SYSTEM VERSIONING' }];
    expect(() => alterStatement(orders, [retype('a', 'bigint')], { ...altered, left })).toThrow(
      expect.objectContaining({ code: 'TL-2220' }),
    );
    expect(alterStatement(orders, [retype('b', 'bigint')], { ...altered, left })).not.toBeNull();
  });
});

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
  [[add('c')], typed('id int', 'a int', 'b int', 'c int NULL'), 'done'],
  // The other vendor's collation of that charset, and its JSON.
  [[retype('a', 'bigint'), rename('a', 'c')], typed('id int', 'a bigint', 'b int'), 'unclear'],
  [[rename('a', 'c'), retype('c', 'bigint')], typed('id int', 'c bigint', 'b int'), 'done'],
  [[rename('a', 'c'), retype('c', 'smallint')], typed('id int', 'c int', 'b int'), 'done'],
  [[add('c', null, 'text collate utf8mb4_0900_ai_ci')], texts('text', 'utf8mb4_general_ci'), 'done'],
  [[add('c', null, 'text collate utf8mb4_0900_ai_ci')], texts('text', 'latin1_bin'), 'unclear'],
  [[add('c', null, 'json')], texts('longtext', 'utf8mb4_bin'), 'done'],
] as const)('after %j at a table that is %j now: %s', ([steps, now, outcome]) => {
  expect(outcomeOf(steps, { was, now, vendor: 'mariadb' })).toBe(outcome);
});

// As both servers write what was given to them.
test.for([
  ['mariadb', 'varchar(9)', "'it''s'", "it's"],
  ['mariadb', 'varchar(9)', "'a\\\\b\\n'", 'a\\b\n'],
  ['mariadb', 'varchar(9)', "'NULL'", 'NULL'],
  ['mariadb', 'varchar(9)', 'NULL', null],
  ['mariadb', 'text', "''", ''],
  ['mariadb', 'varchar(9)', 'uuid()', 'uuid()'],
  ['mariadb', 'double', '1e20', '100000000000000000000'],
  ['mysql', 'varchar(9)', "it's", "it's"],
  ['mysql', 'varchar(9)', "'its'", "'its'"],
  ['mysql', 'varchar(9)', 'NULL', 'NULL'],
  ['mysql', 'varchar(9)', null, null],
  ['mysql', 'text', "_utf8mb4\\'it\\\\\\'s\\'", "it's"],
] as const)('a default at %s, of a %s, that is %s there gives %s', ([vendor, type, written, value]) => {
  expect(givesValue(written, value, type, vendor)).toBe(true);
});

test.for([
  ['mariadb', 'varchar(9)', "'its'", "it's"],
  ['mariadb', 'varchar(9)', "'NULL'", null],
  ['mariadb', 'int', '5', '6'],
  ['mysql', 'varchar(9)', "'its'", 'its'],
  ['mysql', 'varchar(9)', 'NULL', null],
  ['mysql', 'text', '(uuid())', 'uuid()'],
  ['mysql', 'double', '', '0'],
] as const)('a default at %s, of a %s, that is %s there does not give %s', ([vendor, type, written, value]) => {
  expect(givesValue(written, value, type, vendor)).toBe(false);
});
