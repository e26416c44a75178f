import type { Position } from '../core/position.ts';
import type { TableDefinition, TableFacts } from '../core/table-facts.ts';
import type { Judgement } from './judge-definition.ts';

type Untold = Pick<TableDefinition, 'labels' | 'labelStamps' | 'toldBy' | 'published'>;

/** What nothing in the queue tells, and what has come of it. */
export function untoldOf({ labels, labelStamps, toldBy, published }: Untold): Untold {
  return {
    ...(labels !== undefined && { labels }),
    ...(labelStamps !== undefined && { labelStamps }),
    ...(toldBy !== undefined && { toldBy }),
    ...(published !== undefined && { published }),
  };
}

/**
 * Why rows have changed, or changes are missing, and nothing in the queue tells it; null where neither is so. `matters`: of a label that is another one, by its
 * id, whether the target has values by it that no command has changed there.
 */
export function untoldChange(before: Untold, now: Untold, matters: (label: string) => boolean): string | null {
  const { labels = {}, labelStamps = {} } = now;
  const isRenamed = ([id, label]: readonly [string, string]): boolean =>
    labels[id] !== undefined && labels[id] !== label && matters(id);
  if (Object.entries(before.labels ?? {}).some(isRenamed))
    return 'a value of an enum was renamed, or an attribute of a composite type added or dropped, so that rows that have it changed without row events';
  // An older engine did not store it.
  const isTouched = ([id, stamp]: readonly [string, string]): boolean =>
    labelStamps[id] !== undefined && labelStamps[id] !== stamp && matters(id);
  if (Object.entries(before.labelStamps ?? {}).some(isTouched))
    return 'a value of an enum was renamed and back, and rows that came in between may have it by the other name at the target';
  return unpublishedChange(before, now);
}

/** Why changes of the table are not in the queue, as its publication was altered since `before`; null where none are missing. */
export function unpublishedChange(before: Untold, now: Untold): string | null {
  if (before.published === now.published) return null;
  const [was, is] = [publishedBy(before), publishedBy(now)];
  // A route that was renamed has another one.
  if (was === null || is === null || was.publication !== is.publication) return null;
  if (!isThroughout(was, is))
    return `it was taken out of publication ${is.publication} and put back, and what changed in between is not in the queue`;
  // An older engine did not store it.
  const isAltered = was.stamp !== undefined && is.stamp !== undefined && was.stamp !== is.stamp;
  return isAltered
    ? `publication ${is.publication} was altered, and what it left out meanwhile (operations, rows) is not in the queue`
    : null;
}

interface PublishedBy {
  readonly publication: string;
  readonly id: string;
  /** Null: all tables are in it, or an older engine has not told by which schema this one is. */
  readonly entries: readonly string[] | null;
  /** Of the publication itself; undefined where the route alters it. */
  readonly stamp: string | undefined;
}

function publishedBy({ published }: Untold): PublishedBy | null {
  if (published === undefined) return null;
  const at = published.lastIndexOf(' ');
  const [text = '', stamp] = published.slice(at + 1).split('#');
  const [id = '', entries = null] = text.split('.');
  return { publication: published.slice(0, at), id, entries: entries === null ? null : entries.split(','), stamp };
}

/** As older engines have told the same: without the stamp; before that, of the entries only the first that is a table's. */
export function olderPublished(published: string | undefined): readonly string[] {
  const by = published === undefined ? null : publishedBy({ published });
  if (by === null) return [];
  const { publication, id, entries } = by;
  const tables = (entries ?? []).flatMap((entry) => (/^[0-9]/.test(entry) ? BigInt(entry.split('@')[0] ?? '') : []));
  const first = tables.reduce<bigint | null>((least, oid) => (least === null || oid < least ? oid : least), null);
  return [
    `${publication} ${id}${entries === null ? '' : `.${entries.join()}`}`,
    `${publication} ${id}${first === null ? '' : `.${first}`}`,
  ];
}

/** Of the same publication, an entry that was there at both looks has been there in between. Whichever came and went meanwhile leaves no gap. */
function isThroughout(was: PublishedBy, is: PublishedBy): boolean {
  if (was.id !== is.id) return false;
  if (was.entries === null) return is.entries === null || is.entries.some((entry) => entry.startsWith('n'));
  // An older engine has not told since when a partition is attached.
  const isThere = (entry: string): boolean =>
    was.entries?.some((old) => old === entry || old === entry.split('@')[0]) === true;
  return is.entries?.some((entry) => entry !== '' && isThere(entry)) === true;
}

/** Why changes of the table are not in the queue, as a look shows it, or one has shown it that nobody has accepted since; null where all are. */
export function unloggedChange(
  { halted }: Pick<TableDefinition, 'halted'>,
  { unlogged = [] }: Pick<TableFacts, 'unlogged'>,
  isAccepted: (at: Position) => boolean,
): string | null {
  if (unlogged.length > 0)
    return `${unlogged.join(', ')} is unlogged or a foreign table, so that what changes in it is not in the queue`;
  if (halted?.lacks !== true || isAccepted(halted.at)) return null;
  return 'it, or a partition of it, was not logged for a while, and what changed meanwhile is not in the queue';
}

/** Why changes of the table are not in the queue, as was seen before, and nobody has accepted since, though nothing shows it any more; null where all are. */
export function unpublishedBefore(
  { halted }: Pick<TableDefinition, 'halted'>,
  isAccepted: (at: Position) => boolean,
): string | null {
  if (halted?.lacks !== 'unpublished' || isAccepted(halted.at)) return null;
  return 'its publication did not have it, or not all of its rows and columns, for a while, and what changed meanwhile is not in the queue';
}

export function withUntold(judgement: Judgement, facts: TableFacts): Judgement {
  if (judgement.definition === null) return judgement;
  // What tells commands no longer is not kept.
  const { toldBy: _, ...definition } = judgement.definition;
  return { ...judgement, definition: { ...definition, ...untoldOf(facts) } };
}
