import { type Row, UNCHANGED } from '../../../src/core/cell.ts';
import { isRowChange, type RowChange } from '../../../src/core/change.ts';
import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Existing } from '../../../src/core/load.ts';
import type { Logger } from '../../../src/core/logger.ts';
import type { CollisionRules } from '../../../src/core/route.ts';
import type { TransactionPart } from '../../../src/core/transaction.ts';
import { updateKeyImage } from '../../sql/apply/net-effect.ts';
import type { Statement } from '../long-value.ts';
import type { ApplySession } from './apply-session.ts';
import { type ContestedKeys, isImageOf, over, type ChangePlace as Place } from './contested-keys.ts';
import { Flights } from './flights.ts';
import { isDuplicate, isLockError, isOfTheChange } from './refusals.ts';
import { checkForeignKeys, orderedStatements, singleStatement } from './set-apply.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';
import { refusalText } from './target-transaction.ts';
import { ValueRefusal } from './value-refusal.ts';

export interface CarefulOptions {
  readonly apply: ApplySession;
  readonly plans: TablePlans;
  /** What the load of a table that lacks rows does with those that are there; null of one that is complete. */
  loading(plan: TablePlan): Existing | null;
  readonly route: string;
  readonly collisions: CollisionRules;
  readonly logger: Logger;
  /** Kept over the parts of one transaction. */
  readonly contested: ContestedKeys;
}

/**
 * The last resort: one change after the other, each answered before the next is sent, so that the change that the target does not take is known. It resolves
 * collisions by the route's rules. No savepoints: a statement that is refused leaves nothing behind. Returns the number of collisions that were resolved.
 *
 * Where the source may have two rows of one key of the target's until its transaction ends, a new row that takes the place of another one is no collision
 * yet: the other's own change may follow, and finds the new row under its key. Which of the two is meant is told by the whole old image. Only the row that was
 * there can go so; where the new one would go, the other had to come back, and the route halts.
 */
export async function applyCarefully(options: CarefulOptions, parts: readonly TransactionPart[]): Promise<number> {
  const run = new CarefulRun(options);
  for (const part of parts) {
    await run.check(part.unchecked !== true);
    for (const change of part.changes) {
      if (isRowChange(change)) await run.apply(change, part);
      else if (change.kind === 'truncate') await run.truncate({ ...part, changes: [change] });
    }
    if (part.commit !== null) run.settle();
  }
  await run.check(true);
  return run.collisions;
}

class CarefulRun {
  collisions = 0;
  readonly #options: CarefulOptions;
  #checked = true;

  constructor(options: CarefulOptions) {
    this.#options = options;
  }

