import { expect, test } from 'vitest';
import { readStatement } from '../../connectors/mysql/source/read-statement.ts';

const orders = { schema: 'shop', name: 'orders' };
const archive = { schema: 'old', name: 'archive' };

test.for([
  ['CREATE OR REPLACE TABLE orders (id int)', { kind: 'definition', table: orders, replaces: true }],
  ['CREATE TABLE IF NOT EXISTS orders (id int)', { kind: 'definition', table: orders, replaces: false }],
  ['ALTER IGNORE TABLE orders ADD UNIQUE (a)', { kind: 'unseen', tables: [orders] }],
  ['ALTER ONLINE TABLE orders ADD a int', { kind: 'definition', table: orders }],
  ['ALTER ONLINE IGNORE TABLE orders ADD UNIQUE (a)', { kind: 'unseen', tables: [orders] }],
  ['ALTER IGNORE ONLINE TABLE orders ADD UNIQUE (a)', { kind: 'unseen', tables: [orders] }],
  [
    "SET STATEMENT sql_mode='FOR', lock_wait_timeout=(SELECT 1 FOR UPDATE) FOR ALTER TABLE orders MODIFY a INT NOT NULL",
    { kind: 'definition', table: orders },
  ],
  ['SET /* FOR */ STATEMENT max_statement_time=0 for DROP TABLE `orders`', { kind: 'unseen', tables: [orders] }],
  ['SET STATEMENT max_statement_time=0', { kind: 'rows', tables: null }],
  ["SET PASSWORD FOR x = 'y'", { kind: 'other' }],
  [
    'ALTER TABLE old.archive EXCHANGE PARTITION p1 WITH TABLE orders WITHOUT VALIDATION',
    { kind: 'unseen', tables: [archive, orders] },
  ],
  [
    'ALTER TABLE old.archive CONVERT TABLE shop.orders TO PARTITION p1 VALUES LESS THAN (1)',
    { kind: 'unseen', tables: [archive, orders] },
  ],
  ['ALTER TABLE old.archive CONVERT PARTITION p1 TO TABLE `orders`', { kind: 'unseen', tables: [archive, orders] }],
  ['ALTER TABLE .orders DROP a', { kind: 'definition', table: orders }],
  [
    "ALTER TABLE old.archive COMMENT '/*', EXCHANGE /*x*/ PARTITION p1 WITH /**/ TABLE orders",
    { kind: 'unseen', tables: [archive, orders] },
  ],
  ['ALTER TABLE old.archive CONVERT /**/ TABLE orders TO PARTITION p1', { kind: 'unseen', tables: [archive, orders] }],
  ['ALTER TABLE orders TRUNCATE PARTITION p1', { kind: 'unseen', tables: [orders] }],
] as const)('rows that go or come without row events are seen: %s', ([text, statement]) => {
  expect(readStatement(text, 'shop')).toMatchObject(statement);
});
