import { randomUUID } from 'node:crypto';
import { ByteBudget } from '../../../src/core/byte-budget.ts';
import type { Cell, Row } from '../../../src/core/cell.ts';
import { isRowChange } from '../../../src/core/change.ts';
import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { type TableName, type TableVersion, tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import type { MysqlSession } from '../connect.ts';
import { readInstance } from '../instance.ts';
import { readServerFacts, type ServerFacts } from '../server-facts.ts';
import { type Beginning, BinlogStream } from '../source/binlog-stream.ts';
import { readCollations } from '../source/charset-tables.ts';
import { readKnownCatalogue } from '../source/known-catalogue.ts';
import { compareFiles, type FilePlace } from '../source/position/binlog-position.ts';
import { readBinlogs } from '../source/start-check.ts';
import { StaleCatalogue, TransactionAssembler } from '../source/transaction-assembler.ts';

export interface RowWatchOptions {
  /** To the server whose rows are watched. */
  readonly route: RouteDefinition;
  readonly table: TableName;
  /** Of a row by the names of its columns, as `keyText` writes it. */
  keyOf(cell: (name: string) => Cell | undefined): string;
}

/** The binlog of an idle server is at its end at once; of one that is slower than this nobody waits for. */
const longestMs = 10_000;
/** A transaction that is being read: what has been read is not held. */
const budgetBytes = 32_000_000;

/**
 * Tells whether somebody has written a row, whatever it is by now. These servers keep nothing with a row that would tell, as PostgreSQL does: so one that is
 * what it was may have been another one in between, and is on its way to the other side again. Their binlog has each write: it is read from the moment on at
 * which a row is asked for first, for as long as the watch is open.
 *
 * A transaction stands in the binlog before anybody sees its rows or gets their locks. So once the binlog was read to where it ended after a row was seen, or was
 * locked, every write of it up to then is known. Places in its files say so, at both vendors: `gtid_executed` has a transaction later than others see it.
 */
export class RowWatch {
  readonly id = randomUUID();
  readonly #options: RowWatchOptions;
  readonly #stream: BinlogStream;
  #opened: Opened | null = null;
  /** By the key's text: another number with each write. */
  readonly #versions = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  #writes = 0;
  #isOver = false;
  #lost: unknown = null;

  private constructor(options: RowWatchOptions) {
    this.#options = options;
    const { route } = options;
    this.#stream = new BinlogStream({
      route: { ...route, from: route.to },
      budget: new ByteBudget(budgetBytes),
      prepare: async (session) => {
        const { beginning, ...opened } = await prepare(session, options, (part) => this.#came(part));
        this.#opened = opened;
        return beginning;
      },
      onEvent: (bytes, start, end) => this.#read(bytes, start, end),
      onEnd: (error) => this.#end(error),
    });
  }

  /** Throws where the binlog does not tell of every write. */
  static async open(options: RowWatchOptions): Promise<RowWatch> {
    const watch = new RowWatch(options);
    try {
      await watch.#stream.open();
      return watch;
    } catch (error) {
      watch.close();
      throw error;
    }
  }

  /** False where a definition has changed, or it was closed: another one is to be opened. Throws what it was ended by otherwise. */
  goesOn(): boolean {
    if (this.#lost !== null) throw this.#lost;
    return !this.#isOver;
  }

  isOf(table: TableName): boolean {
    return tableLabel(this.#options.table) === tableLabel(table);
  }

  /** Of rows that were read before, by the texts of their keys, whether they are there or not. `session`: to the same server. */
  async versions(session: MysqlSession, keys: readonly string[]): Promise<ReadonlyMap<string, string>> {
    // Those of rows that were judged before are of no use to anybody.
    if (!keys.some((key) => this.#versions.has(key))) this.#versions.clear();
    for (const key of keys) if (!this.#versions.has(key)) this.#versions.set(key, ++this.#writes);
    await this.#caughtUp(session);
    return new Map(keys.map((key) => [key, this.#versionOf(key)]));
  }

  /** Whether rows are of these versions still, which nobody may change any more where they are locked. */
  async areStill(session: MysqlSession, versions: ReadonlyMap<string, string>): Promise<ReadonlySet<string>> {
    await this.#caughtUp(session);
    return new Set([...versions].filter(([key, version]) => this.#versionOf(key) === version).map(([key]) => key));
  }

  close(): void {
    this.#end(null);
  }

  #versionOf(key: string): string {
    return `${this.id} ${this.#versions.get(key) ?? `unknown ${++this.#writes}`}`;
  }

  /** Everything that was committed before the call has been read. */
  async #caughtUp(session: MysqlSession): Promise<void> {
    const { name, to } = this.#options.route;
    const opened = this.#opened;
    if (opened === null || (await readInstance(session)) !== opened.instance) {
      const message = `another server answers than the one whose binlog is read for ${name}`;
      throw fail(nodeErrors.interrupted, { node: to.name, sqlState: 'HY000', message });
    }
    const end = (await readBinlogs(session)).at(-1);
    const untilMs = performance.now() + longestMs;
    while (end !== undefined && !this.#isOver && isBefore(opened.assembler.place, end)) {
      const left = untilMs - performance.now();
      if (left <= 0) {
        const message = `its binlog could not be read to its end within ${longestMs / 1_000} s`;
        throw fail(nodeErrors.interrupted, { node: to.name, sqlState: 'HY000', message });
      }
      await this.#moved(left);
    }
    if (this.#lost !== null) throw this.#lost;
    // What comes from here on is not known: nothing is of the version that it was.
    if (this.#isOver) this.#versions.clear();
  }

  #moved(mostMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, mostMs);
      this.#waiting.add(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #read(bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    try {
      this.#opened?.assembler.event(bytes, start, end);
    } catch (error) {
      this.#end(error instanceof StaleCatalogue ? null : error);
    }
    this.#wake();
  }

  #came({ changes }: TransactionPart): void {
    for (const change of changes) {
      if (isRowChange(change)) {
        if (change.kind !== 'insert') this.#written(change.table, change.before);
        if (change.kind !== 'delete') this.#written(change.table, change.after);
      } else if (change.kind === 'truncate') this.#allWritten();
    }
  }

  #allWritten(): void {
    for (const key of this.#versions.keys()) this.#versions.set(key, ++this.#writes);
  }

  #written({ columns }: TableVersion, row: Row | null): void {
    if (row === null) {
      this.#allWritten();
      return;
    }
    const key = this.#options.keyOf((name) => row[columns.findIndex((column) => column.name === name)]);
    if (this.#versions.has(key)) this.#versions.set(key, ++this.#writes);
  }

  #end(error: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#lost = error;
    this.#stream.close();
    this.#opened?.assembler.close();
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

interface Opened {
  readonly instance: string;
  readonly assembler: TransactionAssembler;
}

function isBefore(place: FilePlace, end: FilePlace): boolean {
  return !(compareFiles(place, end) >= 0);
}

async function prepare(
  session: MysqlSession,
  { route, table }: RowWatchOptions,
  emit: (part: TransactionPart) => void,
): Promise<Opened & { readonly beginning: Beginning }> {
  const server = await readServerFacts(session);
  await demandLogged(session, server, { route, table });
  const isTaken = (schema: string, name: string): boolean => schema === table.schema && name === table.name;
  const collations = await readCollations(session);
  const catalogue = await readKnownCatalogue(session, server, isTaken);
  const place = (await readBinlogs(session)).at(-1);
  const { name, to, apply } = route;
  if (place === undefined)
    throw fail(targetErrors.compareRefused, { route: name, node: to.name, message: 'the server writes no binlog' });
  const start = { kind: 'file', place } as const;
  const assembler = new TransactionAssembler({
    route: name,
    heartbeatId: '',
    forward: 'all',
    maxRowBytes: apply.maxRowBytes,
    maxPayloadBytes: Math.max(apply.memoryBytes, apply.maxRowBytes),
    maxPreparedBytes: budgetBytes,
    start,
    lastCommit: null,
    collations,
    mariadb: server.vendor === 'mariadb',
    logsCascades: server.logsCascades,
    checksums: server.checksums,
    isTaken,
    hasSchema: (schema) => schema === table.schema,
    loadedTo: () => null,
    catalogue,
    isWatched: () => true,
    isCutOff: () => false,
    onCutOff: () => {},
    onWatermark: () => {},
    onNewTable: () => {},
    emit,
    hold: () => {},
  });
  return { instance: await readInstance(session), assembler, beginning: { server, position: start } };
}

/** Of rows that a foreign key changes without a word in the binlog nobody could tell who has written them. */
async function demandLogged(
  session: MysqlSession,
  { logsCascades }: ServerFacts,
  { route, table }: Pick<RowWatchOptions, 'route' | 'table'>,
): Promise<void> {
  if (logsCascades) return;
  const [found] = await session.query(
    `SELECT constraint_name FROM information_schema.referential_constraints WHERE constraint_schema = ? AND table_name = ?
       AND (delete_rule NOT IN ('RESTRICT', 'NO ACTION') OR update_rule NOT IN ('RESTRICT', 'NO ACTION')) LIMIT 1`,
    [table.schema, table.name],
  );
  if (found === undefined) return;
  const constraint = String(found[0]);
  throw fail(targetErrors.writersUntold, { route: route.name, table: tableLabel(table), constraint });
}
