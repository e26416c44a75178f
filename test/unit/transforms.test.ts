import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configuredShare } from '../../src/config/configured-share.ts';
import { ABSENT, type Cell, type Row } from '../../src/core/cell.ts';
import type { Change, TableShare } from '../../src/core/change.ts';
import type { Column, ReplicaIdentity, TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { replacedPart } from '../../src/operations/load/replaced-part.ts';
import { undeclaredFindings } from '../../src/pipeline/mapping/undeclared-reads.ts';
import { madeOtherwise } from '../../src/pipeline/schema-steps.ts';
import { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { ConfigurationFiles, caught, problemsOf, withRoute } from '../support/configuration-files.ts';

const columns = [
  { name: 'id', type: 'pg_catalog.int4', modifier: -1, key: true },
  { name: 'n', type: 'pg_catalog.int4', modifier: -1, key: false },
  { name: 'region', type: 'pg_catalog.text', modifier: -1, key: false },
];

function table(identity: ReplicaIdentity = 'default'): TableVersion {
  return { schema: 'public', name: 't', columns, identity };
}

/** A mapper of the entry for public.t, in the configuration's own words. */
async function mapperOf(entry: string, files: Readonly<Record<string, string>> = {}): Promise<TableMapper> {
  using folder = new ConfigurationFiles();
  for (const [name, text] of Object.entries(files)) folder.write(name, text);
  const { tables } = folder.load(withRoute(`tables: [{ name: public.t, ${entry} }]`)).routes.demand('r', 'route');
  await tables.prepare();
  return new TableMapper('r', tables);
}

function problemOf(entry: string, files: Readonly<Record<string, string>> = {}): string {
  using folder = new ConfigurationFiles();
  for (const [name, text] of Object.entries(files)) folder.write(name, text);
  const [first] = problemsOf(
    caught(() => folder.load(withRoute(`tables: [{ name: public.t, ${entry} }]`)).routes.demand('r', 'route')),
  );
  return `${first?.path} ${first?.message}`;
}

function map(mapper: TableMapper, changes: Change[]): TransactionPart {
  const commit = { position: '0/1' as never, atMs: 0, id: '1' };
  const part = mapper.map({ id: '7', origin: [], changes, rows: changes.length, bytes: 0, commit, urgency: 'ride' });
  return part;
}

const insert = (source: TableVersion, ...after: Cell[]): Change => ({
  kind: 'insert',
  table: source,
  after: [...after] as Row,
});

const fullNeeded: readonly string[] = [
  `where: "region = 'eu'"`,
  `transforms: [{ route: { rules: [{ when: "n > 1", to: public.u }] } }]`,
  `transforms: [{ unpivot: { columns: [n], name: k, value: v, skipNull: true } }]`,
  `transforms: [{ split: { rows: [{ when: "n > 1", to: public.u }] } }]`,
  'transforms: [{ use: ./exit.ts }]',
  'key: [id, region]',
];

const reshaping = 'export default { bind: () => ({ reshapes: true, row: (row: object) => row }) };';

describe('what decides about rows has to be in every old image', () => {
  test.each(fullNeeded)('%s', async (entry) => {
    const mapper = await mapperOf(entry, { 'exit.ts': reshaping });
    expect(caught(() => mapper.bind(table())).code).toBe('TL-4502');
    expect(mapper.bind(table('full')).tables.length).toBeGreaterThan(0);
  });

  test('a condition on the key needs nothing more', async () => {
    const mapper = await mapperOf('where: "id > 1"');
    expect(mapper.bind(table()).tables).toHaveLength(1);
  });
});

describe('the key at the target tells the rows of the source apart', () => {
  test.each([
    ['transforms: [{ set: { id: "n" } }]', 'TL-4502'],
    ['transforms: [{ set: { id: "id / 2" } }]', 'TL-4104'],
    ['transforms: [{ cast: { id: "smallint" } }, { set: { id: "id % 2" } }]', 'TL-4104'],
    ['transforms: [{ cast: { id: "varchar(1)" } }]', 'TL-4104'],
    [`key: [site], transforms: [{ set: { site: "'a'" } }]`, 'TL-4505'],
    ['columns: { exclude: [id] }', 'TL-4102'],
    ['columns: { include: [n] }', 'TL-4102'],
  ])('%s is refused with %s', async (entry, code) => {
    const mapper = await mapperOf(entry);
    expect(caught(() => mapper.bind(table())).code).toBe(code);
  });

  test.each([
    'transforms: [{ cast: { id: text } }]',
    'transforms: [{ set: { copy: "id" } }], key: [copy], columns: { exclude: [id] }',
    `key: [site, id], transforms: [{ set: { site: "'a'" } }]`,
  ])('%s is fine', async (entry) => {
    const { tables } = (await mapperOf(entry)).bind(table());
    expect(tables[0].columns.some(({ key }) => key)).toBe(true);
  });
});

describe('what does not fit is refused with its place', () => {
  test.each([
    ['where: "region ="', /where .*character/],
    ['where: "random() > n"', /where .*random\(\) is refused/],
    ['where: "lowr(region) = 1"', /where .*no function lowr, did you mean "lower"/],
    ['transforms: [{ set: { a: "1 +" } }]', /set\.a .*character/],
    ['transforms: [{ set: { a: "1" }, mask: { columns: [a], method: "null" } }]', /more than one transform/],
    ['transforms: [{}]', /names no transform/],
    ['transforms: [{ softDelete: { column: gone, deleted: perhaps } }]', /softDelete\.deleted is no boolean/],
    ['transforms: [{ mask: { columns: [a], method: fake, key: k } }]', /mask\.kind is required/],
    ['transforms: [{ mask: { columns: [a], method: redact, keepEnd: 2 } }]', /mask\.keepEnd is only for/],
    ['transforms: [{ lookup: { file: ./no.csv, key: a, column: b, set: { c: d } } }]', /lookup\.file .*ENOENT/],
    [
      'transforms: [{ lookup: { file: ./twice.csv, key: a, column: b, set: { c: d } } }]',
      /two records with the same a/,
    ],
    ['transforms: [{ lookup: { file: ./twice.csv, key: a, column: b, set: { c: e } } }]', /lookup\.set\.c is no field/],
    ['transforms: [{ use: ./no.ts }]', /use .*ENOENT/],
    ['columns: { include: [a], exclude: [b] }', /columns\.exclude stands beside include/],
  ])('%s', (entry, message) => {
    expect(problemOf(entry, { 'twice.csv': 'a,d\n1,x\n1,y\n' })).toMatch(message);
  });

  test.each([
    ['where: "regio = 1"', 'TL-4507'],
    ['where: "n"', 'TL-4507'],
    ['transforms: [{ set: { a: "n || region" } }, { cast: { a: date } }, { set: { b: "a + region" } }]', 'TL-4507'],
    ['transforms: [{ cleanse: { columns: [n], trim: both } }]', 'TL-1009'],
    ['transforms: [{ set: { b: "region::bytea" } }, { mapValues: { columns: [b], values: { a: b } } }]', 'TL-1009'],
    [
      'transforms: [{ set: { b: "region::bytea" } }, { lookup: { file: ./l.csv, key: a, column: b, set: { c: d } } }]',
      'TL-1009',
    ],
    ['transforms: [{ unpivot: { columns: [n, region], name: k, value: v } }]', 'TL-1009'],
    ['transforms: [{ softDelete: { column: n } }]', 'TL-4103'],
    ['transforms: [{ use: ./none.ts }]', 'TL-4508'],
    ['transforms: [{ use: ./broken.ts }]', 'TL-4508'],
    ['transforms: [{ split: { rows: [{ columns: [id, n] }, { columns: [id, region] }] } }]', 'TL-4509'],
  ])('%s is refused with %s when it meets the table', async (entry, code) => {
    const mapper = await mapperOf(entry, {
      'l.csv': 'a,d\n1,x\n',
      'none.ts': 'export default 1;',
      'broken.ts': 'export default { bind() { throw new RangeError("secret"); } };',
    });
    const error = caught(() => mapper.bind(table()));
    expect(error.code).toBe(code);
    expect(error.message).not.toContain('secret');
  });
});

test.each(['transforms: [{ keepAll: true }]', 'transforms: [{ softDelete: { column: gone } }]'])(
  'rows that stay have to be found again: %s of a table without a key is refused',
  async (entry) => {
    const keyless = { ...table(), columns: columns.map((column) => ({ ...column, key: false })) };
    const mapper = await mapperOf(entry);
    expect(caught(() => mapper.bind(keyless))).toMatchObject({ code: 'TL-4506', place: { table: 'public.t' } });
  },
);

test.each([
  ['key: [id], transforms: [{ keepAll: true }]', [['id']], null],
  ['key: [id, n], transforms: [{ keepAll: true }]', [['n', 'region'], ['n']], null],
  [`key: [code], transforms: [{ set: { code: id } }, { softDelete: { column: gone } }]`, [['id']], null],
  ['key: [id], transforms: [{ keepAll: true }]', [['n']], 'TL-4505'],
  ['key: [id], transforms: [{ softDelete: { column: gone } }]', [['id', 'n']], 'TL-4505'],
  [`key: [code], transforms: [{ set: { code: "id % 9" } }, { keepAll: true }]`, [['id']], 'TL-4505'],
  ['key: [id], transforms: [{ keepAll: true }]', [], 'TL-4512'],
  // Deletes delete: two rows of one key are a collision.
  ['key: [id]', [], null],
] as const)(
  'where whole rows are logged, %s tells apart the rows that stay as the unique keys %j do: %s',
  async (entry, uniqueKeys, code) => {
    const mapper = await mapperOf(entry);
    const described: TableVersion = { ...table('full'), uniqueKeys };
    // The queue tells of no key, and what the catalogue has told goes on.
    for (const source of [described, table('full')])
      if (code === null) expect(() => mapper.bind(source)).not.toThrow();
      else expect(caught(() => mapper.bind(source))).toMatchObject({ code, place: { table: 'public.t' } });
  },
);

test('an exit that does not say what it reads is told by check where a definition is to be followed, and by the halt', async () => {
  const exit = (reads: string): string =>
    `export default { bind: () => ({ ${reads} writes: [{ name: 'made', type: 'pg_catalog.text' }], row: () => ({ made: 'x' }) }) };`;
  const entry = 'transforms: [{ use: ./exit.ts }]';
  const wider: TableVersion = {
    ...table(),
    columns: [...columns, { ...columns[1], name: 'more', key: false } as Column],
  };
  for (const [reads, found] of [
    ['', true],
    ["reads: ['region'],", false],
  ] as const) {
    const mapper = await mapperOf(entry, { 'exit.ts': exit(reads) });
    const binding = mapper.bind(table());
    const told = (schemaChanges: 'halt' | 'ignore' | 'evolve') =>
      undeclaredFindings(binding, { name: 'r', from: { name: 'here' } as never, schemaChanges }).map(
        ({ code, level, message }) => [code, level, message.includes('use exit.ts of public.t')],
      );
    expect(told('halt')).toEqual([]);
    for (const followed of ['ignore', 'evolve'] as const)
      expect(told(followed)).toEqual(found ? [['TL-4109', 'warning', true]] : []);
    const sides = [
      { binding, ids: [1, 2, 3] },
      { binding: mapper.bind(wider), ids: [1, 2, 3, 4] },
    ] as const;
    expect(madeOtherwise(...sides)).toBe(found ? 'use exit.ts' : null);
  }
});

test('a part of a load is told by columns that travel as they are', async () => {
  const part = configuredShare('id > 5');
  const place = { route: 'r', key: { columns: ['id'] }, part };
  const plain = (await mapperOf('columns: { rename: { id: number } }')).bind(table());
  expect(replacedPart(plain, place)).toEqual({
    text: 'id > 5',
    plain: {
      kind: 'comparison',
      column: 'id',
      divisor: null,
      sign: '>',
      of: 'number',
      constant: '5',
      nullCounts: false,
    },
    names: [new Map([['id', 'number']])],
  });
  const cast = (await mapperOf('transforms: [{ cast: { id: text } }]')).bind(table());
  expect(caught(() => replacedPart(cast, place))).toMatchObject({
    code: 'TL-4156',
    place: { table: 'public.t', column: 'id' },
  });
});

describe('a row for which a transform has no value halts with its place and without a value', () => {
  test.each([
    ['transforms: [{ set: { a: "1 / (n - 987654)" } }]', 'set'],
    ['transforms: [{ mapValues: { columns: [n], values: { "1": "2" } } }]', 'mapValues'],
    ['transforms: [{ lookup: { file: ./a.csv, key: a, column: region, set: { c: d } } }]', 'lookup'],
    ['transforms: [{ use: ./throws.ts }]', 'use throws.ts'],
    ['transforms: [{ use: ./drops.ts }]', 'use drops.ts'],
    ['transforms: [{ use: ./rekeys.ts }]', 'use rekeys.ts'],
    ['transforms: [{ use: ./numbers.ts }]', 'use numbers.ts'],
  ])('%s', async (entry, transform) => {
    const exit = (row: string): string => `export default { bind: () => ({ row: (row: any) => ${row} }) };`;
    const mapper = await mapperOf(entry, {
      'a.csv': 'a,d\n1,x\n',
      'throws.ts': exit('{ throw new Error(row.region); }'),
      'drops.ts': exit('null'),
      'rekeys.ts': exit('({ id: "8" })'),
      'numbers.ts': exit('({ n: 5 })'),
    });
    const row = (): Change => insert(table(), '3', '987654', 'a-secret');
    const { unmapped: error, changes, rows } = map(mapper, [row()]);
    expect(error).toMatchObject({ code: 'TL-4501', place: { table: 'public.t', transform } });
    // As it came, so that it can be tried again.
    expect(changes).toMatchObject([
      { kind: 'unmapped', change: { kind: 'insert', after: ['3', '987654', 'a-secret'] } },
    ]);
    expect(rows).toBe(1);
    expect(caught(() => mapper.remap([...changes], '0/1')).code).toBe('TL-4501');
    expect(error?.message).toContain('0/1 (transaction 7)');
    expect(error?.message).not.toMatch(/a-secret|987654 /);
  });
});

test('values that may be too large for the log, read together with others, are told before', async () => {
  const mixedOf = async (entry: string, identity: ReplicaIdentity = 'default') =>
    (await mapperOf(entry)).bind(table(identity)).mixed;
  const both = `transforms: [{ set: { a: "region || n" } }]`;
  expect(await mixedOf(both)).toEqual([{ transform: 'set', columns: ['region'] }]);
  expect(await mixedOf(both, 'full')).toEqual([]);
  expect(await mixedOf(`transforms: [{ set: { a: "upper(region)", b: "id + n" } }]`)).toEqual([]);
});

const truncate = (source: TableVersion = table()): Change => ({
  kind: 'truncate',
  tables: [source],
  restartIdentity: false,
});

/** Rows of the target as a truncate sees them; those with the id 1 came from here. */
const shared: readonly (readonly [string, Row, Row])[] = [
  ['where: "n > 1 and 10 / n > 1"', ['1', '2', null], ['2', '0', null]],
  [
    `where: "id = 1", columns: { rename: { id: no } }, transforms: [{ set: { n: "0" } }]`,
    ['1', '0', 'x'],
    ['2', '0', 'x'],
  ],
  [
    `transforms: [{ route: { rules: [{ when: "n = 7", to: public.t }, { when: "region = 'eu'", to: public.t }, { when: "n = 8", to: public.t }], otherwise: public.u } }]`,
    ['1', '8', 'eu'],
    ['2', '9', 'us'],
  ],
  [
    `transforms: [{ route: { rules: [{ when: "n = 7", to: public.t }, { when: "region = 'eu'", to: public.u }], otherwise: drop } }]`,
    ['1', '7', 'eu'],
    ['2', '8', 'eu'],
  ],
  [
    `key: [id, s], transforms: [{ set: { s: "'a'" } }, { set: { n: "id" } }]`,
    ['1', '1', null, 'a'],
    ['2', '2', null, 'b'],
  ],
  [
    `key: [id, k], transforms: [{ split: { key: [k], rows: [{ set: { k: "'a'", m: "n + 1" } }, { when: "n > 5", set: { k: "'b'", m: "n" } }] } }]`,
    ['1', '6', null, 'b', '0'],
    ['2', '5', null, 'b', '0'],
  ],
  [
    `key: [id, k], transforms: [{ unpivot: { columns: [n, n], name: k, value: v } }]`,
    ['1', null, 'n', '1'],
    ['2', null, 'm', '1'],
  ],
];

test.each(shared)('a truncate deletes what came from here: %s', async (entry, ours, theirs) => {
  const mapper = await mapperOf(entry, { 'exit.ts': reshaping });
  const [change] = map(mapper, [truncate(table('full'))]).changes;
  const share = change?.kind === 'truncate' ? change.shares?.find((one) => one.table.name === 't') : undefined;
  expect(share).toBeDefined();
  const test = mapper.share(share as TableShare);
  const seen = (row: Row): Row => row.map((cell, at) => (test.columns.includes(at) ? cell : ABSENT));
  expect(test.isOurs(seen(ours))).toBe(true);
  // What the rows do not show may be either way.
  if (theirs.length > 0) expect(test.isOurs(seen(theirs))).toBe(false);
});

test('a truncate that was set aside is mapped as it was, or halts', async () => {
  const source = table('full');
  const [change] = map(await mapperOf('where: "n > 1"'), [truncate(source)]).changes;
  const [share] = change?.kind === 'truncate' ? (change.shares ?? []) : [];
  for (const entry of [
    'where: "n > 1", columns: { exclude: [region] }',
    'where: null',
    `where: "n > 1", to: public.u`,
  ]) {
    const mapper = await mapperOf(entry.replace('where: null', 'to: public.t'));
    expect(caught(() => mapper.share(share as TableShare)).code).toBe('TL-4504');
  }
});

test('a truncate of a table whose own rows at the target do not show halts, unless truncates are dropped', async () => {
  for (const entry of [
    'where: "n > 1", columns: { exclude: [n] }',
    `where: "n > 1", transforms: [{ set: { n: "n + 1" } }]`,
    'where: "n > 1", transforms: [{ use: ./exit.ts }]',
    `transforms: [{ route: { rules: [{ when: "n = 7", to: public.t }], otherwise: drop } }], columns: { exclude: [n] }`,
    `transforms: [{ set: { n: "n + 1" } }, { route: { rules: [{ when: "region = 'eu' or n = 7", to: public.t }], otherwise: drop } }]`,
  ]) {
    const { unmapped, changes } = map(await mapperOf(entry, { 'exit.ts': reshaping }), [truncate(table('full'))]);
    expect(unmapped?.code).toBe('TL-4504');
    expect(unmapped?.message).toContain('column n');
    expect(changes).toMatchObject([{ kind: 'unmapped', change: { tables: [{ name: 't', columns }] } }]);
  }
  const dropped = await mapperOf('where: "id > 1", transforms: [{ dropOperation: [truncate] }]');
  expect(map(dropped, [truncate()]).changes).toEqual([]);
  const kept = await mapperOf('transforms: [{ keepAll: true }]');
  expect(map(kept, [truncate()]).changes).toEqual([]);
});

/** One change of each kind to the rows 1 to 3. */
const oneOfEach = (source = table('full')): readonly Change[] => [
  insert(source, '1', '10', 'eu'),
  { kind: 'update', table: source, before: ['2', '20', 'eu'], after: ['2', '21', 'us'] },
  { kind: 'delete', table: source, before: ['3', '30', 'eu'] },
  truncate(source),
];

test.each(['insert', 'update', 'delete', 'truncate'])(
  'dropOperation keeps each %s from travelling, and all else travels',
  async (kind) => {
    const mapper = await mapperOf(`transforms: [{ dropOperation: [${kind}] }]`);
    const kinds = oneOfEach().map((change) => map(mapper, [change]).changes.map((made) => made.kind));
    expect(kinds).toEqual(oneOfEach().map((change) => (change.kind === kind ? [] : [change.kind])));
  },
);

test('columns are left out and renamed, by the names of the source; key and values go with them', async () => {
  const mapped = async (entry: string): Promise<unknown> => {
    const [change] = map(await mapperOf(entry), [insert(table(), '1', '10', 'eu')]).changes;
    return change?.kind === 'insert' && change.table.columns.map(({ name, key }, at) => [name, key, change.after[at]]);
  };
  expect(await mapped('columns: { exclude: [n], rename: { id: no, region: n } }')).toEqual([
    ['no', true, '1'],
    ['n', false, 'eu'],
  ]);
  expect(await mapped('columns: { include: [id, region] }')).toEqual([
    ['id', true, '1'],
    ['region', false, 'eu'],
  ]);
});

test('the files that transforms use are part of the fingerprint', () => {
  const entry = 'transforms: [{ lookup: { file: ./a.csv, key: a, column: region, set: { c: d } } }]';
  const fingerprint = (text: string): string => {
    using folder = new ConfigurationFiles();
    folder.write('a.csv', text);
    return folder.load(withRoute(`tables: [{ name: public.t, ${entry} }]`)).fingerprint('r');
  };
  expect(fingerprint('a,d\n1,x\n')).toBe(fingerprint('a,d\n1,x\n'));
  expect(fingerprint('a,d\n1,x\n')).not.toBe(fingerprint('a,d\n1,y\n'));
});

/** What becomes of the region of a row with n = 10; the code where it halts. */
async function made(
  transform: string,
  region: Cell,
  { files, type = 'pg_catalog.text' }: { files?: Readonly<Record<string, string>>; type?: string } = {},
): Promise<Cell | undefined> {
  const mapper = await mapperOf(`transforms: [{ ${transform} }]`, files);
  const source = { ...table(), columns: columns.map((one) => (one.name === 'region' ? { ...one, type } : one)) };
  const { changes, unmapped } = map(mapper, [insert(source, '1', '10', region)]);
  const [change] = changes;
  return unmapped?.code ?? (change?.kind === 'insert' ? change.after[2] : undefined);
}

test.each([
  ['replace: { aa: x, aab: y }', 'aabaa', 'yx'],
  ['trim: start', ' a ', 'a '],
  ['trim: end', ' a ', ' a'],
  // White space is Unicode's: with NEXT LINE, without ZERO WIDTH NO-BREAK SPACE.
  ['trim: both', '\u0085\u3000a\u00a0', 'a'],
  ['trim: both', '\ufeffa\ufeff', '\ufeffa\ufeff'],
  ['collapse: true', 'a\u0085\u2028 b\ufeffc', 'a b\ufeffc'],
  ['case: lower', 'ÄB', 'äb'],
  ['case: upper', 'straße', 'STRASSE'],
  ['nullIf: ["N/A"]', 'N/A', null],
  ['nullIf: ["N/A"]', 'N/A  ', 'N/A  '],
])('cleanse with %s makes of %j: %j', async (option, from, to) => {
  expect(await made(`cleanse: { columns: [region], ${option} }`, from)).toBe(to);
});

test('the blanks that pad a char(n) do not keep it from becoming NULL, and stay where it does not', async () => {
  const cleanse = (text: string): Promise<Cell | undefined> =>
    made('cleanse: { columns: [region], nullIf: ["N/A", ""] }', text, { type: 'pg_catalog.bpchar' });
  expect(await cleanse('N/A  ')).toBeNull();
  expect(await cleanse('   ')).toBeNull();
  expect(await cleanse('N/B  ')).toBe('N/B  ');
});

test.each([
  ['values: { a: b }, otherwise: "null"', 'a', 'b'],
  ['values: { a: b }, otherwise: "null"', 'c', null],
  ['values: { a: b }, otherwise: keep, type: text', 'c', 'c'],
  ['values: { a: b }, type: text', 'c', 'TL-4501'],
  // A value that nobody can compare is not let through.
  ['values: { a: b }, otherwise: "null"', Buffer.from('a'), 'TL-4501'],
])('mapValues with %s makes of %j: %j', async (options, from, to) => {
  expect(await made(`mapValues: { columns: [region], ${options} }`, from)).toBe(to);
});

test('mapValues with type: text makes the column text', async () => {
  const mapper = await mapperOf('transforms: [{ mapValues: { columns: [n], values: { "1": one }, type: text } }]');
  expect(mapper.bind(table()).tables[0].columns[1]?.type).toBe('pg_catalog.text');
});

const listed = '[{"a": 1.10, "d": 9007199254740993}, {"a": "007", "d": null}, {"a": true, "d": 1e3}]';
const yaml = '- { a: 1.10, d: 9007199254740993 }\n- a: 007\n  d: ~\n- { a: true, d: 1e3 }\n';

test.each([
  ['f.json', listed],
  ['f.yaml', yaml],
  ['f.csv', 'a,d\n1.10,9007199254740993\n007,\ntrue,1e3\n'],
])('a lookup takes the values of %s as they stand there', async (name, text) => {
  const look = (value: Cell, missing = 'halt'): Promise<Cell | undefined> =>
    made(`lookup: { file: ./${name}, key: a, column: region, set: { region: d }, missing: ${missing} }`, value, {
      files: { [name]: text },
    });
  expect(await look('1.10')).toBe('9007199254740993');
  expect(await look('007')).toBe(name === 'f.csv' ? '' : null);
  expect(await look('true')).toBe('1e3');
  expect(await look(null)).toBeNull();
  expect(await look('1.1')).toBe('TL-4501');
  expect(await look('1.1', '"null"')).toBeNull();
  expect(await look(Buffer.from('1.10'), '"null"')).toBe('TL-4501');
});

test('a lookup file of another encoding is refused', () => {
  using folder = new ConfigurationFiles();
  writeFileSync(join(folder.directory, 'f.csv'), Buffer.from('a,d\n1,Z\xfcrich\n', 'latin1'));
  const entry = 'transforms: [{ lookup: { file: ./f.csv, key: a, column: region, set: { c: d } } }]';
  const load = () => folder.load(withRoute(`tables: [{ name: public.t, ${entry} }]`)).routes.demand('r', 'route');
  expect(problemsOf(caught(load))[0]?.message).toBe('is not UTF-8');
});

test.each([
  ['a promise', 'async () => ({ region: "x" })', 'TL-4501'],
  ['a promise that fails', 'async () => { throw new Error("secret"); }', 'TL-4501'],
  ['a Map', '() => new Map([["region", "x"]])', 'TL-4501'],
  ['an instance of a class', '() => new (class { get region() { return "x"; } })()', 'TL-4501'],
  ['nothing', '() => undefined', 'TL-4501'],
  ['a plain object', '() => ({ region: "x" })', 'x'],
  ['one without a prototype', '() => Object.assign(Object.create(null), { region: "x" })', 'x'],
])('what a user exit makes is a row, or halts: %s', async (_, row, expected) => {
  const files = { 'exit.js': `export default { bind: () => ({ reads: ["region"], row: ${row} }) };` };
  expect(await made('use: ./exit.js', 'eu', { files })).toBe(expected);
});

test('a list of promises halts as well', async () => {
  const files = { 'exit.js': 'export default { bind: () => ({ reshapes: true, row: () => [Promise.resolve({})] }) };' };
  const mapper = await mapperOf('transforms: [{ use: ./exit.js }]', files);
  expect(map(mapper, [insert(table('full'), '1', '10', 'eu')]).unmapped?.code).toBe('TL-4501');
});

test('a column that one row of a split sets and another leaves depends on itself, too', async () => {
  const lineage = async (rows: string): Promise<readonly number[] | undefined> =>
    (await mapperOf(`transforms: [{ split: { key: [k], rows: [${rows}] } }]`)).bind(table('full')).lineage[2]?.sources;
  expect(await lineage(`{ set: { k: "'a'", region: "n::text" } }, { set: { k: "'b'" } }`)).toEqual([1, 2]);
  expect(await lineage(`{ set: { k: "'a'", region: "n::text" } }, { set: { k: "'b'", region: "'x'" } }`)).toEqual([1]);
});

test('the mark of softDelete may be an integer', async () => {
  const mapper = await mapperOf('transforms: [{ softDelete: { column: gone, type: integer, deleted: "2" } }]');
  const [come, left] = [
    insert(table(), '1', '10', 'eu'),
    { kind: 'delete', table: table(), before: ['1', ABSENT, ABSENT] },
  ];
  expect(map(mapper, [come as Change]).changes).toMatchObject([{ kind: 'insert', after: ['1', '10', 'eu', '0'] }]);
  const [marked] = map(mapper, [left as Change]).changes;
  expect(marked?.kind === 'update' && marked.after[3]).toBe('2');
  expect(mapper.bind(table()).tables[0].columns[3]?.type).toBe('pg_catalog.int4');
});
