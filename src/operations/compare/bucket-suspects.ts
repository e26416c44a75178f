import { leafRows } from './range-suspects.ts';
import { type Suspect, suspectsOf } from './suspects.ts';
import type { TableReader } from './table-readers.ts';

/** Their digests are in memory at both sides. */
const mostBuckets = 65_536;
const leastBuckets = 16;

/** Buckets of about as many rows as are listed at once. */
export function bucketsFor(estimatedRows: number): number {
  let buckets = leastBuckets;
  while (buckets < mostBuckets && buckets * (leafRows / 4) < estimatedRows) buckets *= 2;
  return buckets;
}

export interface BucketReaders {
  readonly source: TableReader;
  readonly target: TableReader;
}

/**
 * For tables whose key the two sides order in different ways, or that have none: each side is read once, and its rows are
 * added up by buckets of their key's hash. Of buckets that differ the rows are listed, a few buckets at a time.
 */
export async function bucketSuspects(
  { source, target }: BucketReaders,
  estimatedRows: number,
  onSuspects: (suspects: readonly Suspect[]) => Promise<void>,
): Promise<{ readonly rows: number }> {
  const buckets = bucketsFor(estimatedRows);
  const [here, there] = await Promise.all([source.bucketDigests(buckets), target.bucketDigests(buckets)]);
  let rows = 0;
  for (const digest of here.values()) rows += digest.rows;
  // Nobody has analysed it, or it has grown: a bucket is listed whole.
  if (bucketsFor(rows) > buckets && rows > buckets * leafRows)
    return await bucketSuspects({ source, target }, rows, onSuspects);
  const differing = [...new Set([...here.keys(), ...there.keys()])].filter((bucket) => {
    const [a, b] = [here.get(bucket), there.get(bucket)];
    return a?.rows !== b?.rows || a?.sum !== b?.sum;
  });
  let chosen: number[] = [];
  let listed = 0;
  const look = async (): Promise<void> => {
    if (chosen.length === 0) return;
    const choice = { chosen, buckets };
    const [a, b] = await Promise.all([source.listBuckets(choice), target.listBuckets(choice)]);
    const suspects = suspectsOf(a, b);
    if (suspects.length > 0) await onSuspects(suspects);
    chosen = [];
    listed = 0;
  };
  for (const bucket of differing) {
    chosen.push(bucket);
    listed += Math.max(here.get(bucket)?.rows ?? 0, there.get(bucket)?.rows ?? 0);
    // Each look reads the whole table: as few as memory allows.
    if (listed >= leafRows * 100) await look();
  }
  await look();
  return { rows };
}
