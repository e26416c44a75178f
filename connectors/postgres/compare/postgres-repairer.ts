import type pg from 'pg';
import { type ComparedColumn, keyText } from '../../../src/core/compare-side.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { failpoint } from '../../../src/core/failpoint.ts';
import type { KeptImage, Repairer, RepairRequest, RowOutcome, RowRepair } from '../../../src/core/repairer.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import { classifyPostgresError, isPostgresError, type PostgresError } from '../classify-error.ts';
import { connectPostgres } from '../connect.ts';
import { applicationName, setReplicaRole } from '../target/apply-connection.ts';
import { isOfTheChange } from '../target/careful-apply.ts';
import { originMarker } from '../target/origin-marker.ts';
import { CompareSql, tidsOf } from './compare-sql.ts';
import { type PostgresSideTable, readSideTables } from './side-tables.ts';

export interface RepairerOptions {
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly routeKey: string;
}

const keptAtOnce = 200;

/** Applying waits meanwhile: where somebody holds a row for longer, the job tries again later. */
const lockMs = 2_000;

/** On a session that a takeover ends, as it does those that apply. */
export async function openRepairer(options: RepairerOptions): Promise<Repairer> {
  const { route, routeId, routeKey } = options;
  const client = await connectPostgres(route.to, { applicationName: applicationName(routeId, routeKey, 'apply') });
  return new PostgresRepairer(client, { ...options, replicaRole: await setReplicaRole(client) });
}

class PostgresRepairer implements Repairer {
  readonly #client: pg.Client;
  readonly #options: RepairerOptions & { readonly replicaRole: boolean };
  readonly #tables = new Map<string, PostgresSideTable>();

  constructor(client: pg.Client, options: RepairerOptions & { readonly replicaRole: boolean }) {
    this.#client = client;
    this.#options = options;
  }

