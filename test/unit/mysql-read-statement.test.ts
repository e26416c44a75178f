import { describe, expect, test } from 'vitest';
import type { Collation } from '../../connectors/mysql/source/binlog/values/charsets.ts';
import {
  type DecodeText,
  decodeUtf8,
  InvalidTextError,
} from '../../connectors/mysql/source/binlog/values/text-decoder.ts';
import { readStatement } from '../../connectors/mysql/source/read-statement.ts';
import { readableCommand, UnreadCharsetError } from '../../connectors/mysql/source/readable-command.ts';
import type { QuoteDialect } from '../../connectors/mysql/source/statement-readings.ts';
import { readUnread } from '../../connectors/mysql/source/unread-command.ts';

const plain: QuoteDialect = { mariadb: false, ansiQuotes: false, noBackslashEscapes: false };

function read(text: string, dialect: Partial<QuoteDialect> = {}) {
  const decode = (name: string): string => Buffer.from(name, 'latin1').toString('utf8');
  return readStatement(text, { database: 'shop', dialect: { ...plain, ...dialect }, decode });
}

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
  ['CREATE OR REPLACE DATABASE old', { kind: 'unseen', tables: [], databases: ['old'] }],
  ['CREATE OR REPLACE SCHEMA `old` CHARACTER SET utf8mb4', { kind: 'unseen', tables: [], databases: ['old'] }],
  ['ALTER TABLE old.archive NOWAIT RENAME orders', { kind: 'unseen', tables: [archive, orders] }],
  ['ALTER TABLE old.archive WAIT 5 RENAME=orders', { kind: 'unseen', tables: [archive, orders] }],
  ['ALTER TABLE old.archive ADD a int, RENAME`orders`', { kind: 'unseen', tables: [archive, orders] }],
  ['ALTER TABLE orders RENAME COLUMN to1 TO as1', { kind: 'definition', table: orders }],
] as const)('rows that go or come without row events are seen: %s', ([text, statement]) => {
  expect(read(text)).toMatchObject(statement);
});

// A name may begin as a word of the grammar does.
test.for([
  ['TRUNCATE #', (name: string) => ({ kind: 'truncate', table: { schema: 'shop', name } })],
  ['TRUNCATE TABLE #', (name: string) => ({ kind: 'truncate', table: { schema: 'shop', name } })],
  ['DROP TABLE #', (name: string) => ({ kind: 'unseen', tables: [{ schema: 'shop', name }] })],
  ['DROP DATABASE #', (name: string) => ({ kind: 'unseen', databases: [name] })],
  ['ALTER TABLE old.archive RENAME #', (name: string) => ({ tables: [archive, { schema: 'shop', name }] })],
  ['RENAME TABLE # TO old.archive', (name: string) => ({ tables: [{ schema: 'shop', name }, archive] })],
  ['CREATE TABLE # (a int)', (name: string) => ({ kind: 'definition', table: { schema: 'shop', name } })],
  ['ROLLBACK TO #', (name: string) => ({ kind: 'rollbackTo', name })],
] as const)('a name that begins as a word of the grammar does is read whole: %s', ([text, statement]) => {
  for (const name of ['table1', 'tables', 'tableau', 'to1', 'assets', 'as$', 'if_not', 'savepoint2', 'column1', 'keys'])
    expect(read(text.replace('#', name)), name).toMatchObject(statement(name));
});

// What stands in a comment for some versions only may be part of a command or not: nobody can tell which table is meant.
test.for([
  [
    'ALTER TABLE /*!99999 old.*/ orders DROP a',
    [
      { schema: 'shop', name: 'orders' },
      { schema: 'old', name: 'orders' },
    ],
  ],
  ['DROP /*!80000 TEMPORARY */ TABLE orders', [orders]],
  [
    'DROP TABLE archive /*!100100 , orders */',
    [{ schema: 'shop', name: 'archive' }, { schema: 'shop', name: 'archive' }, orders],
  ],
] as const)(
  'a command that versions read differently is one of all tables that they read in it: %s',
  ([text, tables]) => {
    expect(read(text)).toMatchObject({ kind: 'unseen', tables });
  },
);

test.for([
  ['ALTER TABLE /*!50000 old.*/archive DROP a', { kind: 'definition', table: archive }],
  ['/*!40000 ALTER TABLE `orders` DISABLE KEYS */', { kind: 'definition', table: orders }],
  ['ALTER TABLE /*! old. */archive DROP a', { kind: 'definition', table: archive }],
  // Behind the name it changes nothing of what is looked at; how it is read is asked later.
  [
    'CREATE TABLE orders (id int /*!80023 INVISIBLE */) /*!50100 PARTITION BY HASH (id) */',
    { kind: 'definition', table: orders },
  ],
  ['DROP /*M!100000 TEMPORARY */ TABLE orders', { kind: 'unseen', tables: [orders] }],
  // In quotes they are no comments.
  ['ALTER TABLE `/*!50000 x*/` DROP a', { kind: 'definition', table: { schema: 'shop', name: '/*!50000 x*/' } }],
  ["ALTER TABLE old.archive COMMENT '/*', RENAME TO orders -- */", { kind: 'unseen', tables: [archive, orders] }],
  [
    "ALTER TABLE old.archive COMMENT ', RENAME TO x', RENAME TO `orders`",
    { kind: 'unseen', tables: [archive, orders] },
  ],
] as const)('comments for versions are read as every server does: %s', ([text, statement]) => {
  expect(read(text)).toMatchObject(statement);
});

