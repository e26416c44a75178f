import type { BucketChoice } from '../../core/compare-side.ts';
import { type BucketDifferences, bucketDifferences } from './bucket-suspects.ts';
import type { CompareTableOptions } from './compare-table.ts';
import { mostExamples } from './found-differences.ts';
import { frozenRows } from './frozen-contents.ts';
import type { FrozenSides } from './frozen-sides.ts';
import { hiddenRows, isUnsure, judgeListed, unsureRows } from './frozen-suspects.ts';
import type { Judgement } from './judge.ts';
import { asIntended } from './left-by-intent.ts';
import type { StreamFreezer } from './stream-freezer.ts';
import { suspectsOf } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';
import { tableReaders } from './table-readers.ts';

/** Rows that change whenever it is looked are undecided in the end. */
const looks = 4;

/**
 * Decides about buckets of a table whose rows can't be looked up in the source one by one, since they have no key, or another one at the target. Their
 * rows are listed of both sides as of one position, and counted: what one side has more often than the other is missing, or extra. Null where the
 * route does not stream.
 */
export async function judgeFrozen(
  options: CompareTableOptions,
  {
    freezer,
    decides,
    choice,
  }: { readonly freezer: StreamFreezer; readonly decides: boolean; readonly choice: BucketChoice },
): Promise<readonly Judgement[] | null> {
  let judged: readonly Judgement[] = [];
  for (let look = 1; look <= looks; look++) {
    await using frozen = await freezer.freeze(options.plan);
    if (frozen === null) return null;
    judged = await judge(options, frozen, choice);
    if (!judged.some(({ verdict }) => verdict === 'undecided')) break;
  }
  return decides ? judged : judged.map((one): Judgement => ({ ...one, verdict: 'undecided' }));
}

async function judge(
  options: CompareTableOptions,
  frozen: FrozenSides,
  choice: BucketChoice,
): Promise<readonly Judgement[]> {
  const { source, target } = tableReaders({ ...options, source: frozen.source, target: frozen.target });
  const unsure = await unsureRows(frozen, options, choice.buckets);
  const places = options.showValues && canPlace(options, options.plan);
  const [here, there] = await Promise.all([
    source.listBuckets({ ...choice, places }),
    target.listBuckets({ ...choice, places }),
  ]);
  const suspects = suspectsOf(here, there);
  const shown = places
    ? await frozenRows(options, frozen, suspects.filter((one) => !isUnsure(one, unsure)).slice(0, mostExamples))
    : [];
  const seen = new Map(shown.map(({ suspect, ...rows }) => [suspect, rows]));
  const judged = asIntended(options.plan.left, judgeListed(suspects, unsure, seen));
  return [...judged, ...hiddenRows(unsure, { suspects, choice })];
}

/** Rows can be read once more by where they stand. Between vendors a value may have no form at the target, which nobody looks at there yet. */
export function canPlace(
  { source, target }: Pick<CompareTableOptions, 'source' | 'target'>,
  { carrier }: Pick<TablePlan, 'carrier'>,
): boolean {
  return carrier === null && source.placed !== undefined && target.placed !== undefined;
}

/**
 * bucketDifferences at one position, with the buckets of rows that changed while the snapshots were taken. Null where the route does not stream, or
 * what changes a row also makes it right.
 */
export async function frozenDifferences(
  options: CompareTableOptions,
  freezer: StreamFreezer,
): Promise<BucketDifferences | null> {
  const { plan } = options;
  if (plan.targetShape.key.length > 0) return null;
  await using frozen = await freezer.freeze(plan);
  if (frozen === null) return null;
  const readers = tableReaders({ ...options, source: frozen.source, target: frozen.target });
  return await bucketDifferences(readers, plan.estimatedRows, async (buckets) => {
    const { rows } = await unsureRows(frozen, options, buckets);
    return rows?.map(({ bucket }) => bucket) ?? null;
  });
}
