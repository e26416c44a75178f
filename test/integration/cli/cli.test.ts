import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openPostgresState } from '../../../connectors/postgres/state/postgres-route-state.ts';
import { loadConfiguration } from '../../../src/config/load-configuration.ts';
import { openRoute } from '../../../src/control/open-route.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import type { Position } from '../../../src/core/position.ts';
import type { RouteStateStore } from '../../../src/core/route-state-store.ts';
import type { RouteStatus } from '../../../src/core/route-status.ts';
import { type Outcome, runCommand } from '../../support/command.ts';
import { engineProgram } from '../../support/engine.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';

const program = engineProgram();
const folder = mkdtempSync(join(tmpdir(), 'tidelock-cli-'));

let server: PostgresServer;
let source: TestDatabase;
let target: TestDatabase;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A source with one table, a target with the same, and a configuration file for them. */
beforeEach(async () => {
  source = await server.createDatabase();
  target = await server.createDatabase();
  for (const db of [source, target]) await db.query('create table item (id int primary key, label text)');
  writeFileSync(join(folder, 'tidelock.yaml'), configuration());
});

const configuration = (tables = '[public.item]'): string => `
version: 1
name: test
nodes:
  here: { type: postgres, url: "${url(source)}" }
  there: { type: postgres, url: "\${THERE}" }
routes:
  one:
    from: here
    to: there
    tables: ${tables}
`;

const url = (db: TestDatabase): string => `postgres://postgres:secret-word@127.0.0.1:${server.port}/${db.name}`;

const surroundings = () => ({ cwd: folder, env: { ...process.env, THERE: url(target), NO_COLOR: '1' } });

const tidelock = (...args: string[]): Promise<Outcome> => runCommand(args, surroundings());

/** As a user gives it: what it ends with is its process's own exit code. */
function alone(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], surroundings(), (error, out, err) => {
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

const json = ({ out }: Outcome): unknown => JSON.parse(out);

async function state(): Promise<RouteStateStore & AsyncDisposable> {
  const store = await openPostgresState({ node: target.node, routeKey: 'test/one', logger: silentLogger });
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

/** This process as the engine of the route. */
async function engine(supervisor = 'engine') {
  const store = await state();
  await store.migrate();
  await store.register();
  await store.acquireLease({ supervisor, host: 'elsewhere', pid: 42 }, false);
  await store.renewLease(running);
  return store;
}

const running: RouteStatus = {
  state: 'running',
  reason: null,
  health: 'ok',
  sourcePosition: '0/2',
  targetPosition: '0/1',
  lagMs: 5,
  transactions: 1,
  rows: 2,
  collisions: 0,
  parked: 0,
  restarts: 0,
  retainedBytes: null,
  load: null,
};

test('status of a route that was never started, runs, is stopped, and whose engine is gone', async () => {
  const status = async () => (json(await alone('status', '--json')) as { routes: object[] }).routes[0];
  expect(await status()).toMatchObject({ state: 'stopped', reason: { code: 'TL-4008' } });
  await using store = await engine();
  expect(await status()).toEqual({
    name: 'one',
    state: 'running',
    desiredState: 'running',
    askedBy: null,
    askedReason: null,
    pausedUntil: null,
    reason: null,
    health: 'ok',
    source: { node: 'here', position: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/) },
    target: { node: 'there', position: null },
    lagMs: 5,
    transactions: 1,
    rows: 2,
    collisions: 0,
    parked: 0,
    parkedSince: null,
    ignored: [],
    load: null,
    compared: null,
    restarts: 0,
    loadedRows: 0,
    restarted: null,
    engine: { host: expect.any(String), pid: expect.any(Number) },
    since: null,
    healthSince: null,
    concerns: [],
  });
  expect((await alone('stop', 'one')).code).toBe(0);
  // Only a paused route is resumed: whoever names a stopped one is told no; of all routes it is none that is meant.
  const resumed = await tidelock('resume', 'one', '--json');
  expect(resumed).toMatchObject({ code: 1, err: expect.stringContaining('TL-4140') });
  expect(json(resumed)).toMatchObject({ routes: [{ name: 'one', changed: false, error: { code: 'TL-4140' } }] });
  expect(await tidelock('pause', 'one')).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringMatching(/^TL-4140 .*\n"tidelock start one"/),
  });
  expect(await tidelock('resume', '--all')).toMatchObject({ code: 0, err: expect.stringContaining('it is stopped') });
  expect(await store.renewLease({ ...running, state: 'stopped' })).toMatchObject({ state: 'stopped', request: 1 });
  await store.releaseLease();
  expect(await status()).toMatchObject({ state: 'stopped', reason: { code: 'TL-4009' } });
  expect((await alone('start', '--all', '--accept-schema-change')).code).toBe(0);
  expect(await store.wanted()).toEqual({
    state: 'running',
    leftover: null,
    request: 2,
    acceptSchemaChangesTo: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
    parkingAsked: false,
    pending: null,
    pausedUntil: null,
    restart: 0,
    reason: null,
    askedBy: expect.stringContaining('@'),
  });
  expect(await status()).toMatchObject({ state: 'stopped', reason: { code: 'TL-4010' } });
  const text = await alone('status', 'one');
  expect(text.out).toMatch(/^ROUTE +STATE[\s\S]*one +stopped[\s\S]*TL-4010 no engine runs route one/);
});

