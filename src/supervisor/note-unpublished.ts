import { sourceErrors } from '../core/errors/catalogue/source.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Position } from '../core/position.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { Source } from '../core/source.ts';

/** Labels of tables that the publication did not have, or not whole, where that is what a session has ended of. */
export function unpublishedOf(error: unknown): readonly string[] {
  if (!(error instanceof TidelockError) || error.code !== sourceErrors.publicationIncomplete.code) return [];
  return (error.place as { readonly tables: readonly string[] }).tables;
}

export interface NoteOptions {
  readonly source: Pick<Source, 'status'>;
  readonly store: Pick<RouteStateStore, 'tables' | 'setHalted'>;
  /** A position of the source's that was told before, for where it does not answer any more. */
  readonly behind: Position | null;
}

/**
 * Of tables that the route carries, while no session is under way. Once the publication is mended the catalogue may show no more that it lacked changes of them: then it
 * is for a person to say that these were looked after.
 */
export async function noteUnpublished(labels: readonly string[], options: NoteOptions): Promise<void> {
  if (labels.length === 0) return;
  const { source, store, behind } = options;
  const known = (await store.tables()).map((table) => table.source).filter((label) => labels.includes(label));
  if (known.length === 0) return;
  const at = await source.status().then(
    ({ position }) => position,
    (error: unknown) => {
      if (behind === null) throw error;
      return behind;
    },
  );
  for (const label of known) await store.setHalted(label, { at, print: '', lacks: 'unpublished' });
}
