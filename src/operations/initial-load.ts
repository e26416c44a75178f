import type { Row } from '../core/cell.ts';
import { carryErrors } from '../core/errors/catalogue/carry.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { targetErrors } from '../core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { BegunLoad } from '../core/load.ts';
import type { Logger } from '../core/logger.ts';
import type { Position } from '../core/position.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import type { LoadProgress } from '../core/route-status.ts';
import { type QueueSnapshot, type Source, wholeLoadLimitBytes } from '../core/source.ts';
import { type TableName, type TableVersion, tableLabel } from '../core/table.ts';
import type { Loader, Target } from '../core/target.ts';
import type { WorkMeter } from '../core/work-meter.ts';
import { definitionOf } from '../pipeline/judge-definition.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import { storedTable, type TableMapper } from '../pipeline/table-mapper.ts';
import { demandBaseCopy } from './demand-base-copy.ts';
import { endInitialJobs, initialJob } from './load/initial-job.ts';
import { placedTables } from './load/keyless-view.ts';
import { tellingColumns } from './load/telling-columns.ts';

export interface InitialLoadOptions {
  readonly definition: RouteDefinition;
  readonly source: Source;
  readonly target: Target;
  readonly store: RouteStateStore;
  readonly mapper: TableMapper;
  readonly epoch: bigint;
  readonly logger: Logger;
  readonly signal: AbortSignal;
  readonly meter: WorkMeter;
  onProgress(progress: LoadProgress): void;
  /** So many rows more are committed at the target. */
  onLoaded(rows: number): void;
}

/**
 * Makes the queue and brings the target to the queue's first position: by a copy of the tables from the queue's own
 * snapshot, or not at all with load: none. A queue that somebody else made starts where it stands, one that was prepared where the copy does.
 *
 * `creating` is stored before the queue is made and `ready` in the transaction that copies the tables. Whatever
 * interrupts it in between, the next start finds `creating`, drops the queue and begins again: a queue whose first
 * position is not stored would skip what was committed before somebody stores it.
 */
export async function initialLoad(options: InitialLoadOptions): Promise<void> {
  const { definition, source, store, mapper, signal } = options;
  const identity = await source.identity();
  const made = await positionOfMade(options);
  if (made !== null) {
    const bindings = (await source.tables()).map((table) => mapper.bind(table));
    await demandBaseCopy(options, bindings, null);
    await store.setTables(bindings.map((binding) => storedTable(binding, null)));
    await store.setReady(identity, made, { applied: definition.describe() });
    return;
  }
  await demandSize(options);
  const setCreating = (): Promise<void> => store.setCreating(identity);
  await setCreating();
  const snapshot = await source.createQueue(signal, setCreating);
  const storing: Storing = { begun: false };
  try {
    const bindings = snapshot.tables.map((table) => mapper.bind(table));
    await store.setTables(
      bindings.map((binding) => {
        const { schema, name } = binding.source;
        const facts = snapshot.facts.find((table) => table.schema === schema && table.name === name);
        return storedTable(binding, facts === undefined ? null : definitionOf(facts));
      }),
    );
    if (definition.load.mode === 'none') {
      await demandBaseCopy(options, bindings, snapshot);
      await endInitialJobs(store);
      storing.begun = true;
      await store.setReady(snapshot.source, snapshot.position, { applied: definition.describe() });
    } else {
      await copyTables(options, { snapshot, bindings, storing });
    }
  } catch (error) {
    // A COMMIT whose answer is lost may have stored that the queue is in use. Otherwise it would only hold WAL until
    // somebody starts the route again.
    const mayBeStored = storing.begun && error instanceof TidelockError && error.recovery === 'retry';
    if (!mayBeStored) await snapshot.discard().catch(() => {});
    await snapshot.close();
    throw error;
  }
  await snapshot.close();
}

/** Before a queue is made, for which the source keeps its log. */
async function demandSize({ definition, source, target, mapper }: InitialLoadOptions): Promise<void> {
  if (definition.load.mode === 'none') return;
  const bindings = (await source.tables()).map((table) => mapper.bind(table));
  const bytes = await source.sizeBytes(bindings.map((binding) => binding.source));
  if (bytes <= wholeLoadLimitBytes) return;
  const loads = await initialLoads({ definition, source, target }, bindings, bytes);
  const error = await tooLarge({ definition, source }, withoutLoads(bindings, loads));
  if (error !== null) throw error;
}

/** Where a route begins whose queue is there: given by somebody, or prepared for a copy by other means. Null where there is none. */
async function positionOfMade({ definition, source }: InitialLoadOptions): Promise<Position | null> {
  const { name: route, given, load } = definition;
  if (given.slot !== undefined) {
    const position = await source.queuePosition();
    if (position === null) throw fail(routeErrors.checkpointForeign, { route });
    return position;
  }
  const prepared = await source.prepared();
  if (prepared !== null && load.mode !== 'none') throw fail(routeErrors.preparedForCopy, { route, position: prepared });
  return prepared;
}

