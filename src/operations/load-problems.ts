import { targetErrors } from '../core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { Finding } from '../core/finding.ts';
import type { RouteDefinition } from '../core/route.ts';
import type { Source } from '../core/source.ts';
import { tableLabel } from '../core/table.ts';
import type { Target } from '../core/target.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import { demandLoads } from './change-beside-stream.ts';
import { changeLoads } from './change-loads.ts';
import { missingBaseCopy } from './demand-base-copy.ts';
import { initialLoads, isCopiedInstead, tooLarge, withoutLoads } from './initial-load.ts';
import type { TableStep } from './plan-route.ts';

export interface LoadEnds {
  readonly definition: RouteDefinition;
  readonly source: Pick<Source, 'sizeBytes' | 'reader' | 'isAwaited' | 'prepared'>;
  readonly target: Pick<Target, 'checkLoads' | 'emptyTables' | 'takesKeyless'>;
}

/** What would keep a route that begins from loading these tables, as things are now. The target has them. */
export async function initialLoadProblems(
  ends: LoadEnds,
  bindings: readonly TableBinding[],
): Promise<readonly TidelockError[]> {
  const { definition, source, target } = ends;
  if (definition.load.mode === 'none' || definition.given.slot !== undefined)
    return await copyByOthersProblems(ends, bindings);
  const bytes = await source.sizeBytes(bindings.map((binding) => binding.source));
  const loads = await initialLoads(ends, bindings, bytes);
  const found = await target.checkLoads(loads);
  if (found.some((error) => isCopiedInstead(error, definition, bytes)))
    return await copyProblems(ends, bindings, new Set());
  return [...(await copyProblems(ends, withoutLoads(bindings, loads), new Set())), ...found];
}

/** Where no queue is there yet the begin looks at each row that a route may leave out, which is not done beforehand. */
async function copyByOthersProblems(
  ends: LoadEnds,
  bindings: readonly TableBinding[],
): Promise<readonly TidelockError[]> {
  const { definition, source } = ends;
  const prepared = definition.given.slot === undefined ? await told(() => source.prepared()) : null;
  if (prepared instanceof TidelockError) return [prepared];
  const isMade = definition.given.slot !== undefined || prepared !== null;
  const judged = isMade ? bindings : bindings.filter(bringsAll);
  const missing = await missingBaseCopy(ends, judged);
  return missing === null ? [] : [missing];
}

/** What would keep a change from loading these tables. `replaced`: labels of target tables whose rows the route has brought, and that go. */
export async function changeLoadProblems(
  ends: LoadEnds,
  copied: readonly { readonly step: TableStep; readonly binding: TableBinding }[],
  replaced: ReadonlySet<string>,
): Promise<readonly TidelockError[]> {
  const { source, target } = ends;
  if (copied.length === 0) return [];
  if (await source.isAwaited()) {
    const loads = await told(() => demandLoads(ends, copied));
    return loads instanceof TidelockError ? [loads] : await target.checkLoads(loads);
  }
  const bindings = copied.map(({ binding }) => binding);
  const { copied: whole, beside } = await changeLoads(ends, bindings, replaced);
  return [...(await copyProblems(ends, whole, replaced)), ...(await target.checkLoads(beside))];
}

/** What would keep a change from following these tables as they are: nobody has copied them. Where the change looks at each row that the route may leave out, that is not done beforehand. */
export async function changeUncopiedProblems(
  ends: LoadEnds,
  bindings: readonly TableBinding[],
): Promise<readonly TidelockError[]> {
  if (bindings.length === 0) return [];
  const missing = await missingBaseCopy(ends, (await ends.source.isAwaited()) ? bindings : bindings.filter(bringsAll));
  return missing === null ? [] : [missing];
}

/** Each row of the source is one of the target. */
function bringsAll({ steps }: TableBinding): boolean {
  return steps.every(({ kind }) => kind === 'cells');
}

/** The others are told of by what the preflight has found of them. */
export function fitting(bindings: readonly TableBinding[], findings: readonly Finding[]): readonly TableBinding[] {
  const unfit = new Set(
    findings.flatMap(({ level, table }) => (level === 'error' && table !== undefined ? [table] : [])),
  );
  return bindings.filter(({ tables }) => !tables.some((table) => unfit.has(tableLabel(table))));
}

async function copyProblems(
  ends: LoadEnds,
  bindings: readonly TableBinding[],
  replaced: ReadonlySet<string>,
): Promise<readonly TidelockError[]> {
  const { definition, target } = ends;
  const large = await tooLarge(ends, bindings);
  if (large !== null) return [large];
  if (definition.load.existing === 'replace') return [];
  const kept = bindings.flatMap(({ tables }) => tables).filter((table) => !replaced.has(tableLabel(table)));
  const empty = new Set(kept.length === 0 ? [] : await target.emptyTables(kept));
  const { name: route } = definition;
  return kept.flatMap((table) => {
    const label = tableLabel(table);
    return empty.has(label) ? [] : [fail(targetErrors.targetNotEmpty, { route, table: label })];
  });
}

async function told<T>(run: () => Promise<T>): Promise<T | TidelockError> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof TidelockError && error.recovery !== 'retry') return error;
    throw error;
  }
}
