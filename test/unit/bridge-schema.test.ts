import { expect, test } from 'vitest';
import { mysqlSchemaWords } from '../../connectors/mysql/types/mysql-schema-words.ts';
import { mysqlTypes } from '../../connectors/mysql/types/mysql-types.ts';
import { isSameSql } from '../../connectors/postgres/schema/sql-text.ts';
import { postgresSchemaWords } from '../../connectors/postgres/types/postgres-schema-words.ts';
import { postgresTypes } from '../../connectors/postgres/types/postgres-types.ts';
import type { NodeType } from '../../src/core/route.ts';
import type {
  ColumnSchema,
  ForeignKeySchema,
  IndexElement,
  IndexSchema,
  SqlText,
  TableSchema,
} from '../../src/core/table-schema.ts';
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
    'index length t_note of shop.t: null',
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

test('a column counts by itself at MySQL where an index begins with it, one of a table; of others it is told', () => {
  const columns = [
    column('a', pg('int8'), { identity: counting('5') }),
    column('b', pg('int8'), { identity: counting('7') }),
    column('c', pg('int8'), { identity: counting('9') }),
  ];
  const starts = (indexes: readonly IndexSchema[], to: NodeType = 'mysql') => {
    const there = bridged([table({ columns, indexes })], to);
    return [there.made[0]?.columns.flatMap(({ identity }) => identity?.sequence.start ?? []), there.left];
  };
  const told = (...names: string[]) => names.map((name) => `AUTO_INCREMENT ${name} of shop.t: null`);
  expect(starts([])).toEqual([[], told('a', 'b', 'c')]);
  // The second column of a key, an expression, and what is not made.
  const behind = index('t_pkey', [element('b'), element('a')], primary);
  const expression = index('e', [element('', { value: sql('abs(<a>)'), isColumn: false })]);
  const some = index('p', [element('a')], { where: sql('<b>') });
  const [counts, left] = starts([expression, some, behind]);
  expect([counts, (left as string[]).slice(1)]).toEqual([['7'], told('a', 'c')]);
  expect(starts([index('t_c', [element('c')]), behind], 'mariadb')).toEqual([['7'], told('a', 'c')]);
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

function key(name: string, columns: readonly string[], more: Partial<ForeignKeySchema> = {}): ForeignKeySchema {
  return {
    ...{ name, columns, references: { schema: 'shop', name: 't' }, referenced: ['a'], actions: ' ON DELETE CASCADE' },
    ...{ setColumns: [], deferrable: 'no', valid: true, enforced: true, period: false, comment: null },
    ...more,
  };
}

/** The conditions that are made of these, by number, between the columns `a` and `b` of a type. */
function conditions(types: readonly [a: string, b?: string], to: NodeType, written: readonly string[]) {
  const [a, b = a] = types;
  const enumeration = { kind: 'enum', name: 'public.mood', labels: ['a', 'b'] } as const;
  const typed = (name: string, type: string) =>
    column(name, type, type === 'public.mood' ? { definition: enumeration } : {});
  const source = table({
    columns: [typed('a', a), typed('b', b)],
    checks: written.map((text, at) => check(`c${at}`, text)),
  });
  const { checks: all, left } = bridged([source], to);
  const checks = all.filter((one) => !one.includes('_members'));
  expect(checks.length + left.filter((one) => one.startsWith('check constraint')).length).toBe(written.length);
  return checks.map((one) => one.replace(/^c\d: /, ''));
}

test('checks and foreign keys that rows need not hold are left out, with their texts', () => {
  const columns = [column('a', 'int'), column('b', 'int')];
  const loose = { ...check('loose', '(<a> > 5)'), suffix: ' NOT ENFORCED' };
  const here = bridged([table({ columns, checks: [loose, check('firm', '(<a> > 1)')] })], 'postgres');
  expect(here.checks).toEqual(['firm: <a> > 1']);
  expect(here.left).toEqual(['check constraint loose of shop.t: (a > 5) NOT ENFORCED']);

  const source = table({
    columns: [column('a', pg('int4')), column('b', pg('int4'))],
    checks: [
      { ...check('later', '(<a> > 5)'), suffix: ' NOT VALID' },
      { ...check('own', '(<a> > 1)'), suffix: ' NO INHERIT' },
    ],
    foreignKeys: [key('firm', ['b']), key('later', ['b'], { valid: false }), key('never', ['b'], { enforced: false })],
  });
  const there = bridged([source], 'mysql');
  expect(there.checks).toEqual(['own: <a> > 1']);
  expect(there.made[0]?.foreignKeys.map(({ name }) => name)).toEqual(['firm']);
  expect(there.left).toEqual([
    'check constraint later of shop.t: (a > 5) NOT VALID',
    'foreign key later of shop.t: FOREIGN KEY (b) REFERENCES shop.t (a) ON DELETE CASCADE NOT VALID',
    'foreign key never of shop.t: FOREIGN KEY (b) REFERENCES shop.t (a) ON DELETE CASCADE NOT ENFORCED',
  ]);
});

test('texts are compared only where all that differ are two at both sides', () => {
  const texts = ["(<a> in ('x','y'))", "(<a> = 'x')", "(<a> <> 'x')", '(<a> = <b>)', '(<a> is not null)'];
  const made = ["<a> IN ('x', 'y')", "<a> = 'x'", "<a> <> 'x'", '<a> = <b>', '<a> IS NOT NULL'];
  const folding = 'varchar(9) collate utf8mb4_0900_ai_ci';
  const exact = 'varchar(9) collate utf8mb4_0900_bin';
  expect(conditions([exact], 'postgres', texts)).toEqual(made);
  expect(conditions([folding], 'postgres', texts)).toEqual(['<a> IS NOT NULL']);
  expect(conditions(['varchar(9) collate utf8mb4_bin'], 'postgres', texts)).toEqual(['<a> IS NOT NULL']);
  expect(conditions([exact, folding], 'postgres', ['(<a> = <b>)', '(<b> = <a>)'])).toEqual([]);
  expect(conditions([pg('text')], 'mysql', texts)).toEqual(made);
  expect(conditions(['public.citext'], 'mysql', texts)).toEqual(['<a> IS NOT NULL']);
  // Blanks at the end, and what is a label in another case.
  expect(conditions([pg('bpchar')], 'mysql', ["(<a> = 'x '::bpchar)"])).toEqual([]);
  expect(conditions(["enum('a','b') collate utf8mb4_0900_ai_ci"], 'postgres', ["(<a> = 'a')", "(<a> = 'A')"])).toEqual([
    "<a> = 'a'",
  ]);
  const keys = (type: string) =>
    bridged([table({ columns: [column('a', type), column('b', type)], foreignKeys: [key('k', ['b'])] })], 'postgres');
  expect(keys(exact).made[0]?.foreignKeys).toHaveLength(1);
  expect(keys(folding).made[0]?.foreignKeys).toEqual([]);
  expect(keys(folding).left).toEqual([
    'foreign key k of shop.t: FOREIGN KEY (b) REFERENCES shop.t (a) ON DELETE CASCADE',
  ]);
});

test('only numbers, dates and times have one order at all servers', () => {
  const signs = ['(<a> < <b>)', '(<a> >= <b>)'];
  const made = ['<a> < <b>', '<a> >= <b>'];
  for (const type of ['int4', 'numeric', 'date', 'time', 'timestamp', 'timestamptz'])
    expect(conditions([pg(type)], 'mysql', signs), type).toEqual(made);
  for (const type of [pg('text'), pg('uuid'), pg('bytea'), pg('bool'), 'public.mood', pg('jsonb')])
    expect(conditions([type], 'mariadb', signs), type).toEqual([]);
  expect(conditions([pg('text')], 'mysql', ['(<a> < lower(<b>))', "(<a> > '2024-01-01'::text)"])).toEqual([]);
  expect(conditions([pg('timestamptz'), pg('timestamp')], 'mysql', signs)).toEqual([]);
  expect(conditions([pg('text')], 'mysql', ['(length(<a>) > 3)'])).toEqual(['char_length(<a>) > 3']);
});

test('values in checks are written only where all servers read them alike', () => {
  const numbers = ["(<a> = '-1'::integer)", '(<a> = ANY (ARRAY[1, 2]))', '(0 < <a>)', '((<a> * 2) <= 10)'];
  expect(conditions([pg('int4')], 'mysql', numbers)).toEqual([
    ...['<a> = -1', '<a> IN (1, 2)', '0 < <a>', '(<a> * 2) <= 10'],
  ]);
  expect(conditions(['int'], 'postgres', ['(<a> > 1e2)', "(<a> = 'x')", "(<a> > x'0f')"])).toEqual([]);
  expect(conditions(['varchar(9) collate utf8mb4_0900_bin'], 'postgres', ['(<a> = 5)', "(<a> = x'61')"])).toEqual([]);
  expect(
    conditions(['date'], 'postgres', ["(<a> >= '2024-02-29')", "(<a> > '0000-00-00')", "(<a> > '2023-02-29')"]),
  ).toEqual(["<a> >= '2024-02-29'"]);
  for (const [type, text] of [
    ['bytea', "'\\x00'::bytea"],
    ['bit', '\'1\'::"bit"'],
    ['jsonb', "'{}'::jsonb"],
    ['float8', "'1.5'::double precision"],
    ['uuid', "'00000000-0000-0000-0000-000000000000'::uuid"],
    ['timestamp', "'2024-01-01 00:00:00'::timestamp without time zone"],
    ['timestamptz', "'2024-01-01 00:00:00+00'::timestamp with time zone"],
    ['time', "'10:00:00'::time without time zone"],
  ] as const)
    expect(conditions([pg(type)], 'mysql', [`(<a> = ${text})`, `(<a> <> ${text})`]), type).toEqual([]);
});

test("a column's own check, which has no name at MariaDB, is given one", () => {
  const columns = [column('a', 'int'), column('b', 'int')];
  const written = ['(<a> > 1)', '(<a> > 2)', '(<a> < <b>)', '(<a> div 2)'];
  const { checks, left } = bridged([table({ columns, checks: written.map((text) => check('', text)) })], 'postgres');
  expect(checks).toEqual(['t_a_check: <a> > 1', 't_a_check_2: <a> > 2', 't_3_check: <a> < <b>']);
  expect(left).toEqual(['check constraint t_a_check of shop.t: (a div 2)']);
});

test('a decimal has at least as many digits as its fraction', () => {
  // numeric(3,5)
  const small = { modifier: ((3 << 16) | 5) + 4 };
  expect(bridged([table({ columns: [column('a', pg('numeric'), small)] })], 'mysql').columns).toEqual({
    a: ['decimal(5,5)', null, null, null],
  });
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
