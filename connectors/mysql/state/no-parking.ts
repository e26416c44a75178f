import { nodeErrors } from '../../../src/core/errors/catalogue/node.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import type { ParkedStore } from '../../../src/core/parked.ts';

/** These targets set nothing aside yet: there is nothing to show, and what asks for it is refused. */
export function noParking(node: string): ParkedStore {
  const refuse = async (): Promise<never> => {
    throw fail(nodeErrors.notYet, { node, what: 'to set transactions aside' });
  };
  return {
    list: async () => [],
    keys: async () => [],
    changes: async function* () {},
    earlier: async () => [],
    ask: refuse,
    outcome: async () => null,
    skip: refuse,
  };
}
