import type { TableDefinition, TableFacts } from '../core/table-facts.ts';
import type { Judgement } from './judge-definition.ts';

type Untold = Pick<TableDefinition, 'labels' | 'published'>;

/** What nothing in the queue tells, and what has come of it. */
export function untoldOf({ labels, published }: Untold): Untold {
  return { ...(labels !== undefined && { labels }), ...(published !== undefined && { published }) };
}

/** Why rows have changed, or changes are missing, and nothing in the queue tells it; null where neither is so. `tellsLabels`: commands do. */
export function untoldChange(before: Untold, now: Untold, tellsLabels: boolean): string | null {
  const { labels = {} } = now;
  const isRenamed = ([id, label]: readonly [string, string]): boolean =>
    labels[id] !== undefined && labels[id] !== label;
  if (!tellsLabels && Object.entries(before.labels ?? {}).some(isRenamed))
    return 'a value of an enum was renamed, or an attribute of a composite type added or dropped, so that rows that have it changed without row events';
  const [publication = ''] = now.published?.split(' ') ?? [];
  // A route that was renamed has another one.
  if (before.published === now.published || !before.published?.startsWith(`${publication} `) || publication === '')
    return null;
  return `it was taken out of publication ${publication} and put back, and what changed in between is not in the queue`;
}

export function withUntold(judgement: Judgement, facts: TableFacts): Judgement {
  const { definition } = judgement;
  return definition === null ? judgement : { ...judgement, definition: { ...definition, ...untoldOf(facts) } };
}
