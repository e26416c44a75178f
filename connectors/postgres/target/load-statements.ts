import { targetErrors } from '../../../src/core/errors/catalogue/target.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { quoteIdentifier } from '../identifiers.ts';
import type { BoundColumn } from './row-statements.ts';
import type { Statement } from './statement.ts';
import type { TablePlan } from './table-plan.ts';

/** What is to become of a row of a load whose key is there already. */
export type WhereTaken = 'keep' | 'replace';

let statementNumber = 0;
const made = new WeakMap<TablePlan, Partial<Record<WhereTaken, Statement>>>();

/** Inserts rows of a load among those that are there. Throws (halt) where the target has nothing to tell them apart by. */
export function loadStatement(plan: TablePlan, whereTaken: WhereTaken, route: string): Statement {
  const known = made.get(plan) ?? {};
  made.set(plan, known);
  known[whereTaken] ??= {
    name: `tl_load_${++statementNumber}`,
    // Where rows stay when the source deletes them, the one that is there may be marked or not.
    text: plan.insertOver?.text ?? `${plan.insert.text}${conflict(plan, whereTaken, route)}`,
    parameters: (plan.insertOver ?? plan.insert).parameters,
  };
  return known[whereTaken];
}

function conflict(plan: TablePlan, whereTaken: WhereTaken, route: string): string {
  const key = plan.keyIndexes.flatMap((index) => plan.columns.find((column) => column.index === index) ?? []);
  const name = ({ column }: BoundColumn): string => quoteIdentifier(column.name);
  if (key.length === 0 || plan.isKeyDeferrable) throw fail(targetErrors.loadNeedsKey, { route, table: plan.label });
  const target = ` on conflict (${key.map(name).join(', ')})`;
  const others = plan.columns.filter((column) => !key.includes(column) && column.column.identity !== 'a');
  if (whereTaken === 'keep' || others.length === 0) return `${target} do nothing`;
  return `${target} do update set ${others.map((column) => `${name(column)} = excluded.${name(column)}`).join(', ')}`;
}