  /** Foreign keys, where they act. */
  async check(checked: boolean): Promise<void> {
    const { apply } = this.#options;
    if (!apply.foreignKeysAct || this.#checked === checked) return;
    this.#checked = checked;
    await apply.session.batch([checked ? checkForeignKeys : 'set foreign_key_checks = 0']);
  }

  async truncate(part: TransactionPart): Promise<void> {
    const { plans, apply, contested } = this.#options;
    const options = { plans, foreignKeysAct: apply.foreignKeysAct, maxBytes: 0, isPartial: () => false };
    for (const { text, label } of orderedStatements(options, [part])) {
      if (label === '') {
        await apply.session.batch([text]);
        continue;
      }
      const place = { route: this.#options.route, table: label, position: positionText(part), change: 'truncate' };
      await this.#run(text, place);
    }
    for (const change of part.changes)
      if (change.kind === 'truncate') for (const table of change.tables) contested.forget(plans.get(table));
  }

  async apply(change: RowChange, part: TransactionPart): Promise<void> {
    const plan = this.#options.plans.get(change.table);
    const place = { route: this.#options.route, table: plan.label, position: positionText(part), change: change.kind };
    if (change.kind !== 'insert' && (await this.#isOfTheOther(plan, change, place))) return;
    const found = await this.#try(textOf(plan, change, place), place);
    if (found === 1) return;
    if (found === 'duplicate') {
      if (change.kind === 'insert' && (await this.#exists(plan, change.after)))
        await this.#resolveExisting(plan, change.after, place);
      else throw fail(targetErrors.collision, { ...place, found: 'meets another row with the same unique key' });
    } else if (found > 1) throw fail(targetErrors.collision, { ...place, found: `finds ${found} rows` });
    else await this.#resolveMissing(plan, change, place);
  }

  /** The transaction has ended: rows whose place others have taken, and that were not changed themselves, were not the source's, or it has both. */
  settle(): void {
    for (const { plan, taken } of this.#options.contested.takeAll())
      this.#resolveOrHalt(plan, taken, thereAlready(plan));
  }

  /** True where the change is of a row whose place another one has taken: it is carried out as far as there is anything to do. */
  async #isOfTheOther(plan: TablePlan, change: Exclude<RowChange, { kind: 'insert' }>, place: Place): Promise<boolean> {
    const { contested } = this.#options;
    if (contested.size === 0 || !contested.has(plan)) return false;
    const before = change.kind === 'delete' ? change.before : updateKeyImage(plan, change);
    const [key, next] = [before, change.kind === 'delete' ? before : over(before, change.after)].map(
      (row) => plan.tellKey?.(row) ?? null,
    );
    if (key === null || key === undefined || next === null || next === undefined) throw this.#untold(place);
    const held = contested.of(plan, String(key));
    if (held === null) return false;
    const isNow = isImageOf(plan, before, held.now);
    const stays = change.kind === 'update' && next === key;
    if (isNow === 'unsure' || (isNow && !stays)) throw this.#untold(place);
    if (isNow) {
      if (change.kind === 'update') contested.put(String(key), { ...held, now: over(held.now, change.after) });
      return false;
    }
    if (stays) return true;
    contested.remove(plan, String(key));
    if (change.kind === 'update') await this.#comeAgain(plan, over(before, change.after), place);
    return true;
  }

  /** A row whose place another one has taken, under a key of its own. */
  async #comeAgain(plan: TablePlan, row: Row, place: Place): Promise<void> {
    if (row.includes(UNCHANGED)) throw fail(targetErrors.incompleteRow, place);
    const { columns, target } = plan;
    // What the target alone had of it went to the row that has taken its place.
    if (target.columns.some((column) => !column.generated && !columns.some((one) => one.column === column)))
      throw this.#untold(place);
    if ((await this.#try(plan.statements.insertOne(row), place)) === 1) return;
    if (!(await this.#exists(plan, row)))
      throw fail(targetErrors.collision, { ...place, found: 'meets another row with the same unique key' });
    await this.#resolveExisting(plan, row, place);
  }

  #untold(place: Place): Error {
    const found = 'is of one of two rows of the source that have one key of the target, which holds only one of them';
    return fail(targetErrors.collision, { ...place, found });
  }

  async #exists(plan: TablePlan, row: Row): Promise<boolean> {
    if (plan.keyIndexes.length === 0) return false;
    const [answer] = await this.#options.apply.session.batch([plan.statements.exists(row)]);
    return (answer?.rows.length ?? 0) > 0;
  }

  async #resolveExisting(plan: TablePlan, row: Row, place: Place): Promise<void> {
    const existing = this.#options.loading(plan);
    const isOthers = existing === 'merge' && plan.sharesKeys !== 'always';
    if (isOthers || plan.sharesKeys === 'never') {
      if (!isOthers) this.#resolveOrHalt(plan, place, thereAlready(plan));
      await this.#run(plan.statements.updateOne(row, row), place);
      return;
    }
    const { collisions, contested, apply } = this.#options;
    const key = plan.tellKey?.(row) ?? null;
    // What a cascade takes away would not be known of.
    const mayGo = apply.foreignKeysAct && plan.target.references.length > 0;
    const isUntold = key === null || mayGo || contested.of(plan, String(key)) !== null;
    if (isUntold || existing !== null || collisions.forTable(plan.source.schema, plan.source.name) !== 'source')
      throw fail(targetErrors.collision, { ...place, found: thereAlready(plan) });
    await this.#run(plan.statements.updateOne(row, row), place);
    if (contested.put(String(key), { plan, now: row, taken: place })) return;
    throw fail(targetErrors.tooManyDisplaced, { ...place, constraint: 'the key', rows: contested.size });
  }

  async #resolveMissing(plan: TablePlan, change: RowChange, place: Place): Promise<void> {
    // It is loaded as it is later.
    if (change.kind !== 'insert' && this.#options.loading(plan) !== null) return;
    this.#resolveOrHalt(plan, place, 'finds no such row');
    if (change.kind === 'delete') return;
    if (change.after.includes(UNCHANGED)) throw fail(targetErrors.incompleteRow, place);
    // The row that it makes may be there under its new key: then two rows are where the source has one.
    const made = await this.#try(plan.statements.insertOne(change.after), place);
    if (made === 1) return;
    const isThere = change.kind === 'update' && (await this.#exists(plan, change.after));
    if (!isThere || updateKeyImage(plan, change) === change.after)
      throw fail(targetErrors.collision, { ...place, found: 'meets another row with the same unique key' });
    if (plan.sharesKeys === 'never') await this.#run(plan.statements.updateOne(change.after, change.after), place);
    else await this.#resolveExisting(plan, change.after, place);
  }

  /** The route's rule for the table: goes on where the source wins, throws otherwise. */
  #resolveOrHalt(plan: TablePlan, place: Place, found: string): void {
    const { collisions, logger } = this.#options;
    const isSources = collisions.forTable(plan.source.schema, plan.source.name) === 'source';
    if (!isSources || (plan.sharesKeys === 'always' && found === thereAlready(plan)))
      throw fail(targetErrors.collision, { ...place, found });
    this.collisions++;
    logger.warn(
      { table: plan.label, change: place.change, position: place.position, found },
      'collision resolved: source',
    );
  }

  /** As #try, of what has no reason to meet another row. */
  async #run(text: Statement, place: Place): Promise<void> {
    if ((await this.#try(text, place)) === 'duplicate')
      throw fail(targetErrors.collision, { ...place, found: 'meets another row with the same unique key' });
  }

  /** Rows that it found. Throws (halt) what the server says of the change. */
  async #try(text: Statement, place: Place): Promise<number | 'duplicate'> {
    const { apply, route } = this.#options;
    const flights = new Flights({ session: apply.session, maxPacketBytes: apply.maxPacketBytes, route });
    let count = 0;
    try {
      await flights.send(text, ({ found }) => {
        count = found;
      });
      await flights.settle();
      return count;
    } catch (error) {
      if (isLockError(error) || !isOfTheChange(error)) throw error;
      if (isDuplicate(error)) return 'duplicate';
      throw fail(targetErrors.applyFailed, { ...place, ...refusalText(error) }, error);
    }
  }
}

function thereAlready({ sharesKeys }: TablePlan): string {
  const both = ', and the source, which has no such key, may have both';
  return `finds the row already there${sharesKeys === 'always' ? both : ''}`;
}

/** Throws (halt) what the server would make something else of. */
function textOf(plan: TablePlan, change: RowChange, { route, table, position }: Place): Statement {
  try {
    return singleStatement(plan, change, false).text;
  } catch (error) {
    if (!(error instanceof ValueRefusal)) throw error;
    throw fail(targetErrors.valueAltered, { route, table, column: error.column, position, why: error.message }, error);
  }
}

export function positionText(part: TransactionPart): string {
  return part.commit === null ? `transaction ${part.id}` : `${part.commit.position} (transaction ${part.id})`;
}
