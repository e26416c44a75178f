import type { BoundStatement } from './flight.ts';
import type { Value } from './message-writer.ts';
import type { Statement } from './statement.ts';
import type { TablePlan } from './table-plan.ts';
import { actingTrigger } from './target-table.ts';

const guarded = new WeakMap<Statement, { readonly name: string; readonly text: string }>();

/**
 * The statement, so that it fails by dividing by zero where it touches another number of rows than `count`: the server does
 * not go on to the COMMIT behind it. What it returns costs the server about a tenth of a microsecond a row.
 */
export function guardedStatement(statement: Statement, values: readonly Value[], count: number): BoundStatement {
  let made = guarded.get(statement);
  if (made === undefined) {
    const own = `$${statement.parameters.length + 1}::pg_catalog.int8`;
    const text = `with done as (${statement.text}${statement.isRead ? '' : ' returning 1'}) select 1 / (count(*) = ${own})::pg_catalog.int4 from done`;
    made = { name: `${statement.name}_g`, text };
    guarded.set(statement, made);
  }
  return { ...made, values: [...values, count.toString()] };
}

/**
 * Behind a COPY, which can't count by itself: fails by dividing by zero where a trigger may have kept rows away. The plan knows of none, or it would
 * not copy; one that was made since it was read is seen here, since COPY's lock keeps others away until the COMMIT.
 */
export function untouchedCopy({ target }: TablePlan): BoundStatement {
  return {
    name: 'tl_copied',
    text: `select 1 / (not exists (select from pg_trigger t where t.tgrelid = $1::oid and t.tgenabled <> 'D' and ${actingTrigger}))::pg_catalog.int4`,
    values: [target.oid.toString()],
  };
}
