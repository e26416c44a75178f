import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { openApi } from '../../../src/api/openapi.ts';
import { roles } from '../../../src/api/role.ts';
import { SharedAnswers } from '../../../src/api/shared-answers.ts';
import { type PostgresServer, startPostgres, type TestDatabase } from '../../support/postgres.ts';
import { until } from '../../support/until.ts';
import { route, ServedApi, type TokenRole, tokens } from './api-fixture.ts';

interface Described {
  readonly operationId: string;
  readonly 'x-role': TokenRole;
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, { schema: object }>> }>>;
}

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

type Paths = Readonly<Record<string, Readonly<Record<string, Described>>>>;
const described = Object.entries((openApi('0') as { paths: Paths }).paths).flatMap(([path, verbs]) =>
  Object.entries(verbs).map(([method, what]) => ({ path, method: method.toUpperCase(), ...what })),
);
const real = (path: string, id = '1'): string => path.replace('{route}', route).replace('{id}', id);

/** A body with which the operation can be done; null for those without. */
const bodies: Readonly<Record<string, object>> = {
  skipTransaction: { transaction: '1', reason: 'x' },
  retryParked: { all: true, timeoutMs: 0 },
  discardParked: { ids: 'all', timeoutMs: 0, reason: 'x' },
  waitForRoute: { timeoutMs: 0 },
  adoptPosition: { adopt: '0/1', dryRun: true },
  dropRoute: { dryRun: true },
  dropOrphans: { dryRun: true },
  dropUnreachable: { dryRun: true },
  renameRoute: { name: 'other', timeoutMs: 0 },
  applyPlan: { fingerprint: null, timeoutMs: 0 },
  loadTables: { tables: ['public.item'] },
};

/** What each leaves in the operators' journal; null where it only asks, is a dry run here, or has nothing to do. */
const entries: Readonly<Record<string, string | null>> = {
  startRoute: 'start',
  stopRoute: 'stop',
  pauseRoute: 'pause',
  resumeRoute: 'resume',
  restartRoute: 'restart',
  waitForRoute: null,
  skipTransaction: 'skip',
  applySchema: 'schema',
  carrySequences: 'sequences',
  retryParked: 'retry',
  discardParked: 'discard',
  prepareRoute: 'prepare',
  adoptPosition: null,
  dropRoute: null,
  dropOrphans: null,
  dropUnreachable: null,
  renameRoute: 'rename',
  applyPlan: null,
  compareRoute: 'compare',
  repairRoute: 'repair',
  loadTables: 'load',
  pauseJob: 'job pause',
  resumeJob: 'job resume',
  cancelJob: 'job cancel',
};

test('every path and verb refuses whoever has no token, a wrong one, or one of a lesser role', async () => {
  expect(described.length).toBeGreaterThan(25);
  for (const { path, method, 'x-role': needed, operationId } of described) {
    const body = method === 'GET' ? undefined : (bodies[operationId] ?? {});
    for (const token of [undefined, '', 'nonsense', `${tokens.admin}x`, tokens.admin.slice(0, -1)]) {
      const { status, json } = await api.ask(method, real(path), { token, body });
      expect([operationId, token, status, json()]).toMatchObject([
        operationId,
        token,
        401,
        { error: { code: 'TL-1040' } },
      ]);
    }
    for (const role of roles.slice(0, roles.indexOf(needed))) {
      const { status, json } = await api.ask(method, real(path), { token: tokens[role], body });
      expect([operationId, role, status, json()]).toMatchObject([
        operationId,
        role,
        403,
        { error: { code: 'TL-1041' } },
      ]);
    }
  }
  const token = tokens.viewer;
  expect((await api.ask('GET', `${real('/v1/routes/{route}/parked/{id}')}?values=true`, { token })).status).toBe(403);
  // Nothing was done: nothing is stored yet.
  expect(await target.query(`select to_regnamespace('tidelock') as there`)).toEqual([{ there: null }]);
  for (const verb of ['HEAD', 'PUT', 'PATCH', 'OPTIONS', 'DELETE', 'POST'])
    expect((await api.ask(verb, '/v1/status')).status).toBe(401);
  expect((await api.ask('PUT', '/v1/status', { token })).json()).toMatchObject({ error: { code: 'TL-1043' } });
});

