import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Configuration } from '../../config/configuration.ts';
import { loadConfiguration } from '../../config/load-configuration.ts';
import { configErrors } from '../../core/errors/catalogue/config.ts';
import { fail } from '../../core/errors/tidelock-error.ts';

export interface NewFile {
  readonly file: string;
  readonly text: string;
  readonly force: boolean;
  readonly cwd: string;
  /** With what the file refers to, as it counts now. */
  readonly env: NodeJS.ProcessEnv;
}

export function demandFree(file: string, force: boolean): void {
  if (existsSync(file) && !force)
    throw fail(configErrors.arguments, { why: `${file} is there already: --force writes over it, -o names another` });
}

/** Written beside its place and read as a configuration before it takes it: what is there is whole and valid, or as it was. */
export function writeConfiguration({ file, text, force, cwd, env }: NewFile): Configuration {
  demandFree(file, force);
  mkdirSync(dirname(file), { recursive: true });
  const draft = join(dirname(file), `.${basename(file)}.${process.pid}`);
  writeFileSync(draft, text, { flag: 'wx', mode: 0o644 });
  try {
    // Everything is looked at, also what is only looked up when it is needed.
    const read = loadConfiguration({ file: draft, env, cwd });
    read.resolveAll();
    for (const route of read.routes.values()) void route;
    demandFree(file, force);
    renameSync(draft, file);
  } finally {
    rmSync(draft, { force: true });
  }
  return loadConfiguration({ file, env, cwd });
}
