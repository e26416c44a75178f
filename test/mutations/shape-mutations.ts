import type { Mutation } from './mutations.ts';

const newTables = 'test/integration/route/new-tables.test.ts';
const schemaChanges = 'test/integration/route/schema-changes.test.ts';
const collisions = 'test/integration/route/collisions.test.ts';

/** New tables, definitions that a person has accepted, old values, and what expressions find in arrays and documents. */
export const shapeMutations: readonly Mutation[] = [
  {
    id: 'half-published-transactions',
    promise: 2,
    what: 'loads a new table while transactions are open that have written to it before it was published',
    file: 'connectors/postgres/source/publish-tables.ts',
    find: 'while (!(await areEnded(client, next))) {',
    replace: 'while (next === null) {',
    test: { file: newTables, name: 'is waited for' },
  },
  {
    id: 'standby-waits-for-itself',
    promise: 2,
    what: 'waits until a transaction can be seen that waits for the route, which is its synchronous standby',
    file: 'connectors/postgres/source/table-facts.ts',
    find: '      if (!(await mayAlter(client, xid, tables))) return;\n',
    replace: '',
    test: { file: newTables, name: 'go on while' },
  },
  {
    id: 'joining-table-halts',
    promise: 8,
    what: 'halts at rows of a table that an agreed change is about to bring, while COMMITs wait for the route',
    file: 'connectors/postgres/source/carried-set.ts',
    find: 'if (table === undefined && was === label && this.#joining.has(label)) return null;',
    replace: 'if (table === undefined && was !== label && this.#joining.has(label)) return null;',
    test: { file: newTables, name: 'go on while' },
  },
  {
    id: 'rest-of-change-forgotten',
    promise: 8,
    what: 'asks once more for what was agreed to, where a change was killed between its two halves',
    file: 'src/operations/change-beside-stream.ts',
    find: 'if (pending === null || left.length === 0) return undefined;',
    replace: 'if (pending === null || left.length >= 0) return undefined;',
    test: { file: newTables, name: 'go on while' },
  },
  {
    id: 'awaited-queue-waits',
    promise: 9,
    what: 'waits without a word for COMMITs that wait for the route that is about to begin',
    file: 'connectors/postgres/source/awaited-commits.ts',
    find: 'if (times >= (row.waits === null ? looksUnseen : looks))',
    replace: 'if (times >= (row.waits === null ? looksUnseen : 1_000_000))',
    test: { file: 'test/integration/collector/collector-queue.test.ts', name: 'says so' },
  },
  {
    id: 'accepted-is-refused',
    promise: 5,
    what: 'refuses a target table that a person has made what the source has, before the route has come to it',
    file: 'src/supervisor/route-attempt.ts',
    find: "level !== 'error' || table === undefined || !settled.has(table)",
    replace: "level !== 'error' || table === undefined || settled.size >= 0",
    test: { file: schemaChanges, name: 'where older rows could not be written' },
  },
  {
    id: 'old-values-unseen',
    promise: 5,
    what: 'changes a row that somebody else has written to, though old values are to be checked',
    file: 'connectors/postgres/target/row-statements.ts',
    find: 'return checksOldValues ? columns.filter',
    replace: 'return columns.length < 0 ? columns.filter',
    test: { file: collisions, name: 'a row that has other values' },
  },
  {
    id: 'old-values-aside-unseen',
    promise: 5,
    what: 'changes a row that stands aside and that somebody else has written to, though old values are to be checked',
    file: 'connectors/postgres/target/careful-apply.ts',
    find: "if (rows.length === 0) this.#resolveOrHalt(plan, place, 'finds a row with other values",
    replace: "if (rows.length > 1) this.#resolveOrHalt(plan, place, 'finds a row with other values",
    test: { file: collisions, name: 'stood aside for a swap' },
  },
  {
    id: 'old-values-as-they-came',
    promise: 5,
    what: 'takes 1.5 and 1.5000 for other values where the target has more digits',
    file: 'connectors/postgres/target/row-statements.ts',
    find: "if (type !== 'pg_catalog.numeric' || modifier === -1) return value;",
    replace: 'if (type !== "" || modifier === -1) return value;',
    test: { file: collisions, name: 'shows otherwise' },
  },
  {
    id: 'null-contains-null',
    promise: 5,
    what: 'finds a NULL of one array in another',
    file: 'src/expression/functions/arrays.ts',
    find: 'one !== null && whole.some((other) => other !== null && isEqual(other, one))',
    replace: 'whole.some((other) => other === one || (other !== null && one !== null && isEqual(other, one)))',
    test: { file: 'test/unit/expression/expression-values.test.ts', name: 'documents' },
  },
];
