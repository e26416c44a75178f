import { randomUUID } from 'node:crypto';
import { routeErrors } from '../../core/errors/catalogue/route.ts';
import { targetErrors } from '../../core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../../core/errors/tidelock-error.ts';
import { failpoint } from '../../core/failpoint.ts';
import type { LoadedChunk, StoredLoad } from '../../core/load.ts';
import { pause } from '../../core/pause.ts';
import type { Position } from '../../core/position.ts';
import { type TableVersion, tableLabel } from '../../core/table.ts';
import type { TableDefinition } from '../../core/table-facts.ts';
import type { PlaceRange, PlaceRows, StoredPart } from '../../core/table-places.ts';
import type { TransactionPart } from '../../core/transaction.ts';
import { definitionOf, sameDefinition, versionOf } from '../../pipeline/judge-definition.ts';
import { chunkSets } from './chunk-sets.ts';
import { ChunkSize } from './chunk-size.ts';
import { isKeylessFit, type KeylessView } from './keyless-view.ts';
import type { Reservation } from './load-memory.ts';
import type { LoadOfTable } from './load-of-table.ts';
import { PlaceCursor } from './place-cursor.ts';
import type { TableLoadOptions } from './table-load.ts';

/** A definition that the stream does not come to within this is one that it has left behind, or that nothing tells of. */
const definitionMs = 60_000;

const lookAgainMs = 250;

/** The source's catalogue, which is read as a whole. */
const catalogueMs = 2_000;

const firstBlocks = 64;

/** 64 MB of an ordinary server's blocks: those that hold few rows, or none, are read, too. */
const mostBlocks = 8_192;

export interface KeylessLoadOptions extends TableLoadOptions {
  /** What it reads; null where the session has begun without: then it begins anew before anything is read. */
  readonly view: KeylessView | null;
  /** Without: how long the session lasts before another one tries to make it. */
  readonly viewAfterMs: number;
  /** The table as the source's catalogue has it now, which may be ahead of the stream; null where there is none of that name. */
  found(label: string): Promise<TableVersion | null>;
  /** The load has to begin anew, with another view: the session ends for that, once others that read this one are through. */
  onAnew(why: AnewBecause): void;
  /** The table has a key by now, and can't be loaded without: a load by that takes the place of this one. Rejects with what keeps it from beginning. */
  onKeyed(): Promise<void>;
}

export type AnewBecause = 'begun' | 'truncated' | 'moved' | 'altered';

type Rows = Extract<PlaceRows, { kind: 'rows' }>;

/**
 * The load of one table whose rows nothing but all of their values tells apart: its rows are read as they were at one moment, in ranges of the places where
 * they lie, and what the stream has of the table is taken from that moment on. So a range may be applied wherever the stream is: a row that was
 * deleted since, or changed, is left out where the target missed it (LoadApply); all else comes with the stream. An update gives a row another
 * place, but of the version that the view sees the place stays.
 *
 * Nothing of it outlives the view, which ends with the session, or where rows are written anew (VACUUM FULL, CLUSTER, ALTER TABLE): then
 * what was loaded goes, and all is read again. Until that begins changes of the table are left out: what they would be applied to goes, and what they delete of rows that
 * nobody reads any more would be owed for as long as others read. A TRUNCATE ends the load: what the table has since then the stream brings.
 */
export class KeylessLoad implements LoadOfTable {
  readonly #options: KeylessLoadOptions;
  /** In its chunks: those of an earlier load may still be on their way. */
  readonly #id = randomUUID();
  readonly #size: ChunkSize;
  /** Blocks of the chunks that are on their way, in their order. */
  readonly #underWay: number[] = [];
  #view: KeylessView | null;
  #label: string;
  #cursor: PlaceCursor | null = null;
  #version: TableVersion | null = null;
  #rowsPerBlock = 1;
  #done = false;
  #anew = false;
  /** The stream has come to where all of its rows go: what is behind that comes with it. */
  #emptied = false;
  #rows = 0;
  #bytes = 0;

