import type { BucketChoice } from '../../core/compare-side.ts';
import type { CompareTableOptions } from './compare-table.ts';
import type { FrozenSides } from './frozen-sides.ts';
import { judgeListed, unsureRows } from './frozen-suspects.ts';
import type { Judgement } from './judge.ts';
import { asIntended } from './left-by-intent.ts';
import type { StreamFreezer } from './stream-freezer.ts';
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
  const unsure = await unsureRows(frozen, options);
  const [here, there] = await Promise.all([source.listBuckets(choice), target.listBuckets(choice)]);
  return asIntended(options.plan.left, judgeListed(here, there, unsure));
}
