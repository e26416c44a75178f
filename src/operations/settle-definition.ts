import { routeErrors } from '../core/errors/catalogue/route.ts';
import { sourceErrors } from '../core/errors/catalogue/source.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import { failpoint } from '../core/failpoint.ts';
import type { RouteDefinition } from '../core/route.ts';
import { fingerprintOf } from '../core/route-description.ts';
import type { StoredRoute, StoredTable } from '../core/route-state-store.ts';
import type { QueueSnapshot } from '../core/source.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import { definitionOf } from '../pipeline/judge-definition.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import { storedTable, TableMapper } from '../pipeline/table-mapper.ts';
import { type AgreedChange, changeBesideStream, type JoiningTables } from './change-beside-stream.ts';
import { changeLoads } from './change-loads.ts';
import { demandBaseCopy } from './demand-base-copy.ts';
import { type CopiedTables, copyInto, type InitialLoadOptions } from './initial-load.ts';
import { ownTables } from './own-tables.ts';
import { isAsAgreed, isCopied, isEmpty, leavesParked, type PlanFacts, planRoute, replacedBy } from './plan-route.ts';
import { planLines, refusalLines } from './plan-text.ts';

/**
 * Makes a route that was loaded what it is configured to be, or refuses to start it: before anything else is done, while
 * it does not stream. The stream goes on from the checkpoint, and from there on changes are mapped as configured now.
 *
 * Everything that decides about rows is one target transaction: the rows of tables that are loaded (copied from one snapshot
 * of the source, as new tables are), which tables are registered with which positions, what the route was applied with, and
 * that nothing is pending. Whatever interrupts it before leaves the route as it was, with tables in its publication
 * that it does not carry, and nothing else; the next start begins again. Where COMMITs at the source wait for the route it is another way
 * (change-beside-stream.ts), which may leave tables to join. Returns the tables as they are registered from then on; null of a route that was not loaded.
 */
export async function settleDefinition(
  options: InitialLoadOptions,
  stored: StoredRoute | null,
): Promise<Settled | null> {
  const { definition, store, source, logger } = options;
  let joining: JoiningTables | null = null;
  let isChanged = false;
  if (stored?.checkpoint?.phase !== 'ready') return null;
  const wanted = definition.describe();
  const { applied } = stored;
  if (applied === null) {
    // Made by an engine that did not store it: what it finds is what it was.
    await store.apply({ removed: [], tables: [], applied: wanted });
    logger.info({}, 'what the route is configured to do is taken for what it was applied with');
  } else if (fingerprintOf(applied) !== fingerprintOf(wanted)) {
    isChanged = true;
    joining = await attempted(options, stored, () => change(options, stored));
    if (joining === null) failpoint('change.done');
  } else if (stored.pending?.to === fingerprintOf(wanted)) {
    await store.apply({ removed: [], tables: [], applied: wanted });
  }
  const tables = await store.tables();
  await demandKnown(options, tables);
  const carried = tables.flatMap((table) => table.definition?.id ?? []);
  const left = await source.tidyQueue(carried);
  if (left.length > 0) logger.info({ tables: left }, 'tables have left the publication');
  return { tables, isChanged, joining: joining === null ? null : attempting(options, stored, joining) };
}

export interface Settled {
  readonly tables: readonly StoredTable[];
  /** What was stored of the route before is to be read again, its checkpoint too. */
  readonly isChanged: boolean;
  /** What is still to come of a change that was agreed to, once the route streams. */
  readonly joining: JoiningTables | null;
}

/**
 * Of a table that an older engine has registered nothing is stored that would tell it under another name: where its own is
 * gone it may have been renamed, and would leave without a word.
 */
async function demandKnown({ definition, source }: InitialLoadOptions, tables: readonly StoredTable[]): Promise<void> {
  const unknown = tables.filter((table) => table.definition === null);
  if (unknown.length === 0 || definition.ddl === 'replicate') return;
  const there = new Set((await source.tables()).map(tableLabel));
  const gone = unknown.find((table) => !there.has(table.source));
  if (gone !== undefined) throw fail(sourceErrors.tableMissing, { route: definition.name, table: gone.source });
}

/** A change that was agreed to and can't be made is not tried again by itself: its engine may go back to what was. */
async function attempted<T>(options: InitialLoadOptions, stored: StoredRoute, run: () => Promise<T>): Promise<T> {
  const { definition, store } = options;
  try {
    return await run();
  } catch (error) {
    const isAsked = stored.pending?.to === fingerprintOf(definition.describe()) && stored.pending.failed === undefined;
    if (error instanceof TidelockError && error.recovery !== 'retry' && error.recovery !== 'fenced' && isAsked) {
      const { code, message, remedy } = error;
      await store.failPending({ code, message, remedy });
    }
    throw error;
  }
}

function attempting(options: InitialLoadOptions, stored: StoredRoute, joining: JoiningTables): JoiningTables {
  return {
    labels: joining.labels,
    publish: (signal) => attempted(options, stored, () => joining.publish(signal)),
    begin: (published) =>
      attempted(options, stored, async () => {
        await joining.begin(published);
        failpoint('change.done');
      }),
  };
}

