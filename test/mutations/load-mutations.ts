import type { Mutation } from './mutations.ts';

const chunks = { file: 'test/property/load-chunks.test.ts', name: 'in the order of a key of int' };
const tableLoad = 'test/unit/table-load.test.ts';
const consumer = 'test/integration/consumer/load.test.ts';
const again = { file: 'test/integration/route/load.test.ts', name: 'a table of a running route is loaded anew' };

/** Of loads beside the stream: one for each promise of docs/load.md. */
export const loadMutations: readonly Mutation[] = [
  {
    id: 'changed-rows-as-read',
    promise: 2,
    what: 'loads a row as it was read although it has changed between the two watermarks',
    file: 'src/pipeline/merge-chunk.ts',
    find: 'const change = changed.rows.get(rowKey);',
    replace: 'const change = changed.truncated ? changed.rows.get(rowKey) : undefined;',
    test: chunks,
  },
  {
    id: 'read-before-the-truncate',
    promise: 2,
    what: 'loads rows that a TRUNCATE has emptied the table of since they were read',
    file: 'src/pipeline/watermark-windows.ts',
    find: '    this.truncated = true;',
    replace: '',
    test: { file: 'test/unit/watermark-windows.test.ts', name: 'before a TRUNCATE' },
  },
  {
    id: 'changes-beyond-what-is-kept',
    promise: 2,
    what: 'loads a range as it was read when more has changed under it than is kept',
    file: 'src/pipeline/watermark-windows.ts',
    find: 'if (this.#bytes > maxBytes) this.#overflow();',
    replace: 'if (this.#bytes > maxBytes) this.#rows.clear();',
    test: { file: tableLoad, name: 'more changes than is kept' },
  },
  {
    id: 'load-without-bounds',
    promise: 6,
    what: 'reads on whatever of a load is not at the target yet',
    file: 'src/operations/load/load-memory.ts',
    find: 'while (this.#usedBytes > 0 &&',
    replace: 'while (this.#usedBytes < 0 &&',
    test: { file: tableLoad, name: 'stays within the memory of loads' },
  },
  {
    id: 'load-begins-anew',
    promise: 8,
    what: 'stores how far a load is with its last rows only',
    file: 'connectors/postgres/target/load-apply.ts',
    find: 'batch.send(progressStatement(this.#options.routeId, source, progress));',
    replace: 'if (progress.done) batch.send(progressStatement(this.#options.routeId, source, progress));',
    test: { file: 'test/crash/load.test.ts', name: 'kill -9 at chunk.applied' },
  },
  {
    id: 'collisions-forgiven-for-ever',
    promise: 5,
    what: 'takes an update that finds nothing for right when the load of its table is complete, too',
    file: 'connectors/postgres/target/load-apply.ts',
    find: 'if (progress.done) this.#end(source);',
    replace: 'if (progress.rows < 0) this.#end(source);',
    test: { file: consumer, name: 'what rides behind the last chunk' },
  },
  {
    id: 'load-beside-parked',
    promise: 5,
    what: 'begins a load while something is parked, ahead of which its rows would go',
    file: 'connectors/postgres/target/load-apply.ts',
    find: 'if (parked.rows.length > 0) throw',
    replace: 'if (parked.rows.length > 99) throw',
    test: { file: consumer, name: 'a load does not begin where something is parked' },
  },
  {
    id: 'merge-keeps-the-old-values',
    promise: 5,
    what: "merges a table without taking the source's values",
    file: 'connectors/postgres/target/load-apply.ts',
    find: "loadStatement(plan, existing === 'merge' ? 'replace' : 'keep', route.name)",
    replace: "loadStatement(plan, 'keep', route.name)",
    test: again,
  },
  {
    id: 'load-into-rows',
    promise: 5,
    what: 'loads into a table that has rows, though nobody has said what becomes of them',
    file: 'connectors/postgres/target/load-apply.ts',
    find: 'if (rows.length > 0) throw fail(targetErrors.targetNotEmpty',
    replace: 'if (rows.length > 99) throw fail(targetErrors.targetNotEmpty',
    test: again,
  },
  {
    id: 'moved-row-is-missing',
    promise: 2,
    what: 'takes a row that has changed its key for one that is still to be loaded',
    file: 'src/pipeline/loading-tables.ts',
    find: 'if (before === null) return null;',
    replace: 'if (before === null || !before.includes(UNCHANGED)) return null;',
    test: { file: 'test/property/load-chunks.test.ts', name: 'a key of int' },
  },
  {
    id: 'moved-row-not-read-again',
    promise: 2,
    what: 'does not read a row again that has changed its key with values that are not logged',
    file: 'src/pipeline/loading-tables.ts',
    find: 'this.#tables.get(tableLabel(moved.table))?.onAgain(moved.again);',
    replace: '',
    test: { file: 'test/property/load-chunks.test.ts', name: 'a key of int' },
  },
];
