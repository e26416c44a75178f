import type { CheckedRoute } from '../../control/check-route.ts';
import type { CheckedNode } from '../../control/check-shared.ts';
import { LocalControl } from '../../control/local-control.ts';
import { type GrantsDocument, nodeGrants } from '../../control/node-grants.ts';
import { targetErrors } from '../../core/errors/catalogue/target.ts';
import { configurationText } from './configuration-text.ts';
import type { InitRequest } from './request.ts';
import { writeConfiguration } from './write-file.ts';
import { shellAddress } from './written-node.ts';

/** `init --json`. */
export interface InitDocument {
  readonly version: 1;
  readonly file: string;
  readonly template: string;
  readonly routes: readonly string[];
  /** How a shell reaches each node: never with a password. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Variables that the file refers to; their values are secrets and are not part of this. */
  readonly variables: readonly {
    readonly name: string;
    readonly example: string;
    /** As whom the node was looked at, without the password, where the routes are to run as another and the variable is not set yet; else null. */
    readonly administrator: string | null;
  }[];
  /** Whom the routes are to run as; null: who looks now. */
  readonly user: string | null;
  /** Null where nothing was looked at (--offline). */
  readonly check: { readonly routes: readonly CheckedRoute[]; readonly nodes: readonly CheckedNode[] } | null;
  readonly grants: readonly GrantsDocument[];
  readonly notes: readonly string[];
}

export interface InitPlace {
  readonly file: string;
  readonly force: boolean;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** Writes the file, then looks at what stands between it and routes that run, and changes nothing at the nodes. */
export async function carryOut(request: InitRequest, { file, force, cwd, env }: InitPlace): Promise<InitDocument> {
  const { template, source, targets, settings, tables, user } = request;
  const nodes = [source, ...targets];
  const variables = nodes.flatMap(({ variable }) => (variable === null ? [] : [variable]));
  // As whoever looks now: the file's own user may not be there yet.
  const now = { ...env, ...Object.fromEntries(variables.map(({ name, value }) => [name, value])) };
  const configuration = writeConfiguration({ file, text: configurationText(request), force, cwd, env: now });
  const routes = [...configuration.routes.keys()];
  const plan = { source: source.name, targets: targets.map(({ name }) => name), tables, settings };
  const document = {
    version: 1,
    file,
    template: template.name,
    routes,
    addresses: Object.fromEntries(nodes.map((node) => [node.name, shellAddress(node)])),
    variables: variables.map(({ name, example, administrator }) => ({ name, example, administrator })),
    user,
    notes: template.notes(plan),
  } as const;
  if (source.survey === null) return { ...document, check: null, grants: [] };
  await using control = new LocalControl({ configuration: () => configuration });
  const checked = [];
  for (const route of routes) checked.push(await control.check(route));
  const shared = await control.checkShared();
  const grants = [];
  for (const { name, node } of nodes)
    grants.push(await nodeGrants(configuration, name, { through: node, ...(user !== null && { user }) }));
  return { ...document, check: { routes: checked, nodes: shared.nodes }, grants };
}

/** Tables that the targets lack, and the routes that carry them there. */
export function missingTables({
  check,
}: InitDocument): { readonly node: string; readonly tables: readonly string[]; readonly routes: readonly string[] }[] {
  const missing = (check?.routes ?? []).flatMap(({ name: route, findings }) =>
    findings
      .filter(({ code }) => code === targetErrors.tableMissing.code)
      .map(({ node, table = '' }) => ({ node, table, route })),
  );
  return [...Map.groupBy(missing, ({ node }) => node)].map(([node, of]) => ({
    node,
    tables: [...new Set(of.map(({ table }) => table))],
    routes: [...new Set(of.map(({ route }) => route))],
  }));
}
