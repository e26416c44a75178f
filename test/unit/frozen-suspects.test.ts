import { expect, test } from 'vitest';
import { type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { CompareSide, ListedRow } from '../../src/core/compare-side.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { FrozenSides } from '../../src/operations/compare/frozen-sides.ts';
import { type FrozenOptions, judgeListed, unsureRows } from '../../src/operations/compare/frozen-suspects.ts';
import { suspectsOf } from '../../src/operations/compare/suspects.ts';
import { ChangedRows } from '../../src/pipeline/watermark-windows.ts';

const names = ['id', 'v'];
const table: TableVersion = {
  schema: 'public',
  name: 't',
  identity: 'full',
  columns: names.map((name) => ({ name, type: 'pg_catalog.text', modifier: -1, key: true })),
};

/** A row's hash is its text; with a key at the target that is the row's first cell. */
function listed(row: Row, isKeyless: boolean): ListedRow {
  return { key: isKeyless ? [] : [String(row[0])], hash: row.map(String).join() };
}

interface Seen {
  readonly here: readonly Row[];
  readonly there: readonly Row[];
  note(changed: ChangedRows): void;
}

/** The table by another definition. */
function altered(...columns: [name: string, type: string][]): TableVersion {
  return { ...table, columns: columns.map(([name, type]) => ({ name, type, modifier: -1, key: name === 'id' })) };
}

/** What is said of rows that two snapshots do not have in common, with what changed while they were taken. */
async function judged({ here, there, note }: Seen, isKeyless: boolean): Promise<Record<string, string>> {
  const columns = isKeyless ? names : ['id'];
  const changed = new ChangedRows(columns);
  note(changed);
  const output = { table: {} };
  const options = {
    plan: { output, binding: { source: table }, targetShape: { key: columns.filter(() => !isKeyless) } },
    mapper: { rows: (_: unknown, row: Row) => [{ output, row }] },
    target: {
      listGiven: async (_: unknown, __: unknown, { rows }: { rows: readonly Row[] }) =>
        rows.map((row) => ({ ...listed(row, isKeyless), bucket: 0 })),
    } as unknown as CompareSide,
    hash: { kind: 'server', seed: '' },
  } as unknown as FrozenOptions;
  const unsure = await unsureRows({ changed, columns } as unknown as FrozenSides, options);
  const list = (rows: readonly Row[]): ListedRow[] => rows.map((row) => listed(row, isKeyless));
  return Object.fromEntries(
    judgeListed(suspectsOf(list(here), list(there)), unsure).map(({ key, verdict }) => [key.join(), verdict]),
  );
}

const insert = (...after: string[]) => ({ kind: 'insert', table, after }) as const;
const gone = (...before: string[]) => ({ kind: 'delete', table, before }) as const;

test('rows without a key that changed between the two snapshots are undecided, and nothing else is', async () => {
  const here = [['lost'], ['went'], ['same']];
  const there = [['more'], ['came'], ['same']];
  const rows = (of: string[][]): Row[] => of.map(([text = '']) => [text, text]);
  const note = (changed: ChangedRows): void => {
    changed.note(insert('came', 'came'));
    changed.note(gone('went', 'went'));
  };
  expect(await judged({ here: rows(here), there: rows(there), note }, true)).toEqual({
    'lost,lost': 'missing',
    'more,more': 'extra',
    'went,went': 'undecided',
    'came,came': 'undecided',
  });
});

test('by the key of the target: a row that changed is undecided, and while rows went none is called missing', async () => {
  const here = [
    ['1', 'a'],
    ['2', 'b'],
    ['3', 'c'],
  ];
  const there = [
    ['1', 'A'],
    ['2', 'B'],
    ['4', 'd'],
  ];
  const change = (changed: ChangedRows): void =>
    changed.note({ kind: 'update', table, before: null, after: ['2', 'B'] });
  const kept = { 1: 'different', 2: 'undecided', 4: 'extra' };
  expect(await judged({ here, there, note: change }, false)).toEqual({ ...kept, 3: 'missing' });
  // Which row of the target that was is not known: what is gone is told by the source's key.
  const changeAndGo = (changed: ChangedRows): void => {
    change(changed);
    changed.note(gone('9', 'z'));
  };
  expect(await judged({ here, there, note: changeAndGo }, false)).toEqual({ ...kept, 3: 'undecided' });
});

test.for<[string, (changed: ChangedRows) => void]>([
  ['the table was emptied', (changed) => changed.truncate()],
  [
    'a value was not carried',
    (changed) => changed.note({ kind: 'update', table, before: null, after: ['1', UNCHANGED] }),
  ],
])('nothing is decided where %s in between', async ([, note]) => {
  const seen = { here: [['1', 'a']], there: [['2', 'b']], note };
  expect(await judged(seen, false)).toEqual({ 1: 'undecided', 2: 'undecided' });
});

const text = 'pg_catalog.text';

test('cells of rows that changed are told by the names of their columns, whatever came to the table or stands elsewhere', async () => {
  const note = (changed: ChangedRows): void =>
    changed.note({
      kind: 'insert',
      table: altered(['late', text], ['v', text], ['id', text]),
      after: ['1', 'b', '2'],
    });
  const seen = { here: [['1', 'a']], there: [['2', 'b']], note };
  expect(await judged(seen, false)).toEqual({ 1: 'missing', 2: 'undecided' });
});

test.for<[string, TableVersion]>([
  ['is gone', altered(['id', text])],
  ['has another type', altered(['id', text], ['v', 'pg_catalog.int4'])],
])('nothing is decided where a column of rows that changed %s', async ([, version]) => {
  const note = (changed: ChangedRows): void =>
    changed.note({ kind: 'insert', table: version, after: version.columns.map(() => '2') });
  const seen = { here: [['1', 'a']], there: [['3', 'b']], note };
  expect(await judged(seen, false)).toEqual({ 1: 'undecided', 3: 'undecided' });
  expect(await judged({ ...seen, here: [['1', '1']] }, true)).toEqual({ '1,1': 'undecided', '3,b': 'undecided' });
});