test('a target that cannot be reached is told in the document, with exit code 2', async () => {
  writeFileSync(
    join(folder, 'tidelock.yaml'),
    configuration().replace('${THERE}', 'postgres://x:secret-word@127.0.0.1:1/x'),
  );
  const outcome = await alone('status', '--json');
  expect(outcome.code).toBe(2);
  expect(json(outcome)).toMatchObject({ version: 1, routes: [{ state: 'unknown', reason: { code: 'TL-5001' } }] });
  expect(await alone('wait', 'one', '--timeout', '1s')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^TL-5001 /),
  });
});

test('status --watch writes a document a line until it is interrupted', async () => {
  const env = { ...process.env, THERE: url(target) };
  const child = spawn(process.execPath, [program, 'status', '--watch', '--json'], { cwd: folder, env });
  let out = '';
  child.stdout.on('data', (text) => {
    out += text;
    if (out.split('\n').length > 2) child.kill('SIGINT');
  });
  await once(child, 'exit');
  expect(child.exitCode).toBe(130);
  for (const text of out.trim().split('\n')) expect(JSON.parse(text)).toMatchObject({ version: 1 });
});

test('wait is true only when the checkpoint covers what was committed before the call', async () => {
  await using store = await engine();
  const late = await alone('wait', 'one', '--timeout', '300ms', '--json');
  expect(late.code).toBe(1);
  expect(json(late)).toMatchObject({ route: 'one', caughtUp: false, position: null });
  await store.setReady({}, '0/1' as Position);
  expect((await alone('wait', 'one', '--timeout', '300ms')).code).toBe(1);
  const waiting = alone('wait', 'one', '--timeout', '20s', '--json');
  await store.setReady({}, 'FFFF/0' as Position);
  const done = await waiting;
  expect(done.code).toBe(0);
  expect(json(done)).toMatchObject({ caughtUp: true, position: 'FFFF/0' });
});

test('wait and start tell at once that no engine has the route', async () => {
  const waited = await tidelock('wait', 'one', '--timeout', '5s');
  expect(waited.code).toBe(1);
  expect(waited.err).toMatch(/^one is stopped; waiting all the same\n {2}TL-4008 .*\n {2}"tidelock run" starts it/);
  expect(waited.err).toMatch(/\none is not caught up: nothing of .* its state is stopped\n$/);
  const started = await tidelock('start', 'one');
  expect(started).toMatchObject({ code: 0, out: 'one is to run\n', err: expect.stringContaining('tidelock run') });
  await using store = await engine();
  expect((await store.read())?.holder).not.toBeNull();
  expect((await tidelock('start', 'one')).err).toBe('');
});

test('start tells of plan and apply where the configuration is not what the route was applied with, and only there', async () => {
  await using store = await engine();
  await store.renewLease({ ...running, state: 'stopped', wanted: 'stopped' });
  const env = { THERE: url(target) };
  const { routes } = loadConfiguration({ file: join(folder, 'tidelock.yaml'), env, cwd: folder });
  await store.setReady({}, '0/1' as Position, { applied: routes.demand('one', 'route').describe() });
  // Nothing is said of an engine here: on a slow machine the lease is over meanwhile.
  const started = await tidelock('start', 'one');
  expect(started).toMatchObject({ code: 0, out: 'one is to run\n', err: expect.not.stringContaining('plan') });
  writeFileSync(join(folder, 'tidelock.yaml'), configuration('[{ name: public.item, where: "id > 1" }]'));
  expect((await tidelock('start', 'one')).err).toMatch(/^one goes on as it was applied last, .*"tidelock plan" shows/m);
  const restarted = await tidelock('restart', 'one', '--json');
  expect(json(restarted)).toMatchObject({ routes: [{ name: 'one', rested: true, unapplied: true }] });
});

