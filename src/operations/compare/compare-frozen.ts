import type { BucketChoice } from '../../core/compare-side.ts';
import { bucketDifferences } from './bucket-suspects.ts';
import type { CompareTableOptions, TableState } from './compare-table.ts';
import { untouched } from './compare-table.ts';
import { FoundDifferences } from './found-differences.ts';
import type { FrozenSides } from './frozen-sides.ts';
import { judgeListed, unsureRows } from './frozen-suspects.ts';
import type { Judgement } from './judge.ts';
import { asIntended } from './left-by-intent.ts';
import type { StreamFreezer } from './stream-freezer.ts';
import { tableReaders } from './table-readers.ts';

/** Rows that change whenever it is looked are undecided in the end. */
const looks = 4;

/**
 * Compares a table whose rows can't be looked up in the source one by one, since they have no key, or another one at the target. Where
 * buckets differ their rows are listed of both sides as of one position, and counted: what one side has more often than the other
 * is missing, or extra. Null where the route does not stream.
 */
export async function compareFrozen(
  options: CompareTableOptions,
  { freezer, decides }: { readonly freezer: StreamFreezer; readonly decides: boolean },
): Promise<TableState | null> {
  const { plan, onState } = options;
  const { rows, choices } = await bucketDifferences(tableReaders(options), plan.estimatedRows);
  let judged: readonly Judgement[] = [];
  for (let look = 1; choices.length > 0 && look <= looks; look++) {
    await using frozen = await freezer.freeze(plan);
    if (frozen === null) return null;
    judged = await judge(options, frozen, choices);
    if (!judged.some(({ verdict }) => verdict === 'undecided')) break;
  }
  const found = new FoundDifferences(plan, { ...options, ...untouched });
  found.add(decides ? judged : judged.map((one): Judgement => ({ ...one, verdict: 'undecided' })));
  const state = { after: null, done: true, rows, counts: found.counts, examples: found.examples };
  await onState(state);
  return state;
}

async function judge(
  options: CompareTableOptions,
  frozen: FrozenSides,
  choices: readonly BucketChoice[],
): Promise<readonly Judgement[]> {
  const { signal } = options;
  const { source, target } = tableReaders({ ...options, source: frozen.source, target: frozen.target });
  const unsure = await unsureRows(frozen, options);
  const judged: Judgement[] = [];
  for (const choice of choices) {
    signal.throwIfAborted();
    const [here, there] = await Promise.all([source.listBuckets(choice), target.listBuckets(choice)]);
    judged.push(...asIntended(options.plan.left, judgeListed(here, there, unsure)));
  }
  return judged;
}
