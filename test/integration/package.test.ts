import { execFile } from 'node:child_process';
import { chmodSync, globSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { rolldown } from 'rolldown';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleOf } from '../../rolldown.config.ts';
import { isAlive } from '../support/process-tree.ts';
import { forgetPid, notePid, runDirectory } from '../support/run-directory.ts';
import { expectToldInText } from '../support/told-demo.ts';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(runDirectory(), 'package-'));
/** Not what the tests' own npm has set. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_OPTIONS)/.test(name)),
);

/** The package as a user gets it: packed, and installed with its dependencies into a project of its own. */
beforeAll(async () => {
  await run('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: root, env });
  const [archive = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', private: true, type: 'module' }));
  await run('npm', ['install', '--silent', '--prefer-offline', '--no-audit', `./${archive}`], { cwd: folder, env });
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tidelock = (...args: string[]) =>
  run(process.execPath, [join(folder, 'node_modules/tidelock/dist/src/cli/main.js'), ...args], { cwd: folder, env });

test('the archive holds what is to be shipped, and nothing else', async () => {
  const names = readdirSync(join(folder, 'node_modules/tidelock')).sort();
  expect(names).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'deploy', 'dist', 'docs', 'package.json']);
  expect(readdirSync(join(folder, 'node_modules/tidelock/dist')).sort()).toEqual([
    'connectors',
    'src',
    'transforms',
    'web',
  ]);
  // The page holds packages that are not installed beside it.
  const licenses = readFileSync(join(folder, 'node_modules/tidelock/dist/web/licenses.md'), 'utf8');
  for (const name of ['preact', '@preact/signals', 'uplot', '@dagrejs/dagre'])
    expect(licenses).toMatch(new RegExp(`^## ${name} .*\\(MIT\\)$`, 'mi'));
});

test('each module of the engine is there once, whatever imports it, and packages are not in the bundle', () => {
  const dist = join(folder, 'node_modules/tidelock/dist');
  const sources = globSync('src/**/*.js.map', { cwd: dist }).flatMap((map) =>
    (JSON.parse(readFileSync(join(dist, map), 'utf8')) as { sources: string[] }).sources.map((source) =>
      relative(join(dist, '..'), join(dist, dirname(map), source)),
    ),
  );
  expect(sources).toContain('src/core/errors/tidelock-error.ts');
  expect(sources.filter((source, at) => sources.indexOf(source) !== at)).toEqual([]);
  expect(sources.filter((source) => !/^(src|connectors|transforms)\//.test(source))).toEqual([]);
});

test('the first file of a worker tells what any module of it has become, so that a Supervisor knows it for another version', async () => {
  const first = async (changed: string | null): Promise<string | undefined> => {
    const { output, ...input } = bundleOf(['src/supervisor/worker-main'], join(folder, 'unwritten'));
    const plugin = {
      name: 'another version',
      transform: (code: string, id: string) =>
        changed !== null && id.endsWith(changed) ? `${code}\nconsole.log('another version');` : null,
    };
    const bundle = await rolldown({ ...input, plugins: [plugin], logLevel: 'silent' });
    const { output: files } = await bundle.generate(output);
    await bundle.close();
    return files.flatMap((file) => (file.type === 'chunk' && file.isEntry ? [file.code] : []))[0];
  };
  const [now, other] = await Promise.all([null, 'connectors/postgres/lsn.ts'].map(first));
  expect(now).toMatch(/import\("\.\.\/chunks\/postgres-connector-/);
  expect(other).not.toBe(now);
});

/** The files that `file` imports before it runs, and those that they import. */
function importedBefore(file: string, found = new Set<string>()): Set<string> {
  found.add(file);
  for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)";$/gm)) {
    const imported = join(dirname(file), name);
    if (!found.has(imported)) importedBefore(imported, found);
  }
  return found;
}

test('the command runs', async () => {
  const main = join(folder, 'node_modules/tidelock/dist/src/cli/main.js');
  expect((await tidelock('--version')).stdout).toMatch(/^\d+\.\d+\.\d+/);
  // It tells a Node that is too old so, whatever the rest needs of Node: that is loaded behind it.
  expect([...importedBefore(main)].map((file) => readFileSync(file, 'utf8')).join('')).not.toMatch(/from "(?![.])/);
  expect((await tidelock('--help')).stdout).toContain('status');
  expect(JSON.parse((await tidelock('config', 'schema')).stdout)).toHaveProperty('$schema');
});

test('the demo runs from the installed package, finds both sides equal, and keeps what it was told to', async () => {
  // Servers of a root run work as another user.
  for (const path of [runDirectory(), folder]) chmodSync(path, 0o755);
  const temporary = join(folder, 'kept');
  mkdirSync(temporary);
  const { stdout } = await run('npx', ['--no-install', 'tidelock', 'demo', '--seconds', '2', '--keep'], {
    cwd: folder,
    env: { ...env, TMPDIR: temporary },
  });
  const remove = /Remove everything with: +(kill (\d+) (\d+); rm -rf .+)/.exec(stdout) ?? [];
  const pids = remove.slice(2).map(Number);
  for (const pid of pids) notePid(pid);
  expectToldInText(stdout);
  const [configuration = ''] = /^configuration +(.+)$/m.exec(stdout)?.slice(1) ?? [];
  const status = await tidelock('status', '-c', configuration, '--json');
  expect(JSON.parse(status.stdout)).toMatchObject({ routes: [{ state: 'stopped' }] });
  await run('sh', ['-c', remove[1] ?? 'false']);
  await until('the end of both servers', () => !pids.some(isAlive));
  for (const pid of pids) forgetPid(pid);
  expect(readdirSync(temporary)).toEqual([]);
}, 120_000);

test('the typed library entry compiles and runs in a program', async () => {
  writeFileSync(
    join(folder, 'tidelock.yaml'),
    `version: 1
name: embedded
nodes:
  a: { type: postgres, url: "postgres://u@127.0.0.1:1/a" }
  b: { type: postgres, url: "postgres://u@127.0.0.1:1/b" }
routes:
  a-to-b: { from: a, to: b, tables: ["public.*"] }
`,
  );
  writeFileSync(
    join(folder, 'program.ts'),
    `import { type RouteStatus, loadConfiguration, runRoute, silentLogger, connectorFor, openLogger, Supervisor, TidelockError } from 'tidelock';
const configuration = loadConfiguration({ env: process.env, cwd: process.cwd() });
const seen: RouteStatus['state'][] = [];
const stop = new AbortController();
await runRoute({
  definition: configuration.routes.demand('a-to-b', 'route'),
  connectors: connectorFor,
  holder: { supervisor: 'program', host: 'here', pid: process.pid },
  logger: silentLogger,
  signal: stop.signal,
  restarts: 0,
  takeover: false,
  onStatus: (status) => {
    if (status.state !== seen.at(-1)) seen.push(status.state);
    if (status.state === 'retrying') stop.abort();
  },
});
console.log(seen.join(' '), TidelockError.name);
try {
  new Supervisor(undefined as never);
} catch (err) {
  openLogger('error').error({ err }, 'a defect');
}
`,
  );
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        module: 'nodenext',
        target: 'es2024',
        strict: true,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
      },
      files: ['program.ts'],
    }),
  );
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], { cwd: folder, env });
  const { stdout, stderr } = await run(process.execPath, [join(folder, 'program.js')], { cwd: folder, env });
  expect(stdout).toBe('starting retrying stopped TidelockError\n');
  // What is logged of it names the source's line, which the bundle does not have.
  const line = readFileSync(join(root, 'src/supervisor/supervisor.ts'), 'utf8')
    .split('\n')
    .findIndex((text) => text.includes('new WorkerGuard(options.logger)'));
  expect(JSON.parse(stderr).err.stack).toContain(`(src/supervisor/supervisor.ts:${line + 1}:`);
}, 60_000);
