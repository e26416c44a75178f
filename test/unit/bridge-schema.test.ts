import { expect, test } from 'vitest';
import { mysqlSchemaWords } from '../../connectors/mysql/types/mysql-schema-words.ts';
import { mysqlTypes } from '../../connectors/mysql/types/mysql-types.ts';
import { isSameSql } from '../../connectors/postgres/schema/sql-text.ts';
import { postgresSchemaWords } from '../../connectors/postgres/types/postgres-schema-words.ts';
import { postgresTypes } from '../../connectors/postgres/types/postgres-types.ts';
import type { NodeType } from '../../src/core/route.ts';
import type { ColumnSchema, IndexElement, IndexSchema, SqlText, TableSchema } from '../../src/core/table-schema.ts';
import { bridgeSchema } from '../../src/pipeline/bridge/bridge-schema.ts';

const postgres = { values: postgresTypes, words: postgresSchemaWords };
const mysql = { values: mysqlTypes, words: mysqlSchemaWords };

/** Columns between angles. */
function sql(text: string): SqlText {
  return text.split(/[<>](?=\w+>)|(?<=<\w+)>/).map((piece, at) => (at % 2 === 1 ? { column: piece } : piece));
}

function shown(text: SqlText | null | undefined): string | null {
  return text == null ? null : text.map((piece) => (typeof piece === 'string' ? piece : `<${piece.column}>`)).join('');
}

function column(name: string, type: string, more: Partial<ColumnSchema> = {}): ColumnSchema {
  return {
    ...{ name, type, modifier: -1, typeText: type, notNull: false, collation: null, default: null, nextOf: null },
    ...{ generated: null, identity: null, options: [], comment: null },
    ...more,
  };
}

function element(name: string, more: Partial<IndexElement> = {}): IndexElement {
  const none = { length: null, collation: null, operatorClass: null, order: '', operator: null };
  return { value: [{ column: name }], isColumn: true, ...none, ...more };
}

function index(name: string, elements: readonly IndexElement[], more: Partial<IndexSchema> = {}): IndexSchema {
  return {
    ...{ name, elements, constraint: null, unique: false, method: 'btree', include: [], nullsNotDistinct: false },
    ...{ withoutOverlaps: false, where: null, options: [], deferrable: 'no', isIdentity: false, valid: true },
    comment: null,
    ...more,
  };
}

const primary = { constraint: 'primary', unique: true } as const;

function table(more: Partial<TableSchema>): TableSchema {
  return {
    ...{ schema: 'shop', name: 't', columns: [], indexes: [], checks: [], foreignKeys: [], options: [], comment: null },
    ...{ partitionedBy: null, partitions: [], inherits: [] },
    ...more,
  };
}

function check(name: string, condition: string) {
  return { name, condition: sql(condition), suffix: '', comment: null };
}

function counting(start: string): ColumnSchema['identity'] {
  const numbers = { type: 'bigint', start, increment: '1', min: '1', max: '99', cache: '1', cycles: false };
  return { always: true, sequence: { schema: 'shop', name: 's', ...numbers, keepsName: false, ownedBy: null } };
}

function bridged(tables: readonly TableSchema[], to: NodeType) {
  const isBack = to === 'postgres';
  const [source, target] = isBack ? [mysql, postgres] : [postgres, mysql];
  const { tables: made, left } = bridgeSchema(
    { tables, types: [], sequences: [], left: [] },
    { from: source, to: target, toVendor: to, conversions: {} },
  );
  return {
    made,
    columns: Object.fromEntries(
      (made[0]?.columns ?? []).map(({ name, typeText, ...rest }) => [
        name,
        [typeText, shown(rest.default), shown(rest.generated?.value), rest.identity?.sequence.start ?? null],
      ]),
    ),
    indexes: (made[0]?.indexes ?? []).map(({ name, constraint, unique, elements }) => [
      ...[name, constraint, unique],
      elements.map(({ value, length, order }) => `${shown(value)}${length ?? ''}${order}`).join(),
    ]),
    checks: (made[0]?.checks ?? []).map(({ name, condition }) => `${name}: ${shown(condition)}`),
    left: left.map(({ kind, name, text }) => `${kind} ${name}: ${text}`),
  };
}

const pg = (name: string): string => `pg_catalog.${name}`;

