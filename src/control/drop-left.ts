import type { Configuration } from '../config/configuration.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { LeftBehind, LeftRoute } from '../core/node-inspector.ts';
import type { NodeDefinition, RouteDefinition } from '../core/route.ts';
import type { RouteStateStore } from '../core/route-state-store.ts';
import { renamedTo } from '../operations/renamed-route.ts';
import { connectorFor } from '../registry.ts';
import type { Asked } from './control.ts';
import { dropUnderLease } from './drop-under-lease.ts';
import { type JournalledRun, journalled } from './journalled.ts';
import { type NodePlace, placeOfNode } from './node-place.ts';
import { openRoute } from './open-route.ts';

/** What is left of one route at one node. */
export interface Leftover extends LeftRoute, NodePlace {
  readonly dropped: boolean;
  /** Statements for an administrator: what the user may not drop, or what is left on a node that is gone. */
  readonly statements: readonly string[];
  /** Nodes that could not be asked, and may have its state: what its queue is for nobody knows, so that it stays. */
  readonly waitsFor?: readonly string[];
}

/** What could not be done; all else was. */
export interface FailedDrop {
  /** The node that could not be asked; null where it is a route that could not be dropped. */
  readonly node: string | null;
  readonly route: string | null;
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string };
}

/** `drop --orphans --json` and `drop --unreachable --json`. */
export interface DroppedLeftovers {
  readonly version: 1;
  readonly leftovers: readonly Leftover[];
  readonly failed?: readonly FailedDrop[];
  /** Of a node that was forgotten. False where no other target answers whose journal could have it. */
  readonly journalled?: boolean;
}

/**
 * Removes what no route of the configuration names and bears the deployment's name: slots, publications, captures of commands,
 * stored state. What somebody uses (a slot that is read, a lease that is held, or was until a moment ago) is left alone. A route that is configured is never an orphan, wherever
 * it is found: two names of nodes may be one database. A node that can't be asked, and a route that can't be dropped, do not keep the
 * others from it. `asked` null: changes nothing, and tells what would be done.
 */
export async function dropOrphans(configuration: Configuration, asked: Asked | null): Promise<DroppedLeftovers> {
  const failed: FailedDrop[] = [];
  const found = (
    await Promise.all(
      [...configuration.nodes.values()].map(async (node) => {
        const look = async () => await connectorFor(node.type).inspector(node).routesLeft(configuration.name);
        const left = await orFailed(look, { node: node.name, route: null }, failed);
        return (left ?? []).map((route) => ({ node, route }));
      }),
    )
  )
    .flat()
    .filter(({ route }) => !configuration.routes.has(route.name));
  const unasked = failed.flatMap(({ node }) => node ?? []).sort();
  const leftovers: Leftover[] = [];
  for (const [name, places] of Map.groupBy(found, ({ route }) => route.name)) {
    const drop = () => orphansLeft(configuration, places, { asked, unasked });
    leftovers.push(...((await orFailed(drop, { node: null, route: name }, failed)) ?? places.map(leftAsItIs)));
  }
  return { version: 1, leftovers, failed };
}

async function orFailed<T>(
  run: () => Promise<T>,
  what: Pick<FailedDrop, 'node' | 'route'>,
  failed: FailedDrop[],
): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof TidelockError)) throw error;
    const { code, message, remedy } = error;
    failed.push({ ...what, error: { code, message, remedy } });
    return null;
  }
}

function leftAsItIs({ node, route }: Found): Leftover {
  return { ...route, ...placeOfNode(node), dropped: false, statements: [] };
}

interface DropsOrphans {
  readonly asked: Asked | null;
  /** Nodes that did not answer. */
  readonly unasked: readonly string[];
}

