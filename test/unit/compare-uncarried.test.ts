import { expect, test } from 'vitest';
import type { Row } from '../../src/core/cell.ts';
import type { CompareSide, GivenRow, KeyRange, ListedRow, RangeDigest, RowKey } from '../../src/core/compare-side.ts';
import type { TableVersion } from '../../src/core/table.ts';
import { compareTable, untouched } from '../../src/operations/compare/compare-table.ts';
import type { Judge } from '../../src/operations/compare/judge.ts';
import { rangeSuspects } from '../../src/operations/compare/range-suspects.ts';
import type { Suspect } from '../../src/operations/compare/suspects.ts';
import type { TablePlan } from '../../src/operations/compare/table-plan.ts';
import type { TableReader } from '../../src/operations/compare/table-readers.ts';
import type { TableMapper } from '../../src/pipeline/table-mapper.ts';

const least = -5_000;

/** Rows with whole numbers as keys, in order, all of one hash. */
function readerOf(keys: readonly number[]): TableReader {
  const within = ({ after, to }: KeyRange): ListedRow[] =>
    keys
      .filter((key) => key > Number(after?.[0] ?? least - 1) && key <= Number(to?.[0] ?? Infinity))
      .map((key) => ({ key: [String(key)], hash: '1' }));
  let asked = 0;
  const digest = (rows: readonly ListedRow[]): RangeDigest => ({ rows: rows.length, sum: String(rows.length) });
  return {
    digest: async (range: KeyRange) => {
      if (++asked > 100) throw new RangeError('asked for ever');
      return digest(within(range));
    },
    list: async (range: KeyRange) => within(range),
  } as unknown as TableReader;
}

test('a range full of keys that the source can not have ends, and all of them are extra', async () => {
  const extra = Array.from({ length: 3_000 }, (_, at) => least + at);
  const found: Suspect[] = [];
  const readers = { source: readerOf([1, 2]), target: readerOf([...extra, 1, 2]), boundaries: async () => [] };
  const { rows } = await rangeSuspects(readers, { after: null, to: null }, async (some) => void found.push(...some));
  expect(rows).toBe(2);
  expect(found).toEqual(extra.map((key) => ({ key: [String(key)], hash: '1', kind: 'extra' })));
});

const columns = ['id', 'n'].map((name) => ({ name, type: 'varchar(9)', modifier: -1, key: name === 'id' }));
const table = { schema: 's', name: 't', columns, identity: 'default' } as unknown as TableVersion;

/** The target has no number beyond 100, and none at all of the rows that are given there. */
const small = (cell: unknown): boolean => Number(cell) <= 100;
const plan = {
  kind: 'plan',
  name: 's.t',
  target: 's.t',
  by: 'ranges',
  isStreamed: true,
  binding: { source: table },
  output: { table },
  carrier: {
    row: (row: Row, onRefused: (column: string) => void) =>
      row.map((cell, at) => {
        if (small(cell)) return cell;
        onRefused(columns[at]?.name ?? '');
        return null;
      }),
    keys: { there: (key: RowKey) => (small(key[0]) ? key : null), back: (key: RowKey) => key },
  },
  sourceShape: { table, key: ['id'], columns: [], condition: null },
  targetShape: { table, key: ['id'], columns: [{ name: 'id' }, { name: 'n' }], condition: null },
  left: null,
  estimatedRows: 4,
} as unknown as TablePlan;
const mapper = { rows: (_: unknown, row: Row) => [{ output: plan.output, row }] } as unknown as TableMapper;

test('rows with values that have no form at the target are told by their columns, and the others are compared', async () => {
  const bounds: (RowKey | null)[] = [];
  const source = {
    boundary: async () => ['70000'],
    boundaries: async () => [],
    async *read() {
      yield [
        ['1', '1'],
        ['2', '99999'],
        ['3', '99999'],
        ['70000', '4'],
      ];
    },
  } as unknown as CompareSide;
  const there = [
    { key: ['1'], hash: '10' },
    { key: ['2'], hash: '20' },
  ];
  const target = {
    digest: async (_: unknown, __: unknown, { after, to }: KeyRange) => {
      bounds.push(after, to);
      return { rows: 2, sum: '30' };
    },
    list: async () => there,
    // NULL stands for a number that it can't have, and a row like that is there.
    listGiven: async (_: unknown, __: unknown, { rows }: { rows: readonly Row[] }) =>
      rows.map((row): GivenRow => ({ key: [String(row[0])], hash: `${String(row[0])}0`, bucket: 0 })),
  } as unknown as CompareSide;
  const judged: Suspect[] = [];
  const judge: Judge = {
    judge: async (_, suspects) => {
      judged.push(...suspects);
      return suspects.map(({ key, kind, refused = [] }) => ({ key, verdict: kind, seen: null, refused }));
    },
  };
  const { counts, examples, done } = await compareTable(
    {
      plan,
      hash: { kind: 'server', seed: '1' },
      source,
      target,
      mapper,
      judge,
      showValues: false,
      digestKey: 'x',
      sample: null,
      maxLoad: null,
      signal: new AbortController().signal,
      onState: async () => {},
    },
    untouched,
  );
  expect(done).toBe(true);
  expect(bounds).toEqual([null, null]);
  expect(judged.map(({ key, kind, refused }) => [key[0], kind, refused])).toEqual([
    ['2', 'different', ['n']],
    ['3', 'missing', ['n']],
    ['70000', 'missing', ['id']],
  ]);
  expect(counts).toEqual({ missing: 2, extra: 0, different: 1, undecided: 0 });
  expect(examples.map((one) => [one.kind, one.columns, one.uncarried])).toEqual([
    ['different', ['n'], true],
    ['missing', ['n'], true],
    ['missing', ['id'], true],
  ]);
});