/** Set when the target has been told that the load is complete. */
interface Storing {
  begun: boolean;
}

interface Copy {
  readonly snapshot: QueueSnapshot;
  readonly bindings: readonly TableBinding[];
  readonly storing: Storing;
}

/**
 * Tables that hold little are copied at once. Of more, those that have a key are loaded beside the stream from here on
 * (operations/load), and only the others are copied.
 */
async function copyTables(options: InitialLoadOptions, { snapshot, bindings, storing }: Copy): Promise<void> {
  const { existing } = options.definition.load;
  const copy = (loads: readonly BegunLoad[]): Promise<void> => {
    const copied = withoutLoads(bindings, loads);
    const replaces = (): boolean => existing === 'replace';
    return copyInto(options, { snapshot, bindings: copied, beside: loads, replaces }, (loader) => {
      storing.begun = true;
      return loader.commit(snapshot.source, snapshot.position, options.definition.describe());
    });
  };
  const bytes = await snapshot.sizeBytes();
  const loads = await initialLoads(options, bindings, bytes);
  if (loads.length === 0) {
    await endInitialJobs(options.store);
    await copy([]);
    return;
  }
  const tables = loads.map(({ load }) => load.source);
  const job = await initialJob(options.store, { tables, existing });
  try {
    await copy(loads.map(({ load, ...rest }) => ({ ...rest, load: { ...load, job } })));
  } catch (error) {
    // What may have been stored all the same is gone on from; the next start makes another job of what was not.
    if (!(error instanceof TidelockError) || !isCopiedInstead(error, options.definition, bytes)) throw error;
    options.logger.info({ reason: error.message }, 'the tables are loaded in one piece');
    await options.store.jobs.end(job, { state: 'cancelled' });
    await copy([]);
  }
}

/** Those loads of a route that begins, whose tables hold so many bytes, that go beside the stream. */
export async function initialLoads(
  options: LoadsOptions,
  bindings: readonly TableBinding[],
  bytes: number,
): Promise<readonly BegunLoad[]> {
  const { existing, wholeUpToBytes } = options.definition.load;
  // Rows are only told apart from those that are there by loads beside the stream.
  const isWhole = bytes <= wholeUpToBytes && existing !== 'merge';
  return isWhole ? [] : await loadsOf(options, bindings, wholeUpToBytes);
}

/** Those of the tables that are copied. */
export function withoutLoads(bindings: readonly TableBinding[], loads: readonly BegunLoad[]): readonly TableBinding[] {
  const beside = new Set(loads.map(({ load }) => load.source));
  return bindings.filter(({ source }) => !beside.has(tableLabel(source)));
}

/** What is copied in one piece is bounded, since the source keeps its log meanwhile. */
export async function tooLarge(
  { definition, source }: { readonly definition: RouteDefinition; readonly source: Pick<Source, 'sizeBytes'> },
  copied: readonly TableBinding[],
): Promise<TidelockError | null> {
  const bytes = copied.length === 0 ? 0 : await source.sizeBytes(copied.map((binding) => binding.source));
  if (bytes <= wholeLoadLimitBytes) return null;
  return fail(targetErrors.loadTooLarge, { route: definition.name, bytes, limitBytes: wholeLoadLimitBytes });
}

/** What keeps a table from being loaded beside the stream and not from being copied. */
export const copiedInstead: readonly string[] = [
  targetErrors.loadUnderForeignKey.code,
  targetErrors.loadNeedsKey.code,
  carryErrors.coarserKey.code,
];

/** The tables of a route that begins are then copied after all, all of them. */
export function isCopiedInstead({ code }: TidelockError, { load }: RouteDefinition, bytes: number): boolean {
  return copiedInstead.includes(code) && bytes <= wholeLoadLimitBytes && load.existing !== 'merge';
}

/**
 * Those of the tables of a change that are copied in one piece: all of what is not too large together, else those without a key, unless these are too
 * large, too.
 */
export async function tablesCopied<T extends TableName>(
  source: Pick<Source, 'sizeBytes' | 'reader'>,
  tables: readonly T[],
): Promise<readonly T[]> {
  if (tables.length === 0 || (await source.sizeBytes(tables)) <= wholeLoadLimitBytes) return tables;
  const reader = source.reader();
  try {
    const copied: T[] = [];
    for (const table of tables) if ((await reader.key(table)) === null) copied.push(table);
    return copied.length === 0 || (await source.sizeBytes(copied)) <= wholeLoadLimitBytes ? copied : [];
  } finally {
    await reader.close();
  }
}

export interface LoadsOptions extends Pick<InitialLoadOptions, 'definition'> {
  readonly source: Pick<Source, 'reader' | 'sizeBytes'>;
  readonly target: Pick<Target, 'takesKeyless'>;
}

/** For less nobody makes a slot and a snapshot. */
const leastPlacedBytes = 256_000;

/**
 * Of the tables that have a key. Where the others hold more than `copiedUpToBytes` together, of those of them, too, that can be read by their
 * places.
 */
