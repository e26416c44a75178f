import type { Configuration } from '../config/configuration.ts';
import type { GrantUse, NodeGrants, RouteTarget } from '../core/node-inspector.ts';
import type { NodeDefinition } from '../core/route.ts';
import { connectorFor } from '../registry.ts';
import { mappedTables } from './mapped-tables.ts';
import { openRoute } from './open-route.ts';

/** `grants --json`. */
export interface GrantsDocument extends NodeGrants {
  readonly version: 1;
  readonly node: string;
  readonly user: string;
  /** Tables whose part in a route can't be told, and why; `check` has the remedy. */
  readonly leftOut: readonly { readonly table: string | null; readonly code: string; readonly message: string }[];
}

export interface GrantsOptions {
  /** Else the user of the node's connection. */
  readonly user?: string | undefined;
  /** Only what the node's part as a source, or as a target, needs. */
  readonly part?: 'source' | 'target' | undefined;
  /** Another way to the node, as somebody who is there already: the catalogue is read with it. */
  readonly through?: NodeDefinition | undefined;
}

/** The least SQL that a node's user needs for its part in all routes of the configuration. Changes nothing. */
export async function nodeGrants(
  configuration: Configuration,
  name: string,
  { user, part, through }: GrantsOptions,
): Promise<GrantsDocument> {
  const node = configuration.nodes.demand(name, 'node');
  const routes = [...configuration.routes.values()];
  const way = through ?? node;
  const targets: RouteTarget[] = [];
  const leftOut: { table: string | null; code: string; message: string }[] = [];
  if (part !== 'source')
    for (const definition of routes.filter(({ to }) => to.name === name)) {
      // The source may be the very node whose user is not there yet.
      const from = definition.from.name === name ? way : definition.from;
      await using route = openRoute({ ...definition, from, to: way });
      const mapped = await mappedTables(route, {
        onError: ({ code, message }, table) => leftOut.push({ table: table ?? null, code, message }),
      });
      targets.push({ route: definition, tables: mapped.map(({ mapped: table }) => table) });
    }
  const use: GrantUse = { sources: part === 'target' ? [] : routes.filter(({ from }) => from.name === name), targets };
  const of = user ?? node.connection().user;
  return {
    version: 1,
    node: name,
    user: of,
    leftOut,
    ...(await connectorFor(node.type).inspector(way).grants(use, of)),
  };
}