test('apply tells at once, and with exit code 1, that nobody does what was asked, and why', async () => {
  await using store = await engine();
  const env = { THERE: url(target) };
  const { routes } = loadConfiguration({ file: join(folder, 'tidelock.yaml'), env, cwd: folder });
  const definition = routes.demand('one', 'route');
  {
    await using opened = openRoute(definition);
    const identity = await opened.source.identity();
    await store.setReady(identity, '0/1' as Position, { applied: definition.describe() });
  }
  writeFileSync(join(folder, 'tidelock.yaml'), `${configuration()}    newTables: ignore\n`);
  // Its engine dies while it is waited for: that is told as soon as it is known, not when the time is over.
  const waiting = tidelock('apply', '--timeout', '9s');
  await until('the request', async () => (await store.read())?.pending);
  await target.query(`update tidelock.leases set expires_at = clock_timestamp() + interval '3 s'`);
  const left = await waiting;
  expect(left).toMatchObject({ code: 1, out: expect.stringMatching(/^one: asked for and not done yet/) });
  expect(left.err).toMatch(/^one is failed; waiting all the same\n {2}TL-4010 .*silent[\s\S]*"tidelock run"/m);
  // Nobody is there from the start: nobody waits.
  const began = performance.now();
  const asked = await tidelock('apply', '--timeout', '10m');
  expect(performance.now() - began).toBeLessThan(30_000);
  expect(asked).toMatchObject({
    code: 1,
    out: expect.stringMatching(/not done yet.*\n {2}TL-4010 .*\n {2}Start "tidelock run"/),
  });
  expect(json(await tidelock('apply', '--json'))).toMatchObject({
    routes: [{ name: 'one', outcome: 'asked', reason: { code: 'TL-4010' } }],
  });
});

test('a route whose plan can not be made does not hide the plans of the others', async () => {
  const away = `  away: { type: postgres, url: "postgres://x:secret-word@127.0.0.1:1/x" }\nroutes:\n  two: { from: here, to: away, tables: [public.item] }\n`;
  writeFileSync(join(folder, 'tidelock.yaml'), configuration().replace('routes:\n', away));
  const planned = await tidelock('plan', '--json');
  expect(planned.code).toBe(2);
  expect(json(planned)).toMatchObject({
    changes: true,
    routes: [
      { name: 'two', state: 'unread', problems: [{ code: 'TL-5001', node: 'away' }] },
      { name: 'one', state: 'new', problems: [] },
    ],
  });
  expect((await tidelock('plan')).out).toMatch(
    /^two: what would change can not be told:\n {2}TL-5001 .*\n.*\none: new/,
  );
  expect(await tidelock('plan', 'one')).toMatchObject({ code: 1 });
  // What keeps its routes from running is told of the nodes that answer.
  const checked = await tidelock('check', '--json');
  expect(json(checked)).toMatchObject({
    routes: [{ name: 'one' }],
    unchecked: [{ code: 'TL-5001' }],
    nodes: expect.arrayContaining([
      expect.objectContaining({ name: 'away', ok: false, findings: [expect.objectContaining({ code: 'TL-5001' })] }),
    ]),
  });
  const alone = await tidelock('check', 'two');
  expect([checked.code, alone.code]).toEqual([2, 2]);
  expect(alone.out).toMatch(/node here .*\n.*PostgreSQL[\s\S]*node away .*1 error/);
  // Alone it is what it was: not to be told.
  expect(await tidelock('plan', 'two')).toMatchObject({ code: 2, err: expect.stringMatching(/^TL-5001 /) });
  expect(await tidelock('apply', '--yes')).toMatchObject({ code: 2, err: expect.stringContaining('TL-5001') });
});

