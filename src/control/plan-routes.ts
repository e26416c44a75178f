import { createHash } from 'node:crypto';
import { canonicalJson } from '../core/canonical-json.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { targetErrors } from '../core/errors/catalogue/target.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { Finding } from '../core/finding.ts';
import type { RouteDefinition } from '../core/route.ts';
import { fingerprintOf } from '../core/route-description.ts';
import type { StoredRoute, StoredTable } from '../core/route-state-store.ts';
import { type TableVersion, tableLabel } from '../core/table.ts';
import type { RowCount } from '../core/target.ts';
import { changeLoadProblems, changeUncopiedProblems, fitting } from '../operations/load-problems.ts';
import {
  isAsAgreed,
  isCopied,
  isEmpty,
  leavesParked,
  needsConsent,
  planRoute,
  type RoutePlan,
  replacedBy,
} from '../operations/plan-route.ts';
import { currentMapper } from '../operations/settle-definition.ts';
import type { TableBinding } from '../pipeline/mapping/table-binding.ts';
import { storedTable, type TableMapper } from '../pipeline/table-mapper.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';
import { type OpenedRoute, openRoute } from './open-route.ts';
import type { RouteReader } from './route-readings.ts';

export interface PlanOptions {
  /** All routes of the configuration where it is left out. */
  readonly routes?: readonly string[];
  /** Source tables whose rows at the target are to stay as they are. */
  readonly keepRows: readonly string[];
}

/** `plan --json`. */
export interface PlanDocument {
  readonly version: 1;
  /** Of all that the plan says of what will be done: who agrees to it names it. */
  readonly fingerprint: string;
  /** Something is to be done. */
  readonly changes: boolean;
  readonly routes: readonly PlannedRoute[];
}

export interface PlannedRoute extends RoutePlan {
  readonly name: string;
  /**
   * `new`: begins with the next start; `unknown`: loaded by an engine that did not store what it did: what is configured now
   * is taken for that; `unchanged`, `changed`; `unread`: it could not be told, and `problems` says why.
   */
  readonly state: 'new' | 'unknown' | 'unchanged' | 'changed' | 'unread';
  /** Fingerprints of what the route was applied with, and of what is configured now. */
  readonly applied: string | null;
  readonly configured: string;
  /** Somebody has agreed to it already, and no engine has carried it out yet. */
  readonly pending: boolean;
  /** Rows go, or are no longer what the source's are. */
  readonly needsConsent: boolean;
  /** Rows that are in target tables now and go. */
  readonly replacedRows: readonly RowCount[];
  /** Why it can't be carried out as things are. */
  readonly problems: readonly Finding[];
  readonly target: NodePlace;
}

const nothing = { tables: [], settings: [], refused: [], needsConsent: false, replacedRows: [], problems: [] };

/** Routes that are looked at side by side: each that is configured otherwise takes a few sessions at both sides. */
const sideBySide = 4;

export async function planDocument(
  definitions: readonly RouteDefinition[],
  keepRows: readonly string[],
  reader: RouteReader,
): Promise<PlanDocument> {
  const errors: TidelockError[] = [];
  const plan = async (definition: RouteDefinition): Promise<PlannedRoute> => {
    try {
      return await planOne(definition, keepRows, reader);
    } catch (error) {
      if (!(error instanceof TidelockError)) throw error;
      errors.push(error);
      return unread(definition, error);
    }
  };
  const found = new Map<RouteDefinition, PlannedRoute>();
  const waiting = definitions.values();
  const next = async (): Promise<void> => {
    for (const definition of waiting) found.set(definition, await plan(definition));
  };
  await Promise.all(Array.from({ length: sideBySide }, next));
  const routes = definitions.flatMap((definition) => found.get(definition) ?? []);
  // What one of them lacks does not hide the others.
  const [first] = errors;
  if (first !== undefined && errors.length === routes.length) throw first;
  const kept = routes.flatMap(keptRows);
  const unknown = keepRows.filter((label) => !kept.includes(label));
  if (unknown.length > 0 && errors.length === 0) {
    const route = routes.map(({ name }) => name).join(', ');
    throw fail(routeErrors.keepRowsUnknown, { route, tables: unknown.join(', ') });
  }
  const agreed = routes.map(({ name, applied, configured, tables }) => ({ name, applied, configured, tables }));
  const fingerprint = createHash('sha256').update(canonicalJson(agreed)).digest('hex').slice(0, 32);
  const changes = routes.some(({ state }) => state !== 'unchanged' && state !== 'unread');
  return { version: 1, fingerprint, changes, routes };
}

/** Most routes are as configured: what is stored of them tells that, over a session that they share. */
async function planOne(
  definition: RouteDefinition,
  keepRows: readonly string[],
  reader: RouteReader,
): Promise<PlannedRoute> {
  const settled = settledPlan(definition, await reader.store(definition, (store) => store.read()));
  if (settled !== null) return settled;
  await using route = openRoute(definition);
  return await planOpened(route, keepRows);
}

/** Null where both sides have to be looked at. */
function settledPlan(definition: RouteDefinition, stored: StoredRoute | null): PlannedRoute | null {
  const common = commonOf(definition, stored);
  if (stored?.checkpoint?.phase !== 'ready') return { ...common, ...nothing, state: 'new' };
  if (stored.applied === null) return { ...common, ...nothing, state: 'unknown' };
  return common.applied === common.configured ? { ...common, ...nothing, state: 'unchanged' } : null;
}

