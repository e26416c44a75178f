import type { Cell, Row } from '../../../src/core/cell.ts';
import { type ComparedRow, type ComparedShape, keyText, type RowKey } from '../../../src/core/compare-side.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { KeptImage, Repairer, RepairRequest, RowOutcome, RowRepair } from '../../../src/core/repairer.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { readRows } from '../catalogue/read-rows.ts';
import { UnreadTextError } from '../catalogue/unread-text-error.ts';
import { classifyMysqlError, isMysqlError } from '../classify-error.ts';
import type { MysqlSession } from '../connect.ts';
import { type Statement, statementBytes } from '../long-value.ts';
import { places } from '../state/statements.ts';
import { openApplySession } from '../target/apply-session.ts';
import { longestStatement } from '../target/flights.ts';
import { originSignal } from '../target/origin-signal.ts';
import { isOfTheChange } from '../target/refusals.ts';
import { RowStatements } from '../target/row-statements.ts';
import type { BoundColumn } from '../target/table-plan.ts';
import { readTargetTables, type TargetTable } from '../target/target-table.ts';
import { ValueRefusal } from '../target/value-refusal.ts';
import { cellOf, portableText } from './canonical-text.ts';
import { CompareSql } from './compare-sql.ts';
import { heldJson } from './held-json.ts';
import type { RowWatch } from './row-watch.ts';
import { type MysqlSideTable, readSideTables } from './side-tables.ts';

export interface RepairerOptions {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly routeKey: string;
  /** Those that the versions of rows are of (CompareSide.versions), by their ids. */
  readonly watches: ReadonlyMap<string, RowWatch>;
}

const keptAtOnce = 200;

/** Applying waits meanwhile: where somebody holds a row for longer, the job tries again later. */
const lockSeconds = 2;

/** A table with what both reading and writing need. */
interface RepairedTable {
  readonly side: MysqlSideTable;
  readonly target: TargetTable;
}

/** On a session that a takeover ends, as it does those that apply. */
export async function openRepairer(options: RepairerOptions): Promise<Repairer> {
  const { session, maxPacketBytes } = await openApplySession(options.route, options.routeId, 'repair');
  try {
    // What a row of the source is has been seen: nothing that a key's action would do to others is wanted beside it.
    await session.query(
      `set session foreign_key_checks = 0, innodb_lock_wait_timeout = ${lockSeconds}, lock_wait_timeout = ${lockSeconds}`,
    );
    return new MysqlRepairer(session, { ...options, longest: longestStatement(maxPacketBytes) });
  } catch (error) {
    session.close();
    throw error;
  }
}

/** The server would end the session over a message of this length. */
class LongMessage extends Error {}

/** Somebody has written a row while it was being written here. */
class WrittenMeanwhile extends Error {}

class MysqlRepairer implements Repairer {
  readonly #session: MysqlSession;
  readonly #options: RepairerOptions & { readonly longest: number };
  readonly #tables = new Map<string, RepairedTable>();

  constructor(session: MysqlSession, options: RepairerOptions & { readonly longest: number }) {
    this.#session = session;
    this.#options = options;
  }