test('a wrong name is told together with those that there are', async () => {
  expect((await tidelock('status', 'on')).err).toContain('did you mean "one"?');
  expect((await tidelock('status', 'sales-to-reporting')).err).toContain('there is one\n');
  expect(await tidelock('errors', 'TL-0000')).toMatchObject({
    code: 2,
    err: expect.stringContaining('"tidelock errors"'),
  });
});

test('config validate names every reference that cannot be resolved', async () => {
  const masked = `[{ name: public.item, transforms: [{ mask: { columns: [label], method: hmac, key: "\${NO_SUCH_KEY}" } }] }]`;
  writeFileSync(join(folder, 'tidelock.yaml'), configuration(masked).replace('${THERE}', '${NO_SUCH_URL}'));
  const { code, err } = await tidelock('config', 'validate');
  expect(code).toBe(2);
  expect(err).toContain('nodes.there.url: the environment variable NO_SUCH_URL is not set');
  expect(err).toContain('mask.key: the environment variable NO_SUCH_KEY is not set');
});

test('check tells what is missing, and passes when it is there', async () => {
  expect(await alone('check', '--json')).toMatchObject({ code: 0 });
  await target.query('drop table item');
  const outcome = await alone('check', 'one', '--json');
  const finding = expect.objectContaining({ level: 'error', code: 'TL-2101', table: 'public.item' });
  expect(outcome.code).toBe(1);
  expect(json(outcome)).toMatchObject({
    routes: [{ name: 'one', ok: false, findings: expect.arrayContaining([finding]) }],
  });
  expect((await alone('check', 'one')).out).toContain('public.item');
});

test('check names each side and its address, and says so where a glob means no table', async () => {
  writeFileSync(join(folder, 'tidelock.yaml'), configuration('[public.item, "shop.*"]'));
  const { code, out } = await tidelock('check');
  expect(code).toBe(0);
  expect(out).toContain(
    `  source here (127.0.0.1:${server.port}, database ${source.name})\n    warning source.nothingMatches`,
  );
  expect(out).toContain('no table matches shop.*');
});

test('check tells that the slot of the route belongs to another database', async () => {
  await target.query(`select pg_create_logical_replication_slot('test__one', 'pgoutput')`);
  const { code, out } = await tidelock('check');
  expect(code).toBe(1);
  expect(out).toContain(`error source.slotTaken there is a replication slot test__one already`);
  expect(out).toContain(`it belongs to database ${target.name}`);
});

test('start --takeover fences the engine that has the route and leaves it to one that stands by', async () => {
  await using held = await engine('one');
  await using standby = await state();
  const stop = new AbortController();
  const taking = (async () => {
    while (!stop.signal.aborted) {
      const attempt = await standby.acquireLease({ supervisor: 'two', host: 'second', pid: 43 }, false);
      if (attempt.granted) return;
    }
  })();
  const outcome = await tidelock('start', 'one', '--takeover', '--json');
  stop.abort();
  await taking;
  expect(outcome, outcome.err).toMatchObject({ code: 0 });
  expect(json(outcome)).toMatchObject({ routes: [{ name: 'one', holder: { host: 'second' } }] });
  await expect(held.renewLease(running)).rejects.toMatchObject({ recovery: expect.stringMatching(/retry|fenced/) });
});

test('position --adopt stores where the queue stands, only with --yes and only while the route does not run', async () => {
  await source.query('create publication test__one for table item');
  await source.query(`select pg_create_logical_replication_slot('test__one_${source.name}', 'pgoutput')`);
  const slot = `slot: test__one_${source.name}`;
  writeFileSync(join(folder, 'tidelock.yaml'), `${configuration()}    ${slot}\n    publication: test__one\n`);
  expect(await tidelock('position', 'one', '--adopt')).toMatchObject({
    code: 2,
    err: expect.stringContaining('TL-1013'),
  });
  const adopted = await tidelock('position', 'one', '--adopt', '--yes', '--json');
  expect(adopted).toMatchObject({ code: 0 });
  const { position } = json(adopted) as { position: string };
  expect(json(await tidelock('position', 'one', '--json'))).toMatchObject({
    phase: 'ready',
    checkpoint: position,
    queue: { position, state: 'idle' },
  });
  await using store = await engine();
  expect(await tidelock('position', 'one', '--adopt', '--yes')).toMatchObject({
    code: 2,
    err: expect.stringMatching(/TL-4007 .* is running on elsewhere/),
  });
  expect((await store.read())?.checkpoint).toMatchObject({ position, sequence: 1n });
  expect((await tidelock('position', 'one', '--adopt', 'nonsense', '--yes')).code).toBe(2);
  await source.query(`select pg_drop_replication_slot('test__one_${source.name}')`);
});

