import { UNCHANGED } from '../../core/cell.ts';
import { type CompareSide, keyText, type ListedRow, type RowHash } from '../../core/compare-side.ts';
import type { Position } from '../../core/position.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import type { FrozenSides } from './frozen-sides.ts';
import type { Judgement } from './judge.ts';
import { type ListedSuspect, suspectsOf } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';

export interface FrozenOptions {
  readonly plan: TablePlan;
  readonly hash: RowHash;
  readonly mapper: TableMapper;
  /** Makes the target's text of rows that are given. */
  readonly target: CompareSide;
}

/** A row's key at the target, or where there is none the hash of the whole row. */
type Identity = string;

/** Rows of which nobody knows what they were at the position. */
interface Unsure {
  has(identity: Identity): boolean;
  /** A row that was there and is not any more can't be told from one that is missing. */
  readonly missing: boolean;
}

/** Which rows were changed while the snapshots were taken. */
export async function unsureRows(frozen: FrozenSides, options: FrozenOptions): Promise<Unsure> {
  const { changed, columns } = frozen;
  const { plan, hash, mapper, target } = options;
  const all: Unsure = { has: () => true, missing: true };
  if (changed.truncated || changed.overflowed) return all;
  const { source } = plan.binding;
  const isKeyless = plan.targetShape.key.length === 0;
  // Without a key both the old and the new row are there, each as what tells it apart: all of its columns.
  const isWhole = columns.length === source.columns.length;
  if (isKeyless && !isWhole && changed.rows.size > 0) return all;
  const rows = [];
  let missing = false;
  for (const { key, row } of changed.rows.values()) {
    const now = isKeyless ? source.columns.map(({ name }) => key[columns.indexOf(name)] ?? null) : row;
    if (now?.includes(UNCHANGED)) return all;
    const mapped =
      now === null
        ? []
        : mapper
            .rows(plan.binding, now, 'a compare' as Position)
            .filter(({ output }) => output.table === plan.output.table);
    if (mapped.length === 0 && !isKeyless) missing = true;
    rows.push(...mapped.map(({ row: made }) => made));
  }
  const given = rows.length === 0 ? [] : await target.listGiven(plan.targetShape, hash, { rows, buckets: 1 });
  const identities = new Set(given.map(identityOf));
  return { has: (identity) => identities.has(identity), missing };
}

/** What two lists of rows do not have in common. */
export function judgeListed(
  here: readonly ListedRow[],
  there: readonly ListedRow[],
  { has, missing }: Unsure,
): readonly Judgement[] {
  return suspectsOf(here, there).map((suspect): Judgement => {
    const isUnsure = has(identityOf(suspect)) || (missing && suspect.kind === 'missing');
    const key = suspect.key.length === 0 ? [suspect.hash] : suspect.key;
    return { key, verdict: isUnsure ? 'undecided' : suspect.kind, seen: null };
  });
}

function identityOf({ key, hash }: Pick<ListedSuspect, 'key' | 'hash'>): Identity {
  return key.length === 0 ? hash : keyText(key);
}
