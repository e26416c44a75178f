import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../src/demo/mysql/cache-folder.ts';
import { unpackDebianPackage } from '../src/demo/mysql/debian-packages.ts';

export interface Pgloader {
  readonly version: string;
  /** Loads one database into another, with its defaults. Throws where it says that it could not. */
  load(from: string, to: string): void;
}

/** The one in the PATH, or Debian's, fetched once into the cache folder: a program that reads its own file, and so runs with the system's loader. */
export async function findPgloader(): Promise<Pgloader> {
  const find = (): string | undefined => globSync('pgloader-*/', { cwd: cacheFolder() }).toSorted().at(-1);
  const isInstalled = spawnSync('pgloader', ['--version'], { stdio: 'ignore' }).error === undefined;
  if (!isInstalled && find() === undefined)
    await unpackDebianPackage({ suite: 'bookworm', package: 'pgloader' }, cacheFolder(), 'pgloader');
  const root = join(cacheFolder(), find() ?? '');
  const program = isInstalled ? 'pgloader' : join(root, 'usr/bin/pgloader');
  const libraries = globSync('usr/lib/*-linux-gnu', { cwd: root }).map((path) => join(root, path));
  const env = isInstalled ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries.join(':') };
  const run = (...args: readonly string[]): string => {
    const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8', env });
    if (status !== 0) throw new Error(`pgloader has ended with ${status}: ${error?.message ?? stderr + stdout}`);
    return stdout;
  };
  return {
    version: run('--version').trim().replaceAll('\n', ', '),
    load: (from, to) => void run(from, to),
  };
}
