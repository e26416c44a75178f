import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { CompareSide, RangeDigest } from '../../src/core/compare-side.ts';
import { bucketDifferences, bucketSuspects, bucketsFor } from '../../src/operations/compare/bucket-suspects.ts';
import { chunkBounds } from '../../src/operations/compare/chunk-bounds.ts';
import { compareTable, type TableState, untouched } from '../../src/operations/compare/compare-table.ts';
import { GroupedJudge } from '../../src/operations/compare/grouped-judge.ts';
import type { Judge } from '../../src/operations/compare/judge.ts';
import type { TablePlan } from '../../src/operations/compare/table-plan.ts';
import { type TableReader, tableReaders } from '../../src/operations/compare/table-readers.ts';
import type { TableMapper } from '../../src/pipeline/table-mapper.ts';

test('a table that has many more rows than its statistics say is listed in small buckets', async () => {
  const rows = 1_000_000;
  let largest = 0;
  const reader = (sum: string): TableReader =>
    ({
      bucketDigests: async (buckets: number) => {
        const digest: RangeDigest = { rows: rows / buckets, sum };
        return new Map(
          Array.from({ length: buckets }, (_, bucket) => [bucket, bucket === 0 ? digest : { ...digest, sum: '0' }]),
        );
      },
      listBuckets: async ({ chosen, buckets }: { chosen: readonly number[]; buckets: number }) => {
        largest = Math.max(largest, (chosen.length * rows) / buckets);
        return [];
      },
    }) as unknown as TableReader;
  const readers = { source: reader('1'), target: reader('2') };
  const found = await bucketDifferences(readers, 0);
  expect(found.rows).toBe(rows);
  for (const choice of found.choices) expect(await bucketSuspects(readers, choice)).toEqual([]);
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(1_000);
  expect(bucketsFor(rows)).toBeGreaterThan(bucketsFor(0));
});

test('a compare by buckets leaves the databases alone between its statements, and goes on with what is left of them', async () => {
  let asked = 0;
  let spentMs = 0;
  const worked = async (): Promise<void> => {
    asked++;
    const beganMs = performance.now();
    await setTimeout(20);
    spentMs += performance.now() - beganMs;
  };
  const side = (sum: string, isSlow: boolean): CompareSide =>
    ({
      bucketDigests: async () => {
        if (isSlow) await worked();
        return new Map(Array.from({ length: 4 }, (_, bucket) => [bucket, { rows: 60_000, sum }]));
      },
      listBuckets: async (_shape: unknown, _hash: unknown, { chosen }: { chosen: readonly number[] }) => {
        if (isSlow) await worked();
        return sum === '1' ? chosen.map((bucket) => ({ key: [String(bucket)], hash: '1' })) : [];
      },
    }) as unknown as CompareSide;
  const judge: Judge = {
    judge: async (_, suspects) => suspects.map(({ key }) => ({ key, verdict: 'missing', seen: null })),
  };
  const targetShape = { key: ['id'], columns: [] };
  const plan = {
    by: 'buckets',
    isStreamed: false,
    estimatedRows: 240_000,
    left: null,
    targetShape,
  } as unknown as TablePlan;
  const states: TableState[] = [];
  const beganMs = performance.now();
  const run = (from: TableState, stop = new AbortController()): Promise<unknown> =>
    compareTable(
      {
        plan,
        hash: { kind: 'server', seed: '1' },
        source: side('1', true),
        target: side('2', false),
        mapper: null as unknown as TableMapper,
        judge,
        showValues: false,
        digestKey: '',
        sample: null,
        maxLoad: 0.25,
        signal: stop.signal,
        onState: async (state) => {
          states.push(state);
          if (from === untouched && states.length === 2) stop.abort();
        },
      },
      from,
    );
  await expect(run(untouched)).rejects.toMatchObject({ name: 'AbortError' });
  expect(states.map(({ counts, buckets }) => [counts.missing, buckets?.length])).toEqual([
    [0, 2],
    [2, 1],
  ]);
  await run(states.at(-1) ?? untouched);
  expect(states.at(-1)).toMatchObject({ done: true, rows: 240_000, counts: { missing: 4 } });
  expect(states.at(-1)).not.toHaveProperty('buckets');
  // Read once, and each lot looked at once.
  expect(asked).toBe(3);
  // But the rests that an end cuts short, or that nothing follows.
  expect(performance.now() - beganMs).toBeGreaterThan(spentMs + 3 * 20);
});

