import { join } from 'node:path';
import { defineConfig, type InputOptions, type OutputOptions } from 'rolldown';

const root = import.meta.dirname;

/** A module of a package, not a file of ours. */
const ofPackage = /^(?![./]|[a-z]:\\)/i;

/** What a process is started with, and what programs import (src/index.ts). Other modules are loaded by these, from wherever they are put. */
export const programs = ['src/cli/main', 'src/supervisor/worker-main', 'src/demo/watchdog', 'src/index'] as const;

type Bundle = InputOptions & { readonly output: OutputOptions };

/**
 * `npm run build` makes dist/src of src, connectors and transforms: some 120 files in place of a thousand, which a process would find, read and link one by one.
 * One bundle, so that a module is there once, whichever program or user exit imports it. Packages stay where npm has put them, with their licences.
 */
export function bundleOf(names: readonly string[], dist: string, external = ofPackage): Bundle {
  return {
    input: Object.fromEntries(names.map((name) => [name, join(root, `${name}.ts`)])),
    platform: 'node',
    external,
    output: {
      dir: dist,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'src/chunks/[name]-[hash].js',
      // Names and lines of the sources, for what is logged of errors (src/core/stack-frames.ts); not their text.
      sourcemap: true,
      sourcemapExcludeSources: true,
    },
  };
}

export default defineConfig(bundleOf(programs, join(root, 'dist')));
