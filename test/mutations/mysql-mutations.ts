import type { Mutation } from './mutations.ts';

const consumer = 'test/integration/mysql/consumer.test.ts';
const target = 'connectors/mysql/target';

/** Of MySQL and MariaDB as targets. */
export const mysqlMutations: readonly Mutation[] = [
  {
    id: 'mysql-uncounted',
    promise: 5,
    what: 'takes any number of rows that a statement has found for the right one',
    file: `${target}/flights.ts`,
    find: 'if (found !== rows) throw',
    replace: 'if (found > rows) throw',
    test: { file: consumer, name: 'an update that the target contradicts' },
  },
  {
    id: 'mysql-unfenced',
    promise: 4,
    what: 'does not look at the epoch that it has read',
    file: `${target}/target-transaction.ts`,
    find: 'if (rows[0]?.[0] !== epoch) throw',
    replace: 'if (rows.length > 1) throw',
    test: { file: consumer, name: 'an engine whose epoch was raised' },
  },
  {
    id: 'mysql-merged-cascades',
    promise: 2,
    what: 'reduces changes to their net effect where each of them cascades',
    file: `${target}/table-plan.ts`,
    find: '(foreignKeysAct && target.cascades.length > 0)',
    replace: '(foreignKeysAct && target.cascades.length > 99)',
    test: { file: consumer, name: 'what a cascade does at MariaDB' },
  },
  {
    id: 'mysql-locks-given-up',
    promise: 3,
    what: 'ends at the first lock of somebody else',
    file: `${target}/mysql-consumer.ts`,
    find: 'if (!isLockError(error) || this.#target.open',
    replace: 'if (isLockError(error) || this.#target.open',
    test: { file: consumer, name: 'what a lock of somebody else undoes' },
  },
  {
    id: 'mysql-bare-quotes',
    promise: 5,
    what: 'writes a text with a quote or a backslash between quotes as it is',
    file: `${target}/value-literal.ts`,
    find: "const special = /['\\\\\\0]/;",
    replace: 'const special = /[\\0]/;',
    test: { file: consumer, name: 'values of every kind' },
  },
  {
    id: 'mysql-sessions-left',
    promise: 4,
    what: 'takes a route over without ending the sessions of the engine before',
    file: 'connectors/mysql/state/session-locks.ts',
    find: 'if (holder === null || holder === own) continue;',
    replace: 'if (holder !== null || holder === own) continue;',
    test: { file: consumer, name: 'whoever takes the route over' },
  },
];
