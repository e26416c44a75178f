import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { heapFlags } from '../../src/supervisor/worker-process.ts';

const root = join(import.meta.dirname, '../..');

/** What each process of the engine loads. V8 keeps what it has compiled with other flags apart. */
const processes = [
  { flags: [], module: 'src/cli/tidelock.ts' },
  { flags: heapFlags, module: 'src/supervisor/worker-main.ts' },
];

/**
 * Fills the folder with the compiled modules of the engine. The tests start it a thousand times; most of what a start
 * takes is to strip the types of each module and to compile it. The cache is written when a process ends by itself,
 * which one that is killed does not.
 */
export async function fillCompileCache(folder: string): Promise<void> {
  await Promise.all(
    processes.map(async ({ flags, module }) => {
      const url = pathToFileURL(join(root, module));
      // A worker has no task here, and says so when all is loaded.
      const load = `import('${url}').catch(() => {}).then(() => process.exit(0))`;
      const child = spawn(process.execPath, [...flags, '-e', load], {
        env: { ...process.env, NODE_COMPILE_CACHE: folder },
        stdio: 'ignore',
      });
      await once(child, 'exit');
    }),
  );
}
