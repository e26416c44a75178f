import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Row } from '../../src/core/cell.ts';
import type { CompareSide, ListedRow } from '../../src/core/compare-side.ts';
import type { RowRepair } from '../../src/core/repairer.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { Since } from '../../src/operations/compare/changes-since.ts';
import type { CompareTableOptions } from '../../src/operations/compare/compare-table.ts';
import type { TablePlan } from '../../src/operations/compare/table-plan.ts';
import { FrozenRepair, type FrozenRepairOptions } from '../../src/operations/repair/frozen-repair.ts';
import { canMend, forMending } from '../../src/operations/repair/mendable-plan.ts';
import { ChangedRows } from '../../src/pipeline/watermark-windows.ts';
import { seed } from '../support/seed.ts';

const table: TableVersion = {
  schema: 'public',
  name: 't',
  identity: 'full',
  columns: [{ name: 'v', type: 'pg_catalog.text', modifier: -1, key: true }],
};
const columns = ['v'];

/** A row comes or goes at the source, and with the stream at the target. */
interface Change {
  readonly comes: boolean;
  readonly v: string;
}

/** Two tables of rows without a key, and a stream that brings the one's changes to the other. */
class Tables {
  readonly source: string[];
  /** By their places. */
  readonly target = new Map<string, string>();
  #places = 0;
  readonly #coming: (readonly Change[])[];
  readonly #tells: 'places' | 'contents';
  left = 0;
  readonly refused: string[] = [];

  constructor(
    source: readonly string[],
    target: readonly string[],
    coming: readonly (readonly Change[])[],
    tells: 'places' | 'contents' = 'places',
  ) {
    this.#tells = tells;
    this.source = [...source];
    for (const v of target) this.#add(v);
    this.#coming = [...coming];
  }

  get contents() {
    return { source: this.source.toSorted(), target: [...this.target.values()].sort() };
  }

  #add(v: string): void {
    this.target.set(`place ${++this.#places}`, v);
  }

  /** What the stream brings next. */
  #stream(): ChangedRows {
    const changed = new ChangedRows(columns);
    for (const { comes, v } of this.#coming.shift() ?? []) {
      const at = this.source.indexOf(v);
      const there = [...this.target].find(([, text]) => text === v)?.[0];
      if (comes) {
        this.source.push(v);
        this.#add(v);
        changed.note({ kind: 'insert', table, after: [v] });
      } else if (at >= 0 && there !== undefined) {
        this.source.splice(at, 1);
        this.target.delete(there);
        changed.note({ kind: 'delete', table, before: [v] });
      }
    }
    return changed;
  }

  readonly freezer = {
    freeze: async () => {
      const here = sideOf(new Map(this.source.map((v, at) => [`here ${at}`, v])));
      const changed = this.#stream();
      return {
        source: here,
        target: sideOf(new Map(this.target), this.#tells),
        changed,
        columns,
        since: {
          look: (run: (since: Since) => Promise<void>) =>
            run({ changed: this.#stream(), columns, over: new AbortController().signal } as unknown as Since),
          [Symbol.dispose]() {},
        },
        async [Symbol.asyncDispose]() {},
      };
    },
  } as unknown as FrozenRepairOptions['freezer'];

  write(rows: readonly RowRepair[]) {
    return rows.map(({ before, after, version = '' }) => {
      if (after !== null) {
        this.#add(String(after[0]));
        return { kind: 'done' as const };
      }
      const like = [...this.target].find(([, text]) => text === before?.[0])?.[0] ?? '';
      const place = this.#tells === 'places' ? version : like;
      if (this.target.get(place) !== before?.[0]) return { kind: 'changed' as const };
      this.target.delete(place);
      return { kind: 'done' as const };
    });
  }

  /** `carrier`: of a route between vendors. */
  async mended(carrier: TablePlan['carrier'] = null) {
    const repair = new FrozenRepair({
      freezer: this.freezer,
      write: async (_plan, rows) => this.write(rows),
      left: (_plan, rows) => {
        this.left += rows;
      },
      refused: (_plan, columns) => this.refused.push(...columns),
      giveUp() {},
    });
    const output = { table: {} };
    const shape = { key: [], columns: [{ name: 'v', form: 'text' }] };
    const options = {
      plan: forMending({
        carrier,
        output,
        binding: { source: table },
        targetShape: shape,
        sourceShape: shape,
        isStreamed: false,
      } as unknown as TablePlan),
      mapper: { rows: (_: unknown, row: Row) => [{ output, row }] },
      target: sideOf(new Map()),
      hash: { kind: 'server', seed: '' },
      signal: new AbortController().signal,
    } as unknown as CompareTableOptions;
    const judged = await repair.mend(options, { chosen: [0], buckets: 1 });
    return Object.entries(Object.groupBy(judged ?? [], ({ verdict }) => verdict)).map(
      ([verdict, some]) => [verdict, some?.length] as const,
    );
  }
}

function hashOf(text: string): string {
  return BigInt(`0x${Buffer.from(text).toString('hex')}`).toString();
}

/** A row's hash is its text. MySQL knows no other place of a row than what it is. */
function sideOf(given: ReadonlyMap<string, string>, tells: 'places' | 'contents' = 'places'): CompareSide {
  const rows = [...given].map(([place, v]): [string, string] => [tells === 'places' ? place : `like ${v}`, v]);
  const placed = new Map(rows);
  return {
    listBuckets: async () => rows.map(([place, v]): ListedRow => ({ key: [], hash: hashOf(v), place })),
    placed: async (_: unknown, places: readonly string[]) =>
      new Map(places.flatMap((place) => (placed.has(place) ? [[place, [placed.get(place)]]] : []))),
    read: async function* (_: unknown, __: unknown, { places = false }: { places?: boolean }) {
      yield rows.map(([place, v]) => (places ? [v, place] : [v]));
    },
    listGiven: async (_: unknown, __: unknown, { rows: given }: { rows: readonly Row[] }) =>
      given.map(([v]) => ({ key: [], hash: hashOf(String(v)), bucket: 0 })),
  } as unknown as CompareSide;
}

const some = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });
const changes = fc.array(fc.record({ comes: fc.boolean(), v: fc.constantFrom('a', 'b', 'c', 'd') }), { maxLength: 3 });

