import type pg from 'pg';
import type { DdlChange } from '../../../src/core/change.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { BegunLoad, Existing, LoadedChunk, RowSet } from '../../../src/core/load.ts';
import type { RouteDefinition } from '../../../src/core/route.ts';
import { piecesOf, rowsOf } from '../../../src/core/row-set.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { isPostgresError, sqlState } from '../classify-error.ts';
import { progressStatement, readLoads, storeEmptied, storeLoad } from '../state/stored-loads.ts';
import { type Batch, CountMismatch } from './batch.ts';
import { isOfTheChange } from './careful-apply.ts';
import { type CopyData, copyBytes, copyData } from './copy-data.ts';
import { copyText } from './copy-text.ts';
import { checkLoads, demandFree, demandKey } from './load-check.ts';
import { type LoadStatement, loadStatement, presentStatement } from './load-statements.ts';
import { OwedRows } from './owed-rows.ts';
import { ReplacedRows } from './replaced-rows.ts';
import { whereShared } from './share-condition.ts';
import { bindRows } from './statement.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';

interface Loading {
  readonly existing: Existing;
  /** Labels of the target tables. */
  readonly targets: readonly string[];
  /** Of what tells its rows apart; empty where that is only all that is in them. */
  readonly key: readonly string[];
}

interface Known {
  readonly loads: ReadonlyMap<string, Loading>;
  readonly partial: ReadonlyMap<string, Existing>;
  readonly keyless: ReadonlySet<string>;
}

/** Of apply.memory, for rows that are owed: groups, their statements and chunks leave so much of it. */
const owedShare = 1 / 4;

export interface LoadApplyOptions {
  readonly client: pg.Client;
  readonly route: RouteDefinition;
  readonly routeId: number;
  readonly plans: TablePlans;
  readonly replicaRole: boolean;
}

/** The loads of a route as its Consumer carries them out, and which target tables lack rows until then. */
export class LoadApply {
  readonly #options: LoadApplyOptions;
  /** By source table. */
  readonly #loads = new Map<string, Loading>();
  readonly #partial = new Map<string, Existing>();
  /** Target tables of loads without a key. */
  readonly #keyless = new Set<string>();
  /** As all of this was before the commands that the open target transaction has carried out. */
  #before: Known | null = null;
  /** Target tables that these have dropped, or given another name. */
  #left: string[] = [];
  readonly owed: OwedRows;
  readonly #replaced: ReplacedRows;

  constructor(options: LoadApplyOptions) {
    this.#options = options;
    const { client, plans, route } = options;
    this.#replaced = new ReplacedRows({ client, plans, route: route.name });
    this.owed = new OwedRows(route.name, Math.floor(route.apply.memoryBytes * owedShare));
  }

