import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { HttpControl } from '../../../src/client/http-control.ts';
import type { Asked } from '../../../src/control/control.ts';
import { engineProgram } from '../../support/engine.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { until } from '../../support/until.ts';
import { route, ServedApi, tokens } from '../api/api-fixture.ts';

const program = engineProgram();
const signal = new AbortController().signal;
const asked: Asked = { by: 'nobody', via: 'cli', reason: 'tried' };

let server: PostgresServer;
let source: TestDatabase;
let target: TestDatabase;
let api: ServedApi;

beforeAll(async () => {
  server = await startPostgres();
  source = await server.createDatabase();
  target = await server.createDatabase();
  for (const db of [source, target]) await db.query('create table item (id int primary key, label text)');
  api = await new ServedApi({ source, target }).listen();
}, 60_000);

afterAll(async () => {
  await api?.[Symbol.asyncDispose]();
  await server[Symbol.asyncDispose]();
});

const remote = (token: string = tokens.admin): HttpControl =>
  new HttpControl({ url: new URL(`${api.url}/`), token, ca: null });

test('over HTTP everything is what it is here, errors too', async () => {
  const there = remote();
  const plainly = { takeover: false, acceptSchemaChange: false };
  expect(await there.start(route, plainly, asked, signal)).toMatchObject({ request: 1, desiredState: 'running' });
  expect(await there.pause(route, { forMs: 3_600_000 }, asked)).toMatchObject({ changed: true, request: 2 });
  expect(await there.resume(route, asked)).toMatchObject({ changed: true, request: 3 });
  expect(await there.restart(route, asked)).toMatchObject({ request: 4 });
  expect(await there.stop(route, asked)).toMatchObject({ request: 5, retention: { warnBytes: 5e9 } });
  const page = { before: null, limit: 10 };
  const pairs: [unknown, unknown][] = [
    [await there.routes(), await api.control.routes()],
    [await there.status(), await api.control.status()],
    [await there.status([route]), await api.control.status([route])],
    [await there.tables(route), await api.control.tables(route)],
    [await there.check(route), await api.control.check(route)],
    [(await there.checkShared([route])).nodes.length, (await api.control.checkShared([route])).nodes.length],
    [await there.position(route), await api.control.position(route)],
    [await there.parked(route), await api.control.parked(route)],
    [await there.journal(page), await api.control.journal(page)],
    [await there.journal({ route, ...page }), await api.control.journal({ route, ...page })],
    [await there.plan({ keepRows: [] }), await api.control.plan({ keepRows: [] })],
    [await there.drop(route, { dryRun: true }, asked), await api.control.drop(route, { dryRun: true }, asked)],
  ];
  // The source writes on by itself: where its log ends is not the same twice.
  const still = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value).replaceAll(/[0-9A-F]+\/[0-9A-F]{5,}/g, 'LSN'));
  for (const [far, near] of pairs) expect(still(far)).toEqual(still(near));
  expect((await there.journal(page)).journal.map(({ action, by, via, reason }) => [action, by, via, reason])).toEqual(
    ['stop', 'restart', 'resume', 'pause', 'start'].map((action) => [action, 'admin', 'api', 'tried']),
  );
  const waited = await there.wait(route, { timeoutMs: 100 }, signal);
  expect(waited).toMatchObject({ caughtUp: false, passed: false, state: 'stopped' });
  expect(
    await there.askParked(route, { action: 'retry', ids: 'all', withEarlier: true, timeoutMs: 0 }, asked, signal),
  ).toMatchObject({
    route,
    applied: [],
  });
  for (const [ask, error] of [
    [() => there.tables('nonsense'), { code: 'TL-1012', recovery: 'usage', message: expect.stringContaining(route) }],
    [() => there.tables('..'), { code: 'TL-1012' }],
    [() => there.tables('a/../../status'), { code: 'TL-1012' }],
    [() => there.skip(route, '7', asked), { code: 'TL-4204', remedy: expect.stringContaining('tidelock status') }],
    [() => there.adopt(route, { position: 'nonsense', dryRun: true }, asked), { name: 'TidelockError' }],
    [() => remote('wrong').status(), { code: 'TL-1040', remedy: expect.stringContaining('TIDELOCK_TOKEN') }],
    [() => remote(tokens.viewer).stop(route, asked), { code: 'TL-1041', message: expect.stringContaining('operator') }],
    [() => remote(tokens.operator).drop(route, { dryRun: true }, asked), { code: 'TL-1041' }],
  ] as const)
    await expect(ask()).rejects.toMatchObject(error);
  expect(await there.drop(route, { dryRun: false }, asked)).toMatchObject({ dropped: true });
  expect(await target.query(`select to_regnamespace('tidelock') as there`)).toEqual([{ there: null }]);
});

