import type { Configuration } from '../config/configuration.ts';
import { routeErrors } from '../core/errors/catalogue/route.ts';
import { fail, TidelockError } from '../core/errors/tidelock-error.ts';
import type { LeftRoute } from '../core/node-inspector.ts';
import { type NodeDefinition, queueName, type RouteDefinition } from '../core/route.ts';
import { connectorFor } from '../registry.ts';
import { freshHolder } from './fresh-holder.ts';
import { openRoute } from './open-route.ts';

/** What is left of one route at one node. */
export interface Leftover extends LeftRoute {
  readonly node: string;
  readonly dropped: boolean;
  /** Statements for an administrator: what the user may not drop, or what is left on a node that is gone. */
  readonly statements: readonly string[];
}

/** `drop --orphans --json` and `drop --unreachable --json`. */
export interface DroppedLeftovers {
  readonly version: 1;
  readonly leftovers: readonly Leftover[];
}

/**
 * Removes what no route of the configuration names and bears the deployment's name: slots, publications, captures of commands,
 * stored state. What somebody uses (a slot that is read, a lease that is held, or was until a moment ago) is left alone. A route that is configured is never an orphan, wherever
 * it is found: two names of nodes may be one database.
 */
export async function dropOrphans(configuration: Configuration, dryRun: boolean): Promise<DroppedLeftovers> {
  const found: { readonly node: NodeDefinition; readonly route: LeftRoute }[] = [];
  for (const node of configuration.nodes.values())
    for (const route of await connectorFor(node.type).inspector(node).routesLeft(configuration.name))
      if (!configuration.routes.has(route.name)) found.push({ node, route });
  // An engine that can't reach one side still uses the other.
  const users = new Map(found.flatMap(({ route: { name, usedBy } }) => (usedBy === null ? [] : [[name, usedBy]])));
  const leftovers: Leftover[] = [];
  for (const { node, route } of found) {
    if (isSeen(leftovers, route, dryRun)) continue;
    const usedBy = users.get(route.name) ?? null;
    const drops = !dryRun && usedBy === null;
    const statements = drops ? await dropAt(orphan(configuration, node, route.name), route.parts) : [];
    leftovers.push({ ...route, usedBy, node: node.name, dropped: drops, statements });
  }
  return { version: 1, leftovers };
}

/** Two nodes of the configuration may be one database. */
function isSeen(leftovers: readonly Leftover[], route: LeftRoute, dryRun: boolean): boolean {
  return (
    !dryRun &&
    leftovers.some(({ name, dropped, parts }) => dropped && name === route.name && parts.join() === route.parts.join())
  );
}

/** Everything is found by the name. */
function orphan({ name: deployment, routes }: Configuration, node: NodeDefinition, name: string): RouteDefinition {
  const [some] = routes.values();
  if (some === undefined) throw new RangeError('a configuration without routes');
  return { ...some, deployment, name, from: node, to: node, given: {}, ddl: 'ignore' };
}

async function dropAt(definition: RouteDefinition, parts: LeftRoute['parts']): Promise<readonly string[]> {
  await using route = openRoute(definition);
  let statements: readonly string[] = [];
  if (parts.some((part) => part !== 'state')) statements = await route.source.dropQueue();
  if (!parts.includes('state')) return statements;
  const store = await route.store();
  // An engine that takes the route meanwhile is not overtaken.
  const attempt = await store.acquireLease(freshHolder(), false);
  if (attempt.granted) await store.drop();
  return statements;
}

/**
 * Forgets a node that is gone for good: removes what its routes have at their other side, and says what would have to be removed on
 * it, should it ever come back.
 */
export async function dropUnreachable(
  configuration: Configuration,
  name: string,
  dryRun: boolean,
): Promise<DroppedLeftovers> {
  const node = configuration.nodes.demand(name, 'node');
  await demandGone(node);
  const leftovers: Leftover[] = [];
  for (const route of configuration.routes.values()) {
    if (route.from.name !== name && route.to.name !== name) continue;
    const isSource = route.from.name === name;
    const other = isSource ? route.to : route.from;
    await using opened = openRoute(route);
    let statements: readonly string[] = [];
    if (!dryRun) {
      if (!isSource) statements = await opened.source.dropQueue();
      else {
        const store = await opened.store();
        if ((await store.read()) !== null) {
          await store.acquireLease(freshHolder(), true);
          await store.drop();
        }
      }
    }
    const parts = isSource ? (['state'] as const) : (['slot', 'publication'] as const);
    const own = { name: route.name, parts, retainedBytes: 0, usedBy: null };
    leftovers.push({ ...own, node: other.name, dropped: !dryRun, statements });
    leftovers.push({
      ...own,
      parts: isSource ? ['slot', 'publication'] : ['state'],
      node: name,
      dropped: false,
      statements: deadStatements(route, isSource),
    });
  }
  return { version: 1, leftovers };
}

function deadStatements(route: RouteDefinition, isSource: boolean): readonly string[] {
  const key = `${route.deployment}/${route.name}`;
  if (!isSource) return [`DELETE FROM tidelock.routes WHERE key = '${key}';`];
  if (route.given.slot !== undefined) return [];
  const name = queueName(route);
  return [`SELECT pg_drop_replication_slot('${name}');`, `DROP PUBLICATION IF EXISTS ${name};`];
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
