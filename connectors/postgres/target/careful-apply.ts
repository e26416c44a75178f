import type pg from 'pg';
import { type Cell, type Row, UNCHANGED } from '../../../src/core/cell.ts';
import { isRowChange, type RowChange, type TruncateChange } from '../../../src/core/change.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Existing } from '../../../src/core/load.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { CollisionRules } from '../../../src/core/route.ts';
import { tableLabel } from '../../../src/core/table.ts';
import type { ConsumerOptions } from '../../../src/core/target.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { updateKeyImage } from '../../sql/apply/net-effect.ts';
import { classifyPostgresError, isPostgresError, type PostgresError } from '../classify-error.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { asWritten } from './as-written.ts';
import { Batch } from './batch.ts';
import { type Displaced, type DisplacedRows, keyOfCells, type ChangePlace as Place } from './displaced-rows.ts';
import type { Answer, BoundStatement } from './flight.ts';
import type { OwedRows } from './owed-rows.ts';
import { collated } from './row-statements.ts';
import { singleStatement } from './set-apply.ts';
import { bindRows, type Statement } from './statement.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';
import { truncateTables } from './truncate-tables.ts';

export interface CarefulOptions {
  readonly client: pg.Client;
  readonly plans: TablePlans;
  readonly replicaRole: boolean;
  readonly route: string;
  readonly node: string;
  readonly collisions: CollisionRules;
  readonly logger: Logger;
  /** Rows that stand aside until their own change comes; kept over the parts of one transaction. */
  readonly displaced: DisplacedRows;
  readonly share: ConsumerOptions['share'];
  /** What the load of a table that lacks rows does with others; null of a table that is complete. */
  loading(plan: TablePlan): Existing | null;
  /** As RowApplier. */
  owing(plan: TablePlan): OwedRows | null;
}

/**
 * The last resort: one change after the other, each behind a savepoint, so that the change that the target does not
 * take is known. It resolves collisions by the route's rules, and lets a row step aside whose unique value a change
 * takes, until its own change comes or the transaction ends (a swap that the source could defer and the target can't).
 * Returns the number of collisions that were resolved.
 */
export async function applyCarefully(options: CarefulOptions, parts: readonly TransactionPart[]): Promise<number> {
  const run = new CarefulRun(options);
  for (const part of parts) {
    for (const change of part.changes) {
      if (isRowChange(change)) {
        await run.apply(change, part);
      } else if (change.kind === 'truncate') {
        await run.truncate(change, part);
      }
    }
  }
  const last = parts.at(-1);
  if (last?.commit) await run.putBack(last);
  return run.collisions;
}

class CarefulRun {
  collisions = 0;
  readonly #options: CarefulOptions;

  constructor(options: CarefulOptions) {
    this.#options = options;
  }

  async truncate(change: TruncateChange, part: TransactionPart): Promise<void> {
    const { client, plans, route, displaced, share, owing } = this.#options;
    // Rows that are to be marked have to be there.
    if (change.tables.some(({ kept }) => kept !== undefined)) await this.putBack(part);
    const batch = new Batch(client);
    try {
      await truncateTables({ client, batch, plans, share, owing }, change);
      await batch.settle();
    } catch (error) {
      if (!isPostgresError(error)) throw error;
      const table = change.tables.map(tableLabel).join(', ');
      throw this.#refused(error, { route, table, position: positionText(part), change: 'truncate' });
    }
    const shares = new Map(change.shares?.map((one) => [one.table, share(one)]));
    for (const table of change.tables) displaced.forget(plans.get(table), shares.get(table));
  }