/** What is left to be done while the route streams; null where that is nothing. */
async function change(options: InitialLoadOptions, stored: StoredRoute): Promise<JoiningTables | null> {
  const { definition, store, source, logger } = options;
  const { name: route } = definition;
  const { applied, pending, checkpoint } = stored;
  if (applied === null || checkpoint === null) return null;
  const wanted = definition.describe();
  const tables = await store.tables();
  const mapper = currentMapper(definition, tables);
  const bindings = (await source.tables()).map((table) => mapper.bind(table));
  const isAgreed =
    pending?.to === fingerprintOf(wanted) && pending.from === fingerprintOf(applied) && pending.failed === undefined;
  const facts: PlanFacts = {
    applied,
    wanted,
    stored: tables,
    present: bindings.map((binding) => ({ table: binding.source, target: storedTable(binding, null).target })),
    isSameSource: source.originName(checkpoint.source) === source.originName(await source.identity()),
    keepRows: isAgreed ? pending.keepRows : [],
    sameExpression: definition.tables.sameExpression,
  };
  const plan = planRoute(facts);
  if (plan.refused.length > 0) throw fail(routeErrors.changeRefused, { route, what: refusalLines(plan) });
  if (plan.tables.length > 0 && !isAgreed) throw fail(routeErrors.definitionChanged, { route, plan: planLines(plan) });
  if (isAgreed && !isAsAgreed(plan, pending)) throw fail(routeErrors.planChanged, { route, plan: planLines(plan) });
  if (stored.parked.count > 0 && !plan.tables.every(leavesParked))
    throw fail(routeErrors.parkedBeforeChange, { route, count: stored.parked.count });
  const joining = await carryOut({ ...options, mapper }, { plan, facts, stored, bindings, tables });
  if (joining === null && !isEmpty(plan)) logger.info({ plan: planLines(plan) }, 'the route is changed');
  return joining;
}

/** Columns that were left out because the target had them not are looked at anew. */
export function currentMapper(definition: RouteDefinition, tables: readonly StoredTable[]): TableMapper {
  const mapper = new TableMapper(definition.name, definition.tables);
  for (const { definition: known } of tables)
    if (known !== null) mapper.adjust(known, { gone: known.gone, ignored: [] });
  return mapper;
}

interface Change extends Pick<AgreedChange, 'plan' | 'facts' | 'stored' | 'tables'> {
  readonly bindings: readonly TableBinding[];
}

async function carryOut(options: InitialLoadOptions, agreed: Change): Promise<JoiningTables | null> {
  const { plan, bindings, tables } = agreed;
  const { definition, source, store, mapper, signal } = options;
  const applied = definition.describe();
  const bindingOf = new Map(bindings.map((binding) => [tableLabel(binding.source), binding]));
  const removed = plan.tables.flatMap(({ action, source: label }) => (action === 'drop' ? [label] : []));
  const remapped = plan.tables.flatMap((step): StoredTable[] => {
    const known = tables.find((table) => table.source === step.source);
    const binding = bindingOf.get(step.source);
    if (step.action !== 'remap' || known === undefined || binding === undefined) return [];
    const { owns } = storedTable(binding, null);
    return [{ ...known, target: step.target, ...(owns !== undefined && { owns }) }];
  });
  // What begins anew at a position of its own, with its rows or without.
  const begun = plan.tables.flatMap((step) => {
    const binding = bindingOf.get(step.source);
    return binding !== undefined && (isCopied(step) || step.action === 'add') ? [{ step, binding }] : [];
  });
  if (begun.length === 0) {
    await store.apply({ removed, tables: remapped, applied });
    return null;
  }
  await demandFit(
    options,
    begun.map(({ binding }) => binding),
  );
  if (await source.isAwaited()) return await changeBesideStream(options, { ...agreed, remapped, begun });
  const snapshot = await source.addTables(
    begun.map(({ binding }) => binding.source),
    signal,
  );
  try {
    const copied = new Set(begun.flatMap(({ step }) => (isCopied(step) ? [step.source] : [])));
    const replaced = new Set(plan.tables.flatMap(replacedBy));
    const replacesAll = definition.load.existing === 'replace';
    const made = snapshot.tables.map((table) => mapper.bind(table));
    const uncopied = made.filter((binding) => !copied.has(tableLabel(binding.source)));
    await demandBaseCopy(options, uncopied, snapshot);
    const { copied: whole, beside } = await changeLoads(
      options,
      made.filter((binding) => copied.has(tableLabel(binding.source))),
      replaced,
    );
    const copy: CopiedTables = {
      snapshot,
      bindings: whole,
      beside,
      replaces: (table) => replacesAll || replaced.has(tableLabel(table)),
    };
    const change = {
      removed,
      tables: [...remapped, ...made.map((binding) => begunTable(binding, snapshot, tables))],
      applied,
    };
    await copyInto(options, copy, (loader) => loader.commitChange(change));
    return null;
  } finally {
    await snapshot.close();
  }
}

function begunTable(binding: TableBinding, snapshot: QueueSnapshot, tables: readonly StoredTable[]): StoredTable {
  const label = tableLabel(binding.source);
  const facts = snapshot.facts.find((table) => tableLabel(table) === label);
  const gone = tables.find(({ source }) => source === label)?.definition?.gone ?? [];
  const definition = facts === undefined ? null : { ...definitionOf(facts), gone };
  return { ...storedTable(binding, definition), loadedTo: snapshot.position };
}

/** Before anything is asked of the source, or deleted. */
async function demandFit(options: InitialLoadOptions, bindings: readonly TableBinding[]): Promise<void> {
  const { definition, target } = options;
  const pairs = bindings.flatMap((binding) => binding.tables.map((mapped) => ({ source: binding.source, mapped })));
  const own = await ownTables(options, pairs);
  if (own !== null) throw own;
  const mapped: readonly TableVersion[] = pairs.map((pair) => pair.mapped);
  const [first, ...more] = (await target.preflight(mapped)).filter(({ level }) => level === 'error');
  if (first === undefined) return;
  const place = { route: definition.name, errors: 1 + more.length, first: `${first.code} ${first.message}` };
  throw fail(routeErrors.preflightFailed, { ...place, remedy: first.remedy });
}