test('tables of PostgreSQL become tables of MySQL and MariaDB: what both can say, and the rest is told', () => {
  const price = { modifier: 655_366 };
  const source = table({
    columns: [
      column('id', pg('int8'), { notNull: true, identity: counting('5') }),
      column('name', pg('text'), { notNull: true, default: sql("'it''s'::text") }),
      column('note', pg('text'), { default: sql("''::text") }),
      column('price', pg('numeric'), { ...price, default: sql('0') }),
      column('sold', pg('bool'), { default: sql('true') }),
      column('at', pg('timestamptz'), { default: sql('now()') }),
      column('day', pg('date'), { default: sql('CURRENT_DATE') }),
      column('doc', pg('jsonb'), { default: sql("'{}'::jsonb") }),
      column('key', pg('uuid'), { default: sql('gen_random_uuid()') }),
      column('bytes', pg('bytea'), { default: sql("'\\x00ff'::bytea") }),
      column('twice', pg('numeric'), { ...price, generated: { value: sql('(<price> * (2)::numeric)'), stored: true } }),
      column('loud', pg('text'), { generated: { value: sql('upper(<name>)'), stored: true } }),
      column('mood', 'public.mood', {
        definition: { kind: 'enum', name: 'public.mood', labels: ['a', "b'c"] },
        default: sql("'a'::public.mood"),
      }),
      column('parent', pg('int8')),
      column('odd', pg('int4'), { default: sql('(random())::integer') }),
    ],
    indexes: [
      index('t_pkey', [element('id')], primary),
      index('t_name_key', [element('name')], { constraint: 'unique', unique: true }),
      index('t_lower', [element('', { value: sql('lower(<name>)'), isColumn: false })]),
      index('t_note', [element('note')]),
      index('t_price', [element('price', { order: ' DESC NULLS LAST' })]),
      index('t_part', [element('price')], { where: sql('<sold>') }),
      index('t_doc', [element('doc')], { method: 'gin' }),
    ],
    checks: [
      check('t_price_check', "(<price> >= (0)::numeric) AND ((<name>)::text = ANY (ARRAY['a'::text, 'b'::text]))"),
      check('t_sold', '(<sold> OR (<price> IS NOT NULL))'),
      check('t_like', "(<name> ~ 'a'::text)"),
    ],
    foreignKeys: [
      {
        ...{ name: 't_parent', columns: ['parent'], references: { schema: 'shop', name: 't' }, referenced: ['id'] },
        ...{ actions: ' ON DELETE CASCADE', setColumns: [], deferrable: 'deferred', valid: true, enforced: true },
        ...{ period: false, comment: null },
      },
    ],
  });
  const { columns, indexes, checks, left, made } = bridged([source], 'mysql');
  expect(columns).toEqual({
    id: ['bigint', null, null, '5'],
    name: ['varchar(190)', "'it''s'", null, null],
    note: ['longtext', "('')", null, null],
    price: ['decimal(10,2)', "'0.00'", null, null],
    sold: ['tinyint(1)', "'1'", null, null],
    at: ['timestamp(6)', 'CURRENT_TIMESTAMP(6)', null, null],
    day: ['date', '(curdate())', null, null],
    doc: ['json', "('{}')", null, null],
    key: ['binary(16)', '(uuid_to_bin(uuid()))', null, null],
    bytes: ['longblob', "(x'00ff')", null, null],
    twice: ['decimal(10,2)', null, '<price> * 2', null],
    mood: ["enum('a','b''c')", "'a'", null, null],
    parent: ['bigint', null, null, null],
    odd: ['int', null, null, null],
  });
  expect(made[0]?.columns.find(({ name }) => name === 'name')?.collation).toBe('utf8mb4_0900_bin');
  expect(indexes).toEqual([
    ['PRIMARY', 'primary', true, '<id>'],
    ['t_name_key', null, true, '<name>'],
    ['t_lower', null, false, 'lower(<name>)'],
    ['t_note', null, false, '<note>190'],
    ['t_price', null, false, '<price> DESC'],
  ]);
  expect(checks).toEqual([
    "t_price_check: (<price> >= 0) AND (<name> IN ('a', 'b'))",
    't_sold: (<sold> = 1) OR (<price> IS NOT NULL)',
  ]);
  expect(made[0]?.foreignKeys).toMatchObject([{ name: 't_parent', actions: ' ON DELETE CASCADE', deferrable: 'no' }]);
  expect(left).toEqual([
    'generated column loud of shop.t: upper(name)',
    'default odd of shop.t: (random())::integer',
    "check constraint t_like of shop.t: (name ~ 'a'::text)",
    'index t_part of shop.t: btree (price) WHERE sold',
    'index t_doc of shop.t: gin (doc)',
    'DEFERRABLE foreign key t_parent of shop.t: null',
  ]);
  const there = bridged([source], 'mariadb');
  expect(there.columns).toMatchObject({
    key: ['uuid', '(uuid())', null, null],
    doc: ['longtext', "('{}')", null, null],
  });
  expect(there.left).toContain('index t_lower of shop.t: btree (lower(name))');
});

