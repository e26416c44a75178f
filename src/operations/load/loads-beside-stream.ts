import PQueue from 'p-queue';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { asTidelockError } from '../../core/errors/defect.ts';
import { fail } from '../../core/errors/tidelock-error.ts';
import type { LoadWait, StoredLoad } from '../../core/load.ts';
import type { Logger } from '../../core/logger.ts';
import type { OwnedShare } from '../../core/owned-share.ts';
import { pause } from '../../core/pause.ts';
import type { RouteDefinition } from '../../core/route.ts';
import type { RouteStateStore } from '../../core/route-state-store.ts';
import type { LoadProgress } from '../../core/route-status.ts';
import { countOf } from '../../core/row-set.ts';
import type { Source } from '../../core/source.ts';
import type { SourceReader } from '../../core/source-reader.ts';
import { tableLabel } from '../../core/table.ts';
import type { TableDefinition } from '../../core/table-facts.ts';
import type { Target } from '../../core/target.ts';
import type { TransactionPart } from '../../core/transaction.ts';
import type { WorkMeter } from '../../core/work-meter.ts';
import type { LoadingTables } from '../../pipeline/loading-tables.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import type { WatermarkWindows } from '../../pipeline/watermark-windows.ts';
import { beginLoad } from './begin-load.ts';
import { isInitialLoad } from './initial-job.ts';
import { type AnewBecause, KeylessLoad } from './keyless-load.ts';
import type { OpenedView } from './keyless-view.ts';
import type { LoadDesk, WantedLoad } from './load-desk.ts';
import { LoadMemory } from './load-memory.ts';
import type { LoadOfTable } from './load-of-table.ts';
import { LoadPace } from './load-pace.ts';
import { LoadRates, rateOfAll } from './load-rates.ts';
import { TableLoad, type TableLoadOptions } from './table-load.ts';
import { TargetTime } from './target-time.ts';

export interface LoadsOptions {
  readonly definition: RouteDefinition;
  readonly source: Source;
  readonly target: Target;
  readonly store: RouteStateStore;
  readonly mapper: TableMapper;
  readonly windows: WatermarkWindows;
  readonly loading: LoadingTables;
  readonly desk: LoadDesk;
  readonly meter: WorkMeter;
  readonly logger: Logger;
  /** What loads without a key read. */
  readonly keyless?: OpenedView;
  /** A load without a key has to begin anew: the session is to end, and another to begin. */
  onAnew?(): void;
  /** How late changes are at the target; null where that is not known. */
  lagMs(): number | null;
  /** As the stream has the table where it has got to. */
  tableDefinition(label: string): TableDefinition | null;
  /** Null where nothing is being loaded. `initial`: the route's own load, without which it is not what it is to be. */
  onProgress(progress: LoadProgress | null, initial: boolean): void;
  /** So many rows more are committed at the target: those that the route makes of what was read. */
  onLoaded(rows: number): void;
}

/** How often the job of a load that runs without having been taken up is looked at. */
const untakenMs = 500;

/** Of the route's memory: what has been read and is not at the target. */
const memoryShare = 1 / 8;
/** Of that: a chunk. One is read while another is applied. */
const chunkShare = 1 / 2;

/** One hides the ways of another's watermarks; the target takes one chunk at a time. */
const tablesAtOnce = 3;

const longestRetryMs = 15_000;

/** How long the stream goes on where a view for loads without a key could not be made. */
const busyMs = 30_000;

interface Running {
  stored: StoredLoad;
  readonly table: LoadOfTable;
  stop: AbortController;
  /** It has been handed to the queue. */
  queued: boolean;
  /** By its job, in this session: from then on it goes where the job does. */
  wasWanted: boolean;
}

/**
 * The loads of a route while one session of its stream lasts: those that are stored go on where they were, and those that jobs want begin. A
 * source that does not answer is tried again, and nothing of it holds up the stream; whatever else keeps a route's own load from going
 * on ends the session with its error, and a job's only the job.
 */