  /** Rows may be missing at the target from here on: before the stream goes on. */
  constructor({ source }: Pick<StoredLoad, 'source'>, options: KeylessLoadOptions) {
    this.#options = options;
    this.#view = options.view;
    const { mostBytes } = options.pace;
    this.#label = source;
    this.#size = new ChunkSize(Math.min(options.chunkBytes, mostBytes), {
      first: firstBlocks,
      most: mostBlocks,
      time: options.time,
    });
    options.loading.set(source, {
      key: [],
      treatment: (table) => options.mapper.bind(table),
      isEmptying: () => false,
      isWhole: true,
      isLoaded: () => true,
      onAgain: () => {},
      onTruncate: (isOwn) => {
        if (isOwn) this.#emptied ||= this.#view !== null;
        else this.#beginAnew('truncated');
      },
      isLeft: () => this.isLeft,
    });
  }

  rename(label: string): void {
    this.#options.loading.rename(this.#label, label);
    this.#label = label;
    // Its view has it by another name.
    this.#beginAnew('altered');
  }

  /** Nobody goes on with it. */
  letGo(): void {
    this.#view = null;
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

  get emptying(): boolean {
    return false;
  }

  get reads(): boolean {
    return this.#view !== null && !this.#anew;
  }

  get isLeft(): boolean {
    return this.#view === null || this.#anew;
  }

  get isOver(): boolean {
    return this.#anew;
  }

  /** By the blocks that were read. */
  get expected(): { readonly rows: number; readonly bytes: number } | null {
    const share = this.#cursor?.share ?? 0;
    if (share === 0) return null;
    return { rows: Math.round(this.#rows / share), bytes: Math.round(this.#bytes / share) };
  }

  applied({ load, appliedMs }: LoadedChunk): void {
    if (load !== this.#id) return;
    const blocks = this.#underWay.shift() ?? 0;
    if (appliedMs !== undefined) this.#size.applied({ rows: blocks, ms: appliedMs });
  }

  /** Until all rows are on their way to the target, or the session ends, or another load takes its place. Rejects where the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const view = this.#view;
    if (view === null && (await this.#wantView(signal)) === 'keyed') return await this.#changeOver(signal);
    let waitingSinceMs: number | null = null;
    while (!this.#done) {
      signal.throwIfAborted();
      const outcome = this.#anew || view === null ? 'over' : await this.#chunk(view, signal);
      if (outcome === 'taken') waitingSinceMs = null;
      // Else the session is on its way to its end.
      if (outcome === 'altered' && view !== null && !this.#anew)
        waitingSinceMs = await this.#await(view, waitingSinceMs, signal);
      if (outcome !== 'taken') await pause(lookAgainMs, signal);
    }
  }

  /**
   * The session has begun without: the next one is to make a view, where there is something to be seen. That is looked up where the next session will look,
   * and not in what the stream has come to: else one session would follow the other for as long as these differ.
   */
  async #wantView(signal: AbortSignal): Promise<'fit' | 'keyed'> {
    const { viewAfterMs } = this.#options;
    await pause(viewAfterMs, signal);
    const beganMs = performance.now();
    for (;;) {
      signal.throwIfAborted();
      if (this.#anew) return 'fit';
      const now = await this.#fitNow();
      if (now === 'fit') this.#beginAnew('begun');
      if (now !== 'unfit') return now;
      // The stream may be on its way to a command that has renamed it.
      if (performance.now() - beganMs > definitionMs)
        throw fail(routeErrors.loadWithoutKey, { route: this.#options.route, table: this.#label });
      await pause(catalogueMs, signal);
    }
  }

  /** How the table could be loaded as the source has it now. */
  async #fitNow(): Promise<'fit' | 'keyed' | 'unfit'> {
    const { reader, mapper, found } = this.#options;
    const known = this.#options.definition(this.#label);
    const table = known === null ? null : await found(this.#label);
    if (known === null || table === null) return 'unfit';
    // What the route leaves out is the same of each definition; nothing but the stream is to tell the mapper of another one.
    const { dropped, kept } = mapper.bind(versionOf(known));
    if (isKeylessFit({ source: table, dropped, kept }) && (await reader.places?.(table)) != null) return 'fit';
    const names = new Set(known.columns.map(({ name }) => name));
    const key = await reader.key(table);
    return key?.columns.every((name) => names.has(name)) === true ? 'keyed' : 'unfit';
  }

  /** With ddl: replicate the key comes to the target by the stream. */
  async #changeOver(signal: AbortSignal): Promise<void> {
    await this.#send(signal, () => null);
    const beganMs = performance.now();
    for (;;) {
      try {
        return await this.#options.onKeyed();
      } catch (error) {
        const mayCome = error instanceof TidelockError && error.code === targetErrors.loadNeedsKey.code;
        if (!mayCome || signal.aborted || performance.now() - beganMs > definitionMs) throw error;
      }
      await pause(catalogueMs, signal);
    }
  }

  /**
   * The stream has not come to the definition that the view has, or has left it behind. What was in the queue when that showed is waited for first, however
   * late the stream is. Then it begins anew where the source has another one by now; and else, after a while, nothing tells of it. Gives since when that is waited for.
   */
  async #await(view: KeylessView, sinceMs: number | null, signal: AbortSignal): Promise<number> {
    if (sinceMs === null) {
      await this.#send(signal, () => null);
      return performance.now();
    }
    if (await this.#isOther(view)) this.#beginAnew('altered');
    else if (performance.now() - sinceMs > definitionMs)
      throw fail(routeErrors.loadAltered, { route: this.#options.route, table: this.#label });
    else await pause(catalogueMs, signal);
    return sinceMs;
  }

  /** The source has another table of the name than the view, or none. */
  async #isOther({ snapshot, parts }: KeylessView): Promise<boolean> {
    const now = await this.#options.found(this.#label);
    const seen = snapshot.tables.find((table) => tableLabel(table) === this.#label);
    if (now === null || seen === undefined || !sameDefinition(now, seen)) return true;
    const placed = (list: readonly StoredPart[] | null | undefined): string =>
      (list ?? []).map(({ id, storage }) => `${id}/${storage}`).join();
    return placed(await this.#options.reader.places?.(now)) !== placed(parts.get(this.#label));
  }

  #beginAnew(why: AnewBecause): void {
    if (this.#anew || this.#done) return;
    this.#anew = true;
    this.#options.onAnew(why);
  }

  /** The stream has come to the definition that the view has. */
  #isAsViewed(view: KeylessView): TableDefinition | null {
    const now = this.#options.definition(this.#label);
    const facts = view.snapshot.facts.find((table) => tableLabel(table) === this.#label);
    if (now === null || facts === undefined || facts.id !== now.id) return null;
    return sameDefinition(versionOf(definitionOf(facts)), now) ? now : null;
  }

  async #chunk(view: KeylessView, signal: AbortSignal): Promise<'taken' | 'altered' | 'over'> {
    const { pace, memory, chunkBytes } = this.#options;
    const definition = this.#isAsViewed(view);
    if (definition === null) return 'altered';
    this.#cursor ??= new PlaceCursor(view.parts.get(this.#label) ?? []);
    const cursor = this.#cursor;
    await pace.turn(signal);
    const reserved: Reservation = { bytes: chunkBytes, ms: this.#size.expectedApplyMs };
    await memory.take(reserved, signal);
    let isGiven = true;
    try {
      const read = cursor.ended || this.#emptied ? null : await this.#read(view, cursor, definition, signal);
      if (read === 'again') return 'taken';
      // The stream may be on its way to the TRUNCATE.
      if (read === 'moved') await this.#send(signal, () => null);
      if (read === 'moved' && !this.#emptied) {
        this.#beginAnew('moved');
        return 'over';
      }
      failpoint('chunk.read');
      return await this.#send(signal, (part) => {
        if (this.#anew || this.#view === null || this.#isAsViewed(view) === null) return null;
        isGiven = false;
        return this.#passed(part, definition, read === 'moved' || this.#emptied ? null : read, reserved);
      });
    } finally {
      if (isGiven) memory.give(reserved);
    }
  }

  /** A range is taken by whoever passes it on; until then the next one is the same. */
  async #read(
    { snapshot }: KeylessView,
    cursor: PlaceCursor,
    definition: TableDefinition,
    signal: AbortSignal,
  ): Promise<{ readonly range: PlaceRange; readonly blocks: number; readonly rows: Rows } | 'again' | 'moved'> {
    const { chunkBytes, pace } = this.#options;
    const byRows = Math.max(1, Math.floor(pace.mostRows / this.#rowsPerBlock));
    const range = cursor.next(Math.min(this.#size.rows, byRows));
    const columns = definition.columns.map(({ name }) => name);
    const beganMs = performance.now();
    const request = { range, columns, maxBytes: chunkBytes, isLeast: cursor.isLeast(range) };
    const read = await snapshot.readPlaces?.(request, signal);
    const ms = performance.now() - beganMs;
    if (read === undefined) return 'moved';
    if (read.kind !== 'rows') {
      if (read.kind === 'moved') return 'moved';
      pace.took({ rows: 0, bytes: chunkBytes, ms });
      cursor.tooLarge(range);
      return 'again';
    }
    const blocks = Math.max(1, (range.to?.block ?? range.part.blocks) - range.from.block);
    pace.took({ rows: read.rows, bytes: read.bytes, ms });
    this.#size.measured({ rows: blocks, bytes: read.bytes, ms });
    this.#rowsPerBlock = Math.max(1, read.rows / blocks);
    return { range, blocks, rows: read };
  }

  /** Where the stream passes a watermark the chunk goes on in its place. `pass` gives null where it is not to. */
  async #send(
    signal: AbortSignal,
    pass: (part: TransactionPart) => TransactionPart | null,
  ): Promise<'taken' | 'altered'> {
    const { reader, windows } = this.#options;
    const id = randomUUID();
    const passed = Promise.withResolvers<'taken' | 'altered'>();
    passed.promise.catch(() => {});
    const onAbort = (): void => passed.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const close = windows.open({
      low: id,
      high: id,
      tables: new Map(),
      close: (part) => {
        try {
          const going = pass(part);
          passed.resolve(going === null ? 'altered' : 'taken');
          return going ?? part;
        } catch (error) {
          passed.reject(error);
          return part;
        }
      },
    });
    try {
      await reader.watermark(id, signal);
      return await passed.promise;
    } finally {
      close();
      signal.removeEventListener('abort', onAbort);
    }
  }

  #passed(
    part: TransactionPart,
    definition: TableDefinition,
    read: { readonly range: PlaceRange; readonly blocks: number; readonly rows: Rows } | null,
    reserved: Reservation,
  ): TransactionPart {
    const { mapper, loading } = this.#options;
    // One object as long as the table stays as it is: plans and statements are made for each.
    if (this.#version === null || !sameDefinition(this.#version, definition)) this.#version = versionOf(definition);
    const binding = mapper.bind(this.#version);
    const { rows = 0, bytes = 0, text = [] } = read?.rows ?? {};
    const untouched = { text, count: rows };
    const position = part.commit?.position ?? ('' as Position);
    const sets = read === null ? [] : chunkSets(mapper, binding, { untouched, touched: [], key: [], position });
    if (read !== null) this.#cursor?.taken(read.range);
    this.#rows += rows;
    this.#bytes += bytes;
    this.#done = this.#emptied || this.#cursor?.ended === true;
    if (this.#done) loading.delete(this.#label);
    this.#underWay.push(read?.blocks ?? 0);
    const progress = {
      after: this.#cursor?.text ?? null,
      ended: this.#done,
      readAgain: [],
      rows,
      bytes,
      done: this.#done,
      tableId: definition.id,
    };
    return { ...part, chunk: { source: this.#label, load: this.#id, sets, progress, reserved } };
  }
}