  async repair(request: RepairRequest): Promise<readonly RowOutcome[]> {
    const session = this.#session;
    try {
      const table = await this.#table(request.shape);
      await session.query('start transaction');
      const isUndo = undoneBy(request.rows).length > 0;
      await this.#demandEpoch(request.epoch, request.shape.key.length === 0 && !isUndo);
      const { origin } = request;
      if (origin !== null) {
        const hops = [{ ...origin, committedAtMs: Date.now() }];
        await session.batch([originSignal(this.#options.routeKey, hops, process.hrtime.bigint())]);
      }
      const open = await this.#openRows(request.rows);
      const written =
        request.shape.key.length === 0
          ? await this.#writeKeyless(table, { ...request, rows: open })
          : await this.#write(table, { ...request, rows: open });
      await this.#keep(table, request, written);
      await this.#takeBack(written);
      failpoint(isUndo ? 'undo.written' : 'repair.written');
      await session.batch(['commit']);
      failpoint(isUndo ? 'undo.committed' : 'repair.committed');
      const left = new Set(open);
      for (const row of written) left.delete(row);
      return request.rows.map((row) => ({ kind: left.has(row) ? 'changed' : 'done' }));
    } catch (error) {
      await session.query('rollback').catch(() => {});
      if (error instanceof WrittenMeanwhile) return request.rows.map(() => ({ kind: 'changed' }));
      if (!isRefusal(error)) throw this.#classify(error);
      return request.rows.map(() => ({ kind: 'refused', why: whyOf(error) }));
    }
  }

  async *kept(job: number): AsyncGenerator<readonly KeptImage[], void, undefined> {
    for (let before: number | null = null; ; ) {
      const images: readonly KeptImage[] = await this.#kept(job, before);
      if (images.length > 0) yield images;
      if (images.length < keptAtOnce) return;
      before = images.at(-1)?.number ?? null;
    }
  }

  async counts(job: number): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#session.query(
      'select target, count(*) from tidelock.repaired where job_id = ? group by target',
      [job],
    );
    return new Map(rows.map(([target, count]) => [target ?? '', Number(count)]));
  }

  async close(): Promise<void> {
    this.#session.close();
  }

  /** Without those whose images are taken back already. Nobody else takes back the others until the transaction ends. */
  async #openRows(rows: readonly RowRepair[]): Promise<readonly RowRepair[]> {
    const numbers = undoneBy(rows);
    if (numbers.length === 0) return rows;
    const found = await this.#session.query(
      `select id from tidelock.repaired where id in (${places(numbers)}) and undone = 0 for update`,
      numbers,
    );
    const open = new Set(found.map(([id]) => Number(id)));
    return rows.filter(({ undoes }) => undoes === undefined || open.has(undoes));
  }

  /** In the transaction of the rows. */
  async #takeBack(rows: readonly RowRepair[]): Promise<void> {
    const numbers = undoneBy(rows);
    if (numbers.length === 0) return;
    await this.#session.change(
      `update tidelock.repaired set undone = 1 where id in (${places(numbers)}) and undone = 0`,
      numbers,
    );
  }

  /** Rows that were as they were seen. What goes makes room for what comes. */
  async #write(table: RepairedTable, { shape, rows }: RepairRequest): Promise<readonly RowRepair[]> {
    const sql = new CompareSql(table.side, shape);
    const there = await this.#locked(
      sql,
      shape,
      rows.map(({ key }) => key),
    );
    const written = await this.#writtenSince(rows);
    const asSeen = rows.filter((row) => !written.has(row) && sameRow(there.get(keyText(row.key)) ?? null, row.before));
    const statements = statementsOf(table, shape, this.#session.node.type === 'mysql' ? 'mysql' : 'mariadb');
    for (const kind of ['delete', 'update', 'insert'] as const)
      for (const row of asSeen.filter((one) => kindOf(one) === kind))
        await this.#writeOne(statements, sql, { kind, row });
    // Nothing was locked where no row was: one may have come and gone, up to the moment at which ours took the key.
    const made = asSeen.filter((row) => kindOf(row) === 'insert');
    if ((await this.#writtenSince(made)).size > 0) throw new WrittenMeanwhile();
    return asSeen;
  }

  /** Of rows that come with a version: those that others have written since, or of which nobody can tell. */
  async #writtenSince(rows: readonly RowRepair[]): Promise<ReadonlySet<RowRepair>> {
    const written = new Set<RowRepair>();
    const versioned = rows.filter(({ version }) => version !== undefined);
    for (const [id, some] of Map.groupBy(versioned, ({ version = '' }) => version.split(' ')[0] ?? '')) {
      const asked = new Map(some.map(({ key, version = '' }) => [keyText(key), version]));
      const still = (await this.#options.watches.get(id)?.areStill(this.#session, asked)) ?? new Set();
      for (const row of some) if (!still.has(keyText(row.key))) written.add(row);
    }
    return written;
  }

  /**
   * Likewise, of rows without a key: for each that is to go one that is like it goes, whichever it is. The table is read once to lock them, and once more for all
   * of which none stays; of others there is a statement for each row.
   */
  async #writeKeyless(table: RepairedTable, { shape, rows }: RepairRequest): Promise<readonly RowRepair[]> {
    await this.#demandNothingParked();
    const sql = new CompareSql(table.side, shape);
    const statements = statementsOf(table, shape, this.#session.node.type === 'mysql' ? 'mysql' : 'mariadb');
    const going = Map.groupBy(
      rows.filter((row) => kindOf(row) === 'delete'),
      ({ before }) => sql.digestOfRow(sql.canonicalRow(cellsOf(sql, before))),
    );
    const there = await this.#lockAlike(sql, [...going.keys()]);
    const done: RowRepair[] = [];
    const whole: string[] = [];
    for (const [digest, alike] of going) {
      const count = there.get(digest) ?? 0;
      done.push(...alike.slice(0, count));
      if (count > alike.length) for (const row of alike) await this.#writeOne(statements, sql, { kind: 'delete', row });
      else if (count > 0) whole.push(digest);
    }
    if (whole.length > 0) {
      const [answer] = await this.#session.batch([sql.deleteAlike(whole)]);
      this.#demandFound(
        answer?.found,
        whole.reduce((sum, digest) => sum + (there.get(digest) ?? 0), 0),
      );
    }
    for (const row of rows.filter((one) => kindOf(one) === 'insert')) {
      await this.#writeOne(statements, sql, { kind: 'insert', row });
      done.push(row);
    }
    return done;
  }

  /** How many rows are like each, which nobody changes from here on. */
  async #lockAlike(sql: CompareSql, digests: readonly string[]): Promise<ReadonlyMap<string, number>> {
    if (digests.length === 0) return new Map();
    const found = await this.#session.query(sql.lockAlike(digests));
    return new Map(found.map(([digest, count]) => [digest ?? '', Number(count)]));
  }

  /**
   * A row that a parked transaction brings would be there twice after its retry, and for one that it takes away another one like it would go:
   * nothing tells that it has come, or gone, already. Without a lock, as at PostgreSQL: within a look nothing is parked.
   */
  async #demandNothingParked(): Promise<void> {
    const { route, routeId } = this.#options;
    const [parked] = await this.#session.query('select 1 from tidelock.parked where route_id = ? limit 1', [routeId]);
    if (parked !== undefined) throw fail(routeErrors.repairWhileParked, { route: route.name });
  }

  async #writeOne(
    statements: RowStatements,
    sql: CompareSql,
    { kind, row: { before, after } }: { readonly kind: RowKind; readonly row: RowRepair },
  ): Promise<void> {
    const [old, now] = [cellsOf(sql, before), cellsOf(sql, after)];
    const text =
      kind === 'delete'
        ? statements.deleteOne(old)
        : kind === 'update'
          ? statements.updateOne(old, now)
          : statements.insertOne(now);
    this.#demandShort(text);
    const [answer] = await this.#session.batch([text]);
    this.#demandFound(answer?.found, 1);
  }

  #demandFound(found = 0, expected: number): void {
    if (found === expected) return;
    const { route } = this.#options;
    const message = `of ${expected} rows that were there and locked ${found} were found`;
    throw fail(targetErrors.compareRefused, { route: route.name, node: route.to.name, message });
  }

  /** The rows as they are, which nobody changes from here on. */
  async #locked(
    sql: CompareSql,
    shape: ComparedShape,
    keys: readonly RowKey[],
  ): Promise<ReadonlyMap<string, ComparedRow>> {
    const found = new Map<string, ComparedRow>();
    const wanted = { table: shape.table, columns: sql.columns, clauses: `${sql.ofKeys(keys)} for update` };
    for await (const batch of readRows(this.#session, wanted, Number.POSITIVE_INFINITY))
      for (const row of batch.rows) {
        const canonical = sql.canonicalRow(row);
        found.set(keyText(sql.keyOfRow(canonical)), canonical.map(portableText));
      }
    return found;
  }

  /** Whoever takes a row back finds it by what it is there, however its values were written where they came from. */
  async #keep({ side }: RepairedTable, { shape, job }: RepairRequest, rows: readonly RowRepair[]): Promise<void> {
    const shared = [job, tableLabel(shape.table), JSON.stringify(shape.columns), JSON.stringify(shape.key)];
    const sql = new CompareSql(side, shape);
    const held = rows.map(({ after }) => (after === null ? [] : sql.canonicalRow(cellsOf(sql, after))));
    const documents = sql.columns.flatMap(({ parsed }, at) => (parsed.base === 'json' ? [at] : []));
    if (documents.length > 0)
      await heldJson(
        this.#session,
        held.filter(({ length }) => length > 0),
        documents,
      );
    for (const [at, row] of rows.entries()) {
      const after = row.after === null ? null : (held[at] ?? []).map(portableText);
      const image = JSON.stringify({ ...row, after });
      this.#demandShort(image);
      await this.#session.change(
        'insert into tidelock.repaired (job_id, target, columns, key_columns, image) values (?, ?, ?, ?, ?)',
        [...shared, image],
      );
    }
  }

  /** Quotes may be doubled on the way. */
  #demandShort(text: Statement): void {
    if (2 * statementBytes(text) > this.#options.longest) throw new LongMessage();
  }

  async #kept(job: number, before: number | null): Promise<readonly KeptImage[]> {
    const rows = await this.#session.query(
      `select r.id, r.target, r.columns, r.key_columns, r.image from tidelock.repaired r join tidelock.jobs j on j.id = r.job_id
       where r.job_id = ? and j.route_id = ? and r.undone = 0 and r.id < ? order by r.id desc limit ${keptAtOnce}`,
      [job, this.#options.routeId, before ?? Number.MAX_SAFE_INTEGER],
    );
    return rows.map(([id, target, columns, keyColumns, image]) => ({
      number: Number(id),
      table: target ?? '',
      columns: JSON.parse(columns ?? '[]'),
      keyColumns: JSON.parse(keyColumns ?? '[]'),
      ...(JSON.parse(image ?? '{}') as RowRepair),
    }));
  }

  async #table({ table }: ComparedShape): Promise<RepairedTable> {
    const label = tableLabel(table);
    const known = this.#tables.get(label);
    if (known !== undefined) return known;
    const [side] = await readSideTables(this.#session, [table], 'target');
    const [target] = await readTargetTables(this.#session, [table]);
    if (side === undefined || target === undefined) throw new RangeError('a table that is not there');
    this.#tables.set(label, { side, target });
    return { side, target };
  }

  /**
   * As each group does: whoever raises the epoch waits for this transaction, or it is over. `alone`: groups wait for it, too. Rows that come with a COMMIT which
   * takes longer than anybody waits for it are there for nobody until then, and rows without a key would come once more with the next attempt: its look
   * is behind a group. Of others it would find the keys taken.
   */
  async #demandEpoch(epoch: bigint, alone: boolean): Promise<void> {
    const { route, routeId } = this.#options;
    const [row] = await this.#session.query(
      `select epoch from tidelock.routes where id = ? ${alone ? 'for update' : 'lock in share mode'}`,
      [routeId],
    );
    if (row?.[0] !== epoch.toString()) throw fail(routeErrors.fenced, { route: route.name, epoch: epoch.toString() });
  }

  #classify(error: unknown): unknown {
    const { name: route, to } = this.#options.route;
    if (error instanceof UnreadTextError)
      return fail(targetErrors.compareRefused, { route, node: to.name, message: error.message }, error);
    return classifyMysqlError(error, to.name);
  }
}

