import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadConfiguration } from '../../../src/config/load-configuration.ts';
import type { Asked } from '../../../src/control/control.ts';
import { LocalControl } from '../../../src/control/local-control.ts';
import { openRoute } from '../../../src/control/open-route.ts';
import type { Position } from '../../../src/core/position.ts';
import { Link } from '../../support/link.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { workersOf } from '../../support/process-tree.ts';
import { RouteFile } from '../../support/route.ts';
import { until } from '../../support/until.ts';

const route = 'here-to-there';
const signal = new AbortController().signal;
const asked = (reason: string | null = null): Asked => ({ by: 'ann@desk', via: 'cli', reason });
const plainly = { takeover: false, acceptSchemaChange: false };

let server: PostgresServer;
let source: TestDatabase;
let target: TestDatabase;
let file: RouteFile;
let control: LocalControl;

beforeAll(async () => {
  server = await startPostgres();
}, 60_000);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
});

beforeEach(async () => {
  source = await server.createDatabase();
  target = await server.createDatabase();
  for (const db of [source, target]) await db.query('create table item (id int primary key, label text)');
  file = new RouteFile({ source, target, name: `c${source.name.replaceAll('_', '')}`.slice(0, 30) });
  const configuration = loadConfiguration({ file: join(file.folder, 'tidelock.yaml'), env: {}, cwd: file.folder });
  control = new LocalControl({ configuration: () => configuration });
});

afterEach(() => file[Symbol.dispose]());

const journal = async () => (await control.journal({ route, before: null, limit: 100 })).journal;
const view = async () => (await control.status([route])).routes[0];

test('a pause with an end goes on by itself, a restart gives the route another worker and loses nothing', async () => {
  await using running = file.run();
  await running.state('running');
  const paused = await control.pause(route, { forMs: 3_600_000 }, asked('index build'));
  expect(paused).toMatchObject({ changed: true, engine: true, desiredState: 'paused' });
  expect(paused.retention).toMatchObject({ retainedBytes: expect.any(Number), warnBytes: 5e9 });
  await running.state('paused');
  expect(await view()).toMatchObject({
    state: 'paused',
    health: 'ok',
    askedBy: 'ann@desk',
    askedReason: 'index build',
    pausedUntil: paused.pausedUntil,
    reason: { code: 'TL-4009', message: expect.stringContaining('ann@desk (index build) until 2') },
  });
  await source.query('insert into item select i from generate_series(1, 100) i');
  expect(await control.pause(route, { forMs: 1 }, asked())).toMatchObject({ changed: true });
  await running.state('running');
  expect(await view()).toMatchObject({ desiredState: 'running', pausedUntil: null });

  const [before] = workersOf(running.pid);
  expect(await control.restart(route, asked('memory'))).toMatchObject({ engine: true, desiredState: 'running' });
  await until('another worker', () => workersOf(running.pid).find((pid) => pid !== before));
  await running.state('running');
  await running.caughtUp();
  expect(await target.query('select count(*)::int as n from item')).toEqual([{ n: 100 }]);
  // It did not crash, and nobody else could have come in between.
  expect(await view()).toMatchObject({ state: 'running', restarts: 0 });
  expect(running.log).not.toContain('worker died');

  await control.stop(route, asked());
  await running.state('stopped');
  expect(await control.pause(route, { forMs: 1 }, asked())).toMatchObject({ changed: false, desiredState: 'stopped' });
  expect(await control.resume(route, asked())).toMatchObject({ changed: false, desiredState: 'stopped' });
  await control.restart(route, asked());
  await running.state('running');
  expect((await journal()).map(({ action, by, reason, result }) => [action, by, reason, result])).toEqual([
    ['restart', 'ann@desk', null, 'done'],
    ['resume', 'ann@desk', null, 'done'],
    ['pause', 'ann@desk', null, 'done'],
    ['stop', 'ann@desk', null, 'done'],
    ['restart', 'ann@desk', 'memory', 'done'],
    ['pause', 'ann@desk', null, 'done'],
    ['pause', 'ann@desk', 'index build', 'done'],
  ]);
});

test('what is refused is in the journal with its code, what only asks is not, and a page leaves nothing out', async () => {
  await control.stop(route, asked());
  await expect(control.skip(route, '751', asked('mended'))).rejects.toMatchObject({ code: 'TL-4204' });
  await expect(
    control.askParked(route, { action: 'discard', ids: ['7'], withEarlier: false, timeoutMs: 1 }, asked(), signal),
  ).rejects.toMatchObject({ code: 'TL-4202' });
  await control.drop(route, { dryRun: true }, asked());
  await control.parked(route);
  const { name } = file.options;
  await target.query(`insert into tidelock.routes (key) values ('${name}/taken'); insert into tidelock.requests (route_id)
    select id from tidelock.routes where key = '${name}/taken'`);
  await expect(control.rename(route, { name: 'taken', timeoutMs: 1 }, asked(), signal)).rejects.toMatchObject({
    code: 'TL-4135',
  });
  await target.query(`delete from tidelock.routes where key = '${name}/taken'`);
  await expect(control.dropUnreachable('there', { dryRun: false }, asked('gone'))).rejects.toMatchObject({
    code: 'TL-4137',
  });
  await control.start(route, plainly, { by: 'ops', via: 'api', reason: 'done' }, signal);
  const entries = await journal();
  expect(entries).toMatchObject([
    { action: 'start', by: 'ops', via: 'api', reason: 'done', result: 'done', route, details: { request: 2 } },
    { action: 'drop unreachable', result: 'refused', code: 'TL-4137', reason: 'gone', details: { node: 'there' } },
    { action: 'rename', result: 'refused', code: 'TL-4135', details: { to: 'taken' } },
    { action: 'discard', result: 'refused', code: 'TL-4202', details: { ids: ['7'] } },
    { action: 'skip', result: 'refused', code: 'TL-4204', reason: 'mended', details: { transaction: '751' } },
    { action: 'stop', result: 'done', code: null, details: { request: 1 } },
  ]);
  const paged = [];
  for (let before: string | null = null; ; ) {
    const page = await control.journal({ before, limit: 1 });
    paged.push(...page.journal);
    before = page.before;
    if (before === null) break;
  }
  expect(paged).toEqual(entries);
  await expect(control.journal({ before: "now'", limit: 1 })).rejects.toMatchObject({ code: 'TL-1014' });
});

