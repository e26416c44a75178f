import type { Mutation } from './mutations.ts';

/** Defects of who watches the workers. */
export const supervisionMutations: readonly Mutation[] = [
  {
    id: 'stand-still-unnoticed',
    promise: 9,
    what: 'a route that stands still while its source moves on is never started again',
    file: 'src/supervisor/stand-still.ts',
    find: 'restarts: before.restarts + 1 }, restart: true',
    replace: 'restarts: before.restarts + 1 }, restart: false',
    test: { file: 'test/crash/watchdog.test.ts', name: 'gets another worker, which goes on' },
  },
  {
    id: 'long-statement-killed',
    promise: 9,
    what: 'a statement that takes long is taken for standing still',
    file: 'connectors/postgres/state/apply-activity.ts',
    find: 'if (rows.some(isWorking))',
    replace: 'if (rows.length > 99)',
    test: { file: 'test/crash/watchdog.test.ts', name: 'since a statement takes long' },
  },
  {
    id: 'kill-loop-at-a-lock',
    promise: 9,
    what: 'a route that waits for a lock at the target is started again and again, and nobody is named',
    file: 'connectors/postgres/state/apply-activity.ts',
    find: "(waitType === 'Lock' ||",
    replace: "(waitType === 'none' ||",
    test: { file: 'test/crash/watchdog.test.ts', name: 'since another session holds a lock' },
  },
  {
    id: 'crashes-for-ever',
    promise: 9,
    what: 'a worker that dies of each start is started for ever',
    file: 'src/supervisor/crash-loop.ts',
    find: 'return recent.length >= crashes;',
    replace: 'return recent.length < 0 && crashes > 0;',
    test: { file: 'test/crash/supervisor/routes.test.ts', name: 'a worker that dies again and again' },
  },
  {
    id: 'memory-loop',
    promise: 9,
    what: 'a worker above its memory limit is started again each time',
    file: 'src/supervisor/memory-limit.ts',
    find: '|| nowMs < before.notBeforeMs',
    replace: '',
    test: { file: 'test/unit/supervisor/memory-limit.test.ts', name: 'a restart that does not help' },
  },
];