test('the vendor, and how its sessions read quotes, decide what is a comment', () => {
  // MySQL knows no M, and MariaDB leaves out what is for versions that it will never have.
  expect(read('ALTER TABLE /*M!100100 old.*/ orders DROP a')).toMatchObject({ kind: 'definition', table: orders });
  expect(read('ALTER TABLE /*M!100100 old.*/archive DROP a', { mariadb: true })).toMatchObject({ table: archive });
  expect(read('ALTER TABLE /*!80000 old.*/ orders DROP a', { mariadb: true })).toMatchObject({
    kind: 'definition',
    table: orders,
  });
  const text = "ALTER TABLE old.archive COMMENT '\\', EXCHANGE PARTITION p WITH TABLE orders, COMMENT ''";
  expect(read(text, { noBackslashEscapes: true })).toMatchObject({ kind: 'unseen', tables: [archive, orders] });
  expect(() => read('DROP TABLE /*!123 */ orders')).toThrow(RangeError);
  expect(() => read('/*!99999 COMMIT */')).toThrow(RangeError);
});

test('names are found in the charset of whoever has given the command', () => {
  const named = (bytes: string, client: Collation | null) => {
    const { text, decode } = readableCommand(`TRUNCATE ${Buffer.from(bytes, 'hex').toString('latin1')}`, client);
    return readStatement(text, { database: 'shop', dialect: plain, decode });
  };
  const collation = (charset: string, maxBytes: number, decode: DecodeText | null): Collation => ({
    name: charset,
    charset,
    maxBytes,
    decode,
  });
  const latin1 = collation('latin1', 1, (bytes, start, end) => bytes.latin1Slice(start, end));
  const table = (name: string) => ({ kind: 'truncate', table: { schema: 'shop', name } });
  expect(named('67f6c3', latin1)).toEqual(table('göÃ'));
  expect(named('67c3b6', collation('utf8mb4', 4, decodeUtf8))).toEqual(table('gö'));
  expect(named('67c3b6', null)).toEqual(table('gö'));
  // The second byte of the character is a quote of the grammar.
  const sjis = new TextDecoder('shift_jis');
  const japanese = collation('sjis', 2, (bytes, start, end) => sjis.decode(bytes.subarray(start, end)));
  expect(named('60835c8360ab60', japanese)).toEqual(table('ソチｫ'));
  expect(() => named('67f6', collation('latin2', 1, null))).toThrow(UnreadCharsetError);
  // Letters of swe7 are signs elsewhere: without quotes they stay what they are there.
  const swedish = collation('swe7', 1, null);
  expect(named('6767', swedish)).toEqual(table('gg'));
  expect(named('67725b5d5e7b7d7e74', swedish)).toEqual(table('gr[]^{}~t'));
  expect(named('6067727b747c405c5b5d5e7d7e606060', swedish)).toEqual(table('grätöÉÖÄÅÜåüé'));
  expect(named('6767', collation('latin2', 1, null))).toEqual(table('gg'));
});

describe('a command whose names are not read', () => {
  const latin2: Collation = {
    name: 'latin2',
    charset: 'latin2',
    maxBytes: 1,
    decode: (bytes, start, end) => {
      if (bytes.subarray(start, end).includes(0x81)) throw new InvalidTextError();
      return bytes.latin1Slice(start, end);
    },
  };
  const kindOf = (text: string, client: Collation | null = latin2, database = 'other') =>
    readUnread(Buffer.from(text, 'latin1').toString('latin1'), {
      database,
      dialect: plain,
      client,
      isFollowed: (name) => ['shop', 'göld', 'a b'].includes(name),
    })?.kind ?? null;

  test.each([
    'CREATE TABLE n\x81 (id int)',
    'DROP TABLE old.`\x81`',
    'ALTER TABLE t\x81 ADD a int',
    'GRANT SELECT ON x.* TO `\x81`',
  ])('of a database that is not followed is nothing: %s', (text) => {
    expect(kindOf(text)).toBe('other');
  });

  test.each([
    'TRUNCATE shop.n\x81',
    'TRUNCATE `shop`.`n\x81`',
    'DROP TABLE old.`\x81`,shop.t',
    'DROP TABLE old.`\x81`, gö\x6cd.t',
    'DROP TABLE `\x81`.`x`, `a b`.c',
    'RENAME TABLE old.`\x81` TO shop.t',
    'DROP DATABASE `\x81`, shop',
    'DELETE FROM shop.`\x81`',
    'SAVEPOINT `\x81`',
  ])('of one that is followed, or may be, is not passed over: %s', (text) => {
    expect(kindOf(text)).toBeNull();
  });

  test('in the database that its client works in is not passed over where that is followed', () => {
    expect(kindOf('TRUNCATE n\x81', latin2, 'shop')).toBeNull();
    expect(kindOf('TRUNCATE n\x81')).toBe('other');
  });

  test('of a charset that nobody can read says which databases it may be about all the same', () => {
    const unknown = { ...latin2, decode: null };
    expect(kindOf('DROP TABLE old.`\x81`', unknown)).toBe('other');
    expect(kindOf('DROP TABLE shop.`\x81`', unknown)).toBeNull();
  });

  test('may end or begin a transaction', () => {
    expect(kindOf('COMMIT /* \x81 */')).toBe('commit');
    expect(kindOf('CREATE TABLE `\x81` (id int) START TRANSACTION')).toBe('begin');
    expect(kindOf('INSERT INTO `\x81` VALUES (1)')).toBe('rows');
  });
});