test('tables of MySQL become tables of PostgreSQL: numbers that count, members as a check, beginnings as expressions', () => {
  const ci = ' collate utf8mb4_0900_ai_ci';
  const source = table({
    columns: [
      column('id', 'bigint unsigned', { notNull: true, identity: counting('7') }),
      column('title', `varchar(50)${ci}`, { default: sql("'it''s'") }),
      column('code', `char(3)${ci}`),
      column('body', `text${ci}`),
      column('sold', 'tinyint', { default: sql("'1'") }),
      column('price', 'decimal(10,2)', { default: sql("'0.00'"), notNull: true }),
      column('kind', `enum('a','b''c')${ci}`, { default: sql("'a'") }),
      column('bits', 'bit(3)', { default: sql("b'1'") }),
      column('doc', 'json'),
      column('picture', 'blob'),
      column('made', 'datetime(3)', {
        default: sql('CURRENT_TIMESTAMP(3)'),
        options: ['ON UPDATE CURRENT_TIMESTAMP(3)'],
      }),
      column('seen', 'timestamp', { default: sql("'0000-00-00 00:00:00'") }),
      column('parent', 'bigint unsigned'),
      column('n', 'bigint unsigned', { default: sql("'-1'") }),
      column('twice', 'decimal(12,2)', { generated: { value: sql('(<price> * 2)'), stored: false } }),
    ],
    indexes: [
      index('PRIMARY', [element('id')], primary),
      index('title', [element('title', { length: 10 })]),
      index('both', [element('title'), element('code')], { unique: true }),
      index('words', [element('body')], { method: 'fulltext' }),
    ],
    checks: [check('t_chk_1', '(<sold> in (0,1))'), check('t_chk_2', '(<sold> and <price>)')],
    foreignKeys: [
      {
        ...{ name: 'fk', columns: ['parent'], references: { schema: 'shop', name: 't' }, referenced: ['id'] },
        ...{ actions: ' ON DELETE SET NULL', setColumns: [], deferrable: 'no', valid: true, enforced: true },
        ...{ period: false, comment: null },
      },
    ],
  });
  const { columns, indexes, checks, left, made } = bridged([source], 'postgres');
  expect(columns).toEqual({
    id: ['bigint', null, null, '7'],
    title: ['character varying(50)', "'it''s'", null, null],
    code: ['character(3)', null, null, null],
    body: ['text', null, null, null],
    sold: ['smallint', '1', null, null],
    price: ['numeric(10,2)', '0.00', null, null],
    kind: ['text', "'a'", null, null],
    bits: ['bit(3)', "'001'", null, null],
    doc: ['jsonb', null, null, null],
    picture: ['bytea', null, null, null],
    made: ['timestamp(3) without time zone', 'now()', null, null],
    seen: ['timestamp(0) with time zone', null, null, null],
    // As the column that it points to.
    parent: ['bigint', null, null, null],
    n: ['numeric(20,0)', "'-1'", null, null],
    twice: ['numeric(12,2)', null, '<price> * 2', null],
  });
  expect(indexes).toEqual([
    ['', 'primary', true, '<id>'],
    ['title', null, false, '"left"(<title>, 10)'],
    ['both', 'unique', true, '<title>,<code>'],
  ]);
  expect(checks).toEqual(['t_chk_1: <sold> IN (0, 1)', "t_kind_members: <kind> IN ('a', 'b''c')"]);
  expect(made[0]?.foreignKeys).toMatchObject([{ name: 'fk', actions: ' ON DELETE SET NULL' }]);
  expect(left.filter((one) => !one.startsWith('collation'))).toEqual([
    'column option ON UPDATE CURRENT_TIMESTAMP(3) on made of shop.t: null',
    "default seen of shop.t: '0000-00-00 00:00:00'",
    'check constraint t_chk_2 of shop.t: (<sold> and <price>)'.replaceAll(/[<>]/g, ''),
    'index words of shop.t: fulltext (body)',
  ]);
  expect(left.filter((one) => one.startsWith('collation'))).toHaveLength(2);
});

test.for([
  ["<kind> IN ('a', 'b')", "(<kind> = ANY (ARRAY['a'::text, 'b'::text]))"],
  ["<kind> IN ('a')", "((<kind>)::text = ANY ((ARRAY['a'::character varying])::text[]))"],
  ['(<price> >= 0) AND (<price> <= 10)', '((<price> >= (0)::numeric) AND (<price> <= (10)::numeric))'],
  ["'001'", '\'001\'::"bit"'],
  ["'-1'", "'-1'::integer"],
  ['"left"(<title>, 10)', '"left"(<title>, 10)'],
])('what was made is known again as the server writes it: %s', ([made = '', there = '']) => {
  expect(isSameSql(sql(made), sql(there))).toBe(true);
  expect(isSameSql(sql(made), sql(`(${there}) AND true`))).toBe(false);
});

test('what servers mean differently is not portable', () => {
  for (const text of [
    "<name> > 'b'::text",
    '<a> / 2',
    "<a> || 'x'",
    '(<name>)::integer = 1',
    'length(<a>',
    "'now'::date",
    "<a> LIKE 'x%'",
  ])
    expect(postgresSchemaWords.read(sql(text)), text).toBeNull();
  for (const text of ["<a> like 'x%'", 'json_valid(<a>)', '<a> div 2', 'length(<a>) > 1', "<a> > 'b'", '<a> <=> 1'])
    expect(mysqlSchemaWords.read(sql(text)), text).toBeNull();
});
