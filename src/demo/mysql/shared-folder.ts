import { globSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** A folder that was made beside its place comes there whole at once. Where somebody else has been faster theirs stays, which may be in use, and this one goes. */
export function placeWhole(made: string, place: string): void {
  try {
    renameSync(made, place);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    rmSync(made, { recursive: true, force: true });
  }
}

/** Removes what processes that are no more were making in a folder: names of this beginning with a process's id behind it. */
export function removeLeft(folder: string, beginning: string): void {
  for (const name of globSync(`${beginning}*`, { cwd: folder })) {
    const [pid] = /^\d+/.exec(name.slice(beginning.length)) ?? [];
    if (pid === undefined || !isAlive(Number(pid))) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
