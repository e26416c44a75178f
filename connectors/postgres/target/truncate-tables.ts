import type pg from 'pg';
import type { ShareTest, TableShare, TruncateChange } from '../../../src/core/change.ts';
import type { Batch } from './batch.ts';
import { deleteShare } from './delete-share.ts';
import type { OwedRows } from './owed-rows.ts';
import type { TablePlan } from './table-plan.ts';
import type { TablePlans } from './table-plans.ts';

export interface TruncateOptions {
  readonly client: pg.Client;
  readonly batch: Batch;
  readonly plans: TablePlans;
  readonly share: (share: TableShare) => ShareTest;
  /** As RowApplier. */
  readonly owing?: (plan: TablePlan) => OwedRows | null;
}

/**
 * Empties what the source has emptied. Never CASCADE: what the source emptied is listed, and nothing else is to be
 * emptied here. Of a table that holds rows of others, too, those that came from the source are deleted; and so are all
 * rows of a table that such a one points to, which the server would not truncate by itself. Waits only where rows are
 * deleted.
 */
export async function truncateTables(options: TruncateOptions, change: TruncateChange): Promise<void> {
  const { batch, plans } = options;
  const shares = new Map((change.shares ?? []).map((share) => [plans.get(share.table), options.share(share)]));
  const all = [...new Set(change.tables.map((table) => plans.get(table)))];
  for (const plan of all) options.owing?.(plan)?.emptied(plan);
  for (const plan of all)
    if (plan.markAll !== null && !shares.has(plan)) batch.send({ text: plan.markAll, values: [markOf(plan)] });
  const emptied = all.filter(({ markAll }) => markAll === null);
  const deleted = withParents(
    emptied.filter((plan) => shares.has(plan)),
    emptied,
  );
  sendTruncate(
    batch,
    emptied.filter((plan) => !deleted.has(plan)),
    change.restartIdentity,
  );
  if (shares.size === 0) return;
  await batch.settle();
  const marked = [...shares.keys()].filter(({ markAll }) => markAll !== null);
  for (const plan of [...marked, ...plans.parentsFirst([...deleted]).reverse()])
    await deleteShare(options.client, plan, shares.get(plan) ?? null);
}

function markOf({ source }: TablePlan): string | null {
  return source.kept?.mark?.value ?? null;
}

function sendTruncate(batch: Batch, plans: readonly TablePlan[], restartIdentity: boolean): void {
  if (plans.length === 0) return;
  const tables = plans.map((plan) => plan.relation).join(', ');
  // A table with a pending check can't be truncated. At the source none of its own was pending either.
  const constraints = [...new Set(plans.flatMap((plan) => plan.target.deferrableConstraints))].join(', ');
  if (constraints !== '') batch.send(`set constraints ${constraints} immediate`);
  batch.send(`truncate table ${tables}${restartIdentity ? ' restart identity' : ''}`);
  if (constraints !== '') batch.send(`set constraints ${constraints} deferred`);
}

/** The tables, and those of `all` that they point to, over any number of steps. */
function withParents(tables: readonly TablePlan[], all: readonly TablePlan[]): Set<TablePlan> {
  const found = new Set(tables);
  for (const plan of found)
    for (const parent of all) if (plan.target.references.includes(parent.target.oid)) found.add(parent);
  return found;
}
