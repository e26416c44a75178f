import { expect, test } from 'vitest';
import type { CompareSide, RangeDigest } from '../../src/core/compare-side.ts';
import { bucketSuspects, bucketsFor } from '../../src/operations/compare/bucket-suspects.ts';
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
  expect(await bucketSuspects({ source: reader('1'), target: reader('2') }, 0, async () => {})).toEqual({ rows });
  expect(largest).toBeGreaterThan(0);
  expect(largest).toBeLessThanOrEqual(1_000);
  expect(bucketsFor(rows)).toBeGreaterThan(bucketsFor(0));
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
