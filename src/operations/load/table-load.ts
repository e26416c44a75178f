import { randomUUID } from 'node:crypto';
import { UNCHANGED } from '../../core/cell.ts';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { sourceErrors } from '../../core/errors/catalogue/source.ts';
import { fail, TidelockError } from '../../core/errors/tidelock-error.ts';
import { failpoint } from '../../core/failpoint.ts';
import type { LoadedChunk, Replaced, StoredLoad } from '../../core/load.ts';
import type { BoundShare, OwnedShare } from '../../core/owned-share.ts';
import { pause } from '../../core/pause.ts';
import type { Position } from '../../core/position.ts';
import type { ReadRange, ReadRequest, ReadRows, SourceReader } from '../../core/source-reader.ts';
import type { TableVersion } from '../../core/table.ts';
import type { TableDefinition } from '../../core/table-facts.ts';
import type { TransactionPart } from '../../core/transaction.ts';
import { definitionOf, sameDefinition, versionOf } from '../../pipeline/judge-definition.ts';
import type { LoadingTables } from '../../pipeline/loading-tables.ts';
import { mergeChunk } from '../../pipeline/merge-chunk.ts';
import type { TableMapper } from '../../pipeline/table-mapper.ts';
import { type ChangedRow, type ChangedRows, keyText, type WatermarkWindows } from '../../pipeline/watermark-windows.ts';
import { chunkSets } from './chunk-sets.ts';
import { ChunkSize } from './chunk-size.ts';
import type { LoadMemory, Reservation } from './load-memory.ts';
import type { LoadPace } from './load-pace.ts';
import { boundPart, replacedPart } from './replaced-part.ts';
import type { TargetTime } from './target-time.ts';

export interface TableLoadOptions {
  readonly route: string;
  readonly reader: SourceReader;
  readonly windows: WatermarkWindows;
  readonly loading: LoadingTables;
  readonly mapper: TableMapper;
  readonly memory: LoadMemory;
  readonly time: TargetTime;
  readonly pace: Pick<LoadPace, 'turn' | 'took' | 'mostRows' | 'mostBytes'>;
  readonly chunkBytes: number;
  /** As the stream has it where it has got to. */
  definition(label: string): TableDefinition | null;
}

/** How long the target is at work on what goes of it at once, about. */
const emptyMs = 180;

/** Keys of one statement. */
const mostKeys = 200;

/** A definition that the stream does not come to within this is one that it will not come to: nothing tells of it. */
const definitionMs = 60_000;

const lookAgainMs = 250;

/**
 * The load of one table beside the stream, one chunk after the other in the order of its key. A chunk is read between two watermarks, and
 * where the stream passes the second one its rows go on in the place of that: with them, in one target transaction, how far the load is.
 *
 * A chunk that the stream has altered the table under, or that more has changed under than can be kept, is read again.
 */
export class TableLoad {
  readonly #options: TableLoadOptions;
  /** In its chunks: those of an earlier load may still be on their way. */
  readonly #id = randomUUID();
  readonly #size: ChunkSize;
  /** How many keys are read again at once: the rows that have to be are those of large values. */
  readonly #keys: ChunkSize;
  #label: string;
  #key: readonly string[];
  /** The definition that the key was read for. */
  #keyedFor: TableDefinition | null = null;
  #hasKey = true;
  #after: readonly string[] | null;
  #ended: boolean;
  #again: (readonly string[])[];
  #emptying: boolean;
  /** Tells where the target is with what goes of it. */
  #step: PromiseWithResolvers<void> | null = null;
  /** What of the table is loaded; null: all. */
  readonly #part: OwnedShare | null;
  readonly #parts = new WeakMap<TableVersion, BoundShare | null>();
  #done = false;
  #version: TableVersion | null = null;
  #rows: number;
  #bytes: number;
  /** Of the table that rows were read of. */
  #tableId: string | null;

  /** Rows may be missing at the target from here on: before the stream goes on. */
  constructor(
    load: Omit<StoredLoad, 'targets' | 'expectedRows' | 'expectedBytes' | 'job' | 'done'>,
    options: TableLoadOptions,
    part: OwnedShare | null = null,
  ) {
    this.#options = options;
    const { mostRows, mostBytes } = options.pace;
    this.#size = new ChunkSize(Math.min(options.chunkBytes, mostBytes), { most: mostRows, time: options.time });
    this.#keys = new ChunkSize(options.chunkBytes, { first: 1, time: options.time });
    this.#label = load.source;
    this.#key = load.key;
    // What was read before rows go is read again.
    this.#after = load.emptying ? null : load.after;
    this.#ended = !load.emptying && load.ended;
    this.#again = [...load.again];
    this.#emptying = load.emptying;
    this.#part = part;
    this.#rows = load.rows;
    this.#bytes = load.bytes;
    this.#tableId = load.tableId;
    this.#enter();
  }