test.for(['places', 'contents'] as const)(
  'rows without a key that are told by their %s are as often at the target as at the source, whatever the stream brings between a look and the repair',
  async (tells) => {
    await fc.assert(
      fc.asyncProperty(some, some, fc.array(changes, { maxLength: 3 }), async (here, there, coming) => {
        const tables = new Tables(here, there, coming, tells);
        await tables.mended();
        const { source, target } = tables.contents;
        expect(target).toEqual(source);
        expect(tables.left).toBe(0);
      }),
      { seed, numRuns: 300 },
    );
  },
);

test('what is found is counted once, and what comes between a look and the repair is not mended twice', async () => {
  const tables = new Tables(['a', 'a', 'b', 'c'], ['a', 'b', 'b', 'd'], [[], [{ comes: true, v: 'c' }]]);
  expect(Object.fromEntries(await tables.mended())).toEqual({ missing: 2, extra: 2 });
  expect(tables.contents.target).toEqual(['a', 'a', 'b', 'c', 'c']);
});

test('rows that the target does not take, or that always change, are left and undecided', async () => {
  const busy = Array.from({ length: 20 }, () => [
    { comes: true, v: 'x' },
    { comes: false, v: 'x' },
  ]);
  const tables = new Tables(['a', 'x'], [], busy);
  tables.write = (rows) => rows.map(() => ({ kind: 'changed' as const }));
  expect(Object.fromEntries(await tables.mended())).toEqual({ missing: 1, undecided: 1 });
  expect(tables.left).toBe(1);
});

/** The target writes texts in capitals, and has no form of `bad`. */
const carrier: TablePlan['carrier'] = {
  keys: null,
  row: ([v], onRefused) => {
    if (v === 'bad') onRefused('v');
    return [v === 'bad' ? null : String(v).toUpperCase()];
  },
};

test('between vendors rows without a key are mended in the forms of the target, and those that have none are left and told', async () => {
  const tables = new Tables(['a', 'a', 'b', 'bad'], ['A', 'B', 'B', 'bad'], []);
  expect(Object.fromEntries(await tables.mended(carrier))).toEqual({ missing: 2, extra: 2 });
  expect(tables.contents.target).toEqual(['A', 'A', 'B']);
  expect([tables.left, tables.refused]).toEqual([1, ['v']]);
});

test('between vendors a row that has no form at the target, and comes or goes meanwhile, is told as it is at the end', async () => {
  const gone = new Tables(['a', 'bad'], [], [[], [{ comes: false, v: 'bad' }]]);
  gone.target.set('place of it', 'bad');
  await gone.mended(carrier);
  expect([gone.contents, gone.left, gone.refused]).toEqual([{ source: ['a'], target: ['A'] }, 0, []]);
});

test('between vendors rows that have a key which nobody can look up are not mended', () => {
  const side = sideOf(new Map());
  const plan = (given: TablePlan['carrier'], ...key: string[]) =>
    ({ carrier: given, targetShape: { key }, isStreamed: false }) as unknown as TablePlan;
  const both = { source: side, target: side };
  expect([plan(null), plan(null, 'v'), plan(carrier), plan(carrier, 'v')].map((one) => canMend(both, one))).toEqual([
    ...[true, true],
    ...[true, false],
  ]);
  expect(forMending(plan(carrier, 'v')).isStreamed).toBe(false);
  expect(canMend({ source: side, target: {} }, plan(carrier))).toBe(false);
});
