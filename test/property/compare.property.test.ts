import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import type { ComparedShape, CompareSide, KeyRange, ListedRow, RangeDigest } from '../../src/core/compare-side.ts';
import { compareTable, type TableState, untouched } from '../../src/operations/compare/compare-table.ts';
import { type Judge, verdictOf } from '../../src/operations/compare/judge.ts';
import type { TablePlan } from '../../src/operations/compare/table-plan.ts';
import type { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { seed } from '../support/seed.ts';

/** Rows by their key: what a server would answer of them. */
class MemorySide implements Partial<CompareSide> {
  readonly #all: readonly { readonly n: number; readonly row: ListedRow }[];
  /** Rows that were listed at once, at most. */
  mostListed = 0;

  constructor(rows: ReadonlyMap<number, string>) {
    this.#all = [...rows]
      .sort(([a], [b]) => a - b)
      .map(([n, text]) => ({ n, row: { key: [String(n)], hash: hashOf(`${n} ${text}`) } }));
  }

  async digest(_shape: ComparedShape, _hash: unknown, range: KeyRange): Promise<RangeDigest> {
    return digestOf(this.#listed(range));
  }

  async list(_shape: ComparedShape, _hash: unknown, range: KeyRange): Promise<readonly ListedRow[]> {
    const listed = this.#listed(range);
    this.mostListed = Math.max(this.mostListed, listed.length);
    return listed;
  }

  async boundary(_shape: ComparedShape, range: KeyRange, rows: number) {
    return this.#listed(range)[rows - 1]?.key ?? null;
  }

  async boundaries(_shape: ComparedShape, range: KeyRange, every: number) {
    return this.#listed(range).flatMap(({ key }, at) => ((at + 1) % every === 0 ? [key] : []));
  }

  async ends() {
    const [first, last] = [this.#all[0]?.n, this.#all.at(-1)?.n];
    return first === undefined || last === undefined ? null : { first: String(first), last: String(last) };
  }

  async bucketDigests(_shape: ComparedShape, _hash: unknown, buckets: number) {
    const groups = Map.groupBy(this.#listed({ after: null, to: null }), ({ key }) => bucketOf(key, buckets));
    return new Map([...groups].map(([bucket, rows]) => [bucket, digestOf(rows)]));
  }

  async listBuckets(
    _s: ComparedShape,
    _h: unknown,
    { chosen, buckets }: { chosen: readonly number[]; buckets: number },
  ) {
    return this.#listed({ after: null, to: null }).filter(({ key }) => chosen.includes(bucketOf(key, buckets)));
  }

  #listed({ after, to }: KeyRange): ListedRow[] {
    const from = after === null ? Number.NEGATIVE_INFINITY : Number(after[0]);
    const until = to === null ? Number.POSITIVE_INFINITY : Number(to[0]);
    return this.#all.flatMap(({ n, row }) => (n > from && n <= until ? [row] : []));
  }
}

function hashOf(text: string): string {
  return createHash('md5').update(text).digest().readBigInt64BE(0).toString();
}

function bucketOf(key: readonly string[], buckets: number): number {
  return Number(BigInt.asUintN(16, BigInt(hashOf(key.join())))) % buckets;
}

function digestOf(rows: readonly ListedRow[]): RangeDigest {
  return { rows: rows.length, sum: rows.reduce((sum, { hash }) => sum + BigInt(hash), 0n).toString() };
}

const shape = (type: string, estimatedRows: number, by: TablePlan['by']): TablePlan => {
  const sides = { table: { schema: 'public', name: 't' }, key: ['id'], columns: [], condition: null };
  const source = {
    schema: 'public',
    name: 't',
    columns: [{ name: 'id', type, modifier: -1, key: true }],
    identity: 'default',
  };
  return {
    kind: 'plan',
    name: 'public.t',
    target: 'public.t',
    by,
    isStreamed: false,
    sourceShape: sides,
    left: null,
    targetShape: sides,
    estimatedRows,
    binding: { source },
  } as unknown as TablePlan;
};

const tables = fc.record({
  rows: fc.integer({ min: 0, max: 6_000 }),
  gap: fc.constantFrom(1, 3, 1_000_003),
  changed: fc.array(fc.nat(6_500), { maxLength: 30 }),
  missing: fc.array(fc.nat(6_500), { maxLength: 30 }),
  extra: fc.array(fc.nat(8_000), { maxLength: 30 }),
  emptied: fc.option(fc.constantFrom('source', 'target'), { nil: null, freq: 12 }),
  estimatedRows: fc.constantFrom(0, 10, 6_000, 1_000_000),
  type: fc.constantFrom('pg_catalog.int8', 'pg_catalog.uuid'),
  by: fc.constantFrom('ranges' as const, 'ranges' as const, 'buckets' as const),
  /** After how many chunks the engine dies, again and again. */
  dies: fc.option(fc.integer({ min: 1, max: 3 }), { nil: null }),
});

test('whatever two tables hold, just their differences are found, wherever a compare was interrupted', async () => {
  await fc.assert(
    fc.asyncProperty(tables, async ({ rows, gap, changed, missing, extra, emptied, dies, ...how }) => {
      const key = (n: number): number => n * gap - 3 * gap;
      const here = new Map(Array.from({ length: rows }, (_, n) => [key(n), `row ${n}`]));
      const there = new Map(here);
      for (const n of changed) if (there.has(key(n))) there.set(key(n), 'another');
      for (const n of missing) there.delete(key(n));
      for (const n of extra) if (!here.has(key(n) + (gap > 1 ? 1 : 0))) there.set(key(n) + (gap > 1 ? 1 : 0), 'extra');
      if (emptied !== null) (emptied === 'source' ? here : there).clear();
      const judge: Judge = {
        judge: async (_plan, suspects) =>
          suspects.map(({ key: suspected }) => {
            const text = (side: ReadonlyMap<number, string>) => {
              const value = side.get(Number(suspected[0]));
              return value === undefined ? null : [value];
            };
            return { key: suspected, verdict: verdictOf(text(here), text(there)), seen: null };
          }),
      };
      const source = new MemorySide(here);
      const target = new MemorySide(there);
      let state: TableState = untouched;
      for (let attempt = 0; !state.done && attempt < 10; attempt++) {
        const stop = new AbortController();
        let chunks = 0;
        await compareTable(
          {
            plan: shape(how.type, how.estimatedRows, how.by),
            hash: { kind: 'server', seed: '1' },
            source: source as unknown as CompareSide,
            target: target as unknown as CompareSide,
            mapper: null as unknown as TableMapper,
            judge,
            showValues: false,
            digestKey: '',
            sample: null,
            maxLoad: null,
            signal: stop.signal,
            onState: async (reached) => {
              state = reached;
              if (attempt < 5 && ++chunks === dies) stop.abort();
            },
          },
          state,
        ).catch((error: unknown) => {
          if (!stop.signal.aborted) throw error;
        });
      }
      const all = [...new Set([...here.keys(), ...there.keys()])];
      const count = (kind: string): number =>
        all.filter((n) => {
          const [a, b] = [here.get(n), there.get(n)];
          return kind === verdictOf(a === undefined ? null : [a], b === undefined ? null : [b]);
        }).length;
      expect(state).toMatchObject({
        done: true,
        rows: here.size,
        counts: { missing: count('missing'), extra: count('extra'), different: count('different'), undecided: 0 },
      });
      // Memory: whatever differs, only so many rows are listed at once.
      if (how.by === 'ranges') expect(Math.max(source.mostListed, target.mostListed)).toBeLessThanOrEqual(1_000);
    }),
    { seed, numRuns: 25 },
  );
});

test('a sample is its share of the chunks of a table, spread over it, and one of them at least', async () => {
  const rows = 20_000;
  const side = new MemorySide(new Map(Array.from({ length: rows }, (_, n) => [n, 'here']))) as unknown as CompareSide;
  const sampled = async (share: number): Promise<number> => {
    const state = await compareTable(
      {
        plan: shape('pg_catalog.int8', rows, 'ranges'),
        hash: { kind: 'server', seed: '1' },
        source: side,
        target: side,
        mapper: null as unknown as TableMapper,
        judge: { judge: async () => [] },
        showValues: false,
        digestKey: '',
        sample: share,
        maxLoad: null,
        signal: new AbortController().signal,
        onState: async () => {},
      },
      untouched,
    );
    expect(state.done).toBe(true);
    return state.rows / rows;
  };
  const random = vi.spyOn(Math, 'random');
  try {
    let chunks = 0;
    random.mockImplementation(() => (chunks++ % 4 === 1 ? 0.2 : 0.3));
    const quarter = await sampled(0.25);
    expect(quarter).toBeGreaterThan(0.15);
    expect(quarter).toBeLessThan(0.35);
    random.mockReturnValue(0.999);
    const least = await sampled(0.01);
    expect(least).toBeGreaterThan(0);
    expect(least).toBeLessThan(0.15);
  } finally {
    random.mockRestore();
  }
});
