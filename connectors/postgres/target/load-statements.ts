import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { quoteIdentifier } from '../identifiers.ts';
import { elementForm } from './array-literal.ts';
import { type BoundColumn, collated, sameText } from './row-statements.ts';
import { parameterSource, type Statement, unnestSource } from './statement.ts';
import type { TablePlan } from './table-plan.ts';

/** What is to become of a row of a load whose key is there already. */
export type WhereTaken = 'keep' | 'replace';

export interface LoadStatement extends Statement {
  /** Of rows whose key is there it does nothing: how many it touches tells nothing. Else it touches each. */
  readonly mayLeave: boolean;
}

let statementNumber = 0;
const made = new WeakMap<TablePlan, Partial<Record<WhereTaken, LoadStatement>>>();
const present = new WeakMap<TablePlan, Statement>();

/** Inserts rows of a load among those that are there. Throws (halt) where the target has nothing to tell them apart by. */
export function loadStatement(plan: TablePlan, whereTaken: WhereTaken, route: string): LoadStatement {
  const known = made.get(plan) ?? {};
  made.set(plan, known);
  known[whereTaken] ??= makeStatement(plan, whereTaken, route);
  return known[whereTaken];
}

function makeStatement(plan: TablePlan, whereTaken: WhereTaken, route: string): LoadStatement {
  const name = `tl_load_${++statementNumber}`;
  // Where rows stay when the source deletes them, the one that is there may be marked or not.
  if (plan.insertOver !== null) {
    const { text, parameters } = plan.insertOver;
    return { name, text, parameters, mayLeave: false };
  }
  const { text, parameters } = plan.insert;
  const taken = conflict(plan, whereTaken, route);
  return { name, text: `${text}${taken}`, parameters, mayLeave: taken.endsWith('do nothing') };
}

/**
 * Finds of each row of a load the one that has its key, as it is written: what the target holds for equal may be another row of the source's, which has the
 * place that this one would need. As many rows at once as `plan.insert` takes.
 */
export function presentStatement(plan: TablePlan): Statement {
  const known = present.get(plan);
  if (known !== undefined) return known;
  const key = keyOf(plan).map((bound) => {
    const form = bound.column.unnestable ? elementForm(bound.column.baseType) : ('quoted' as const);
    return { ...bound, image: 'new' as const, form };
  });
  const { from, value, parameters } = plan.insertsMany ? unnestSource(key) : parameterSource(key);
  const equal = key.flatMap(({ column }, at) => {
    const there = `t.${quoteIdentifier(column.name)}`;
    return [`${there} ${plan.keyEquals[at]} ${collated(column, value(at))}`, sameText(column, there, value(at))];
  });
  const given = from === '' ? '' : `from ${from} `;
  const text = `select ${given}where exists (select from ${plan.relation} as t where ${equal.join(' and ')})`;
  const statement: Statement = { name: `tl_present_${++statementNumber}`, text, parameters, isRead: true };
  present.set(plan, statement);
  return statement;
}

function keyOf(plan: TablePlan): readonly BoundColumn[] {
  return plan.keyIndexes.flatMap((index) => plan.columns.find((column) => column.index === index) ?? []);
}

function conflict(plan: TablePlan, whereTaken: WhereTaken, route: string): string {
  const key = keyOf(plan);
  const name = ({ column }: BoundColumn): string => quoteIdentifier(column.name);
  if (key.length === 0 || plan.isKeyDeferrable) throw fail(targetErrors.loadNeedsKey, { route, table: plan.label });
  const target = ` on conflict (${key.map(name).join(', ')})`;
  const others = plan.columns.filter((column) => !key.includes(column) && column.column.identity !== 'a');
  if (whereTaken === 'keep' || others.length === 0) return `${target} do nothing`;
  return `${target} do update set ${others.map((column) => `${name(column)} = excluded.${name(column)}`).join(', ')}`;
}