test('each answer of each path is what the document says, and nothing that it does not say', async () => {
  const strict = openApi('0', { strict: true }) as { paths: Paths; components: object };
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const token = tokens.admin;
  await api.ask('POST', real('/v1/routes/{route}/start'), { token, body: { reason: 'first' } });
  const [stored] = await target.query('select id from tidelock.routes');
  await target.query(
    `insert into tidelock.parked (route_id, transaction_id, position, commit_id, committed_at_ms, origin, cause, code, message, remedy, rows, bytes, tables, incomplete)
     values ($1, '7', '0/7', '7', 1, '[]', 'error', 'TL-2201', 'm', 'r', 1, 2, '[{"table":"public.item","inserts":1,"updates":0,"deletes":0,"truncates":0}]', false)`,
    [stored?.id],
  );
  await target.query(
    `insert into tidelock.tables (route_id, source, target, fingerprint) values ($1, 'public.item', 'public.item', 'x')`,
    [stored?.id],
  );
  await target.query(
    `insert into tidelock.jobs (route_id, kind, options, asked_by) values ($1, 'compare', '{}', 'x')`,
    [stored?.id],
  );
  const seen = new Set<string>();
  for (const { path, method, operationId } of described) {
    if (operationId === 'readEvents') continue;
    const body = method === 'GET' ? undefined : (bodies[operationId] ?? {});
    const { status, json, headers } = await api.ask(method, real(path), { token, body });
    const schema = strict.paths[path]?.[method.toLowerCase()]?.responses[status]?.content['application/json']?.schema;
    expect([operationId, status, schema]).toEqual([operationId, status, expect.any(Object)]);
    const validate = ajv.compile({ ...schema, components: strict.components });
    validate(json());
    expect([operationId, status, json(), validate.errors]).toEqual([operationId, status, json(), null]);
    // No engine runs the route, it has not halted, and no node is gone.
    if (!['skipTransaction', 'renameRoute', 'dropUnreachable'].includes(operationId))
      expect([operationId, status]).toEqual([operationId, 200]);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    seen.add(operationId);
  }
  expect(seen.size).toBe(described.length - 1);
  expect(api.log.filter((line) => line.includes('not as described'))).toEqual([]);
  expect((await api.ask('GET', '/v1/openapi.json', { token })).json()).toEqual(openApi('0.0.0'));
  const { journal } = (await api.ask('GET', '/v1/journal?limit=1000', { token })).json() as {
    journal: { action: string; by: string; via: string }[];
  };
  expect(journal.at(-1)).toMatchObject({ action: 'start', by: 'admin', via: 'api', reason: 'first', result: 'done' });
  // Each that changes something has its entry, with who has asked for it; no other has one.
  const acts = described.filter(({ method }) => method !== 'GET').map(({ operationId }) => operationId);
  expect(acts.sort()).toEqual(Object.keys(entries).sort());
  const told = new Set(journal.map((entry) => JSON.stringify([entry.action, entry.by, entry.via])));
  const wanted = Object.values(entries).flatMap((action) => (action === null ? [] : [[action, 'admin', 'api']]));
  expect([...told].sort()).toEqual(wanted.map((entry) => JSON.stringify(entry)).sort());
});

test('the texts of what lies beside the tables are for operators', async () => {
  await source.query("create view item_labels as select label from item where label <> 'beside'");
  const path = real('/v1/routes/{route}/schema');
  const left = async (role: TokenRole) =>
    ((await api.ask('GET', path, { token: tokens[role] })).json() as { left: { name: string; text: string | null }[] })
      .left;
  expect(await left('operator')).toMatchObject([
    { name: 'public.item_labels', text: expect.stringContaining('beside') },
  ]);
  expect(await left('viewer')).toMatchObject([{ name: 'public.item_labels', text: null }]);
  await source.query('drop view item_labels');
});