test('what does not answer, answers otherwise, or is not trusted is told in one clear line', async () => {
  await using stranger = await listening((_, response) => response.end('<html>Welcome</html>'));
  const closed = await listening(() => {});
  await closed[Symbol.asyncDispose]();
  await using secure = new ServedApi({ source, target }, { tls: () => selfSigned(api.file.folder) });
  await secure.listen();
  const at = (url: string, ca: string | null = null): HttpControl =>
    new HttpControl({ url: new URL(url), token: tokens.viewer, ca });
  await expect(at(closed.url).status()).rejects.toMatchObject({ code: 'TL-1046', message: /ECONNREFUSED/ });
  await expect(at(stranger.url).status()).rejects.toMatchObject({ code: 'TL-1047' });
  await expect(at(stranger.url.replace('http:', 'https:')).status()).rejects.toMatchObject({
    code: 'TL-1046',
    message: /does not speak TLS/,
  });
  const address = `https://localhost:${secure.port}/`;
  await expect(at(address).status()).rejects.toMatchObject({ code: 'TL-1046', message: /certificate is not trusted/ });
  await expect(at(`http://localhost:${secure.port}/`).status()).rejects.toMatchObject({ code: 'TL-1046' });
});

test('commands reach a service without a configuration file', async () => {
  const ca = join(api.file.folder, 'authority.pem');
  const tls = selfSigned(api.file.folder);
  writeFileSync(ca, tls.cert);
  await using secure = new ServedApi({ source, target }, { tls: () => tls });
  await secure.listen();
  const url = `https://localhost:${secure.port}`;
  const env = { TIDELOCK_TOKEN: tokens.admin, TIDELOCK_URL: url };
  const status = await tidelock(['status', '--json', '--ca', ca], env);
  expect(status).toMatchObject({ code: 0, err: '' });
  expect(JSON.parse(status.out)).toMatchObject({ version: 1, routes: [{ name: route, state: 'stopped' }] });
  const paused = await tidelock(['pause', '--all', '--for', '1h', '--reason', 'x', '--url', url, '--ca', ca], env);
  expect(paused).toMatchObject({ code: 0, out: expect.stringMatching(/is to pause until 20/) });
  expect(await tidelock(['wait', route, '--timeout', '200ms', '--ca', ca], env)).toMatchObject({ code: 1 });
  const refused = await tidelock(['status', '--ca', ca, '--json'], { ...env, TIDELOCK_TOKEN: 'wrong' });
  expect(refused).toMatchObject({ code: 2, out: '', err: expect.stringContaining('TL-1040') });
  expect(await tidelock(['stop', route], env)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/TL-1046.*not trusted/),
  });
  expect(await tidelock(['stop', 'other', '--ca', ca], env)).toMatchObject({
    code: 2,
    err: expect.stringMatching(/TL-1012/),
  });
  const both = await tidelock(['status', '--url', url, '-c', 'x.yaml'], env);
  expect(both).toMatchObject({ code: 2, err: expect.stringContaining('TL-1014') });
});

function tidelock(args: readonly string[], more: Readonly<Record<string, string>>) {
  const { NODE_OPTIONS: _, VITEST: __, ...rest } = process.env;
  const env = { ...rest, NO_COLOR: '1', ...more };
  return new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: '/', env }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

async function listening(handle: Parameters<typeof createServer>[1] & object) {
  const started = createServer(handle as never);
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(started.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => started.close(() => resolve())),
  };
}

test('what the service is still asking the nodes is asked for again, and other refusals are not', async () => {
  const still = { error: { code: 'TL-1050', message: 'still', remedy: 'again' } };
  const refused = { error: { code: 'TL-1048', message: 'not now', remedy: 'later' } };
  const answers: [number, object][] = [
    [503, still],
    [503, still],
    [200, { version: 1, nodes: [], service: { ok: true, findings: [] } }],
    [503, still],
    [200, { version: 1, routes: [] }],
    [503, still],
    [503, refused],
  ];
  await using there = await listening((_, response) => {
    const [status, body] = answers.shift() ?? [500, {}];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  const control = new HttpControl({ url: new URL(there.url), token: '', ca: null });
  expect(await control.checkShared()).toMatchObject({ version: 1 });
  expect(await control.plan({ keepRows: [] })).toMatchObject({ routes: [] });
  await expect(control.schema('one')).rejects.toMatchObject({ code: 'TL-1048' });
  expect(answers).toEqual([]);
});

test('an index whose building outlasts the request is built once, and followed by asking again', async () => {
  await source.query('create index by_label on item (label)');
  // Until it ends, an index that is built concurrently waits for it.
  const open = await target.client();
  await open.query(`begin; insert into item values (1, 'held')`);
  const there = remote();
  const ask = (forMs: number | null) => there.applySchema(route, { half: 'after', forMs }, asked, signal);
  await until('the building', async () => {
    const { applied, done } = await ask(100);
    expect(done).toBe(false);
    return applied[0]?.what === 'index by_label of public.item';
  });
  const [again] = await Promise.all([ask(null), open.query('rollback')]);
  expect(again).toMatchObject({ done: true, statements: [], findings: [] });
  await open.end();
  expect(
    await target.query(`select indisvalid as valid from pg_index where indexrelid = 'by_label'::regclass`),
  ).toEqual([{ valid: true }]);
});
