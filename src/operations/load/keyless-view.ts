import { asTidelockError } from '../../core/errors/defect.ts';
import type { Job } from '../../core/job.ts';
import type { BegunLoad, StoredLoad } from '../../core/load.ts';
import type { QueueSnapshot } from '../../core/source.ts';
import type { SourceReader } from '../../core/source-reader.ts';
import { tableLabel } from '../../core/table.ts';
import type { StoredPart } from '../../core/table-places.ts';
import type { Target } from '../../core/target.ts';
import type { TableBinding } from '../../pipeline/mapping/table-binding.ts';
import type { InitialLoadOptions } from '../initial-load.ts';
import type { LoadDesk } from './load-desk.ts';

/** What loads without a key read: tables at the position from which on the stream has their changes. */
export interface KeylessView {
  readonly snapshot: QueueSnapshot;
  /** By label of the source table. */
  readonly parts: ReadonlyMap<string, readonly StoredPart[]>;
}

export interface OpenedView {
  readonly view: KeylessView | null;
  /** It could not be made now, and is to be tried again later: the stream goes first. */
  readonly isBusy: boolean;
}

/** A slot waits for the transactions that are open when it is made, and nothing streams meanwhile. */
const viewWithinMs = 10_000;

const nothing: OpenedView = { view: null, isBusy: false };

/**
 * Whether what the queue tells of such a table's rows is all that is in them, or nothing but that they come: and whether the route carries all of that out. Else a row
 * that goes could not be told from others.
 */
export function isKeylessFit({ source, dropped, kept }: Pick<TableBinding, 'source' | 'dropped' | 'kept'>): boolean {
  const isTold = source.identity === 'full' || source.columns.every(({ key }) => !key);
  return isTold && dropped.size === 0 && kept === null;
}

/** Of tables without a key those that can be loaded beside the stream. */
export async function placedTables(
  { takesKeyless }: Pick<Target, 'takesKeyless'>,
  reader: Pick<SourceReader, 'places'>,
  bindings: readonly TableBinding[],
): Promise<ReadonlyMap<string, readonly StoredPart[]>> {
  const placed = new Map<string, readonly StoredPart[]>();
  if (takesKeyless !== true) return placed;
  for (const binding of bindings) {
    const parts = isKeylessFit(binding) ? await reader.places?.(binding.source) : null;
    if (parts != null) placed.set(tableLabel(binding.source), parts);
  }
  return placed;
}

/**
 * Before a session streams: loads without a key that are not complete begin anew. Another view is made, by a temporary slot, whose position belongs to it; in one
 * target transaction all rows of theirs go that are there, and it is noted that the stream's changes count from that position on. So nothing that an
 * earlier view has brought meets what this one brings, whatever has ended the session before.
 */
export async function openKeylessView(options: InitialLoadOptions & { readonly desk: LoadDesk }): Promise<OpenedView> {
  const { source, target, store, mapper, epoch, logger, signal } = options;
  if (target.takesKeyless !== true) return nothing;
  const open = (await store.loads()).filter(({ done, key }) => !done && key.length === 0);
  const due: StoredLoad[] = [];
  for (const load of open) if (await isDue(load, options)) due.push(load);
  if (due.length === 0) return nothing;
  const labels = new Set(due.map((load) => load.source));
  const tables = (await source.tables()).filter((table) => labels.has(tableLabel(table)));
  const wanted = tables.filter((table) => isKeylessFit(mapper.bind(table)));
  if (wanted.length === 0) return nothing;
  const inTime = AbortSignal.timeout(viewWithinMs);
  const snapshot = await source.addTables(wanted, AbortSignal.any([signal, inTime])).catch((reason: unknown) => {
    signal.throwIfAborted();
    const error = asTidelockError(reason);
    if (!inTime.aborted && error.recovery !== 'retry') throw error;
    logger.info({ tables: [...labels], reason: error.message }, 'tables without a key wait for their load');
    return null;
  });
  if (snapshot === null) return { view: null, isBusy: true };
  try {
    await snapshot.hold?.();
    const parts = await placedTables(
      target,
      snapshot,
      snapshot.tables.map((table) => mapper.bind(table)),
    );
    const loads = due.flatMap((load): BegunLoad[] => {
      const table = snapshot.tables.find((one) => tableLabel(one) === load.source);
      if (table === undefined || !parts.has(load.source)) return [];
      return [{ load, tables: mapper.bind(table).tables, telling: [], where: null }];
    });
    const sourceNode = source.originName(snapshot.source);
    const loader = await target.loader({ epoch, sourceNode, position: snapshot.position });
    try {
      await loader.beginAnew?.(loads);
    } catch (error) {
      await loader.abort();
      throw error;
    }
    const begun = new Map(loads.map(({ load }) => [load.source, parts.get(load.source) ?? []]));
    logger.info(
      { tables: [...begun.keys()], position: snapshot.position },
      'tables without a key are loaded from here',
    );
    return { view: { snapshot, parts: begun }, isBusy: false };
  } catch (error) {
    await snapshot.close();
    throw error;
  }
}

/** Whoever has it rest, or has cancelled it, is not to have the source keep a snapshot for it. */
async function isDue(
  { source, job }: StoredLoad,
  { store, desk }: Pick<InitialLoadOptions, 'store'> & { readonly desk: LoadDesk },
): Promise<boolean> {
  if (job === null || desk.isWanted(source, job)) return true;
  const known = await store.jobs.read(job);
  return known !== null && isToRun(known);
}

function isToRun({ state, wish }: Job): boolean {
  return !['done', 'failed', 'cancelled', 'paused'].includes(state) && wish === 'run';
}
