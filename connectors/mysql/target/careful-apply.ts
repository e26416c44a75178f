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
}

interface Place {
  readonly route: string;
  readonly table: string;
  readonly position: string;
  readonly change: string;
}

/**
 * The last resort: one change after the other, each answered before the next is sent, so that the change that the target does not take is known. It resolves
 * collisions by the route's rules. No savepoints: a statement that is refused leaves nothing behind. Returns the number of collisions that were resolved.
 */
export async function applyCarefully(options: CarefulOptions, parts: readonly TransactionPart[]): Promise<number> {
  const run = new CarefulRun(options);
  for (const part of parts) {
    await run.check(part.unchecked !== true);
    for (const change of part.changes) {
      if (isRowChange(change)) await run.apply(change, part);
      else if (change.kind === 'truncate') await run.truncate({ ...part, changes: [change] });
    }
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
    const { plans, apply } = this.#options;
    const options = { plans, foreignKeysAct: apply.foreignKeysAct, maxBytes: 0, isPartial: () => false };
    for (const { text, label } of orderedStatements(options, [part])) {
      if (label === '') {
        await apply.session.batch([text]);
        continue;
      }
      const place = { route: this.#options.route, table: label, position: positionText(part), change: 'truncate' };
      await this.#run(text, place);
    }
  }

  async apply(change: RowChange, part: TransactionPart): Promise<void> {
    const plan = this.#options.plans.get(change.table);
    const place = { route: this.#options.route, table: plan.label, position: positionText(part), change: change.kind };
    const found = await this.#try(textOf(plan, change, place), place);
    if (found === 1) return;
    if (found === 'duplicate') {
      if (change.kind === 'insert' && (await this.#exists(plan, change.after)))
        await this.#resolveExisting(plan, change.after, place);
      else throw fail(targetErrors.collision, { ...place, found: 'meets another row with the same unique key' });
    } else if (found > 1) throw fail(targetErrors.collision, { ...place, found: `finds ${found} rows` });
    else await this.#resolveMissing(plan, change, place);
  }

  async #exists(plan: TablePlan, row: Row): Promise<boolean> {
    if (plan.keyIndexes.length === 0) return false;
    const [answer] = await this.#options.apply.session.batch([plan.statements.exists(row)]);
    return (answer?.rows.length ?? 0) > 0;
  }

  async #resolveExisting(plan: TablePlan, row: Row, place: Place): Promise<void> {
    if (this.#options.loading(plan) !== 'merge') this.#resolveOrHalt(plan, place, 'finds the row already there');
    await this.#run(plan.statements.updateOne(row, row), place);
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
    await this.#run(plan.statements.updateOne(change.after, change.after), place);
  }

  /** The route's rule for the table: goes on where the source wins, throws otherwise. */
  #resolveOrHalt(plan: TablePlan, place: Place, found: string): void {
    const { collisions, logger } = this.#options;
    if (collisions.forTable(plan.source.schema, plan.source.name) !== 'source')
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