  /** The transaction ends: what stood aside and was not changed itself comes back as it was, or is a collision. */
  async putBack(part: TransactionPart): Promise<void> {
    for (const { plan, cells, by, isKeyTaken } of this.#options.displaced.takeAll()) {
      // By now the transaction's end may be known.
      const place = { ...by, position: positionText(part) };
      if (isKeyTaken && (await this.#holdsKey(plan, keyOfCells(plan, cells)))) {
        this.#resolveOrHalt(plan, place, 'finds the row already there');
        await this.#inherit(plan, cells, place);
        continue;
      }
      const result = await this.#savepoint(plan, { text: plan.putBack, values: cells });
      if (result === 1) continue;
      const constraint = (typeof result !== 'number' && result.constraint) || 'unique key';
      throw fail(targetErrors.collision, { ...place, found: `meets another row with the same ${constraint}` });
    }
  }

  async apply(change: RowChange, part: TransactionPart): Promise<void> {
    const plan = this.#options.plans.get(change.table);
    const place = { route: this.#options.route, table: plan.label, position: positionText(part), change: change.kind };
    const owed = change.kind === 'delete' ? this.#options.owing(plan) : null;
    if (owed !== null && change.kind === 'delete') {
      await this.#deleteImage(plan, change.before, { owed, place });
      return;
    }
    const aside = change.kind === 'insert' ? null : await this.#standingAside(plan, rowImage(plan, change), place);
    if (aside !== null) {
      this.#options.displaced.take(aside);
      await this.#applyToDisplaced(plan, change, aside.cells, place);
      return;
    }
    // What a deferred check lets pass now would refuse the COMMIT, where nobody can tell which change it was.
    const isTaken = change.kind === 'insert' && plan.isKeyDeferrable && (await this.#exists(plan, change.after));
    let count = isTaken ? await this.#meetExisting(plan, change, place) : await this.#try(plan, change, place);
    if (count === 0 && plan.same !== null && change.kind !== 'insert')
      count = await this.#resolveOther(plan, plan.same, change, place);
    // A row of its key that the source has not deleted, or that is not the route's.
    if (count === 0 && change.kind === 'insert' && change.table.kept !== undefined)
      count = await this.#resolveExisting(plan, change, place);
    if (count === 1 || (await this.#replace(plan, change, place))) return;
    if (count > 1) throw fail(targetErrors.collision, { ...place, found: `finds ${count} rows` });
    await this.#resolveMissing(plan, change, place);
  }

  /** Of a table without a key that lacks rows: the row may be there, or is left out of what is loaded later. */
  async #deleteImage(
    plan: TablePlan,
    row: Row,
    { owed, place }: { readonly owed: OwedRows; readonly place: Place },
  ): Promise<void> {
    const statement = plan.deleteImage();
    const told = owed.deleting(plan, row);
    const values = bindRows(statement, [row], []);
    const result = await this.#savepoint(plan, { name: statement.name, text: statement.text, values });
    if (typeof result !== 'number') throw this.#refused(result, place);
    told(result);
  }

  /** True where the row was there and only its GENERATED ALWAYS identity kept it from being updated. */
  async #replace(plan: TablePlan, change: RowChange, place: Place): Promise<boolean> {
    return (
      change.kind === 'update' && (await this.#replaceRow(plan, change.after, [updateKeyImage(plan, change)], place))
    );
  }

  async #replaceRow(plan: TablePlan, after: Row, old: readonly Row[], place: Place): Promise<boolean> {
    const statement = plan.replace(after);
    if (statement === null) return false;
    if (this.#cascades(plan)) return false;
    const values = bindRows(statement, old, [after]);
    const result = await this.#savepoint(plan, { name: statement.name, text: statement.text, values });
    if (typeof result !== 'number') throw this.#refused(result, place);
    return result === 1;
  }

  /** No row has all of the old values. Rows touched by the key alone, where the one that is there may be changed. */
  async #resolveOther(
    plan: TablePlan,
    same: Statement,
    change: RowChange & { kind: 'update' | 'delete' },
    place: Place,
  ): Promise<number> {
    const image = change.kind === 'delete' ? change.before : updateKeyImage(plan, change);
    if (!(await this.#exists(plan, image))) return 0;
    const { client } = this.#options;
    const { rows } = await client.query({ name: same.name, text: same.text, values: bindRows(same, [image], []) });
    // Else it is a column that can't be assigned that has kept it from being changed.
    if (rows.length === 0 && plan.sameAside !== null && this.#options.loading(plan) === null)
      this.#resolveOrHalt(plan, place, 'finds a row with other values than the source had');
    return await this.#try(plan, change, place, plan.byKey);
  }

  /** Rows touched; a row in the way is moved aside once for each unique key that it holds. */
  async #try(
    plan: TablePlan,
    change: RowChange,
    place: Place,
    by: Pick<TablePlan, 'update' | 'delete'> = plan,
  ): Promise<number> {
    const { statement, old, next } = singleStatement(plan, change, by);
    const query = { name: statement.name, text: statement.text, values: bindRows(statement, old, next) };
    for (let attempts = 0; ; attempts++) {
      const result = await this.#savepoint(plan, query);
      if (typeof result === 'number') return result;
      if (result.code !== '23505' || change.kind === 'delete' || attempts > plan.target.uniqueIndexes.length)
        throw this.#refused(result, place);
      if (change.kind === 'insert' && (await this.#exists(plan, change.after))) {
        return await this.#meetExisting(plan, change, place);
      }
      const isMoved = await this.#moveAside(plan, change.after, result, place);
      if (!isMoved)
        throw fail(targetErrors.collision, {
          ...place,
          found: `meets another row with the same ${result.constraint ?? 'unique key'}`,
        });
    }
  }

  /** The statement behind a savepoint: the rows that it touched, or the server's error with the savepoint restored. */
  async #savepoint(
    plan: TablePlan,
    query: BoundStatement,
    onRows: (rows: Answer['rows']) => void = () => {},
  ): Promise<number | PostgresError> {
    const { client, replicaRole } = this.#options;
    const isOrdinary = replicaRole && plan.target.hasDeferrableUnique;
    const batch = new Batch(client);
    let count = 0;
    batch.send('savepoint tl_change');
    if (isOrdinary) batch.send('set local session_replication_role = origin');
    batch.send(query, (answer) => {
      count = answer.rowCount;
      onRows(answer.rows);
    });
    if (isOrdinary) batch.send('set local session_replication_role = replica');
    batch.send('release savepoint tl_change');
    try {
      await batch.settle();
      return count;
    } catch (error) {
      if (!isPostgresError(error) || !isOfTheChange(error.code)) throw error;
      await client.query('rollback to savepoint tl_change');
      await client.query('release savepoint tl_change');
      return error;
    }
  }

  async #exists(plan: TablePlan, row: Row): Promise<boolean> {
    return await this.#holdsKey(plan, keyValues(plan, row));
  }

  async #holdsKey(plan: TablePlan, values: readonly (string | null)[]): Promise<boolean> {
    if (plan.keyIndexes.length === 0) return false;
    const where = keyCondition(plan, 1);
    const text = `select from ${plan.relation} where ${where}`;
    const { rows } = await this.#options.client.query({ text, values: [...values] });
    return rows.length > 0;
  }

  /**
   * A row with the key of a new one is there. A source that logs whole rows may have had both until its transaction ended:
   * it has no such key, or can defer it. So the row stands aside until its own change comes; if none does it is in the way.
   */
  async #meetExisting(plan: TablePlan, change: RowChange & { kind: 'insert' }, place: Place): Promise<number> {
    const mayGo = plan.source.identity === 'full' && this.#options.loading(plan) === null;
    if (mayGo && (await this.#takeOut(plan, keyValues(plan, change.after), place, null)))
      return await this.#try(plan, change, place);
    return await this.#resolveExisting(plan, change, place);
  }

  /** The new row has won over the one whose key it took: columns that only the target has keep what was there. */
  async #inherit(plan: TablePlan, cells: readonly (string | null)[], place: Place): Promise<void> {
    const kept = plan.target.columns.filter((c) => !c.generated);
    const isBound = kept.map((column) => plan.columns.some((c) => c.column === column));
    if (!isBound.includes(false)) return;
    let row: (string | null)[] = [];
    const out = { text: plan.takeOut, values: keyOfCells(plan, cells) };
    const gone = await this.#savepoint(plan, out, ([first]) => {
      row = first ? [...first] : [];
    });
    if (typeof gone !== 'number') throw this.#refused(gone, place);
    // Where the key is deferrable the target may hold a third one.
    if (gone !== 1) throw fail(targetErrors.collision, { ...place, found: `finds ${gone} rows` });
    const values = kept.map((_, at) => (isBound[at] ? row : cells)[at] ?? null);
    const result = await this.#savepoint(plan, { text: plan.putBack, values });
    if (typeof result !== 'number') throw this.#refused(result, place);
  }

  /**
   * The row of an old image, where it stands aside. Of a source that logs whole rows another one may have its key by now,
   * in the table or aside: then the image tells which of them is meant, and halts where it is of none. Of two that are alike it is the one in the
   * table: what stands aside may be somebody else's row, which nothing of the source's is ever told of.
   */
  async #standingAside(plan: TablePlan, image: Row, place: Place): Promise<Displaced | null> {
    const held = this.#options.displaced.of(plan, keyValues(plan, image));
    const [only] = held;
    if (only === undefined) return null;
    if (plan.source.identity !== 'full') return only;
    const { client } = this.#options;
    const { same, sameAside } = plan.whole();
    const there = await client.query({ name: same.name, text: same.text, values: bindRows(same, [image], []) });
    if (there.rows.length > 0) return null;
    for (const row of held) {
      const values = [...bindRows(sameAside, [image], []), ...row.cells];
      const { rows } = await client.query({ name: sameAside.name, text: sameAside.text, values });
      if (rows.length > 0) return row;
    }
    if (held.length === 1 && !(await this.#exists(plan, image))) return only;
    throw fail(targetErrors.collision, { ...place, found: 'finds rows with other values than the source had' });
  }

  async #resolveExisting(plan: TablePlan, change: RowChange & { kind: 'insert' }, place: Place): Promise<number> {
    // A row of somebody else's, which the load would replace. Of rows that stay those that it replaces are not marked first.
    const loading = this.#options.loading(plan);
    const isReplaced = loading === 'merge' || (loading === 'replace' && plan.source.kept !== undefined);
    if (!isReplaced) this.#resolveOrHalt(plan, place, 'finds the row already there');
    const statement = plan.byKey.update(change.after);
    const values = bindRows(statement, [change.after], [change.after]);
    const result = await this.#savepoint(plan, { name: statement.name, text: statement.text, values });
    if (typeof result !== 'number') throw this.#refused(result, place);
    // The row is there: a GENERATED ALWAYS identity of another value keeps it from being updated.
    if (result === 0 && (await this.#replaceRow(plan, change.after, [change.after], place))) return 1;
    return result;
  }

  async #resolveMissing(plan: TablePlan, change: RowChange, place: Place): Promise<void> {
    // It will be loaded as it is then.
    const isAwaited = this.#options.loading(plan) !== null && this.#options.owing(plan) === null;
    if (change.kind !== 'insert' && isAwaited) return;
    // A trigger or a rule at the target may have kept it, which no rule for collisions means.
    if (change.kind === 'delete' && (await this.#exists(plan, change.before))) throw kept(place);
    this.#resolveOrHalt(plan, place, 'finds no such row');
    if (change.kind === 'delete') return;
    if (change.after.includes(UNCHANGED)) throw fail(targetErrors.incompleteRow, place);
    const values = bindRows(plan.insert, [], [change.after]);
    const result = await this.#savepoint(plan, { name: plan.insert.name, text: plan.insert.text, values });
    if (typeof result !== 'number') throw this.#refused(result, place);
    if (result !== 1) throw kept(place);
  }

  /** The route's rule for the table: goes on where the source wins, throws otherwise. Other rules will have their place here. */
  #resolveOrHalt(plan: TablePlan, place: Place, found: string): void {
    const { collisions, logger } = this.#options;
    if (collisions.forTable(plan.source.schema, plan.source.name) !== 'source') {
      throw fail(targetErrors.collision, { ...place, found });
    }
    this.collisions++;
    logger.warn(
      { table: plan.label, change: place.change, position: place.position, found },
      'collision resolved: source',
    );
  }

  async #moveAside(plan: TablePlan, row: Row, error: PostgresError, place: Place): Promise<boolean> {
    const { client } = this.#options;
    const index = plan.target.uniqueIndexes.find((i) => i.name === error.constraint);
    if (index === undefined || index.hasExpressions || plan.keyIndexes.length === 0) return false;
    const columns = index.columns.map((name) => plan.columns.find((c) => c.column.name === name));
    const values: string[] = [];
    const where: string[] = [];
    for (const [at, c] of columns.entries()) {
      const cell = c === undefined ? UNCHANGED : row[c.index];
      if (c === undefined || cell === UNCHANGED) return false;
      const name = quoteIdentifier(c.column.name);
      const text = cellText(cell);
      if (text !== null) values.push(text);
      // An index with NULLS NOT DISTINCT has an equal for NULL, too.
      where.push(
        text === null
          ? `${name} is null`
          : `${name} ${index.equals[at]} ${collated(c.column, `$${values.length}::${c.column.typeSql}`)}`,
      );
    }
    if (index.predicate !== null) where.push(`(${index.predicate})`);
    const keys = plan.keyIndexes.map((i) => quoteIdentifier(plan.source.columns[i]?.name ?? ''));
    const found = await client.query<string[]>({
      text: `select ${keys.join(', ')} from ${plan.relation} where ${where.join(' and ')}`,
      values,
      rowMode: 'array',
      types: asWritten,
    });
    const [key] = found.rows;
    return key !== undefined && (await this.#takeOut(plan, key, place, index.name));
  }

  /** Deleting a row would take others with it, which nobody would bring back: foreign keys act. Under the replica role, too, where that is left for a table's sake. */
  #cascades({ target }: TablePlan): boolean {
    return (!this.#options.replicaRole || target.hasDeferrableUnique) && target.cascades.length > 0;
  }

  /** False where the row of a key can't stand aside. `constraint`: of the value that it has to give up; null: an insert takes its key. */
  async #takeOut(
    plan: TablePlan,
    key: readonly (string | null)[],
    place: Place,
    constraint: string | null,
  ): Promise<boolean> {
    const { displaced } = this.#options;
    if (this.#cascades(plan)) return false;
    let cells: (string | null)[] | undefined;
    const gone = await this.#savepoint(plan, { text: plan.takeOut, values: [...key] }, ([row]) => {
      cells = row && [...row];
    });
    if (typeof gone === 'number' && gone > 1)
      throw fail(targetErrors.collision, { ...place, found: `finds ${gone} rows` });
    // Refused where foreign keys hold on to it.
    if (gone !== 1 || cells === undefined) return false;
    const rows = displaced.size + 1;
    if (!displaced.put({ plan, cells, by: place, isKeyTaken: constraint === null }))
      throw fail(targetErrors.tooManyDisplaced, { ...place, constraint: constraint ?? 'its key', rows });
    return true;
  }

  /** The change of a row that stands aside: it comes back with its new values, or is gone for good. */
  async #applyToDisplaced(plan: TablePlan, change: RowChange, cells: (string | null)[], place: Place): Promise<void> {
    await this.#checkDisplaced(plan, change, cells, place);
    if (change.kind !== 'update') return;
    const kept = plan.target.columns.filter((c) => !c.generated);
    for (const { index, column } of plan.columns) {
      const cell = change.after[index];
      if (cell !== UNCHANGED) cells[kept.indexOf(column)] = cellText(cell);
    }
    const query = { text: plan.putBack, values: cells };
    for (let attempts = 0; ; attempts++) {
      const result = await this.#savepoint(plan, query);
      if (result === 1) return;
      if (typeof result === 'number') throw fail(targetErrors.collision, { ...place, found: 'could not be put back' });
      const isMoved =
        result.code === '23505' &&
        attempts <= plan.target.uniqueIndexes.length &&
        (await this.#moveAside(plan, change.after, result, place));
      if (!isMoved) throw this.#refused(result, place);
    }
  }

  /** It has left the table, but whoever wrote to it has done so before. */
  async #checkDisplaced(plan: TablePlan, change: RowChange, cells: (string | null)[], place: Place): Promise<void> {
    if (plan.sameAside === null) return;
    const values = [...bindRows(plan.sameAside, [rowImage(plan, change)], []), ...cells];
    const { rows } = await this.#options.client.query({ name: plan.sameAside.name, text: plan.sameAside.text, values });
    if (rows.length === 0) this.#resolveOrHalt(plan, place, 'finds a row with other values than the source had');
  }