  /** Changes of keys are looked at where the stream passes them. */
  #enter(): void {
    const { loading, mapper } = this.#options;
    loading.set(this.#label, {
      key: this.#key,
      treatment: (table) => mapper.bind(table),
      isEmptying: () => this.#emptying,
      isWhole: this.#part === null,
      isLoaded: (table, row) => (this.#part === null ? true : (this.#partOf(table)?.isOurs(row) ?? null)),
      onAgain: (key) => this.#again.push(key),
    });
  }

  /** The stream has come to where the table has this name. What is under way is read again. */
  rename(label: string): void {
    this.#options.loading.rename(this.#label, label);
    this.#label = label;
    this.#keyedFor = null;
    // It has the name that its rows would go by.
    this.#version = null;
  }

  get done(): boolean {
    return this.#done;
  }

  get rows(): number {
    return this.#rows;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Rows that it replaces are still at the target. */
  get emptying(): boolean {
    return this.#emptying;
  }

  /** What the target has made of a chunk. */
  applied({ load, progress: { rows }, appliedMs, empties, emptied }: LoadedChunk): void {
    if (load !== this.#id) return;
    if (empties !== undefined) {
      if (emptied === true) this.#emptying = false;
      this.#step?.resolve();
      return;
    }
    if (appliedMs !== undefined) this.#size.applied({ rows, ms: appliedMs });
  }

  /** Until all rows are on their way to the target. Rejects where the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    let waitingSinceMs: number | null = null;
    while (!this.#done) {
      signal.throwIfAborted();
      const outcome = await (this.#emptying ? this.#emptySome(signal) : this.#chunk(signal));
      if (outcome !== 'altered') {
        waitingSinceMs = null;
        continue;
      }
      // It follows with the next row, or with the next look at the catalogue: behind what is on its way now, however late that is.
      if (waitingSinceMs === null) {
        await this.#passed(signal);
        waitingSinceMs = performance.now();
      } else if (performance.now() - waitingSinceMs > definitionMs)
        throw fail(this.#hasKey ? routeErrors.loadAltered : routeErrors.loadWithoutKey, {
          route: this.#options.route,
          table: this.#label,
        });
      await pause(lookAgainMs, signal);
    }
  }

  /** Null where it can't be said of this version of the table. */
  #partOf(table: TableVersion): BoundShare | null {
    const { route } = this.#options;
    let bound = this.#parts.get(table);
    if (bound !== undefined || this.#part === null) return bound ?? null;
    try {
      bound = boundPart(table, { route, key: { columns: this.#key }, part: this.#part });
    } catch (error) {
      if (!(error instanceof TidelockError)) throw error;
      bound = null;
    }
    this.#parts.set(table, bound);
    return bound;
  }

  /**
   * Some of the rows that it replaces go, in a transaction of their own in the order of the stream, so that neither it nor others wait long. What comes
   * for the table meanwhile is left out (LoadingTables): it is in what is read later.
   */
  async #emptySome(signal: AbortSignal): Promise<'taken' | 'altered'> {
    const { reader, windows, memory, pace, mapper, route } = this.#options;
    const definition = this.#definitionNow();
    if (definition === null || !(await this.#rekey(definition))) return 'altered';
    await pace.turn(signal);
    const reserved: Reservation = { bytes: 0, ms: emptyMs };
    await memory.take(reserved, signal);
    const id = randomUUID();
    let isGiven = true;
    const step = Promise.withResolvers<void>();
    step.promise.catch(() => {});
    this.#step = step;
    const passed = Promise.withResolvers<boolean>();
    passed.promise.catch(() => {});
    const onAbort = (): void => {
      passed.reject(signal.reason);
      step.reject(signal.reason);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    const close = windows.open({
      low: id,
      high: id,
      tables: new Map(),
      close: (part) => {
        const now = this.#options.definition(this.#label);
        if (now === null || now.id !== definition.id || !sameDefinition(versionOf(now), definition)) {
          passed.resolve(false);
          return part;
        }
        let empties: Replaced;
        try {
          const binding = mapper.bind(this.#versionOf(definition));
          const place = { route, key: { columns: this.#key } };
          const where = this.#part === null ? null : replacedPart(binding, { ...place, part: this.#part });
          empties = { tables: binding.tables, where };
        } catch (error) {
          passed.reject(error);
          return part;
        }
        this.#tableId = definition.id;
        const nothing = { after: null, ended: false, readAgain: [], rows: 0, bytes: 0, done: false };
        const progress = { ...nothing, tableId: definition.id };
        isGiven = false;
        passed.resolve(true);
        return { ...part, chunk: { source: this.#label, load: this.#id, sets: [], empties, progress, reserved } };
      },
    });
    try {
      await reader.watermark(id, signal);
      if (!(await passed.promise)) return 'altered';
      await step.promise;
      return 'taken';
    } finally {
      close();
      signal.removeEventListener('abort', onAbort);
      if (isGiven) memory.give(reserved);
    }
  }

  /** Null where the stream has come to a command behind which there is no such table. Throws where it is another one by now. */
  #definitionNow(): TableDefinition | null {
    const definition = this.#options.definition(this.#label);
    if (definition !== null && this.#tableId !== null && this.#tableId !== definition.id)
      throw fail(routeErrors.loadMadeAnew, { route: this.#options.route, table: this.#label });
    return definition;
  }

  /** Until the stream has come to what is in the queue by now. */
  async #passed(signal: AbortSignal): Promise<void> {
    const { reader, windows } = this.#options;
    const id = randomUUID();
    const come = Promise.withResolvers<void>();
    const close = windows.open({
      low: id,
      high: id,
      tables: new Map(),
      close: (part) => {
        come.resolve();
        return part;
      },
    });
    const onAbort = (): void => come.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    come.promise.catch(() => {});
    try {
      await reader.watermark(id, signal);
      await come.promise;
    } finally {
      close();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /**
   * The key as the source has it now. Of another one the bound means nothing: all ranges are read anew, and rows that are there are kept.
   * False where the stream has not come to the definition that it is of.
   */
  async #rekey(definition: TableDefinition): Promise<boolean> {
    if (this.#keyedFor === definition) return true;
    const { reader } = this.#options;
    const key = await reader.key(definition);
    this.#hasKey = key !== null;
    // It may have gone, or have another name, where the stream has not come to.
    if (key === null) return false;
    const names = new Set(definition.columns.map(({ name }) => name));
    if (!key.columns.every((name) => names.has(name))) return false;
    if (key.columns.join('\0') !== this.#key.join('\0')) {
      this.#key = key.columns;
      this.#after = null;
      this.#ended = false;
      this.#again = [];
      this.#enter();
    }
    this.#keyedFor = definition;
    return true;
  }

  #nextRange(): ReadRange {
    if (this.#ended) return { kind: 'keys', keys: this.#again.slice(0, Math.min(mostKeys, this.#keys.rows)) };
    return { kind: 'after', key: this.#after, rows: this.#size.rows };
  }

  async #chunk(signal: AbortSignal): Promise<'taken' | 'altered' | 'overflowed'> {
    const { reader, windows, memory, pace, chunkBytes } = this.#options;
    const definition = this.#definitionNow();
    if (definition === null) return 'altered';
    const where = this.#partOf(this.#versionOf(definition));
    if (where === null && this.#part !== null)
      throw fail(routeErrors.loadAltered, { route: this.#options.route, table: this.#label });
    if (!(await this.#rekey(definition))) return 'altered';
    const range = this.#nextRange();
    await pace.turn(signal);
    const reserved: Reservation = {
      bytes: chunkBytes,
      ms: (range.kind === 'keys' ? this.#keys : this.#size).expectedApplyMs,
    };
    await memory.take(reserved, signal);
    const [low, high] = [randomUUID(), randomUUID()];
    const chunk: Chunk = { label: this.#label, range, definition, read: null, reserved };
    let close: () => void = () => {};
    let onAbort: () => void = () => {};
    try {
      const closed = new Promise<'taken' | 'altered' | 'overflowed'>((resolve, reject) => {
        onAbort = () => reject(signal.reason);
        signal.addEventListener('abort', onAbort, { once: true });
        close = windows.open({
          low,
          high,
          tables: new Map([[chunk.label, this.#key]]),
          close: (part, changed) => {
            const passed = this.#pass(part, changed.get(chunk.label), chunk);
            resolve(passed.outcome);
            return passed.part;
          },
        });
      });
      closed.catch(() => {});
      await reader.watermark(low, signal);
      const beganMs = performance.now();
      const columns = definition.columns.map(({ name }) => name);
      const key = { columns: this.#key };
      const { schema, name } = definition;
      const read = await this.#read(
        { table: { schema, name }, key, columns, range, where, low, maxBytes: chunkBytes },
        signal,
      );
      if (read === null || !isAs(read, definition)) return 'altered';
      failpoint('chunk.read');
      const ms = performance.now() - beganMs;
      pace.took({ rows: read.rows, bytes: read.bytes, ms });
      if (range.kind === 'keys') this.#keys.measured({ rows: range.keys.length, bytes: read.bytes, ms });
      else this.#size.measured({ rows: read.rows, bytes: read.bytes, ms });
      chunk.read = read;
      await reader.watermark(high, signal);
      return await closed;
    } finally {
      close();
      // A load has many chunks, and one signal.
      signal.removeEventListener('abort', onAbort);
      // What went on is given back when it is applied.
      if (chunk.reserved !== null) memory.give(chunk.reserved);
    }
  }

  /** Null where the table is not there by this name: the stream tells what has become of it. */
  async #read(request: ReadRequest, signal: AbortSignal): Promise<ReadRows | null> {
    try {
      return await this.#options.reader.read(request, signal);
    } catch (error) {
      if (error instanceof TidelockError && error.code === sourceErrors.tableMissing.code) return null;
      throw error;
    }
  }

  /** Where the stream passes the high watermark. */
  #pass(part: TransactionPart, changed: ChangedRows | undefined, chunk: Chunk) {
    const { read, range, definition } = chunk;
    const now = this.#options.definition(chunk.label);
    if (
      chunk.label !== this.#label ||
      read === null ||
      changed === undefined ||
      now === null ||
      !sameDefinition(versionOf(now), definition)
    )
      return { part, outcome: 'altered' as const };
    if (changed.overflowed) {
      this.#size.shrink();
      return { part, outcome: 'overflowed' as const };
    }
    const binding = this.#options.mapper.bind(this.#versionOf(definition));
    const key = this.#key.map((name) => definition.columns.findIndex((column) => column.name === name));
    const merged = mergeChunk(read, definition.columns.length, key, changed);
    const position = part.commit?.position ?? ('' as Position);
    const sets = chunkSets(this.#options.mapper, binding, { ...merged, key: this.#key, position });
    // Another row may have moved to such a key meanwhile, with cells that nobody has told: then it is to be read once more.
    const readAgain =
      range.kind === 'keys' ? range.keys.filter((key) => !isUntold(changed.rows.get(keyText(key)))) : [];
    this.#again = this.#again.filter((key) => !readAgain.includes(key));
    if (range.kind === 'after') {
      this.#after = read.last ?? this.#after;
      this.#ended = read.ended;
    }
    this.#rows += read.rows;
    this.#bytes += read.bytes;
    this.#done = this.#ended && this.#again.length === 0;
    this.#tableId = definition.id;
    if (this.#done) this.#options.loading.delete(this.#label);
    const progress = {
      after: this.#after,
      ended: this.#ended,
      readAgain,
      rows: read.rows,
      bytes: read.bytes,
      done: this.#done,
      tableId: definition.id,
    };
    const { reserved } = chunk;
    if (reserved === null) throw new RangeError('a chunk that has gone on already');
    chunk.reserved = null;
    const going: TransactionPart = {
      ...part,
      chunk: { source: this.#label, load: this.#id, sets, progress, reserved },
    };
    return { part: going, outcome: 'taken' as const };
  }

  /** One object as long as the table stays as it is: plans and statements are made for each. */
  #versionOf(definition: TableDefinition): TableVersion {
    if (this.#version === null || !sameDefinition(this.#version, definition)) this.#version = versionOf(definition);
    return this.#version;
  }
}

interface Chunk {
  readonly label: string;
  readonly range: ReadRange;
  /** The table as it was asked for. */
  readonly definition: TableDefinition;
  read: ReadRows | null;
  /** Null once the rows have gone on. */
  reserved: Reservation | null;
}

function isUntold(change: ChangedRow | undefined): boolean {
  return change?.moved === true && change.row?.includes(UNCHANGED) === true;
}

/** The table that was read is the one that the stream knows. */
function isAs({ facts }: ReadRows, definition: TableDefinition): boolean {
  return facts.id === definition.id && sameDefinition(versionOf(definitionOf(facts)), definition);
}