test('errors have the status that tells what to do, and their code and remedy', async () => {
  const token = tokens.admin;
  const cases: [string, string, object | undefined, number, string][] = [
    ['GET', '/v1/routes/nonsense', undefined, 404, 'TL-1012'],
    ['GET', '/v1/nonsense', undefined, 404, 'TL-1043'],
    ['GET', `/v1/routes/${route}/parked/9`, undefined, 404, 'TL-4202'],
    ['GET', `/v1/routes/${route}/jobs/9999`, undefined, 404, 'TL-4151'],
    ['GET', '/v1/journal?limit=0', undefined, 400, 'TL-1044'],
    ['GET', '/v1/journal?other=1', undefined, 400, 'TL-1044'],
    ['GET', '/v1/journal?before=now', undefined, 400, 'TL-1014'],
    ['POST', `/v1/routes/${route}/stop`, { reson: 'x' }, 400, 'TL-1044'],
    ['POST', `/v1/routes/${route}/pause`, { forMs: '2h' }, 400, 'TL-1044'],
    ['POST', `/v1/routes/${route}/skip`, { transaction: '1' }, 400, 'TL-1044'],
    ['POST', `/v1/routes/${route}/skip`, { transaction: '1', reason: 'x' }, 409, 'TL-4204'],
    ['POST', `/v1/routes/${route}/parked/retry`, {}, 400, 'TL-1044'],
    ['POST', `/v1/routes/${route}/parked/discard`, { all: true }, 400, 'TL-1044'],
    ['DELETE', `/v1/routes/${route}`, {}, 400, 'TL-1044'],
    ['DELETE', `/v1/routes/${route}`, { confirm: 'another' }, 400, 'TL-1044'],
    ['DELETE', '/v1/orphans', {}, 400, 'TL-1044'],
    ['DELETE', '/v1/nodes/here', { confirm: 'there' }, 400, 'TL-1044'],
    ['DELETE', '/v1/nodes/nonsense', { dryRun: true }, 404, 'TL-1012'],
    ['POST', `/v1/routes/${route}/stop`, { reason: 'x'.repeat(100_000) }, 413, 'TL-1044'],
  ];
  for (const [method, path, body, status, code] of cases) {
    const answer = await api.ask(method, path, { token, body });
    expect([path, answer.status, answer.json()]).toMatchObject([
      path,
      status,
      { error: { code, message: expect.any(String), remedy: expect.stringMatching(/./) } },
    ]);
  }
});

test('whatever is sent, the service answers, changes nothing that was not asked for, and goes on', async () => {
  const before = await target.query('select count(*)::int as n from tidelock.actions');
  const word = fc.oneof(
    fc.constantFrom(
      'v1',
      'routes',
      route,
      'status',
      'parked',
      'retry',
      'events',
      '..',
      '%2e%2e',
      '%',
      '%00',
      'journal',
    ),
    fc.string({ maxLength: 20 }).map(encodeURIComponent),
  );
  const path = fc.oneof(
    fc.array(word, { maxLength: 6 }).map((words) => `/${words.join('/')}`),
    fc.constantFrom(...described.map((one) => real(one.path))).filter((one) => one !== '/v1/events'),
  );
  const query = fc.option(fc.webQueryParameters({ maxLength: 40 } as object), { nil: '' });
  const header = fc.constantFrom(
    'content-type',
    'origin',
    'x-forwarded-for',
    'accept',
    'sec-fetch-site',
    'content-encoding',
  );
  const value = fc.oneof(
    fc.constantFrom(
      'application/json',
      'text/plain',
      'multipart/form-data; boundary=x',
      'https://evil.example',
      'gzip',
    ),
    fc.stringMatching(/^[!-~]{0,30}$/),
  );
  const text = fc.oneof(
    fc.json(),
    fc.string({ maxLength: 200 }),
    fc.constantFrom('{"__proto__":{"a":1}}', '[', '{"reason":1}', ''),
  );
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD'),
      path,
      query,
      fc.array(fc.tuple(header, value), { maxLength: 3 }),
      text,
      async (method, at, search, headers, body) => {
        const init = { method, headers: { ...Object.fromEntries(headers), authorization: `Bearer ${tokens.viewer}` } };
        const response = await fetch(`${api.url}${at}${search === '' ? '' : `?${search}`}`, {
          ...init,
          signal: AbortSignal.timeout(60_000),
          ...(method !== 'GET' && method !== 'HEAD' && { body }),
        });
        seen.add(response.status);
        if (response.headers.get('content-type')?.startsWith('text/event-stream')) await response.body?.cancel();
        else await response.text();
        expect([method, at, body, response.status]).toEqual([
          method,
          at,
          body,
          expect.not.toSatisfy((n: number) => n === 500),
        ]);
      },
    ),
    { numRuns: 250, seed: 7 },
  );
  expect([...seen]).toEqual(expect.arrayContaining([200, 400, 403, 404]));
  expect(await target.query('select count(*)::int as n from tidelock.actions')).toEqual(before);
  expect((await api.ask('GET', '/v1/service', { token: tokens.viewer })).status).toBe(200);
  expect(api.log.filter((line) => line.startsWith('request failed'))).toEqual([]);
});

test('the log tells who has asked for what, without tokens, reasons and what was sent', () => {
  const log = api.log.join('\n');
  expect(log).toContain('"path":"/v1/routes/{route}/start"');
  expect(log).toContain('"token":"admin"');
  for (const secret of [...Object.values(tokens), 'first', 'nonsense', 'evil.example'])
    expect(log).not.toContain(secret);
});

