import { OwedRows } from '../../connectors/postgres/target/owed-rows.ts';
import type { TablePlan } from '../../connectors/postgres/target/table-plan.ts';
import type { Cell, Row } from '../../src/core/cell.ts';
import type { Change } from '../../src/core/change.ts';
import type { Job } from '../../src/core/job.ts';
import type { StoredLoad } from '../../src/core/load.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { RouteDefinition } from '../../src/core/route.ts';
import type { LoadProgress } from '../../src/core/route-status.ts';
import { rowsOf } from '../../src/core/row-set.ts';
import type { SourceReader } from '../../src/core/source-reader.ts';
import { type TableName, tableLabel } from '../../src/core/table.ts';
import type { TableDefinition } from '../../src/core/table-facts.ts';
import type { PlaceRequest, PlaceRows, StoredPart } from '../../src/core/table-places.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import type { KeylessView } from '../../src/operations/load/keyless-view.ts';
import { LoadDesk } from '../../src/operations/load/load-desk.ts';
import { LoadsBesideStream, type LoadsOptions } from '../../src/operations/load/loads-beside-stream.ts';
import { versionOf } from '../../src/pipeline/judge-definition.ts';
import { LoadingTables } from '../../src/pipeline/loading-tables.ts';
import { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { WatermarkWindows } from '../../src/pipeline/watermark-windows.ts';
import { ConfigurationFiles, withRoute } from './configuration-files.ts';

/** `id`, `v` of each row. */
type Pair = readonly [string, string | null];

/** A block of the source's storage. */
const rowsOfBlock = 2;
/** More is not read at once. */
const mostRows = 6;

export interface BenchOptions {
  /** Of the route, in the configuration's own words. */
  readonly route?: string;
  /** Names of tables of the schema public, with the rows that the view sees. */
  readonly tables: Readonly<Record<string, readonly Pair[]>>;
  /** Of these no load was stored before. */
  readonly fresh?: readonly string[];
  /** The session begins without a view. */
  readonly isBlind?: boolean;
  readonly job?: number;
}

export function definitionOf(name: string, more: Partial<TableDefinition> = {}): TableDefinition {
  const columns = ['id', 'v'].map((column, at) => ({
    name: column,
    type: at === 0 ? 'pg_catalog.int4' : 'pg_catalog.text',
    modifier: -1,
    key: false,
    id: at + 1,
    stamp: '1',
  }));
  const fixed = { schema: 'public', name, id: name, identity: 'full', columns, generated: [], storage: {} };
  return { ...fixed, lastColumn: 2, ...more } as unknown as TableDefinition;
}

/** A source, a target and what is between them, in memory: for loads of tables without a key beside the changes of a stream. */
export class KeylessBench {
  /** As the catalogue has them, and as the stream where it has got to. */
  readonly catalogue = new Map<string, TableDefinition>();
  readonly streamed = new Map<string, TableDefinition>();
  readonly rows = new Map<string, Pair[]>();
  /** By label: rows as text. */
  readonly target = new Map<string, string[]>();
  readonly desk = new LoadDesk();
  readonly jobs = new Map<number, Pick<Job, 'kind' | 'state' | 'wish' | 'options'>>();
  readonly moved = new Set<string>();
  /** Ranges that were read, by table. */
  readonly ranges: string[] = [];
  /** Before each of them. */
  onRange: (table: string, at: number) => unknown = () => {};
  /** What was committed and the stream has not told of yet: it comes before the next watermark. */
  readonly untold: (() => void)[] = [];
  /** Tables of which the source tells the key. */
  readonly keys = new Map<string, readonly string[]>();
  readonly begun: StoredLoad[] = [];
  /** What the target says of a load that is to begin. */
  obstacles: readonly unknown[] = [];
  isViewClosed = false;
  progress: LoadProgress | null = null;
  anew = 0;
  readonly loads: LoadsBesideStream;
  readonly #windows = new WatermarkWindows();
  readonly #loading = new LoadingTables();
  readonly #mapper: TableMapper;
  readonly #owed = new OwedRows('r', 1_000_000);
  readonly #plans = new Map<string, TablePlan>();
  /** Labels of the tables that lack rows, with their key. */
  readonly #partial = new Map<string, readonly string[]>();
  readonly #seen: ReadonlyMap<string, readonly Pair[]>;
  readonly #over = new AbortController();

  private constructor(definition: RouteDefinition, options: BenchOptions) {
    const { tables, fresh = [], isBlind = false, job = null } = options;
    this.#seen = new Map(Object.entries(tables));
    this.#mapper = new TableMapper('r', definition.tables);
    const stored: StoredLoad[] = [];
    for (const [name, seen] of this.#seen) {
      const known = definitionOf(name);
      const label = tableLabel(known);
      this.catalogue.set(label, known);
      this.streamed.set(label, known);
      this.rows.set(label, [...seen]);
      for (const table of this.#mapper.bind(versionOf(known)).tables) this.target.set(tableLabel(table), []);
      if (fresh.includes(name)) continue;
      stored.push(storedLoad(label, job));
      this.#lacks(label, []);
    }
    const view = isBlind ? null : this.#view(stored.map(({ source }) => source));
    this.loads = new LoadsBesideStream({
      definition,
      source: {
        reader: () => this.#reader(),
        tables: async () => [...this.catalogue.values()].map(versionOf),
      },
      target: { takesKeyless: true, checkLoads: async () => this.obstacles },
      store: {
        loads: async () => stored,
        jobs: { read: async (number: number) => this.jobs.get(number) ?? null },
      },
      mapper: this.#mapper,
      windows: this.#windows,
      loading: this.#loading,
      desk: this.desk,
      meter: { loaded: () => {} },
      logger: silentLogger,
      keyless: { view, isBusy: false },
      onAnew: () => this.anew++,
      lagMs: () => null,
      tableDefinition: (label: string) => this.streamed.get(label) ?? null,
      onProgress: (progress: LoadProgress | null) => {
        this.progress = progress;
      },
      onLoaded: () => {},
    } as unknown as LoadsOptions);
  }

  static async make(options: BenchOptions): Promise<KeylessBench> {
    using folder = new ConfigurationFiles();
    const route = withRoute(options.route ?? 'tables: ["public.*"]');
    const definition = folder.load(route).routes.demand('r', 'route');
    await definition.tables.prepare();
    const bench = new KeylessBench(definition, options);
    await bench.loads.open();
    return bench;
  }

  /** Until `stop`, or what the loads fail with. */
  run(): Promise<void> {
    return this.loads.run(this.#over.signal);
  }

  async stop(running: Promise<void>): Promise<void> {
    this.#over.abort();
    await running;
  }

  insert(label: string, row: Pair): void {
    this.rows.get(label)?.push(row);
    this.pass({ kind: 'insert', table: this.#version(label), after: [...row] });
  }

  delete(label: string, at: number): void {
    const [row] = this.rows.get(label)?.splice(at, 1) ?? [];
    if (row !== undefined) this.pass({ kind: 'delete', table: this.#version(label), before: [...row] });
  }

  update(label: string, at: number, next: Pair): void {
    const rows = this.rows.get(label) ?? [];
    const [before] = rows.splice(at, 1, next);
    if (before !== undefined)
      this.pass({ kind: 'update', table: this.#version(label), before: [...before], after: [...next] });
  }

  /** `origin`: it was brought by another route, and does not go to the target. */
  truncate(label: string, isOwn = true): void {
    this.rows.set(label, []);
    this.pass({ kind: 'truncate', tables: [this.#version(label)], restartIdentity: false }, isOwn);
  }

  /** What the stream brings, all the way to the target. */
  pass(change: Change, isOwn = true): void {
    const origin = isOwn ? [] : [{ node: 'target', position: '0/1', committedAtMs: 0 }];
    const commit = { position: '0/1' as never, atMs: 0, id: '1' };
    const isRow = !['watermark', 'truncate'].includes(change.kind);
    const given: TransactionPart = {
      ...{ id: '1', changes: [change], rows: isRow ? 1 : 0, bytes: 0, commit, urgency: 'ride' },
      origin: origin as never,
    };
    const part = this.#loading.pass(this.#windows.pass(given));
    this.#apply(isOwn ? this.#mapper.map(part) : { ...part, changes: [] });
    this.loads.applied(part);
  }

  /** What the target has of a table, and what the source's rows make there: each in the same order. */
  sides(label: string, make: (row: Pair) => string | null = ([id, v]) => `${id},${v}`): [string[], string[]] {
    const source = (this.rows.get(label) ?? []).flatMap((row) => make(row) ?? []);
    return [(this.target.get(label) ?? []).toSorted(), source.toSorted()];
  }

  isDone(label: string): boolean {
    return !this.#partial.has(label);
  }

  #version(label: string) {
    const known = this.streamed.get(label);
    if (known === undefined) throw new RangeError(label);
    return versionOf(known);
  }

  #plan(label: string): TablePlan {
    const plan = this.#plans.get(label) ?? ({ label } as TablePlan);
    this.#plans.set(label, plan);
    return plan;
  }

  #lacks(label: string, key: readonly string[]): void {
    this.#partial.set(label, key);
  }

  #apply({ changes, chunk, begins }: TransactionPart): void {
    this.#owed.begin();
    if (begins !== undefined) {
      this.begun.push(begins.load as StoredLoad);
      this.#lacks(begins.load.source, begins.load.key);
      for (const target of begins.load.targets) this.target.set(target, []);
      this.#owed.forget(begins.load.targets);
    }
    for (const change of changes) this.#change(change);
    for (const set of chunk?.sets ?? []) {
      const label = tableLabel(set.table);
      for (const row of this.#owed.left(this.#plan(label), rowsOf(set))) this.#rowsOf(label).push(textOf(row));
    }
    if (chunk?.empties !== undefined) chunk.emptied = true;
    if (chunk?.progress.done) {
      const left = this.#owed.rest([chunk.source]);
      if (left.length > 0) throw new Error(`${left.length} rows are owed of ${chunk.source} in the end`);
    }
    this.#owed.committed();
    if (chunk?.progress.done) this.#partial.delete(chunk.source);
  }

  #change(change: Change): void {
    if (change.kind === 'truncate') {
      for (const table of change.tables) {
        this.target.set(tableLabel(table), []);
        this.#owed.emptied(this.#plan(tableLabel(table)));
      }
      return;
    }
    if (change.kind !== 'insert' && change.kind !== 'update' && change.kind !== 'delete') return;
    const label = tableLabel(change.table);
    const rows = this.#rowsOf(label);
    if (change.kind !== 'insert') {
      const at = rows.indexOf(textOf(change.before ?? []));
      const key = this.#partial.get(label);
      if (change.kind === 'delete' && key?.length === 0)
        this.#owed.deleting(this.#plan(label), change.before)(at < 0 ? 0 : 1);
      else if (at < 0 && key === undefined) throw new Error(`a ${change.kind} of ${label} finds no row`);
      if (at >= 0) rows.splice(at, 1);
      if (at < 0 && change.kind === 'update') return;
    }
    if (change.kind !== 'delete') rows.push(textOf(change.after));
  }

  #rowsOf(label: string): string[] {
    const rows = this.target.get(label) ?? [];
    this.target.set(label, rows);
    return rows;
  }

  #view(labels: readonly string[]): KeylessView {
    const parts = labels.map((label): [string, readonly StoredPart[]] => [label, this.#parts(label)]);
    const facts = labels.flatMap((label) => this.catalogue.get(label) ?? []);
    const snapshot = {
      facts: facts.map((one) => ({ ...one })),
      tables: facts.map(versionOf),
      readPlaces: (request: PlaceRequest) => this.#readPlaces(request),
      close: async () => {
        this.isViewClosed = true;
      },
    };
    return { snapshot, parts: new Map(parts) } as unknown as KeylessView;
  }

  #parts(label: string): readonly StoredPart[] {
    const { schema, name } = this.catalogue.get(label) ?? { schema: '', name: '' };
    const blocks = Math.ceil((this.#seen.get(name)?.length ?? 0) / rowsOfBlock);
    return [{ schema, name, id: name, storage: this.moved.has(label) ? '2' : '1', blocks }];
  }

  async #readPlaces({ range, isLeast }: PlaceRequest): Promise<PlaceRows> {
    const { part, from, to } = range;
    const label = tableLabel(part);
    await this.onRange(part.name, from.block * rowsOfBlock + from.row);
    if (this.moved.has(label)) return { kind: 'moved' };
    const end = to === null ? Number.POSITIVE_INFINITY : to.block * rowsOfBlock + Math.min(to.row, rowsOfBlock);
    const read = (this.#seen.get(part.name) ?? []).slice(from.block * rowsOfBlock + from.row, end);
    if (read.length > mostRows && !isLeast) return { kind: 'tooLarge' };
    this.ranges.push(part.name);
    const text = Buffer.from(read.map((row) => `${row.map((cell) => cell ?? '\\N').join('\t')}\n`).join(''));
    return { kind: 'rows', text: [text], rows: read.length, bytes: text.length };
  }

  #reader(): SourceReader {
    const reader: Partial<SourceReader> = {
      key: async (table: TableName) => {
        const columns = this.keys.get(tableLabel(table));
        return columns === undefined ? null : { columns };
      },
      places: async (table: TableName) => this.#parts(tableLabel(table)),
      size: async () => ({ rows: 1, bytes: 1 }),
      watermark: async (id) => {
        for (const tell of this.untold.splice(0)) tell();
        this.pass({ kind: 'watermark', id });
      },
      read: async ({ table }) => {
        const label = tableLabel(table);
        const rows = this.rows.get(label) ?? [];
        const text = [Buffer.from(rows.map((row) => `${row.join('\t')}\n`).join(''))];
        const facts = this.catalogue.get(label) as never;
        return { text, rows: rows.length, bytes: 9, last: null, ended: true, facts };
      },
      close: async () => {},
    };
    return reader as SourceReader;
  }
}

function textOf(row: Row): string {
  return row.map((cell: Cell) => (cell === null ? 'null' : String(cell))).join();
}

function storedLoad(source: string, job: number | null): StoredLoad {
  return {
    ...{ source, targets: [source], existing: 'refuse', where: null, emptying: false },
    ...{ key: [], after: null, ended: false, again: [], rows: 0, bytes: 0, tableId: null, done: false },
    ...{ expectedRows: 1, expectedBytes: 1, job },
  };
}
