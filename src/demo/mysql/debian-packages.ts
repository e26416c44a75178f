import { execFile, execFileSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { placeWhole, removeLeft } from './shared-folder.ts';

const run = promisify(execFile);

export interface DebianPackage {
  readonly suite: string;
  readonly package: string;
}

/**
 * Unpacks a package of Debian and everything that it depends on into `<cache>/<prefix>-<version>`, and nowhere else: with a package list, a state
 * and a cache of its own, so that neither root nor the suite of the machine matters. The mirror is the one that the machine's apt is configured with.
 */
export async function unpackDebianPackage(wanted: DebianPackage, cache: string, prefix: string): Promise<string> {
  const mirror = debianMirror();
  if (mirror === null) throw new Error("this system's apt has no mirror of Debian");
  mkdirSync(cache, { recursive: true });
  removeLeft(cache, 'apt-');
  const work = mkdtempSync(join(cache, `apt-${process.pid}-`));
  try {
    const apt = privateApt(work, mirror, wanted.suite);
    await run('apt-get', [...apt, 'update', '-qq'], { env });
    await run('apt-get', [...apt, 'install', '-y', '-qq', '--no-install-recommends', wanted.package], { env });
    const archives = globSync(join(work, 'cache/archives/*.deb'));
    const root = join(work, 'root');
    mkdirSync(root);
    for (const archive of archives) await run('dpkg-deb', ['--extract', archive, root]);
    const version = await versionOf(archives, wanted.package);
    const folder = join(cache, `${prefix}-${version}`);
    placeWhole(root, folder);
    return version;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Fetches the source of a package, as it came to Debian, into a folder: the file `<package>_<version>.orig.tar.<how>`. The same as above holds. */
export async function fetchDebianSource(wanted: DebianPackage, folder: string): Promise<void> {
  const mirror = debianMirror();
  if (mirror === null) throw new Error("this system's apt has no mirror of Debian");
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(join(folder, 'apt-'));
  try {
    const apt = privateApt(work, mirror, wanted.suite, 'deb-src');
    await run('apt-get', [...apt, 'update', '-qq'], { env });
    await run('apt-get', [...apt, 'source', '-qq', '--download-only', wanted.package], { env, cwd: folder });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };

function privateApt(work: string, mirror: string, suite: string, kind: 'deb' | 'deb-src' = 'deb'): string[] {
  for (const folder of ['lists/partial', 'cache/archives/partial']) mkdirSync(join(work, folder), { recursive: true });
  writeFileSync(join(work, 'status'), '');
  writeFileSync(join(work, 'wanted.list'), `${kind} ${mirror} ${suite} main\n`);
  const options = {
    'Dir::Etc::sourcelist': join(work, 'wanted.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::Etc::preferencesparts': '-',
    'Dir::State': work,
    'Dir::State::lists': join(work, 'lists'),
    // Nothing is installed: all that the package needs is fetched, down to the C library.
    'Dir::State::status': join(work, 'status'),
    'Dir::Cache': join(work, 'cache'),
    'APT::Get::Download-Only': 'true',
    // Of a suite that moves a list may be older than a machine that was asleep.
    'Acquire::Check-Valid-Until': 'false',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::Retries': '3',
    // Root's apt would fetch as another user, who can't write here.
    'APT::Sandbox::User': 'root',
    'Debug::NoLocking': '1',
  };
  return Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
}

/** Where the system's own suite comes from; null where it is not Debian. */
function debianMirror(): string | null {
  try {
    const release = readFileSync('/etc/os-release', 'utf8');
    if (!/^ID=debian$/m.test(release)) return null;
    const codename = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1];
    const targets = execFileSync('apt-get', [
      'indextargets',
      '--format',
      '$(REPO_URI)|$(RELEASE)|$(COMPONENT)',
      'Created-By: Packages',
    ]);
    const lines = String(targets)
      .split('\n')
      .map((line) => line.split('|'));
    return lines.find(([, suite, component]) => suite === codename && component === 'main')?.[0] ?? null;
  } catch {
    return null;
  }
}

async function versionOf(archives: readonly string[], name: string): Promise<string> {
  const archive = archives.find((file) => file.split('/').at(-1)?.startsWith(`${name}_`));
  if (archive === undefined) throw new Error(`${name} was not fetched`);
  const { stdout } = await run('dpkg-deb', ['--field', archive, 'Version']);
  // The upstream one: without Debian's epoch and revision.
  return stdout
    .trim()
    .replace(/^\d+:/, '')
    .replace(/[-+].*$/, '');
}
