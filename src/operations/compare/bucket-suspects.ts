import type { BucketChoice } from '../../core/compare-side.ts';
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

export interface BucketDifferences {
  /** At the source. */
  readonly rows: number;
  /** Buckets that differ, as many at a time as memory allows: each look reads the whole table. */
  readonly choices: readonly BucketChoice[];
}

/**
 * `unsure`: buckets that are to be looked at although they are equal; null: all.
 *
 * For tables whose key the two sides order in different ways, or that have none: each side is read once, and its rows are
 * added up by buckets of their key's hash.
 */
export async function bucketDifferences(
  { source, target }: BucketReaders,
  estimatedRows: number,
  unsure: (buckets: number) => Promise<readonly number[] | null> = async () => [],
): Promise<BucketDifferences> {
  const buckets = bucketsFor(estimatedRows);
  const [here, there] = await Promise.all([source.bucketDigests(buckets), target.bucketDigests(buckets)]);
  let rows = 0;
  for (const digest of here.values()) rows += digest.rows;
  // Nobody has analysed it, or it has grown: a bucket is listed whole.
  if (bucketsFor(rows) > buckets && rows > buckets * leafRows)
    return await bucketDifferences({ source, target }, rows, unsure);
  const looked = await unsure(buckets);
  const isLooked = (bucket: number): boolean => looked === null || looked.includes(bucket);
  const choices: BucketChoice[] = [];
  let chosen: number[] = [];
  let listed = 0;
  for (const bucket of new Set([...here.keys(), ...there.keys()])) {
    const [a, b] = [here.get(bucket), there.get(bucket)];
    if (a?.rows === b?.rows && a?.sum === b?.sum && !isLooked(bucket)) continue;
    if (chosen.length === 0) choices.push({ chosen, buckets });
    chosen.push(bucket);
    listed += Math.max(a?.rows ?? 0, b?.rows ?? 0);
    if (listed < leafRows * 100) continue;
    chosen = [];
    listed = 0;
  }
  return { rows, choices };
}

/** Of buckets that differ the rows are listed, not as of one moment: what is found is suspects. */
export async function bucketSuspects(
  { source, target }: BucketReaders,
  choice: BucketChoice,
): Promise<readonly Suspect[]> {
  const [here, there] = await Promise.all([source.listBuckets(choice), target.listBuckets(choice)]);
  return suspectsOf(here, there);
}