/** Of one name. */
async function orphansLeft(
  configuration: Configuration,
  places: readonly Found[],
  { asked, unasked }: DropsOrphans,
): Promise<readonly Leftover[]> {
  // An engine that can't reach one side still uses the other.
  const usedBy =
    places.find(({ route }) => route.usedBy !== null)?.route.usedBy ?? (await namedBefore(configuration, places));
  const left = places.map((place) => ({ ...leftAsItIs(place), usedBy }));
  if (usedBy !== null) return left;
  // Its state would tell that it was renamed, and that the slot is where it goes on.
  if (unasked.length > 0 && !places.some(({ route }) => route.parts.includes('state')))
    return left.map((one) => ({ ...one, waitsFor: unasked }));
  return asked === null ? left : await dropOrphan(configuration, places, asked);
}

/** A route that was renamed and has its old name in the configuration is no orphan: whoever drops it loses its position. */
async function namedBefore(configuration: Configuration, places: readonly Found[]): Promise<string | null> {
  for (const { node, route } of places) {
    if (!route.parts.includes('state')) continue;
    await using opened = openRoute(orphan(configuration, node, route.name));
    const { actions } = await opened.store();
    for (const name of configuration.routes.keys())
      if ((await renamedTo(actions, name)) === route.name) return `route ${name}, which was renamed to it`;
  }
  return null;
}

interface Found {
  readonly node: NodeDefinition;
  readonly route: LeftRoute;
}

/** Everything of one name, under the lease wherever its state has one. */
async function dropOrphan(
  configuration: Configuration,
  places: readonly Found[],
  asked: Asked,
): Promise<readonly Leftover[]> {
  await using opened = new AsyncDisposableStack();
  const open = places.map((place) => ({
    ...place,
    opened: opened.use(openRoute(orphan(configuration, place.node, place.route.name))),
  }));
  const stores: RouteStateStore[] = [];
  for (const { route, opened: here } of open) {
    if (!route.parts.includes('state')) continue;
    const store = await here.store();
    if ((await store.read()) !== null) stores.push(store);
  }
  const queues = open.filter(({ route }) => route.parts.some((part) => part !== 'state'));
  const sources = queues.map(({ opened: { source } }) => source);
  const [first] = configuration.routes.values();
  const place = open.find(({ route }) => route.parts.includes('state'))?.node ?? first?.to ?? null;
  const [some] = places;
  const journal = place === null || some === undefined ? null : orphan(configuration, place, some.route.name);
  const { refused, left } = await leftJournalled(journal, asked, {
    action: 'drop orphan',
    details: { at: open.map(({ node, route }) => ({ node: node.name, parts: route.parts })) },
    run: () => dropUnderLease({ stores, sources, takeover: false }),
  });
  return open.map((place) => ({
    ...place.route,
    ...placeOfNode(place.node),
    usedBy: refused === null ? null : `${refused.host}, process ${refused.pid}`,
    dropped: refused === null,
    statements: left[queues.indexOf(place)] ?? [],
  }));
}

/** `at`: in whose target's journal; null: there is none that could be written. */
async function leftJournalled<T>(
  at: RouteDefinition | null,
  asked: Asked,
  { run, ...what }: Omit<JournalledRun<T>, 'run'> & { run(): Promise<T> },
): Promise<T> {
  if (at === null) return await run();
  await using place = openRoute(at);
  return await journalled(place, asked, {
    ...what,
    run: async ({ begin }) => {
      await begin();
      return await run();
    },
  });
}

/** Everything is found by the name. */
function orphan({ name: deployment, routes }: Configuration, node: NodeDefinition, name: string): RouteDefinition {
  const [some] = routes.values();
  if (some === undefined) throw new RangeError('a configuration without routes');
  return { ...some, deployment, name, from: node, to: node, given: {}, ddl: 'ignore' };
}

/**
 * Forgets a node that is gone for good: removes what its routes have at their other side, and says what would have to be removed on
 * it, should it ever come back. Of a route whose other side does not answer, either, nothing is removed, and that is told; it does
 * not keep the others from it.
 */
