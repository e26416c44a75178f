import type { Mutation } from './mutations.ts';

/** Of compare and repair. */
export const compareMutations: readonly Mutation[] = [
  {
    id: 'look-too-late',
    promise: 2,
    what: 'looks at the target when more of the stream is applied than the source was read as of',
    file: 'src/pipeline/stream-session.ts',
    find: 'return parts.slice(0, at + 1);',
    replace: 'behind = []; return parts;',
    test: { file: 'test/unit/stream-session.test.ts', name: 'nothing behind a look' },
  },
  {
    id: 'window-forgotten',
    promise: 2,
    what: 'takes a row for what it was read as, although it has changed since',
    file: 'src/operations/compare/stream-judge.ts',
    find: 'const isUnsure = merged?.unsure ?? unsureKeys(changed, own);',
    replace: 'const isUnsure = merged?.unsure ?? ((_key: RowKey) => false);',
    test: { file: 'test/integration/compare/compare.test.ts', name: 'under the hottest load' },
  },
  {
    id: 'repair-over-newer',
    promise: 8,
    what: 'takes a repair back over what has changed since',
    file: 'connectors/postgres/compare/compare-sql.ts',
    find: " and to_jsonb(${this.#cellsOf('t.')}) = r.repair -> 'before'`",
    replace: " and ${this.#cellsOf('t.')} is not null`",
    test: { file: 'test/integration/compare/repair.test.ts', name: 'a repair under load' },
  },
];