  #refused(error: PostgresError, place: Place): Error {
    const { code: sqlState } = error;
    // Classified first: what can be retried is not the change's fault.
    const classified = classifyPostgresError(error, this.#options.node);
    if (classified.recovery === 'retry') return classified;
    const message = /^(22|P0)/.test(sqlState) ? 'see the server log' : error.message;
    return fail(targetErrors.applyFailed, { ...place, sqlState, message }, error);
  }
}

function kept(place: Place): Error {
  return fail(targetErrors.collision, { ...place, found: 'was kept from it by a trigger or a rule of the target' });
}

function positionText(part: TransactionPart): string {
  return part.commit === null ? `transaction ${part.id}` : `${part.commit.position} (transaction ${part.id})`;
}

function rowImage(plan: TablePlan, change: RowChange): Row {
  if (change.kind === 'update') return updateKeyImage(plan, change);
  return change.kind === 'insert' ? change.after : change.before;
}

function keyCondition(plan: TablePlan, first: number): string {
  return plan.keyIndexes
    .map((index, at) => {
      const column = plan.columns.find((c) => c.index === index)?.column;
      if (column === undefined) throw new RangeError(`no column ${index} in ${plan.label}`);
      return `${quoteIdentifier(column.name)} ${plan.keyEquals[at]} ${collated(column, `$${first + at}::${column.typeSql}`)}`;
    })
    .join(' and ');
}

function keyValues(plan: TablePlan, row: Row): (string | null)[] {
  return plan.keyIndexes.map((index) => cellText(row[index]));
}

/** As the server writes the value. */
function cellText(cell: Cell | undefined): string | null {
  if (Buffer.isBuffer(cell)) return `\\x${cell.toString('hex')}`;
  return typeof cell === 'string' ? cell : null;
}

/**
 * True for what the server says of a change, and not of the session or of itself: data and constraints (class 2), user
 * code (P0), what the definition does not allow (0A, 42, 55), what does not fit into a page or an index (54).
 */
export function isOfTheChange(code: string): boolean {
  return /^(2[0-9A-Z]|P0|0A|42|54|55006|55000)/.test(code);
}
