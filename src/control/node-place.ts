import type { NodeDefinition } from '../core/route.ts';

/** Where a node is, for people who are about to change something there. */
export interface NodePlace {
  readonly node: string;
  readonly hosts: readonly string[];
  readonly database: string;
}

export function placeOfNode({ name, connection }: NodeDefinition): NodePlace {
  const { hosts, database } = connection();
  return { node: name, hosts: hosts.map(({ host, port }) => `${host}:${port}`), database };
}

export function placeText({ node, hosts, database }: NodePlace): string {
  return `${node} (${hosts.join(', ')}${database === '' ? '' : `, database ${database}`})`;
}
