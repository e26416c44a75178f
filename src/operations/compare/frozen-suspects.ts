import { type Row, UNCHANGED } from '../../core/cell.ts';
import {
  type BucketChoice,
  type CompareSide,
  type GivenRow,
  keyText,
  type RowHash,
  type RowKey,
} from '../../core/compare-side.ts';
import type { TableVersion } from '../../core/table.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import type { ChangedRow } from '../../pipeline/watermark-windows.ts';
import { asAtTarget, type RowAtTarget } from './as-at-target.ts';
import type { FrozenSides } from './frozen-sides.ts';
import type { Judgement } from './judge.ts';
import type { ListedSuspect } from './suspects.ts';
import type { TablePlan } from './table-plan.ts';
import { listAtTarget } from './table-readers.ts';

export interface FrozenOptions {
  readonly plan: TablePlan;
  readonly hash: RowHash;
  readonly mapper: TableMapper;
  /** Makes the target's text of rows that are given. */
  readonly target: CompareSide;
}

/** A row's key at the target, or where there is none the hash of the whole row. */
export type Identity = string;

/** Rows of which nobody knows what they were at the position. */
export interface Unsure {
  has(identity: Identity): boolean;
  /** A row that was there and is not any more can't be told from one that is missing. */
  readonly missing: boolean;
  /** Of rows that are told apart by all of what they are; null: any. */
  readonly rows: readonly GivenRow[] | null;
}

/** Which rows were changed while the snapshots were taken. */
export async function unsureRows(
  { changed, columns }: Pick<FrozenSides, 'changed' | 'columns'>,
  options: FrozenOptions,
  buckets = 1,
): Promise<Unsure> {
  const { plan, hash, mapper, target } = options;
  const all: Unsure = { has: () => true, missing: true, rows: null };
  if (changed.truncated || changed.overflowed) return all;
  const { source } = plan.binding;
  const isKeyless = plan.targetShape.key.length === 0;
  // Without a key both the old and the new row are there, each as what tells it apart: all of its columns.
  const isWhole = columns.length === source.columns.length;
  if (isKeyless && !isWhole && changed.rows.size > 0) return all;
  const rows: RowAtTarget[] = [];
  let missing = false;
  for (const change of changed.rows.values()) {
    const places = placesOf(source, change);
    if (places === null) return all;
    const now = isKeyless
      ? source.columns.map(({ name }) => change.key[columns.indexOf(name)] ?? null)
      : rowOf(change, places);
    if (now?.includes(UNCHANGED)) return all;
    const mapped = now === null ? [] : asAtTarget(mapper, plan, now);
    if (mapped.length === 0 && !isKeyless) missing = true;
    rows.push(...mapped);
  }
  const given = await listAtTarget({ plan, target, hash }, rows, buckets);
  const identities = new Set(given.map(identityOf));
  return { has: (identity) => identities.has(identity), missing, rows: isKeyless ? distinct(given) : [] };
}

/** Where the columns of the plan stand in a row that the table may have had another definition for; null: it has not all of them. */
function placesOf({ columns }: TableVersion, { table }: ChangedRow): readonly number[] | null {
  const places = columns.map(({ name, type }) =>
    table.columns.findIndex((column) => column.name === name && column.type === type),
  );
  return places.includes(-1) ? null : places;
}

function rowOf({ row }: ChangedRow, places: readonly number[]): Row | null {
  return row === null ? null : places.map((at) => row[at] ?? null);
}

function distinct(given: readonly GivenRow[]): readonly GivenRow[] {
  return [...new Map(given.map((row) => [row.hash, row])).values()];
}

/**
 * Rows without a key that both sides have equally often, and nobody knows it: the one's snapshot may be of before such a row came, and the other, which
 * lacks one, of after it. (A row that has a key is made right by the change that hides it.)
 */
export function hiddenRows(
  { rows }: Unsure,
  { suspects, choice }: { readonly suspects: readonly ListedSuspect[]; readonly choice: BucketChoice },
): readonly Judgement[] {
  if (rows === null) return suspects.length > 0 ? [] : [{ key: [''], verdict: 'undecided', seen: null }];
  const told = new Set(suspects.map(({ hash }) => hash));
  const chosen = new Set(choice.chosen);
  return rows
    .filter(({ hash, bucket }) => chosen.has(bucket) && !told.has(hash))
    .map(({ hash }): Judgement => ({ key: [hash], verdict: 'undecided', seen: null }));
}

/** `seen`: rows that are to be shown. */
export function judgeListed(
  suspects: readonly ListedSuspect[],
  unsure: Unsure,
  seen: ReadonlyMap<ListedSuspect, Judgement['seen']> = new Map(),
): readonly Judgement[] {
  return suspects.map((suspect): Judgement => {
    const verdict = isUnsure(suspect, unsure) ? 'undecided' : suspect.kind;
    const { refused } = suspect;
    return { key: keyOf(suspect), verdict, seen: seen.get(suspect) ?? null, ...(refused !== undefined && { refused }) };
  });
}

export function isUnsure(suspect: ListedSuspect, { has, missing }: Unsure): boolean {
  return has(identityOf(suspect)) || (missing && suspect.kind === 'missing');
}

/** What a row is told apart by where people read of it. */
export function keyOf({ key, hash }: ListedSuspect): RowKey {
  return key.length === 0 ? [hash] : key;
}

export function identityOf({ key, hash }: Pick<ListedSuspect, 'key' | 'hash'>): Identity {
  return key.length === 0 ? hash : keyText(key);
}