  async open(): Promise<void> {
    const { client, routeId } = this.#options;
    for (const load of await readLoads(client, routeId)) if (!load.done) this.#begin(load.source, load);
    if (this.#partial.size > 0) await demandFree(this.#options, [...this.#partial.keys()]);
  }

  /** Some table lacks rows. */
  get active(): boolean {
    return this.#loads.size > 0;
  }

  /** What its load does with rows that are there; null of a table that is complete. */
  ofTable({ label }: TablePlan): Existing | null {
    return this.#partial.get(label) ?? null;
  }

  /** What is owed of a table whose rows only all that is in them tells apart, while it lacks rows; else null. */
  owing({ label }: TablePlan): OwedRows | null {
    return this.#keyless.has(label) ? this.owed : null;
  }

  /** Sends the rows of a chunk and how far the load is with it. `isEmpty`: none of these rows is thought to be there. */
  send(batch: Batch, { source, sets, progress }: LoadedChunk, isEmpty: boolean): void {
    const existing = this.#loads.get(source)?.existing ?? 'refuse';
    this.owed.begin();
    for (const set of sets) this.#sendSet(batch, set, isEmpty && !set.touched && existing !== 'merge', existing);
    if (progress.done) this.#sendRest(batch, source);
    batch.send(progressStatement(this.#options.routeId, source, progress));
  }

  /** In an open target transaction: some of the rows that the load replaces go. */
  async empty(chunk: LoadedChunk): Promise<void> {
    const { source, empties } = chunk;
    if (empties === undefined) return;
    const { client, routeId, plans } = this.#options;
    await plans.add(client, empties.tables);
    chunk.emptied = await this.#replaced.deleteSome(source, empties);
    if (chunk.emptied) await storeEmptied(client, routeId, source);
  }

  /**
   * What is about to be applied. A TRUNCATE that marks the rows of a table gives them other places: those of a part that still go may come to where
   * their deletion has been, so that it begins anew.
   */
  coming(parts: readonly TransactionPart[]): void {
    if (!this.active) return;
    for (const { changes } of parts) {
      for (const change of changes) {
        if (change.kind !== 'truncate') continue;
        const marked = change.tables.filter(({ kept }) => kept?.mark != null).map(tableLabel);
        for (const [source, { targets }] of this.#loads)
          if (targets.some((target) => marked.includes(target))) this.#replaced.forget(source);
      }
    }
  }

  /** What is still owed with the last rows is of images that the target has by another text. */
  #sendRest(batch: Batch, source: string): void {
    for (const { plan, row } of this.owed.rest(this.#loads.get(source)?.targets ?? [])) {
      const statement = plan.deleteImage();
      const values = bindRows(statement, [row], []);
      batch.send({ name: statement.name, text: statement.text, values }, ({ rowCount }) => {
        if (rowCount === 1) return;
        const place = { route: this.#options.route.name, table: plan.label, position: 'the end of its load' };
        throw fail(targetErrors.collision, { ...place, change: 'delete', found: `finds ${rowCount} rows` });
      });
    }
  }

  /** The chunk is committed. */
  sent({ source, progress, empties }: LoadedChunk): void {
    if (empties !== undefined) this.#replaced.sent();
    if (progress.done) this.#end(source);
  }

  /** Whether rows that are there have kept COPY from it. Without a key nothing is brought that may be there. */
  isTaken(error: unknown, { source }: LoadedChunk): boolean {
    return sqlState(error) === '23505' && this.#loads.get(source)?.key.length !== 0;
  }

  begin(load: BegunLoad): Promise<void> {
    return this.beginAll([load], false);
  }

  /** In an open target transaction. Tables that point to others are emptied first. `asked`: no stream has brought rows of theirs, see checkLoads. */
  async beginAll(loads: readonly BegunLoad[], asked: boolean): Promise<void> {
    const { client, routeId, plans } = this.#options;
    await checkLoads(this.#options, loads, asked);
    const replaced = loads.filter(({ load }) => load.existing === 'replace');
    const isWhole = ({ tables, where }: BegunLoad): boolean =>
      where === null && tables.every((table) => plans.get(table).share === null);
    const whole = replaced.filter(isWhole);
    const emptied = (await this.#truncate(whole.flatMap(({ tables }) => tables.map((table) => plans.get(table)))))
      ? new Set(whole)
      : new Set<BegunLoad>();
    for (const begun of loads) {
      const emptying = begun.load.existing === 'replace' && !emptied.has(begun);
      await storeLoad(client, routeId, { ...begun.load, emptying });
      this.#replaced.forget(begun.load.source);
    }
  }

  /** A trigger of the target that acts, or a rule, may keep rows, which would come once more. */
  async #deleteAll(plan: TablePlan): Promise<void> {
    await this.#options.client.query(`delete from ${plan.relation}${whereShared(plan)}`);
    const { rows } = await this.#options.client.query(`select from ${plan.relation}${whereShared(plan)} limit 1`);
    const place = { route: this.#options.route.name, table: plan.label };
    if (rows.length > 0) throw fail(targetErrors.targetNotEmpty, place);
  }

  /**
   * In an open target transaction, while the route does not stream: what is there of loads without a key goes, and they begin anew. Where rows can't go
   * at once they are deleted in this transaction, whatever their number.
   */
  async beginAnew(loads: readonly BegunLoad[]): Promise<void> {
    const { client, routeId, plans } = this.#options;
    await plans.add(
      client,
      loads.flatMap(({ tables }) => tables),
    );
    await demandFree(
      this.#options,
      loads.flatMap(({ load }) => load.targets),
    );
    for (const { load, tables } of loads) {
      const emptied = plans.parentsFirst(tables.map((table) => plans.get(table))).toReversed();
      if (emptied.some(({ share }) => share !== null) || !(await this.#truncate(emptied)))
        for (const plan of emptied) await this.#deleteAll(plan);
      await storeLoad(client, routeId, { ...load, emptying: false });
    }
  }

  /** All at once, where nobody is in the way and nothing else points to the tables. False where their rows have to be deleted. */
  async #truncate(replaced: readonly TablePlan[]): Promise<boolean> {
    const { client } = this.#options;
    if (replaced.length === 0) return false;
    let isEmpty = true;
    await client.query('savepoint emptying');
    try {
      await client.query(`set local lock_timeout = '${emptyLockMs}ms'`);
      await client.query(`truncate ${replaced.map(({ relation }) => relation).join(', ')}`);
    } catch (error) {
      if (!isPostgresError(error) || !instead.has(error.code)) throw error;
      await client.query('rollback to savepoint emptying');
      isEmpty = false;
    }
    await client.query('release savepoint emptying');
    await client.query('set local lock_timeout to default');
    return isEmpty;
  }

  /**
   * A command has renamed or dropped tables. One that is made by such a name later, even in the same transaction, is another table; where that is rolled back
   * they are what they were, since what came before the command is applied once more.
   */
  carried({ tables, stored }: DdlChange): void {
    if (tables?.kind === 'dropped') for (const name of tables.names) this.#leave(tableLabel(name));
    if (tables?.kind !== 'renamed' || stored === undefined) return;
    const load = this.#leave(tableLabel(tables.from));
    if (load !== null) this.#begin(stored.source, { ...load, targets: [stored.target] });
  }

  /** The open target transaction is committed. */
  committed(): void {
    this.owed.committed();
    this.owed.forget(this.#left);
    this.#left = [];
    this.#before = null;
  }

  /** It is rolled back as a whole. */
  rolledBack(): void {
    this.owed.rolledBack();
    this.#left = [];
    if (this.#before === null) return;
    const { loads, partial, keyless } = this.#before;
    this.#before = null;
    for (const known of [this.#loads, this.#partial, this.#keyless]) known.clear();
    for (const [source, load] of loads) this.#loads.set(source, load);
    for (const [target, existing] of partial) this.#partial.set(target, existing);
    for (const target of keyless) this.#keyless.add(target);
  }

  begun({ load }: BegunLoad): void {
    this.#begin(load.source, load);
  }

  /** What the server says of a chunk that it does not take. */
  refused(error: unknown, { sets, empties }: LoadedChunk, position: string): unknown {
    const { route } = this.#options;
    if (error instanceof CountMismatch) {
      const message =
        'other rows are there than were given: a trigger or a rule keeps rows away, or two of them have one key here';
      const place = { route: route.name, table: error.label, column: 'a row', position };
      return fail(targetErrors.loadRefused, { ...place, sqlState: '21000', message }, error);
    }
    if (!isPostgresError(error) || !isOfTheChange(error.code)) return error;
    const { code: state } = error;
    const message = state.startsWith('23') ? error.message : 'see the server log';
    const tables = empties?.tables ?? sets.map((set) => set.table);
    const table = tables.map((one) => this.#options.plans.get(one).label).join(', ');
    const place = { route: route.name, table, column: error.column ?? 'a column', position, sqlState: state, message };
    return fail(targetErrors.loadRefused, place, error);
  }

  #begin(source: string, { existing, targets, key }: Loading): void {
    this.#loads.set(source, { existing, targets, key });
    // What is owed of a table that a command has given this name is of no use: its load begins anew.
    this.owed.forget(targets);
    for (const target of targets) {
      this.#partial.set(target, existing);
      if (key.length === 0) this.#keyless.add(target);
      else this.#keyless.delete(target);
    }
  }

  #end(source: string): void {
    const targets = this.#loads.get(source)?.targets ?? [];
    this.owed.forget(targets);
    this.#delete(source, targets);
  }

  /** By a command of the open target transaction: until that is committed it may still be what it was. */
  #leave(source: string): Loading | null {
    const load = this.#loads.get(source);
    if (load === undefined) return null;
    this.#before ??= {
      loads: new Map(this.#loads),
      partial: new Map(this.#partial),
      keyless: new Set(this.#keyless),
    };
    this.#left.push(...load.targets);
    this.#delete(source, load.targets);
    return load;
  }

  #delete(source: string, targets: readonly string[]): void {
    this.#loads.delete(source);
    for (const target of targets) {
      this.#partial.delete(target);
      this.#keyless.delete(target);
    }
  }

  #sendSet(batch: Batch, given: RowSet, isEmpty: boolean, existing: Existing): void {
    const { plans, replicaRole, route } = this.#options;
    const plan = plans.get(given.table);
    const isKeyless = this.#keyless.has(plan.label);
    const set = isKeyless && this.owed.owes(plan) ? { ...given, rows: this.owed.left(plan, rowsOf(given)) } : given;
    if (!isKeyless) demandKey(plan, set.telling, route.name);
    // Under the replica role nothing would recheck a deferrable unique constraint that the source has not.
    const isOrdinary = replicaRole && plan.target.hasDeferrableUnique;
    if (isOrdinary) batch.send('set local session_replication_role = origin');
    if (plan.copy !== null && isEmpty) {
      for (const { data, count } of copiesOf(set)) batch.sendCopy(plan.copy, data, count, plan.label);
    } else {
      const statement: LoadStatement = isKeyless
        ? { ...plan.insert, mayLeave: false }
        : loadStatement(plan, existing === 'merge' ? 'replace' : 'keep', route.name);
      const rows = rowsOf(set);
      // A value that nobody may set stays what it is: then the row has to come anew.
      const gone = existing === 'merge' && !plan.canReplace ? plan.byKey.delete : null;
      const takesMany = plan.insertsMany && (gone === null || plan.readKey !== null);
      const most = takesMany ? insertRows : 1;
      for (let at = 0; at < rows.length; at += most) {
        const some = rows.slice(at, at + most);
        if (gone !== null) batch.send({ name: gone.name, text: gone.text, values: bindRows(gone, some, []) });
        const query = { name: statement.name, text: statement.text, values: bindRows(statement, [], some) };
        if (!statement.mayLeave) {
          batch.sendCounted(query, some.length, plan.label);
          continue;
        }
        batch.send(query);
        // A row that was not inserted has to be there: a trigger of the target may have kept it.
        const present = presentStatement(plan);
        const values = bindRows(present, [], some);
        batch.sendCounted({ name: present.name, text: present.text, values }, some.length, plan.label);
      }
    }
    if (isOrdinary) batch.send('set local session_replication_role = replica');
  }
}

/** Whoever comes to the table meanwhile waits behind it. */
const emptyLockMs = 500;

/** Somebody reads the table, other tables point to it, the user may only delete: its rows go one by one. */
const instead: ReadonlySet<string> = new Set(['55P03', '0A000', '42501', '55006']);

/** A statement of more has arrays that are dear to take apart. */
const insertRows = 5_000;

/** One COPY for what is text already. Else one for each piece: the server is at work on it while the next is made. */
function* copiesOf(set: RowSet): Generator<{ readonly data: CopyData[]; readonly count: number }, void, undefined> {
  if ('text' in set.rows) {
    if (set.rows.count > 0) yield { data: set.rows.text.flatMap(copyBytes), count: set.rows.count };
    return;
  }
  for (const rows of piecesOf(set)) if (rows.length > 0) yield { data: [copyData(copyText(rows))], count: rows.length };
}