test('a session that the server has ended says nothing about the target', async () => {
  const token = tokens.viewer;
  const state = async (): Promise<unknown> =>
    ((await api.ask('GET', '/v1/status', { token })).json() as { routes: { state: string }[] }).routes[0]?.state;
  expect(await state()).not.toBe('unknown');
  const [ended] = await target.query(
    `select count(pg_terminate_backend(pid))::int as n from pg_stat_activity where application_name = 'tidelock: state' and datname = current_database()`,
  );
  expect(ended?.n).toBeGreaterThan(0);
  expect(await state()).not.toBe('unknown');
});

test('whoever looks, and how often, a source has one session for it, and none when nobody does', async () => {
  const api = await new ServedApi({ source, target }, {}, {}, { idleMs: 1_500, sourceAgeMs: 0 }).listen();
  await using _ = api;
  const all = async (): Promise<unknown[]> =>
    (await source.query(`select pid from pg_stat_activity where application_name = 'tidelock: queues'`)).map(
      ({ pid }) => pid,
    );
  // Those of the service that the other tests ask.
  const others = await all();
  const sessions = async (): Promise<unknown[]> => (await all()).filter((pid) => !others.includes(pid));
  const look = () =>
    Promise.all(
      ['/v1/status', real('/v1/routes/{route}'), real('/v1/routes/{route}/position'), '/v1/status'].map((path) =>
        api.ask('GET', path, { token: tokens.viewer }),
      ),
    );
  const answered = { routes: [{ source: { position: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/) } }] };
  const [status] = await look();
  expect(status?.json()).toMatchObject(answered);
  const first = await sessions();
  expect(first).toHaveLength(1);
  await look();
  expect(await sessions()).toEqual(first);
  // One that the server has ended is opened anew, and says nothing about the source.
  await source.query('select pg_terminate_backend($1)', [first[0]]);
  await look();
  const [after] = await look();
  expect(after?.json()).toMatchObject(answered);
  expect(await sessions()).toEqual([expect.not.toSatisfy((pid) => pid === first[0])]);
  await until('nobody looks', async () => (await sessions()).length === 0);
});

test('a plan is computed once at a time, whoever asks for it, and other routes and tables are other plans', async () => {
  const asked = vi.spyOn(SharedAnswers.prototype, 'ask');
  const gate = Promise.withResolvers<void>();
  const plan = api.control.plan.bind(api.control);
  const computed = vi.spyOn(api.control, 'plan').mockImplementation(async (request) => {
    await gate.promise;
    return await plan(request);
  });
  const ask = (query = '') => api.ask('GET', `/v1/plan${query}`, { token: tokens.viewer });
  const answers = [ask(), ask(), ask(), ask(), ask(), ask(`?route=${route}`)];
  try {
    await until('all have asked', () => [asked, computed].some(({ mock }) => mock.calls.length === answers.length));
    expect(computed).toHaveBeenCalledTimes(2);
    gate.resolve();
    const [first, ...others] = await Promise.all(answers);
    expect(first).toMatchObject({ status: 200 });
    for (const other of others) expect(other.json()).toEqual(first?.json());
    // The first's own, the one of the route, and one for the four that came after the first had begun.
    expect(computed).toHaveBeenCalledTimes(3);
  } finally {
    gate.resolve();
    await Promise.allSettled(answers);
    vi.restoreAllMocks();
  }
});

test('events tell the status again and again, and the journal as it is written', async () => {
  const headers = { authorization: `Bearer ${tokens.viewer}` };
  const over = new AbortController();
  const response = await fetch(`${api.url}/v1/events`, { headers, signal: over.signal });
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const heard: string[] = [];
  const reading = (async () => {
    for await (const piece of response.body ?? []) heard.push(Buffer.from(piece).toString());
  })().catch(() => {});
  const events = (name: string): object[] =>
    [...heard.join('').matchAll(new RegExp(`event: ${name}\\ndata: (.*)\\n\\n`, 'g'))].map(([, data = '']) =>
      JSON.parse(data),
    );
  await until('two looks', () => events('status').length >= 2);
  expect(events('status')[0]).toMatchObject({ version: 1, routes: [{ name: route }] });
  expect(events('journal')).toEqual([]);
  await api.ask('POST', real('/v1/routes/{route}/stop'), { token: tokens.operator, body: { reason: 'told' } });
  await until('the entry', () => events('journal').length > 0);
  expect(events('journal')).toMatchObject([{ action: 'stop', by: 'operator', reason: 'told' }]);
  await until('the state', () => JSON.stringify(events('status').at(-1)).includes('"desiredState":"stopped"'));
  over.abort();
  await reading;
});