function commonOf(definition: RouteDefinition, stored: StoredRoute | null) {
  return {
    name: definition.name,
    applied: stored?.applied == null ? null : fingerprintOf(stored.applied),
    configured: fingerprintOf(definition.describe()),
    pending: false,
    target: placeOfNode(definition.to),
  };
}

/**
 * What would change at one route if it were applied now. Changes nothing. `keepRows` null: as it was agreed to, where
 * something is pending.
 */
export async function planOpened(route: OpenedRoute, keepRows: readonly string[] | null): Promise<PlannedRoute> {
  const { definition, source, target } = route;
  const wanted = definition.describe();
  const store = await route.store();
  const stored = await store.read();
  const settled = settledPlan(definition, stored);
  if (settled !== null) return settled;
  if (stored?.checkpoint?.phase !== 'ready' || stored.applied === null) throw new Error('a plan of nothing');
  const common = commonOf(definition, stored);
  const { pending } = stored;
  const isAgreed = pending?.to === common.configured && pending.from === common.applied && pending.failed === undefined;
  const tables = await store.tables();
  await definition.tables.prepare();
  const mapper = currentMapper(definition, tables);
  const { bindings, unbound } = bound(mapper, await source.tables());
  const plan = planRoute({
    applied: stored.applied,
    wanted,
    stored: tables,
    present: [
      ...bindings.map((binding) => ({ table: binding.source, target: storedTable(binding, null).target })),
      ...unbound.map(({ table }) => ({ table, target: targetOf(table, definition, tables) })),
    ],
    isSameSource: source.originName(stored.checkpoint.source) === source.originName(await source.identity()),
    keepRows: keepRows ?? (isAgreed ? pending.keepRows : []),
    sameExpression: definition.tables.sameExpression,
  });
  const steps = new Map(plan.tables.map((step) => [step.source, step]));
  const begun = bindings.flatMap((binding) => {
    const step = steps.get(tableLabel(binding.source));
    return step !== undefined && (isCopied(step) || step.action === 'add') ? [{ step, binding }] : [];
  });
  const replaced = new Set(plan.tables.flatMap(replacedBy));
  const joining = begun.map(({ binding }) => binding);
  const mapped = joining.flatMap(({ tables: targets }) => targets);
  const problems = mapped.length === 0 ? [] : [...(await target.preflight(mapped))];
  const missing = new Set(
    problems.flatMap(({ code, table }) => (code === targetErrors.tableMissing.code ? table : [])),
  );
  const counted = mapped.filter((table) => replaced.has(tableLabel(table)) && !missing.has(tableLabel(table)));
  const obstacles: TidelockError[] = [];
  if (stored.parked.count > 0 && !plan.tables.every(leavesParked))
    obstacles.push(fail(routeErrors.parkedBeforeChange, { route: definition.name, count: stored.parked.count }));
  else {
    const fit = new Set(fitting(joining, problems));
    const asked = begun.filter(({ binding }) => fit.has(binding));
    const copied = asked.filter(({ step }) => isCopied(step));
    obstacles.push(...(await changeLoadProblems(route, copied, replaced)));
    const uncopied = asked.flatMap(({ step, binding }) => (isCopied(step) ? [] : [binding]));
    obstacles.push(...(await changeUncopiedProblems(route, uncopied)));
  }
  return {
    ...common,
    ...plan,
    state: isEmpty(plan) && unbound.length === 0 ? 'unchanged' : 'changed',
    // What was agreed to with other rows kept, or of other tables, is another change.
    pending:
      isAgreed && isAsAgreed(plan, pending) && keptRows(plan).sort().join() === [...pending.keepRows].sort().join(),
    needsConsent: needsConsent(plan),
    replacedRows: counted.length === 0 ? [] : await target.rowCounts(counted),
    problems: [
      ...unbound.map(({ table, error }) => ({ ...findingOf(error, definition.from.name), table: tableLabel(table) })),
      ...obstacles.map((error) => findingOf(error, definition.to.name)),
      ...problems.filter(({ level }) => level === 'error'),
    ],
  };
}

/** A table that can't be mapped as it is configured keeps the route from that, and the plan of the others from nothing. */
function bound(mapper: TableMapper, tables: readonly TableVersion[]) {
  const bindings: TableBinding[] = [];
  const unbound: { readonly table: TableVersion; readonly error: TidelockError }[] = [];
  for (const table of tables)
    try {
      bindings.push(mapper.bind(table));
    } catch (error) {
      if (!(error instanceof TidelockError)) throw error;
      unbound.push({ table, error });
    }
  return { bindings, unbound };
}

/** Of one that can't be mapped: where its rows are, else where the configuration means them to go. */
function targetOf(table: TableVersion, { tables }: RouteDefinition, stored: readonly StoredTable[]): string {
  const known = stored.find(({ source }) => source === tableLabel(table));
  return known?.target ?? tableLabel(tables.select(table.schema, table.name)?.target ?? table);
}

function unread(definition: RouteDefinition, error: TidelockError): PlannedRoute {
  return {
    name: definition.name,
    state: 'unread',
    applied: null,
    configured: fingerprintOf(definition.describe()),
    pending: false,
    target: placeOfNode(definition.to),
    ...nothing,
    problems: [findingOf(error, String((error.place as { node?: string }).node ?? definition.to.name))],
  };
}

/** Source tables whose rows at the target stay as they are. */
export function keptRows({ tables }: Pick<RoutePlan, 'tables'>): string[] {
  return tables.flatMap((step) => (step.action === 'remap' ? [step.source] : []));
}

function findingOf({ code, message, remedy }: TidelockError, node: string): Finding {
  return { level: 'error', code, node, message, remedy };
}
