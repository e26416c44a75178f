import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { heapFlags } from '../../src/supervisor/worker-process.ts';
import { engineProgram } from './engine.ts';

/**
 * Fills the folder with the compiled modules of the engine, which the tests start a thousand times. The cache is written
 * when a process ends by itself, which one that is killed does not. V8 keeps apart what it has compiled with other flags.
 */
export async function fillCompileCache(folder: string): Promise<void> {
  const processes = [
    [engineProgram(), 'status', '--url', 'http://127.0.0.1:1'],
    [engineProgram(), 'run', '--help'],
    // A worker has no task here, and says so when all is loaded.
    [...heapFlags, '-e', `import('${workerModule()}').catch(() => {}).then(() => process.exit(0))`],
  ];
  await Promise.all(
    processes.map(async (args) => {
      const child = spawn(process.execPath, args, {
        env: { ...process.env, NODE_COMPILE_CACHE: folder },
        stdio: 'ignore',
      });
      await once(child, 'exit');
    }),
  );
}

function workerModule(): URL {
  return pathToFileURL(join(dirname(engineProgram()), 'worker-main.js'));
}