function undoneBy(rows: readonly RowRepair[]): readonly number[] {
  return rows.flatMap(({ undoes }) => (undoes === undefined ? [] : [undoes]));
}

type RowKind = 'delete' | 'update' | 'insert';

function kindOf({ before, after }: RowRepair): RowKind {
  return after === null ? 'delete' : before === null ? 'insert' : 'update';
}

function sameRow(row: ComparedRow | null, seen: ComparedRow | null): boolean {
  if (row === null || seen === null) return row === seen;
  return row.length === seen.length && row.every((cell, at) => cell === seen[at]);
}

/** Rows in the order of the shape's columns. */
function statementsOf({ target }: RepairedTable, shape: ComparedShape, vendor: 'mysql' | 'mariadb'): RowStatements {
  const columns = shape.columns.map(({ name }, index): BoundColumn => {
    const column = target.columns.find((one) => one.name === name);
    if (column === undefined) throw new RangeError('a column that the table has no more');
    return { index, column };
  });
  const key = shape.key.flatMap((name) => columns.find(({ column }) => column.name === name) ?? []);
  return new RowStatements({ target, columns, key, vendor });
}

function cellsOf(sql: CompareSql, row: ComparedRow | null): Row {
  return sql.columns.map(({ parsed }, at): Cell => cellOf(row?.[at] ?? null, parsed));
}

function isRefusal(error: unknown): boolean {
  return error instanceof ValueRefusal || error instanceof LongMessage || isOfTheChange(error);
}

/** The server's own text may quote a value. */
function whyOf(error: unknown): string {
  if (error instanceof ValueRefusal) return `column ${error.column}: ${error.message}`;
  if (error instanceof LongMessage) return 'the row, and what it was before, are too long for max_allowed_packet';
  return isMysqlError(error) ? `SQLSTATE ${error.sqlState}, error ${error.errno}` : 'unknown';
}