test('of many who ask at once each is heard once, and a stop is not undone by a pause', async () => {
  await control.start(route, plainly, asked(), signal);
  await Promise.all(
    Array.from({ length: 12 }, (_, i) =>
      i === 5 ? control.stop(route, asked()) : control.pause(route, { forMs: 60_000 }, asked(String(i))),
    ),
  );
  const entries = await journal();
  expect(entries.length).toBe(13);
  const requests = entries.flatMap(({ details }) => (details.request === undefined ? [] : [details.request]));
  expect(new Set(requests).size).toBe(requests.length);
  expect(await view()).toMatchObject({ desiredState: 'stopped' });
});

test('what an older engine has stored is read, stopped and started; what it has no place for is refused', async () => {
  await control.stop(route, asked());
  await target.query(`drop table tidelock.repaired, tidelock.job_steps, tidelock.jobs, tidelock.actions;
    alter table tidelock.requests drop column paused_until, drop column restart, drop column reason, drop column asked_by;
    alter table tidelock.routes drop column fingerprint, drop column applied, drop column pending, drop column leftover, drop column leftover_at;
    alter table tidelock.meta drop column compatible;
    update tidelock.meta set version = 3`);
  expect(await view()).toMatchObject({ state: 'stopped', desiredState: 'stopped', askedBy: null, pausedUntil: null });
  expect(await journal()).toEqual([]);
  expect(await control.start(route, plainly, asked(), signal)).toMatchObject({ desiredState: 'running', request: 2 });
  expect(await control.pause(route, { forMs: null }, asked())).toMatchObject({ changed: true, desiredState: 'paused' });
  expect(await control.resume(route, asked())).toMatchObject({ changed: true, desiredState: 'running' });
  await expect(control.pause(route, { forMs: 1 }, asked())).rejects.toMatchObject({ code: 'TL-4030' });
  await expect(control.restart(route, asked())).rejects.toMatchObject({ code: 'TL-4030' });
  expect(await control.tables(route)).toMatchObject({ tables: [] });
  expect(await control.parked(route)).toMatchObject({ parked: [] });
  expect(await target.query('select version from tidelock.meta')).toEqual([{ version: 3 }]);
});

test('however many routes there are, status, jobs, journal and plan open few sessions at their target', async () => {
  await using link = await Link.to(server.port);
  const names = Array.from({ length: 8 }, (_, at) => `r${at}`);
  const routes = names.map((name) => `  ${name}: { from: here, to: there, tables: [public.item] }`).join('\n');
  file.write({
    'many.yaml': `version: 1\nname: ${source.name.replaceAll('_', '')}\nnodes:
  here: { type: postgres, url: "${source.url()}" }\n  there: { type: postgres, url: "${target.url(link.port)}" }\nroutes:\n${routes}\n`,
  });
  const configuration = loadConfiguration({ file: join(file.folder, 'many.yaml'), env: {}, cwd: file.folder });
  const applied = configuration.routes.demand('r0', 'route');
  {
    await using opened = openRoute(applied);
    const store = await opened.store();
    await store.migrate();
    await store.register();
    await store.setReady({}, '0/1' as Position, { applied: applied.describe() });
  }
  await using many = new LocalControl({ configuration: () => configuration });
  const before = link.made;
  expect((await many.status()).routes).toHaveLength(8);
  await many.journal({ before: null, limit: 10 });
  await many.status();
  expect(link.made - before).toBe(1);
  // What may take long keeps nobody waiting.
  await Promise.all([many.jobs({ limit: 10 }), many.parked('r0'), many.parked('r1')]);
  expect(link.made - before).toBe(2);
  const { routes: planned } = await many.plan({ keepRows: [] });
  expect(planned.map(({ state }) => state)).toEqual(['unchanged', ...names.slice(1).map(() => 'new')]);
  expect(link.made - before).toBe(3);
  // One that was dropped and begun anew meanwhile is another one.
  await target.query(
    `insert into tidelock.tables (route_id, source, target, fingerprint) select id, 'a.b', 'a.b', '' from tidelock.routes`,
  );
  expect((await many.tables('r0')).tables).toHaveLength(1);
  await target.query(`delete from tidelock.routes where key like '%/r0';
    insert into tidelock.routes (key) values ('${configuration.name}/r0'); insert into tidelock.requests (route_id) select id from tidelock.routes;
    insert into tidelock.tables (route_id, source, target, fingerprint) select id, 'c.d', 'c.d', '' from tidelock.routes`);
  expect((await many.tables('r0')).tables).toMatchObject([{ source: 'c.d' }]);
  // A session that the server has ended, or a link that was cut, is opened anew.
  link.cut();
  link.open();
  expect((await many.status(['r0'])).routes[0]?.state).not.toBe('unknown');
});
