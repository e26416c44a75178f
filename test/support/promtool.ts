import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../src/demo/mysql/cache-folder.ts';
import { unpackedCommand } from '../../src/demo/mysql/unpacked-command.ts';

/** Prometheus' own tool, which computes what alert rules say of series. */
export const promtoolPackage = { suite: 'bookworm', package: 'prometheus' } as const;

/** PROMTOOL, else that of the cache (`npm run fetch-servers`), else that of the system; null where there is none. */
export function findPromtool(): readonly string[] | null {
  const given = process.env.PROMTOOL;
  return given === undefined ? find('promtool') : [given];
}

/** Prometheus itself, from the same places. */
export function findPrometheus(): readonly string[] | null {
  return find('prometheus');
}

function find(program: string): readonly string[] | null {
  const file = join('usr/bin', program);
  const root = globSync('prometheus-*/', { cwd: cacheFolder() })
    .map((name) => join(cacheFolder(), name))
    .findLast((place) => existsSync(join(place, file)));
  if (root !== undefined) return unpackedCommand(root, file);
  return spawnSync(program, ['--version']).status === 0 ? [program] : null;
}
