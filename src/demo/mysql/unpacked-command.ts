import { globSync } from 'node:fs';
import { join } from 'node:path';

/** What starts a program of unpacked packages: their own loader, with their own libraries, on whatever system this is. */
export function unpackedCommand(root: string, program: string): readonly string[] {
  const [loader] = globSync(['lib*/ld-linux*.so.*', 'usr/lib*/ld-linux*.so.*', 'usr/lib/*/ld-linux*.so.*'], {
    cwd: root,
  });
  // One that was installed, and finds the system's libraries.
  if (loader === undefined) return [join(root, program)];
  const libraries = globSync(['lib/*-linux-gnu', 'usr/lib/*-linux-gnu'], { cwd: root }).map((path) => join(root, path));
  return [join(root, loader), '--library-path', libraries.join(':'), join(root, program)];
}
