import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail } from '../core/errors/tidelock-error.ts';
import { failpoint } from '../core/failpoint.ts';
import type { BegunLoad, Existing } from '../core/load.ts';
import type { Position } from '../core/position.ts';
import { fingerprintOf } from '../core/route-description.ts';
import type { StoredRoute, StoredTable, TablesChange } from '../core/route-state-store.ts';
import type { PublishedTables } from '../core/source.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import type { Loader } from '../core/target.ts';
import { definitionOf } from '../pipeline/judge-definition.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import { storedTable, type TableMapper } from '../pipeline/table-mapper.ts';
import { demandBaseCopy } from './demand-base-copy.ts';
import { type InitialLoadOptions, loadsOf } from './initial-load.ts';
import {
  isCopied,
  type PlanFacts,
  planRoute,
  type RoutePlan,
  replacedBy,
  type TableStep,
  without,
} from './plan-route.ts';

/** Tables that an agreed change brings and that the route begins with once it streams. */
export interface JoiningTables {
  readonly labels: readonly string[];
  /** Beside the stream: until all that is behind a position is in the queue. */
  publish(signal: AbortSignal): Promise<PublishedTables>;
  /** Between two sessions of the stream. The change is carried out then. */
  begin(published: PublishedTables): Promise<void>;
}

export interface AgreedChange {
  readonly plan: RoutePlan;
  readonly facts: PlanFacts;
  readonly stored: StoredRoute;
  /** As registered. */
  readonly tables: readonly StoredTable[];
  /** As the change leaves it of those. */
  readonly remapped: readonly StoredTable[];
  /** What begins anew, with its rows or without. */
  readonly begun: readonly { readonly step: TableStep; readonly binding: TableBinding }[];
}

/**
 * Carries out a change whose tables begin anew at a source where COMMITs wait for the route. The copy of settle-definition.ts waits for open
 * transactions while the route rests, and those would wait for the route. So nothing is waited for here: rows are loaded beside the stream, in
 * ranges, from the next session on.
 *
 * Tables that the route has already go on where the checkpoint is: what is left of their changes is mapped anew, into tables that lack rows. Those that
 * come have to be in the queue first, each transaction of them whole, which takes a stream that confirms what others wait for: they
 * are entered now, and join (`JoiningTables`) when a session of the stream has seen the transactions end that are open. Where a plan has
 * both, the first half is stored as a change of its own that leaves those tables out, with what is left of the agreement: whatever interrupts it
 * then, the next start plans the other half and finds it agreed to.
 *
 * Null where nothing is left to join.
 */
export async function changeBesideStream(
  options: InitialLoadOptions & { readonly mapper: TableMapper },
  change: AgreedChange,
): Promise<JoiningTables | null> {
  const { definition, source, target } = options;
  const { plan, begun } = change;
  const added = begun.filter(({ step }) => step.action === 'add');
  const copied = begun.filter(({ step }) => isCopied(step));
  const loads = await demandLoads(options, copied);
  const [obstacle] = await target.checkLoads(loads);
  if (obstacle !== undefined) throw obstacle;
  if (added.length > 0) await source.enterTables(added.map(({ binding }) => binding.source));
  if (plan.tables.some(({ action }) => action !== 'add')) {
    const labels = new Set(added.map(({ step }) => step.source));
    await changeFollowed(
      options,
      change,
      loads.filter(({ load }) => !labels.has(load.source)),
    );
    failpoint('change.half');
  }
  return added.length === 0 ? null : joining(options, definition, added);
}

/** Of each table its load; throws of one that can't be loaded beside the stream. */
export async function demandLoads(
  options: Parameters<typeof loadsOf>[0],
  copied: readonly { readonly step: TableStep; readonly binding: TableBinding }[],
): Promise<readonly BegunLoad[]> {
  const { definition } = options;
  const loads = await loadsOf(
    options,
    copied.map(({ binding }) => binding),
  );
  const existing = new Map(copied.map(({ step }) => [step.source, existingOf(step, definition.load.existing)]));
  const found = new Set(loads.map(({ load }) => load.source));
  const [keyless] = copied.filter(({ step }) => !found.has(step.source));
  if (keyless !== undefined)
    throw fail(routeErrors.loadWithoutKey, { route: definition.name, table: keyless.step.source });
  return loads.map(({ load, ...rest }) => ({
    ...rest,
    load: { ...load, existing: existing.get(load.source) ?? load.existing },
  }));
}

/** What the plan has said of rows that are there. */
function existingOf(step: TableStep, otherwise: Existing): Existing {
  return replacedBy(step).length > 0 ? 'replace' : otherwise;
}

