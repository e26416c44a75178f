import type { ConnectionSettings, NodeDefinition } from '../core/route.ts';
import { checkAllow } from './check-allow.ts';
import { connectionSettings } from './connection-settings.ts';
import type { Located, Path } from './located.ts';
import { Problems } from './problem.ts';
import { hasReferences, type ReferenceSource, resolveTree } from './references.ts';
import { type NodeData, nodeSchema } from './schema/node-schema.ts';
import { scalars } from './schema/scalars.ts';
import { validate } from './validate.ts';

const schema = nodeSchema(scalars('resolved'));
/** What a definition needs before anything connects: of these references are resolved when the node is looked up. */
const identitySchema = schema.pick({ type: true, allow: true });

export interface NodeSource {
  readonly name: string;
  readonly tree: Located;
  readonly references: ReferenceSource;
  readonly file: string;
}

/** Throws where the type or a name in `allow` is not valid. */
export function nodeDefinition(source: NodeSource): NodeDefinition {
  const { name, tree, references, file } = source;
  const path = ['nodes', name];
  const problems = new Problems(file);
  const only: Located =
    tree.kind === 'map'
      ? { ...tree, entries: new Map([...tree.entries].filter(([key]) => key === 'type' || key === 'allow')) }
      : tree;
  const resolved = resolveTree(only, path, { source: references, problems });
  const data = problems.empty ? validate(identitySchema, resolved, { path, problems }) : null;
  if (data !== null) checkAllow(data.allow, 'node', { node: resolved, path, problems });
  if (data === null || !problems.empty) throw problems.error();
  return { name, type: data.type, allow: data.allow ?? [], connection: () => connect(source) };
}

function connect({ name, tree, references, file }: NodeSource): ConnectionSettings {
  const path = ['nodes', name];
  const problems = new Problems(file);
  const node = resolveTree(tree, path, { source: references, problems });
  problems.throwIfAny();
  const data = validate(schema as Parameters<typeof validate<NodeData>>[0], node, { path, problems });
  const settings = data === null ? null : connectionSettings(data, { node, path, problems, filesFrom: references.cwd });
  if (settings === null) throw problems.error();
  return settings;
}

/** At load time: everything that can be told without resolving a reference. */
export function checkNode(tree: Located, path: Path, problems: Problems): void {
  if (hasReferences(tree)) return;
  const data = validate(schema as Parameters<typeof validate<NodeData>>[0], tree, { path, problems });
  if (data === null) return;
  checkAllow(data.allow, 'node', { node: tree, path, problems });
  connectionSettings(data, { node: tree, path, problems, filesFrom: null });
}
