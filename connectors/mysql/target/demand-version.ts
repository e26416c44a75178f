import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { NodeDefinition } from '../../../src/core/route.ts';

/** VALUES ROW(...) is of 8.0.19; MariaDB has had lists of values with names since 10.3. */
const oldest = { mysql: [8, 0, 19], mariadb: [10, 3, 3] } as const;

/** Halts where the server has no statements that change many rows by a list of values. */
export function demandVersion({ name, type }: Pick<NodeDefinition, 'name' | 'type'>, version: string): void {
  const vendor = type === 'mariadb' ? 'mariadb' : 'mysql';
  const found = version.split(/[^0-9]+/, 3).map(Number);
  const wanted = oldest[vendor];
  const at = wanted.findIndex((number, index) => number !== (found[index] ?? 0));
  if (at === -1 || (found[at] ?? 0) > (wanted[at] ?? 0)) return;
  const product = vendor === 'mariadb' ? 'MariaDB' : 'MySQL';
  throw fail(nodeErrors.unsupportedVersion, { node: name, version, oldest: `${product} ${wanted.join('.')}` });
}
