import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { Target, TargetOptions } from '../../../src/core/target.ts';

export function mysqlTarget({ route }: TargetOptions): Target {
  throw fail(nodeErrors.notYet, { node: route.to.name, what: 'to be the target of a route' });
}