export async function dropUnreachable(
  configuration: Configuration,
  name: string,
  asked: Asked | null,
): Promise<DroppedLeftovers> {
  const node = configuration.nodes.demand(name, 'node');
  await demandGone(node);
  const silent = await silentNodes(configuration, node);
  const places = [...configuration.routes.values()].map(({ to }) => to);
  const forgets: Forgets = {
    configuration,
    node,
    asked,
    journal: places.find((to) => to.name !== name && !silent.has(to.name)) ?? null,
  };
  const failed: FailedDrop[] = [];
  const leftovers: Leftover[] = [];
  let isJournalled = true;
  for (const route of configuration.routes.values()) {
    if (route.from.name !== name && route.to.name !== name) continue;
    const isSource = route.from.name === name;
    const other = isSource ? route.to : route.from;
    const error = silent.get(other.name);
    if (error !== undefined) {
      if (!failed.some((one) => one.node === other.name)) failed.push({ node: other.name, route: null, error });
      continue;
    }
    const left = { usedBy: null, dropped: false, statements: [] };
    const forgotten = await orFailed(() => forget(forgets, route), { node: null, route: route.name }, failed);
    if (forgotten !== null && !isSource && forgets.journal === null) isJournalled = false;
    const own = { name: route.name, retainedBytes: 0 };
    const { parts } = leftAt(route, isSource ? 'target' : 'source');
    if (parts.length > 0) leftovers.push({ ...own, ...placeOfNode(other), parts, ...(forgotten ?? left) });
    const gone = leftAt(route, isSource ? 'source' : 'target');
    if (gone.parts.length > 0) leftovers.push({ ...own, ...placeOfNode(node), ...gone, usedBy: null, dropped: false });
  }
  return { version: 1, leftovers, failed, ...(asked !== null && { journalled: isJournalled }) };
}

interface Forgets {
  readonly configuration: Configuration;
  /** That is gone. */
  readonly node: NodeDefinition;
  readonly asked: Asked | null;
  /** A target that answers, in whose journal the routes are whose own target is gone; null where none does. */
  readonly journal: NodeDefinition | null;
}

/** Of one route, at its other side. */
async function forget(
  { configuration, node, asked, journal }: Forgets,
  route: RouteDefinition,
): Promise<Pick<Leftover, 'usedBy' | 'dropped' | 'statements'>> {
  const isSource = route.from.name === node.name;
  await using opened = openRoute(route);
  const nothing = { usedBy: null, dropped: false, statements: [] };
  if (!isSource && (await opened.source.status()).queue === 'active')
    return { ...nothing, usedBy: 'an engine that reads its slot' };
  if (asked === null) return nothing;
  const store = isSource ? await opened.store() : null;
  const stores = store !== null && (await store.read()) !== null ? [store] : [];
  const sources = isSource ? [] : [opened.source];
  const place = isSource ? route.to : journal;
  const { left } = await leftJournalled(place === null ? null : orphan(configuration, place, route.name), asked, {
    action: 'drop unreachable',
    details: { node: node.name },
    run: () => dropUnderLease({ stores, sources, takeover: true }),
  });
  return { ...nothing, dropped: true, statements: left.flat() };
}

/** Those besides `gone` that do not answer, either, with what they were asked in vain for. */
async function silentNodes(
  { name, routes }: Configuration,
  gone: NodeDefinition,
): Promise<ReadonlyMap<string, FailedDrop['error']>> {
  const failed: FailedDrop[] = [];
  const named = new Map([...routes.values()].flatMap(({ from, to }) => [from, to]).map((node) => [node.name, node]));
  named.delete(gone.name);
  await Promise.all(
    [...named.values()].map((node) => {
      const look = () => connectorFor(node.type).inspector(node).routesLeft(name);
      return orFailed(look, { node: node.name, route: null }, failed);
    }),
  );
  return new Map(failed.map(({ node, error }) => [node ?? '', error]));
}

function leftAt(route: RouteDefinition, side: 'source' | 'target'): LeftBehind {
  const node = side === 'source' ? route.from : route.to;
  return connectorFor(node.type).inspector(node).left(route, side);
}

async function demandGone(node: NodeDefinition): Promise<void> {
  try {
    await connectorFor(node.type).inspector(node).routesLeft('');
  } catch (error) {
    if (error instanceof TidelockError && error.recovery === 'retry') return;
    throw error;
  }
  throw fail(routeErrors.nodeAnswers, { node: node.name });
}