  async repair(request: RepairRequest): Promise<readonly RowOutcome[]> {
    try {
      const table = await this.#table(request);
      const sql = new CompareSql(table, request.shape);
      await this.#client.query('begin');
      await this.#client.query(`set local lock_timeout = ${lockMs}`);
      // As the stream's own statements on such a table: see set-apply.ts.
      if (this.#options.replicaRole && table.hasDeferrableUnique)
        await this.#client.query('set local session_replication_role = origin');
      await this.#demandEpoch(request.epoch);
      await this.#demandNotLoading(request);
      const { origin } = request;
      if (origin !== null)
        await this.#client.query(`select pg_logical_emit_message(true, 'tidelock.origin', $1::text)`, [
          originMarker([{ ...origin, committedAtMs: Date.now() }]),
        ]);
      const open = await this.#openRows(request.rows);
      const done = request.shape.key.length === 0 ? await this.#writeKeyless(sql, open) : await this.#write(sql, open);
      if (done === null) {
        await this.#client.query('rollback');
        return request.rows.map(() => ({ kind: 'refused', why: 'a value that would not be held as it is' }));
      }
      const kept = [...done.values()];
      await this.#keep(request, kept);
      await this.#takeBack([...done.keys()]);
      const isUndo = undoneBy(request.rows).length > 0;
      if (!isUndo) await this.#holdUpGroups();
      failpoint(isUndo ? 'undo.written' : 'repair.written');
      await this.#client.query('commit');
      failpoint(isUndo ? 'undo.committed' : 'repair.committed');
      const left = new Set(open.filter((row) => !done.has(row)));
      return request.rows.map((row) => ({ kind: left.has(row) ? 'changed' : 'done' }));
    } catch (error) {
      if (!isPostgresError(error) || !isOfTheChange(error.code)) throw this.#classify(error);
      await this.#client.query('rollback').catch(() => {});
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
    try {
      const { rows } = await this.#client.query<{ target: string; rows: number }>(
        'select target, count(*)::int as rows from tidelock.repaired where job_id = $1 group by target',
        [job],
      );
      return new Map(rows.map(({ target, rows: count }) => [target, count]));
    } catch (error) {
      throw this.#classify(error);
    }
  }

  async close(): Promise<void> {
    this.#client.connection.stream.destroy();
    await this.#client.end().catch(() => {});
  }

  /** Without those whose images are taken back already. Nobody else takes back the others until the transaction ends. */
  async #openRows(rows: readonly RowRepair[]): Promise<readonly RowRepair[]> {
    const numbers = undoneBy(rows);
    if (numbers.length === 0) return rows;
    const { rows: found } = await this.#client.query<{ id: string }>(
      'select id::text from tidelock.repaired where id = any($1::int8[]) and not undone order by id for update',
      [numbers],
    );
    const open = new Set(found.map(({ id }) => Number(id)));
    return rows.filter(({ undoes }) => undoes === undefined || open.has(undoes));
  }

  /** In the transaction of the rows: rows without a key would come or go once more where it was asked for again. */
  async #takeBack(rows: readonly RowRepair[]): Promise<void> {
    const numbers = undoneBy(rows);
    if (numbers.length === 0) return;
    await this.#client.query('update tidelock.repaired set undone = true where id = any($1::int8[]) and not undone', [
      numbers,
    ]);
  }

  /** Rows that were written, as they are kept. What goes makes room for what comes. */
  async #write(sql: CompareSql, rows: readonly RowRepair[]): Promise<ReadonlyMap<RowRepair, RowRepair>> {
    const done = new Set<string>();
    const run = async (text: string | null, chosen: readonly RowRepair[]): Promise<void> => {
      if (text === null || chosen.length === 0) return;
      const { rows: touched } = await this.#client.query<{ key: string[] }>(text, [JSON.stringify(chosen)]);
      for (const { key } of touched) done.add(keyText(key));
    };
    await run(
      sql.deleteRows,
      rows.filter(({ after }) => after === null),
    );
    await run(
      sql.updateRows,
      rows.filter(({ before, after }) => before !== null && after !== null),
    );
    await run(
      sql.insertRows,
      rows.filter(({ before }) => before === null),
    );
    return new Map(rows.flatMap((row) => (done.has(keyText(row.key)) ? [[row, row] as const] : [])));
  }

  /** Likewise, of rows without a key. Null where some of those that are to come do not, and nobody can tell which: the transaction is to be rolled back. */
  async #writeKeyless(sql: CompareSql, rows: readonly RowRepair[]): Promise<ReadonlyMap<RowRepair, RowRepair> | null> {
    await this.#demandNothingParked();
    const done = new Map<RowRepair, RowRepair>();
    const remove = async (text: string, chosen: readonly RowRepair[], more: readonly string[][]): Promise<void> => {
      if (chosen.length === 0) return;
      const found = await this.#client.query<{ at: number }>(text, [JSON.stringify(chosen), ...more]);
      for (const { at } of found.rows) {
        const row = chosen[at - 1];
        if (row !== undefined) done.set(row, row);
      }
    };
    const going = rows.filter(({ after }) => after === null);
    const placed = going.filter(({ version }) => version !== undefined);
    await remove(sql.deletePlaced, placed, [tidsOf(placed.map(({ version = '' }) => version))]);
    await remove(
      sql.deleteAlike,
      going.filter(({ version }) => version === undefined),
      [],
    );
    const coming = rows.filter(({ before }) => before === null);
    if (coming.length === 0) return done;
    const { rows: made } = await this.#client.query<{ cells: (string | null)[] }>(sql.insertAlike, [
      JSON.stringify(coming),
    ]);
    if (made.length !== coming.length) {
      if (rows.length > 1) return null;
      return done;
    }
    // Whoever takes it back finds the row by what it is there.
    for (const [at, row] of coming.entries()) done.set(row, { ...row, after: made[at]?.cells ?? row.after });
    return done;
  }

  /**
   * A row that a parked transaction brings would be there twice after its retry, and for one that it takes away another one like it would go:
   * nothing tells that it has come, or gone, already. Without a lock: what is parked while rows are taken back is as if it had been parked afterwards, and
   * within a look nothing is.
   */
  async #demandNothingParked(): Promise<void> {
    const { route, routeId } = this.#options;
    const { rows } = await this.#client.query('select from tidelock.parked where route_id = $1 limit 1', [routeId]);
    if (rows.length > 0) throw fail(routeErrors.repairWhileParked, { route: route.name });
  }

  /** Under the route's lock: a load that begins anew empties the table behind this transaction. */
  async #demandNotLoading({ shape }: RepairRequest): Promise<void> {
    const { route, routeId } = this.#options;
    const { rows } = await this.#client.query<{ source: string }>(
      `select source from tidelock.loads where route_id = $1 and done_at is null and key = '[]' and targets ? $2`,
      [routeId, tableLabel(shape.table)],
    );
    const [load] = rows;
    if (load !== undefined) throw fail(routeErrors.repairWhileLoaded, { route: route.name, table: load.source });
  }

  async #keep({ shape, job }: RepairRequest, kept: readonly RowRepair[]): Promise<void> {
    await this.#client.query(
      `insert into tidelock.repaired (job_id, target, columns, key_columns, image)
       select $1, $2, $3, $4, image from jsonb_array_elements($5::jsonb) image`,
      [job, tableLabel(shape.table), JSON.stringify(shape.columns), shape.key, JSON.stringify(kept)],
    );
  }

  async #kept(job: number, before: number | null): Promise<readonly KeptImage[]> {
    try {
      const { rows } = await this.#client.query<{
        id: string;
        target: string;
        columns: readonly ComparedColumn[];
        key_columns: string[];
        image: RowRepair;
      }>(
        `select id::text, target, columns, key_columns, image from tidelock.repaired
         where job_id = (select id from tidelock.jobs where id = $1 and route_id = $3)
           and not undone and ($2::int8 is null or id < $2) order by id desc limit ${keptAtOnce}`,
        [job, before, this.#options.routeId],
      );
      return rows.map(({ id, target, columns, key_columns: keyColumns, image }) => ({
        number: Number(id),
        table: target,
        columns,
        keyColumns,
        ...image,
      }));
    } catch (error) {
      throw this.#classify(error);
    }
  }

  async #table({ shape: { table } }: RepairRequest): Promise<PostgresSideTable> {
    const label = tableLabel(table);
    const known = this.#tables.get(label) ?? (await readSideTables(this.#client, [table]))[0];
    if (known === undefined) throw new RangeError('a table that is not there');
    this.#tables.set(label, known);
    return known;
  }

  /** As each group does: whoever raises the epoch waits for this transaction, or it is over. */
  async #demandEpoch(epoch: bigint): Promise<void> {
    const { route, routeId } = this.#options;
    const { rows } = await this.#client.query<{ epoch: string }>(
      'select epoch::text from tidelock.routes where id = $1 for share',
      [routeId],
    );
    if (rows[0]?.epoch !== epoch.toString())
      throw fail(routeErrors.fenced, { route: route.name, epoch: epoch.toString() });
  }

  /**
   * A COMMIT that was sent may take longer than anybody waits for it: for a synchronous standby, a disk, in a backend that is stopped. Until it is over a
   * row that it brings is there for no other transaction, so that a DELETE of the stream would find none. So groups, which read this row FOR SHARE, wait for
   * it, and say for whom. What is not committed yet holds up nobody for longer than the look: its session is gone then, and can't send a COMMIT.
   */
  async #holdUpGroups(): Promise<void> {
    await this.#client.query('select from tidelock.routes where id = $1 for no key update', [this.#options.routeId]);
  }

  #classify(error: unknown): unknown {
    return classifyPostgresError(error, this.#options.route.to.name);
  }
}

function undoneBy(rows: readonly RowRepair[]): readonly number[] {
  return rows.flatMap(({ undoes }) => (undoes === undefined ? [] : [undoes]));
}

/** The server's own text may quote a value. */
function whyOf({ code, constraint, column }: PostgresError): string {
  const where = [
    constraint === undefined ? '' : `constraint ${constraint}`,
    column === undefined ? '' : `column ${column}`,
  ];
  return [`SQLSTATE ${code}`, ...where.filter((part) => part !== '')].join(', ');
}