/** All but the tables that come, in one target transaction. */
async function changeFollowed(
  options: InitialLoadOptions,
  { plan, facts, stored, tables, remapped, begun }: AgreedChange,
  loads: readonly BegunLoad[],
): Promise<void> {
  const { definition } = options;
  const known = new Map(tables.map((table) => [table.source, table]));
  const removed = plan.tables.flatMap(({ action, source }) => (action === 'drop' ? [source] : []));
  const continued = begun.flatMap(({ step, binding }): StoredTable[] => {
    const table = known.get(step.source);
    return step.action === 'add' || table === undefined ? [] : [goingOn(table, storedTable(binding, null))];
  });
  const changed = [...remapped, ...continued];
  const replaced = new Set(changed.map(({ source }) => source));
  const after = [...tables.filter(({ source }) => !removed.includes(source) && !replaced.has(source)), ...changed];
  const rest = plan.tables.filter(({ action }) => action === 'add').map(({ source }) => source);
  const applied = rest.length === 0 ? facts.wanted : without(facts.wanted, rest);
  const left = planRoute({ ...facts, applied, stored: after }).tables;
  // Rows of a table that leaves and that makes way for one that comes: afterwards nobody knows that they were the route's.
  const making = begun.filter(({ step }) => replacedBy(step).length > 0 && step.action === 'add');
  const emptied = making.filter(({ step }) =>
    left.some((one) => one.source === step.source && replacedBy(one).length === 0),
  );
  await inLoader(options, positionOf(stored), async (loader) => {
    const outputs = emptied.flatMap(({ binding }) => binding.tables);
    if (outputs.length > 0) await loader.empty(await loader.sort(outputs));
    if (loads.length > 0) await loader.begin(loads);
    await loader.commitChange({ removed, tables: changed, applied, pending: pendingOf(stored, { applied, left }) });
  });
  options.logger.info(
    { route: definition.name, tables: changed.map(({ source }) => source) },
    'tables go on as they are configured now',
  );
}

function positionOf({ checkpoint }: StoredRoute): Position {
  if (checkpoint?.phase !== 'ready') throw new Error('a change of a route that was never loaded');
  return checkpoint.position;
}

/** What is agreed to of the rest: nothing where nothing is left. */
function pendingOf(
  { pending }: StoredRoute,
  { applied, left }: { readonly applied: TablesChange['applied']; readonly left: readonly TableStep[] },
): TablesChange['pending'] {
  if (pending === null || left.length === 0) return undefined;
  return { ...pending, from: fingerprintOf(applied), ...(pending.steps !== undefined && { steps: left }) };
}

/** Where the stream has got to nothing has changed but what becomes of the rows. Columns that were left out are looked at anew. */
function goingOn(known: StoredTable, { target, owns }: StoredTable): StoredTable {
  const definition = known.definition === null ? null : { ...known.definition, ignored: [] };
  return { ...known, target, definition, ...(owns !== undefined && { owns }) };
}

function joining(
  options: InitialLoadOptions & { readonly mapper: TableMapper },
  definition: InitialLoadOptions['definition'],
  added: readonly { readonly step: TableStep; readonly binding: TableBinding }[],
): JoiningTables {
  const steps = new Map(added.map(({ step }) => [step.source, step]));
  return {
    labels: [...steps.keys()],
    publish: async (signal) => {
      const wanted = added.map(({ binding }) => binding.source);
      const published = await options.source.publishTables(wanted, signal, { entered: true });
      // What was committed before the position is brought by nobody; it shows by now. Before the stream somebody's lock could be waited for whose
      // COMMIT waits for the route, and what came after the look would be left out without a word.
      const uncopied = published.tables.filter((table) => {
        const step = steps.get(tableLabel(table));
        return step !== undefined && !isCopied(step);
      });
      const bindings = uncopied.map((table) => options.mapper.bind(table));
      await demandBaseCopy({ ...options, signal }, bindings, null);
      return published;
    },
    begin: async (published) => {
      const made = published.tables.flatMap((table) => {
        const step = steps.get(tableLabel(table));
        return step === undefined ? [] : [{ step, binding: options.mapper.bind(table) }];
      });
      const loads = await demandLoads(
        options,
        made.filter(({ step }) => isCopied(step)),
      );
      const tables = made.map(({ binding }) => joined(binding, published));
      await inLoader(options, published.position, async (loader) => {
        if (loads.length > 0) await loader.begin(loads);
        await loader.commitChange({ removed: [], tables, applied: definition.describe() });
      });
      options.logger.info({ tables: [...steps.keys()], position: published.position }, 'tables have joined the route');
    },
  };
}

function joined(binding: TableBinding, { facts, position }: PublishedTables): StoredTable {
  const { schema, name }: TableVersion = binding.source;
  const found = facts.find((table) => table.schema === schema && table.name === name);
  return { ...storedTable(binding, found === undefined ? null : definitionOf(found)), loadedTo: position };
}

async function inLoader(
  { source, target, epoch }: InitialLoadOptions,
  position: Position,
  run: (loader: Loader) => Promise<void>,
): Promise<void> {
  const sourceNode = source.originName(await source.identity());
  const loader = await target.loader({ epoch, sourceNode, position });
  try {
    await run(loader);
  } catch (error) {
    await loader.abort();
    throw error;
  }
}