test('rows that are looked at together are few where they are large', async () => {
  const sizesOf = async (bytes: number): Promise<readonly number[]> => {
    const sizes: number[] = [];
    const judge: Judge = {
      judge: async (_, suspects) => {
        sizes.push(suspects.length);
        return suspects.map(({ key }) => ({
          key,
          verdict: 'different',
          seen: { source: ['x'.repeat(bytes)], target: null },
        }));
      },
    };
    const suspects = Array.from({ length: 2_000 }, (_, at) => ({ key: [String(at)], kind: 'different' as const }));
    const grouped = new GroupedJudge(judge, {} as TablePlan);
    const keys: string[] = [];
    for await (const judged of grouped.judge(suspects, new AbortController().signal))
      keys.push(...judged.map(({ key }) => String(key)));
    expect(keys).toEqual(suspects.map(({ key }) => key.join()));
    return sizes;
  };
  expect((await sizesOf(1_000_000)).slice(0, 3)).toEqual([100, 4, 4]);
  expect((await sizesOf(8_000_000)).slice(0, 3)).toEqual([100, 1, 1]);
  expect((await sizesOf(100)).slice(0, 3)).toEqual([100, 400, 500]);
});

test('no chunk has many more rows than it was cut for where keys are dense behind a gap', async () => {
  const [rows, wanted] = [50_000_000, 100_000];
  // A row far in front of the others, whose numbers have no gaps.
  const behind = (number: number): number => Math.max(0, Math.min(rows, number)) + (number >= -1e15 ? 1 : 0);
  const side = {
    ends: async () => ({ first: '-1000000000000000', last: String(rows) }),
    boundary: async (_: unknown, { after }: { readonly after: readonly string[] | null }, count: number) => {
      const at = behind(Number(after?.[0] ?? -1e16)) + count - 1;
      return at <= rows ? [String(at)] : null;
    },
  } as unknown as CompareSide;
  const source = { columns: [{ name: 'id', type: 'pg_catalog.int8' }] };
  const plan = { sourceShape: { key: ['id'] }, binding: { source }, estimatedRows: rows } as unknown as TablePlan;
  const bounds = await chunkBounds(side, plan);
  let most = 0;
  let chunks = 0;
  for (let after: readonly string[] | null = null; ; chunks++) {
    const to = await bounds.next(after, wanted);
    const had = behind(to === null ? rows : Number(to[0])) - behind(Number(after?.[0] ?? -1e16));
    most = Math.max(most, had);
    if (to === null) break;
    bounds.had(had, wanted);
    after = to;
  }
  expect(most).toBeLessThanOrEqual(10 * wanted);
  expect(chunks).toBeLessThan(2 * (rows / wanted));
});

test('rows that pass through transforms are given on as they come, however large they are', async () => {
  const given: number[] = [];
  const source = {
    async *read() {
      for (let at = 0; at < 5; at++) yield [[String(at)]];
    },
  } as unknown as CompareSide;
  const target = {
    listGiven: async (_: unknown, __: unknown, { rows }: { rows: readonly unknown[] }) => {
      given.push(rows.length);
      return rows.map(() => ({ key: ['1'], hash: '1', bucket: 0 }));
    },
  } as unknown as CompareSide;
  const plan = {
    isStreamed: true,
    binding: { source: { columns: [{ name: 'id' }] } },
    output: { table: {} },
  } as unknown as TablePlan;
  const mapper = { rows: (_: unknown, row: unknown) => [{ output: plan.output, row }] } as unknown as TableMapper;
  const readers = tableReaders({ plan, hash: { kind: 'server', seed: '1' }, source, target, mapper });
  expect(await readers.source.digest({ after: null, to: null })).toEqual({ rows: 5, sum: '5' });
  expect(given).toEqual([1, 1, 1, 1, 1]);
});