export async function loadsOf(
  options: LoadsOptions,
  bindings: readonly TableBinding[],
  copiedUpToBytes = wholeLoadLimitBytes,
): Promise<readonly BegunLoad[]> {
  const { source, definition } = options;
  const reader = source.reader();
  try {
    const loads: BegunLoad[] = [];
    const keys = new Map<TableBinding, readonly string[]>();
    for (const binding of bindings) keys.set(binding, (await reader.key(binding.source))?.columns ?? []);
    const keyless = bindings.filter((binding) => keys.get(binding)?.length === 0);
    const bytes = keyless.length === 0 ? 0 : await source.sizeBytes(keyless.map((binding) => binding.source));
    const isLarge = bytes > Math.max(copiedUpToBytes, leastPlacedBytes);
    const placed = isLarge ? await placedTables(options.target, reader, keyless) : new Map<string, unknown>();
    for (const binding of bindings) {
      const key = keys.get(binding) ?? [];
      if (key.length === 0 && !placed.has(tableLabel(binding.source))) continue;
      const size = await reader.size(binding.source);
      const load = {
        source: tableLabel(binding.source),
        targets: binding.tables.map(tableLabel),
        // Nothing tells such rows from those that are there.
        existing: key.length === 0 && definition.load.existing === 'merge' ? 'refuse' : definition.load.existing,
        where: null,
        key,
        expectedRows: size.rows,
        expectedBytes: size.bytes,
        job: null,
      };
      const telling = binding.tables.map((table) => (key.length === 0 ? [] : tellingColumns(binding, table, key)));
      loads.push({ load, tables: binding.tables, telling, where: null });
    }
    return loads;
  } finally {
    await reader.close();
  }
}

export interface CopiedTables extends Pick<Copy, 'snapshot' | 'bindings'> {
  /** True where the rows that are in a target table go; else it has to be empty. */
  replaces(target: TableVersion): boolean;
  /** What is not copied, but loaded beside the stream later. */
  readonly beside?: readonly BegunLoad[];
}

/** `commit` makes the rows count. */
export async function copyInto(
  options: InitialLoadOptions,
  { snapshot, bindings, replaces, beside = [] }: CopiedTables,
  commit: (loader: Loader) => Promise<void>,
): Promise<void> {
  const { definition, target, epoch, logger, mapper, signal } = options;
  const isPart = beside.length > 0;
  const sources = bindings.map(({ source }) => source);
  const bytes = isPart ? await options.source.sizeBytes(sources) : await snapshot.sizeBytes();
  if (bytes > wholeLoadLimitBytes)
    throw fail(targetErrors.loadTooLarge, { route: definition.name, bytes, limitBytes: wholeLoadLimitBytes });
  const beganMs = Date.now();
  const loader = await target.loader({
    epoch,
    sourceNode: options.source.originName(snapshot.source),
    position: snapshot.position,
  });
  // An abort has to end a COPY that waits for the target, too.
  const onAbort = (): void => void loader.abort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    const progress = { tablesDone: 0, tables: bindings.flatMap(({ tables }) => tables).length, rows: 0 };
    options.onProgress(progress);
    const targets = bindings.flatMap((binding) => binding.tables.map((table) => ({ binding, table })));
    const sorted = await loader.sort(targets.map((target) => target.table));
    await loader.empty(sorted.filter(replaces));
    await loader.begin(beside);
    for (const table of sorted) {
      const binding = targets.find((target) => target.table === table)?.binding;
      if (binding === undefined) throw new RangeError('a table that was not asked for');
      // A source table whose rows go to several tables is read once for each: the snapshot is the same.
      const batches = snapshot.read(binding.source, signal);
      const mapped = mapBatches({ mapper, binding, table, position: snapshot.position }, batches, (rows, more) => {
        options.meter.loaded(table, more);
        options.onProgress({ ...progress, rows: progress.rows + rows });
      });
      progress.rows += await loader.load(table, mapped);
      progress.tablesDone++;
      options.onProgress(progress);
    }
    await commit(loader);
    options.onLoaded(progress.rows);
    logger.info({ ...progress, position: snapshot.position }, 'tables loaded');
    const { rows, tables } = progress;
    options.meter.onDone?.({ kind: 'load', beganMs, endedMs: Date.now(), rows, tables, position: snapshot.position });
  } catch (error) {
    await loader.abort();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

interface Mapping {
  readonly mapper: TableMapper;
  readonly binding: TableBinding;
  /** The rows of this one of the binding's tables. */
  readonly table: TableVersion;
  readonly position: Position;
}

async function* mapBatches(
  { mapper, binding, table, position }: Mapping,
  batches: AsyncIterable<readonly Row[]>,
  onRows: (rows: number, more: number) => void,
): AsyncGenerator<readonly Row[]> {
  let rows = 0;
  for await (const batch of batches) {
    const mapped: Row[] = [];
    for (const row of batch)
      for (const made of mapper.rows(binding, row, position)) if (made.output.table === table) mapped.push(made.row);
    rows += mapped.length;
    onRows(rows, mapped.length);
    if (mapped.length > 0) yield mapped;
  }
}