export class LoadsBesideStream {
  readonly #options: LoadsOptions;
  readonly #reader: SourceReader;
  readonly #time = new TargetTime();
  readonly #memory: LoadMemory;
  readonly #chunkBytes: number;
  readonly #pace: LoadPace;
  #waits: LoadWait | null = null;
  readonly #queue = new PQueue({ concurrency: tablesAtOnce });
  readonly #running = new Map<string, Running>();
  /** Jobs that loads belong to. */
  readonly #jobs = new Map<
    number,
    { readonly isInitial: boolean; readonly isToRun: boolean; readonly isOver: boolean }
  >();
  /** Of tables that were renamed: what has gone on before is still on its way under the old name. */
  readonly #renamed = new Map<string, string>();
  readonly #gone = new Set<string>();
  readonly #beginning = new Set<string>();
  /** Loads that jobs still want and that have been begun by this session, or were before. */
  readonly #begun = new Set<string>();
  readonly #rates = new LoadRates();
  readonly #over = new AbortController();
  #stopListening: () => void = () => {};
  #tables = 0;
  #tablesDone = 0;
  #rows = 0;
  #bytes = 0;

  constructor(options: LoadsOptions) {
    this.#options = options;
    this.#reader = options.source.reader();
    const bytes = Math.floor(options.definition.apply.memoryBytes * memoryShare);
    this.#memory = new LoadMemory(bytes, this.#time);
    this.#chunkBytes = Math.floor(bytes * chunkShare);
    this.#pace = new LoadPace({
      limits: options.definition.load.limits,
      lagMs: options.lagMs,
      onWait: (wait) => {
        this.#waits = wait;
        this.#tell();
      },
    });
  }

  /** Before the stream begins: which tables lack rows. */
  async open(): Promise<void> {
    const loads = (await this.#options.store.loads()).filter(({ done }) => !done);
    for (const job of new Set(loads.flatMap((load) => load.job ?? []))) await this.#readJob(job);
    for (const load of loads) {
      if (load.key.length === 0) {
        this.#add(load, null, true);
        continue;
      }
      const part = load.where === null ? null : await this.#options.definition.tables.part(load.where);
      const { schema, name } = this.#options.tableDefinition(load.source) ?? {};
      const key = schema === undefined || name === undefined ? null : await this.#reader.key({ schema, name });
      // The stream may be on its way to the command that has renamed or dropped the table, or taken its key: the load waits for it.
      if (key === null) {
        this.#add(load, part);
        continue;
      }
      // Of another key the bound means nothing: all ranges are read anew, and rows that are there are kept.
      const isSame = key.columns.join('\0') === load.key.join('\0');
      this.#add(isSame ? load : { ...load, key: key.columns, after: null, ended: false, again: [] }, part);
    }
    this.#tell();
  }

  /** While the stream lasts. Rejects with what a load of the route's own has failed with; resolves when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    signal.addEventListener('abort', () => this.#over.abort(), { once: true });
    if (signal.aborted) this.#over.abort();
    let failed: { readonly error: unknown } | null = null;
    const look = (): void =>
      this.#look((error) => {
        failed ??= { error };
        this.#over.abort();
      });
    this.#stopListening = this.#options.desk.onChange(look);
    const watching = this.#watchUntaken(look);
    try {
      look();
      await new Promise<void>((resolve) => {
        if (this.#over.signal.aborted) resolve();
        this.#over.signal.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      this.#stopListening();
      for (const { stop } of this.#running.values()) stop.abort();
      this.#over.abort();
      await watching;
      await this.#reader.close();
      await this.#queue.onIdle();
    }
    if (failed !== null) throw (failed as { readonly error: unknown }).error;
  }

  /** The stream has come to where a table has another name, or is gone (null); the target follows in the transaction that has it. */
  moved(from: string, to: string | null): void {
    const running = this.#running.get(from);
    if (running === undefined) return;
    this.#running.delete(from);
    if (to !== null) {
      running.table.rename(to);
      this.#options.desk.rename(from, to);
      this.#renamed.set(from, to);
      this.#renamed.delete(to);
      running.stored = { ...running.stored, source: to };
      this.#running.set(to, running);
    } else {
      running.stop.abort();
      this.#options.loading.delete(from);
      this.#gone.add(from);
      // Of the route's own load there is one table less.
      if (this.#isInitial(running.stored)) this.#options.desk.drop(from);
      else {
        const place = { route: this.#options.definition.name, table: from };
        this.#options.desk.fail(from, fail(routeErrors.loadWithoutKey, place));
      }
      this.#tables--;
    }
    this.#beginAnew();
    this.#tell();
  }

  /** A part that is at the target. */
  applied({ chunk, rows: changed }: TransactionPart): void {
    if (chunk === undefined) {
      if (changed > 0) this.#time.changed();
      return;
    }
    this.#memory.give(chunk.reserved);
    this.#running.get(this.#nameNow(chunk.source))?.table.applied(chunk);
    const { rows, bytes, done } = chunk.progress;
    this.#rows += rows;
    this.#bytes += bytes;
    this.#rates.add(chunk.source, rows, bytes);
    let written = 0;
    for (const set of chunk.sets) {
      const more = countOf(set);
      this.#options.meter.loaded(set.table, more);
      written += more;
    }
    this.#options.onLoaded(written);
    if (done) this.#finished(chunk.source);
    this.#tell();
  }

  /** Of a table that may have been renamed since a chunk of it went on. */
  #nameNow(chunkSource: string): string {
    let source = chunkSource;
    for (let name = this.#renamed.get(source); name !== undefined; name = this.#renamed.get(source)) source = name;
    return source;
  }

  #finished(chunkSource: string): void {
    const source = this.#nameNow(chunkSource);
    const running = this.#running.get(source);
    // The table is loaded anew already.
    if (running !== undefined && !running.table.done) return;
    this.#running.delete(source);
    this.#letViewGo();
    this.#beginAnew();
    this.#tablesDone++;
    const { table } = running ?? {};
    this.#options.logger.info({ table: source, rows: table?.rows, bytes: table?.bytes }, 'table loaded');
    if (this.#running.size > 0) return;
    [this.#tables, this.#tablesDone, this.#rows, this.#bytes] = [0, 0, 0, 0];
  }

  /** `isOpened`: it was there when the session began, and so what it reads, if that was made. */
  #add(stored: StoredLoad, part: OwnedShare | null, isOpened = false): Running {
    const { windows, loading, mapper, definition } = this.#options;
    const options: TableLoadOptions = {
      route: definition.name,
      reader: this.#reader,
      windows,
      loading,
      mapper,
      memory: this.#memory,
      time: this.#time,
      pace: this.#pace,
      chunkBytes: this.#chunkBytes,
      definition: (label) => this.#options.tableDefinition(label),
    };
    const table =
      stored.key.length === 0 ? this.#keyless(stored, options, isOpened) : new TableLoad(stored, options, part);
    const running = { stored, table, stop: new AbortController(), queued: false, wasWanted: false };
    const replaced = this.#running.get(stored.source);
    if (replaced !== undefined) {
      this.#tables--;
      this.#rows -= replaced.table.rows;
      this.#bytes -= replaced.table.bytes;
    }
    this.#running.set(stored.source, running);
    this.#renamed.delete(stored.source);
    this.#gone.delete(stored.source);
    this.#tables++;
    this.#rows += stored.rows;
    this.#bytes += stored.bytes;
    return running;
  }

  #keyless(stored: StoredLoad, options: TableLoadOptions, isOpened: boolean): KeylessLoad {
    const { keyless: { view, isBusy } = { view: null, isBusy: false }, logger, source } = this.#options;
    const load = new KeylessLoad(stored, {
      ...options,
      // One that was made before the load has begun is of another position than what the target is emptied at.
      view: isOpened && view?.parts.has(stored.source) ? view : null,
      viewAfterMs: isBusy ? busyMs : 0,
      found: async (label) => (await source.tables()).find((table) => tableLabel(table) === label) ?? null,
      onAnew: (why: AnewBecause) => {
        if (why !== 'begun')
          logger.warn({ table: stored.source, why }, 'the load of a table without a key begins anew');
        this.#beginAnew();
        this.#tell();
      },
      onKeyed: () => this.#changeOver(load),
    });
    return load;
  }

  /** Some load goes that would have to begin anew if the session ended. */
  get #isReading(): boolean {
    return [...this.#running.values()].some((running) => running.table.reads === true && this.#goes(running));
  }

  /** For a load that can't go on in this session. What another one has read so far would be for nothing: it comes to its end first, unless it rests. */
  #beginAnew(): void {
    const isWanted = [...this.#running.values()].some(
      (running) => running.table.isOver === true && this.#goes(running),
    );
    if (isWanted && !this.#isReading) this.#options.onAnew?.();
  }

  /** Without a key it would end the session. False where nobody wants it any more. */
  async #mayBegin({ source, job }: WantedLoad): Promise<boolean> {
    const { desk } = this.#options;
    const over = this.#over.signal;
    const table = this.#options.tableDefinition(source);
    if (!this.#isReading || table === null || (await this.#reader.key(table)) !== null) return true;
    while (this.#isReading && desk.isWanted(source, job) && !over.aborted) await pause(untakenMs, over);
    return desk.isWanted(source, job) && !over.aborted;
  }

  /** What is at the target of a table that has got a key goes, and it is loaded by that. */
  async #changeOver(load: LoadOfTable): Promise<void> {
    const running = [...this.#running.values()].find(({ table }) => table === load);
    if (running === undefined) return;
    const { source, job } = running.stored;
    this.#options.logger.warn({ table: source }, 'a table has got a key, and is loaded by that from its first row on');
    await beginLoad(
      { ...this.#options, reader: this.#reader, signal: this.#over.signal },
      { source, existing: 'replace', where: null, job },
      (begun, part) => void this.#add(begun, part),
    );
    this.#tell();
  }

  /** Begins what is wanted, and lets go what is no longer. */
  #look(onFailure: (error: unknown) => void): void {
    const { desk } = this.#options;
    const starting: Running[] = [];
    for (const running of this.#running.values()) {
      const { stored, queued } = running;
      const { job } = stored;
      if (job !== null && desk.isWanted(stored.source, job)) running.wasWanted = true;
      else if (job !== null && running.wasWanted) void this.#rest(job);
      const goes = this.#goes(running);
      if (goes && !queued && !running.table.done) starting.push(running);
      else if (!goes && queued) running.stop.abort();
    }
    // The queue begins with what it is given first, whatever comes behind it.
    for (const running of this.#byPriority(starting, ({ stored }) => stored.source)) this.#start(running, onFailure);
    this.#beginAnew();
    this.#tell();
    const beginning = desk.wanted.filter((wanted) => !this.#isBegun(wanted));
    for (const wanted of this.#byPriority(beginning, ({ source }) => source)) {
      this.#beginning.add(wanted.source);
      this.#begin(wanted)
        .then((isBegun) => isBegun && this.#begun.add(nameOf(wanted)))
        .catch((error: unknown) => {
          if (!this.#over.signal.aborted) desk.fail(wanted.source, error);
        })
        .finally(() => {
          this.#beginning.delete(wanted.source);
          if (!this.#over.signal.aborted) this.#look(onFailure);
        });
    }
  }

  #isBegun(wanted: WantedLoad): boolean {
    const { source, job } = wanted;
    // What its job has read is from before the command.
    const isStale = this.#renamed.has(source) || this.#gone.has(source);
    if (isStale && this.#options.tableDefinition(source) === null) return true;
    if (this.#running.get(source)?.stored.job === job) return true;
    return this.#beginning.has(source) || this.#begun.has(nameOf(wanted));
  }

  /** Of the load that the route has begun with: without it the route is not what it is to be, and whatever keeps it from going on halts that. */
  #isInitial({ job }: StoredLoad): boolean {
    return job === null || this.#jobs.get(job)?.isInitial === true;
  }

  /** A route's own load goes on at once, and not only when its job has been taken up; unless somebody has told it to rest. */
  #goes({ stored: { source, job }, wasWanted }: Running): boolean {
    if (job === null || this.#options.desk.isWanted(source, job)) return true;
    const known = this.#jobs.get(job);
    return known?.isInitial === true && known.isToRun && !wasWanted;
  }

  /** Who pauses or cancels a job before it was taken up tells the stored job only. */
  async #watchUntaken(look: () => void): Promise<void> {
    const over = this.#over.signal;
    for (;;) {
      await pause(untakenMs, over);
      const untaken = [...this.#running.values()].filter(({ stored, table, wasWanted }) => {
        const known = stored.job === null ? undefined : this.#jobs.get(stored.job);
        return known?.isInitial === true && !wasWanted && !table.done;
      });
      if (over.aborted || untaken.length === 0) return;
      // A look that fails is followed by another.
      for (const job of new Set(untaken.flatMap(({ stored }) => stored.job ?? [])))
        await this.#readJob(job).catch(() => {});
      if (!over.aborted) look();
    }
  }

  async #readJob(number: number): Promise<void> {
    const job = await this.#options.store.jobs.read(number);
    const isOver = job === null || ['done', 'failed', 'cancelled'].includes(job.state) || job.wish === 'cancel';
    const isToRun = !isOver && job.state !== 'paused' && job.wish === 'run';
    this.#jobs.set(number, { isInitial: !isOver && isInitialLoad(job), isToRun, isOver });
  }

  /** A job that was cancelled leaves nothing that the route would still have to wait for. */
  async #rest(number: number): Promise<void> {
    await this.#readJob(number).catch(() => {});
    this.#letViewGo();
    if (!this.#over.signal.aborted) this.#tell();
  }

  /** Nothing reads it any more: the source is not to keep old rows for it. */
  #letViewGo(): void {
    const { view } = this.#options.keyless ?? {};
    if (view == null) return;
    const left = [...this.#running.values()].filter(
      ({ stored, table }) => view.parts.has(stored.source) && !table.done,
    );
    const isOver = ({ job }: StoredLoad): boolean => job !== null && this.#jobs.get(job)?.isOver === true;
    if (!left.every(({ stored }) => isOver(stored))) return;
    for (const { table } of left) table.letGo?.();
    void view.snapshot.close().catch(() => {});
  }

  /** False where it was not to be any more. */
  async #begin(wanted: WantedLoad): Promise<boolean> {
    const known = (await this.#options.store.loads()).find(({ source }) => source === wanted.source);
    if (known?.job === wanted.job) return true;
    const replaced = this.#running.get(wanted.source);
    if (replaced !== undefined && this.#goes(replaced))
      throw fail(routeErrors.loadUnderWay, { route: this.#options.definition.name, table: wanted.source });
    if (known !== undefined && !known.done && !bringsAllOf(wanted, known))
      throw fail(routeErrors.loadUnfinished, { route: this.#options.definition.name, table: wanted.source });
    if (!(await this.#mayBegin(wanted))) return false;
    replaced?.stop.abort();
    await beginLoad(
      { ...this.#options, reader: this.#reader, signal: this.#over.signal },
      wanted,
      (load, part) => void this.#add(load, part),
    );
    this.#tell();
    return true;
  }

  #start(running: Running, onFailure: (error: unknown) => void): void {
    running.queued = true;
    running.stop = new AbortController();
    const signal = AbortSignal.any([running.stop.signal, this.#over.signal]);
    void this.#queue
      .add(() => this.#retried(running, signal), { priority: this.#priority(running.stored.source) })
      .catch((error: unknown) => {
        if (signal.aborted) return;
        if (this.#isInitial(running.stored)) onFailure(error);
        else this.#options.desk.fail(running.stored.source, error);
      })
      .finally(() => {
        running.queued = false;
        // Somebody may have wanted it again before it had stopped.
        if (!this.#over.signal.aborted) this.#look(onFailure);
      });
  }

  #byPriority<T>(loads: readonly T[], sourceOf: (load: T) => string): readonly T[] {
    if (loads.length < 2) return loads;
    const priorities = new Map(loads.map((load) => [load, this.#priority(sourceOf(load))]));
    return loads.toSorted((a, b) => (priorities.get(b) ?? 0) - (priorities.get(a) ?? 0));
  }

  #priority(source: string): number {
    const { schema, name } = this.#options.tableDefinition(source) ?? {};
    if (schema === undefined || name === undefined) return 0;
    return this.#options.definition.tables.select(schema, name)?.loadPriority ?? 0;
  }

  async #retried({ table, stored: { source } }: Running, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const { rows } = table;
        await table.run(signal);
        if (table.rows > rows) attempt = 0;
        return;
      } catch (reason) {
        const error = asTidelockError(reason);
        if (signal.aborted || error.recovery !== 'retry') throw error;
        const { code, message } = error;
        this.#options.logger.warn({ table: source, code, reason: message }, 'load interrupted, trying again');
        await pause(Math.min(250 * 2 ** attempt, longestRetryMs), signal);
      }
    }
  }

  #tell(): void {
    const all = [...this.#running.values()];
    if (all.length === 0) {
      this.#options.onProgress(null, true);
      return;
    }
    const tables = all.map((running) => {
      const { stored, table } = running;
      const { source } = stored;
      const { rows, bytes, expected } = table;
      const { rows: expectedRows, bytes: expectedBytes } = expected ?? {
        rows: stored.expectedRows,
        bytes: stored.expectedBytes,
      };
      const told = this.#rates.of({ table: source, rows, bytes, expectedRows, expectedBytes });
      const doing = {
        ...told,
        ...(table.emptying && { emptying: true as const }),
        ...(stored.key.length === 0 && { keyless: true as const }),
        ...(table.isLeft && { unfollowed: true as const }),
      };
      // How fast it came is nothing to expect of what nobody goes on with.
      return this.#goes(running) ? doing : { ...doing, rowsPerSecond: null, leftMs: null, rests: true as const };
    });
    // What nobody goes on with is not waited for.
    const { rowsPerSecond, leftMs } = rateOfAll(
      all.flatMap((running, at) => (this.#goes(running) ? (tables[at] ?? []) : [])),
    );
    this.#options.onProgress(
      {
        tablesDone: this.#tablesDone,
        tables: this.#tables,
        rows: this.#rows,
        bytes: this.#bytes,
        rowsPerSecond,
        leftMs,
        loading: tables,
        ...(this.#waits !== null && all.some((running) => this.#goes(running)) && { waits: this.#waits }),
      },
      all.some(({ stored }) => this.#isInitial(stored)),
    );
  }
}

function nameOf({ source, job }: WantedLoad): string {
  return `${source}/${job}`;
}

/** What an earlier load has not brought, and what was left out while that one emptied the table, comes by the new one. */
function bringsAllOf(wanted: WantedLoad, known: StoredLoad): boolean {
  if (wanted.where !== null && wanted.where !== known.where) return false;
  // Of a table without a key changes may have been left out: a row that went since would stay.
  if (known.key.length === 0 && wanted.existing === 'merge') return false;
  return !known.emptying || wanted.existing === 'replace';
}
