import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { engineProgram } from './engine.ts';

/**
 * Fills the folder with the compiled modules of the engine, which the tests start a thousand times. The cache is written
 * when a process ends by itself, which one that is killed does not. Workers, of which V8 keeps apart what it has compiled, since they have other flags, fill it
 * when they end in order.
 */
export async function fillCompileCache(folder: string): Promise<void> {
  const processes = [
    [engineProgram(), 'status', '--url', 'http://127.0.0.1:1'],
    [engineProgram(), 'run', '--help'],
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