test('drop leaves nothing behind, wants --yes, and refuses while the route runs', async () => {
  await source.query('create publication test__one for table item');
  await source.query(`select pg_create_logical_replication_slot('test__one', 'pgoutput')`);
  await using store = await engine();
  await store.setTables([{ source: 'public.item', target: 'public.item', fingerprint: 'x', definition: null }]);
  expect(await tidelock('drop', 'one', '--yes')).toMatchObject({ code: 2, err: expect.stringContaining('TL-4007') });
  await store.renewLease({ ...running, state: 'stopped' });
  const asked = await tidelock('drop', 'one');
  expect(asked.code).toBe(2);
  expect(asked.err).toMatch(/slot and publication test__one \(idle, .* kept\)/);
  expect(asked.err).toMatch(/127\.0\.0\.1:\d+.*state of 1 table in.*public\.item[\s\S]*TL-1013/);
  expect(await tidelock('drop', 'one', '--yes')).toMatchObject({ code: 0 });
  expect(await source.query('select from pg_replication_slots')).toEqual([]);
  expect(await source.query('select from pg_publication')).toEqual([]);
  expect(await target.query(`select to_regnamespace('tidelock') as there`)).toEqual([{ there: null }]);
  expect(await tidelock('drop', 'one', '--yes')).toMatchObject({ code: 0 });
});

test('the configuration is validated, shown without secrets, and described', async () => {
  expect(await tidelock('config', 'validate')).toMatchObject({ code: 0 });
  const shown = await tidelock('config', 'show');
  expect(shown.code).toBe(0);
  expect(shown.out).toContain(target.name);
  expect(shown.out).not.toContain('secret-word');
  expect(json(await tidelock('config', 'schema'))).toMatchObject({ type: 'object' });
  writeFileSync(join(folder, 'tidelock.yaml'), configuration().replace('tables:', 'tabels:'));
  const invalid = await tidelock('config', 'validate');
  expect(invalid).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/tidelock\.yaml:\d+.*tables/) });
});

test('arguments that make no sense end with 2 and one clear line', async () => {
  const cases: [string[], RegExp][] = [
    [['status', 'on'], /TL-1012 there is no route "on".*one/],
    [['stop'], /name a route, or --all/],
    [['stop', 'one', '--all'], /not both/],
    [['wait', 'one', '--timeout', '5'], /TL-1014 --timeout wants a duration/],
    [['wait'], /missing required argument/],
    [['nonsense'], /unknown command/],
    [['-c', 'tidelock.yaml', 'status'], /TL-1014 options stand after the command/],
    [['run', '-c', 'absent.yaml'], /TL-1001/],
    [[], /Usage: tidelock/],
  ];
  for (const [args, message] of cases) {
    expect(await tidelock(...args)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
  }
  expect(await alone('wait')).toMatchObject({
    code: 2,
    out: '',
    err: expect.stringMatching(/missing required argument/),
  });
  const asJson = await tidelock('status', 'on', '--json');
  expect(JSON.parse(asJson.err)).toMatchObject({ error: { code: 'TL-1012', remedy: expect.any(String) } });
});

test('help, version and the error catalogue need no configuration', async () => {
  writeFileSync(join(folder, 'tidelock.yaml'), 'nonsense');
  expect(await alone('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  for (const command of [
    'run',
    'status',
    'wait',
    'start',
    'stop',
    'pause',
    'resume',
    'restart',
    'journal',
    'check',
    'position',
    'drop',
    'skip',
    'parked',
    'errors',
    'demo',
  ]) {
    expect(await tidelock(command, '-h')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/Example:\n {2}tidelock /),
    });
  }
  expect(await tidelock('errors', 'tl-4001')).toMatchObject({
    code: 0,
    out: expect.stringContaining('Another engine'),
  });
  expect((json(await tidelock('errors', '--json')) as { errors: object[] }).errors.length).toBeGreaterThan(30);
  expect((await alone('errors', 'TL-9999')).code).toBe(2);
}, 90_000);
