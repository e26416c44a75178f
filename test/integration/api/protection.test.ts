import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect as connectPlain } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AddressLimits } from '../../../src/api/address-limits.ts';
import { ApiServer, type ApiServerOptions } from '../../../src/api/api-server.ts';
import { openApi } from '../../../src/api/openapi.ts';
import { isOwnOrigin } from '../../../src/api/own-origin.ts';
import { TokenCheck } from '../../../src/api/token-check.ts';
import type { ApiSettings } from '../../../src/config/configuration.ts';
import type { Control } from '../../../src/control/control.ts';
import type { Action } from '../../../src/core/action.ts';
import { routeErrors } from '../../../src/core/errors/catalogue/route.ts';
import { fail } from '../../../src/core/errors/tidelock-error.ts';
import { silentLogger } from '../../../src/core/logger.ts';
import { runDirectory } from '../../support/run-directory.ts';
import { selfSigned } from '../../support/self-signed.ts';
import { until } from '../../support/until.ts';
import { live, noLimits, tokens } from './api-fixture.ts';
import { oddRequest } from './odd-request.ts';

type Token = ReturnType<ApiSettings['tokens']>[number];
const admin = (token: string): Token => ({ name: 'admin', role: 'admin', token });
const refused: { route: string | null; action: string; by: string; details: object }[] = [];
const control = {
  routes: async () => [],
  status: async () => ({ version: 1, routes: [] }),
  refused: async (route: string | null, { action, by, details }: Action) => {
    refused.push({ route, action, by, details });
  },
} as unknown as Control;

async function served(settings: Partial<ApiSettings>, limits?: ApiServerOptions['limits'], asked: Control = control) {
  const server = new ApiServer({
    settings: { listen: { host: '127.0.0.1', port: 0 }, tls: () => null, tokens: () => [], ...settings },
    control: asked,
    live: live(),
    logger: silentLogger,
    ...(limits && { limits }),
  });
  const port = await server.listen();
  const ask = (headers: Record<string, string>, path = '/v1/status', method = 'GET'): Promise<number> =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, method, headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      sent.on('error', reject).end();
    });
  return { port, ask, [Symbol.asyncDispose]: () => server.close() };
}

test('wrong tokens are heard a few times, then the address is not; others are', async () => {
  const limits = { requests: { burst: 1000, perSecond: 1000 }, refusals: { burst: 3, perSecond: 0.001 } };
  await using api = await served({ tokens: () => [admin(tokens.admin)] }, limits);
  const right = { authorization: `Bearer ${tokens.admin}` };
  expect(await api.ask(right)).toBe(200);
  for (let i = 0; i < 3; i++) expect(await api.ask({ authorization: `Bearer ${i}` })).toBe(401);
  const unheard = await fetch(`http://127.0.0.1:${api.port}/v1/status`, { headers: { authorization: 'Bearer 4' } });
  expect([unheard.status, Number(unheard.headers.get('retry-after')) > 0]).toEqual([429, true]);
  expect(await unheard.json()).toMatchObject({ error: { code: 'TL-1042', remedy: expect.any(String) } });
  expect(await api.ask(right)).toBe(429);
  // The page has no data and no token.
  expect(await api.ask({}, '/')).toBe(200);
});

test('a path asks for a token however it is written', async () => {
  await using api = await served({ tokens: () => [admin(tokens.admin)] }, noLimits);
  const described = Object.entries((openApi('0') as { paths: Record<string, object> }).paths);
  for (const [path, verbs] of described)
    for (const verb of Object.keys(verbs)) {
      const plain = path.replace('{route}', 'one').replace('{id}', '1');
      const encoded = plain.replaceAll(/[a-z0-9]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`);
      for (const written of [plain, plain.replace('v', '%76'), encoded, `http://other.example${plain}`])
        expect([verb, written, await api.ask({}, written, verb.toUpperCase())]).toEqual([verb, written, 401]);
      for (const written of [`/${plain}`, plain.replace('/v1/', '/v1%2f'), `/x/..${plain}`, `/assets/..${plain}`])
        expect([verb, written, await api.ask({}, written, verb.toUpperCase())]).toEqual([verb, written, 404]);
    }
});

test('what is no request is answered as all else is, and nothing of it comes back', async () => {
  await using api = await served({ tokens: () => [admin(tokens.admin)] }, noLimits);
  const sent = (request: string): Promise<string> => answerTo(api.port, request);
  const get = (path: string, more = ''): string =>
    `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${more}\r\n`;
  const cases: [string, number][] = [
    ['<script>marked</script>\r\n\r\n', 400],
    [get('/v1/marked%zz'), 400],
    [get(`/v1/routes/marked${'x'.repeat(300)}`), 414],
    [get('/', `marked: ${'x'.repeat(20_000)}\r\n`), 431],
  ];
  for (const [request, status] of cases) {
    const [head = '', body = ''] = (await sent(request)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head).toContain('x-content-type-options: nosniff');
    expect(JSON.parse(body)).toMatchObject({ error: { code: 'TL-1044', remedy: expect.any(String) } });
    expect(body).not.toContain('marked');
  }
});

/** All that comes back for these bytes, each character one byte; what has no end is cut off where it begins. */
function answerTo(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectPlain(port, '127.0.0.1').setEncoding('latin1').setTimeout(9_000);
    let got = '';
    socket.on('data', (piece) => {
      got += piece;
      if (got.includes('text/event-stream')) socket.destroy();
    });
    // A server that refuses what is still coming in may reset the connection.
    socket.on('error', () => {});
    socket.on('timeout', () => {
      socket.destroy();
      reject(new Error(`neither an answer nor an end: ${JSON.stringify(bytes)}`));
    });
    socket.on('close', () => resolve(got));
    socket.end(bytes, 'latin1');
  });
}

test('whatever bytes come in, nobody is answered who may not be, nothing is done, and the service goes on', async () => {
  const did: string[] = [];
  const all = new Proxy({} as Control, {
    get: (_, name) => async (route?: unknown) => {
      if (name === 'refused') return;
      did.push(String(name));
      if (name === 'status' && route === undefined) return { version: 1, routes: [] };
      throw fail(routeErrors.notRegistered, { route: 'one' });
    },
  });
  const viewer: Token = { name: 'eve', role: 'viewer', token: tokens.viewer };
  await using api = await served({ tokens: () => [viewer] }, noLimits, all);
  const looks =
    /^(routes|status|tables|schema|check|checkShared|position|journal|plan|parked|parkedTransaction|jobs|job)$/;
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(oddRequest(tokens.viewer), async ({ bytes, isEve }) => {
      did.length = 0;
      const answers = (await answerTo(api.port, bytes)).split(/(?=HTTP\/1\.1 \d{3} )/);
      for (const answer of answers) {
        if (answer === '') continue;
        const [head = '', ...rest] = answer.split('\r\n\r\n');
        const status = Number(head.slice(9, 12));
        seen.add(`${isEve ? 'eve' : 'nobody'} ${status}`);
        expect(status === 503 || (status >= 100 && status < 500)).toBe(true);
        if (head.includes('application/json') && rest.join('') !== '' && status >= 400)
          expect(JSON.parse(rest.join('\r\n\r\n'))).toMatchObject({
            error: { code: expect.stringMatching(/^TL-\d{4}$/) },
          });
        // The page is for whoever asks; it has no data.
        if (!isEve && status >= 200 && status < 400) expect(head).toMatch(/content-type: text\/html|304/);
      }
      expect(did.filter((name) => !isEve || !looks.test(name))).toEqual([]);
    }),
    { numRuns: 400, seed: 11 },
  );
  expect([...seen]).toEqual(
    expect.arrayContaining(['eve 200', 'eve 400', 'eve 403', 'eve 404', 'nobody 400', 'nobody 401', 'nobody 404']),
  );
  expect(await api.ask({ authorization: `Bearer ${tokens.viewer}` })).toBe(200);
});

test('what is refused is in the journal, and who asks without end fills it no faster than one who does not', async () => {
  refused.length = 0;
  const open = { burst: 1000, perSecond: 1000 };
  const limits = { requests: open, refusals: open, journal: { burst: 2, perSecond: 4 } };
  const viewer: Token = { name: 'eve', role: 'viewer', token: tokens.viewer };
  await using api = await served({ tokens: () => [viewer] }, limits);
  const asked = (headers: Record<string, string>) => api.ask(headers, '/v1/routes/one/stop', 'POST');
  const known = { authorization: `Bearer ${tokens.viewer}` };
  expect([await asked(known), await asked({}), await api.ask({}, '/v1/status')]).toEqual([403, 401, 401]);
  const details = { address: '127.0.0.1' };
  expect(refused).toEqual([
    { route: 'one', action: 'stopRoute', by: 'eve', details },
    { route: 'one', action: 'stopRoute', by: 'nobody', details },
  ]);
  for (let i = 0; i < 20; i++) await asked({});
  const before = refused.length;
  expect(before).toBeLessThan(12);
  await until('the next one', async () => (await asked({})) === 401 && refused.length > before);
  expect(refused.at(-1)?.details).toMatchObject({ leftOut: expect.any(Number) });
});

test('an address that asks without end is told to wait, and heard again', () => {
  const limits = new AddressLimits({ burst: 3, perSecond: 2 });
  expect([1, 2, 3, 4].map(() => limits.take('a', 0))).toEqual([null, null, null, 1]);
  expect(limits.take('b', 0)).toBeNull();
  expect([limits.take('a', 500), limits.take('a', 500)]).toEqual([null, 1]);
  // Another address of the same network of IPv6 costs nobody anything.
  for (const address of ['2001:db8:0:7::1', '2001:db8:0:7:ffff::2', '2001:db8:0:7:1:2:3:4'])
    expect(limits.take(address, 0)).toBeNull();
  expect([limits.take('2001:db8:0:7::9', 0), limits.take('2001:db8:0:8::9', 0)]).toEqual([1, null]);
  expect([1, 2, 3, 4].map((n) => limits.take(`::ffff:10.0.0.${n}`, 0))).toEqual([null, null, null, null]);
  for (let i = 0; i < 30_000; i++) limits.take(`many ${i}`, 600);
  expect(limits.take('a', 600)).toBeNull();
});

test('a token that was rotated counts, the one before does not, and a gap between the two opens nothing', async () => {
  let now: Token[] | Error = [admin('the first token of all')];
  const check = new TokenCheck(() => {
    if (now instanceof Error) throw now;
    return now;
  }, silentLogger);
  const caller = (token: string) => check.callerOf(`Bearer ${token}`)?.name ?? null;
  expect([caller('the first'), caller('the first token of all')]).toEqual([null, null]);
  now = [admin('the-second-token')];
  await until('the second one', () => caller('the-second-token') === 'admin');
  now = [admin('')];
  await until('none', () => caller('the-second-token') === null);
  expect([check.isOpen, caller(''), check.callerOf(undefined), check.callerOf('Bearer ')]).toEqual([
    false,
    null,
    null,
    null,
  ]);
  now = new Error('the file is gone');
  await until('an error', () => {
    try {
      return caller('the-second-token') === 'never';
    } catch (error) {
      return (error as { code?: string }).code === 'TL-1048';
    }
  });
});

test('a stream ends when its token is taken away, and not while the tokens can not be read', async () => {
  let now: Token[] | Error = [admin(tokens.admin)];
  await using api = await served({
    tokens: () => {
      if (now instanceof Error) throw now;
      return now;
    },
  });
  const headers = { authorization: `Bearer ${tokens.admin}` };
  const response = await fetch(`http://127.0.0.1:${api.port}/v1/events`, { headers });
  const told: string[] = [];
  let ended = false;
  const reading = (async () => {
    for await (const piece of response.body ?? []) told.push(Buffer.from(piece).toString());
    ended = true;
  })();
  const looks = (): number => told.join('').split('event: status').length - 1;
  now = new Error('the file is gone');
  const before = looks();
  await until('two more looks', () => looks() >= before + 3);
  expect(ended).toBe(false);
  now = [admin('another-token-0123456789')];
  await until('the end', () => ended);
  await reading;
});

test('of a defect nothing is told but that it was one', async () => {
  const broken = {
    status: async () => {
      throw new TypeError('marked');
    },
  } as unknown as Control;
  await using api = await served({}, noLimits, broken);
  const answer = await fetch(`http://127.0.0.1:${api.port}/v1/status`);
  const text = await answer.text();
  expect([answer.status, JSON.parse(text)]).toMatchObject([
    500,
    { error: { code: 'TL-1049', remedy: expect.stringMatching(/./) } },
  ]);
  expect(text).not.toContain('marked');
});

test('without a token a page of another origin, or under another name, can not make the browser ask', async () => {
  await using api = await served({});
  const host = `127.0.0.1:${api.port}`;
  expect(await api.ask({ host })).toBe(200);
  expect(await api.ask({ host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' })).toBe(200);
  for (const headers of [
    { host, origin: 'https://evil.example' },
    { host, origin: 'null' },
    { host, 'sec-fetch-site': 'cross-site' },
    { host, 'sec-fetch-site': 'same-site' },
    // A name that its owner lets point to this host.
    { host: `evil.example:${api.port}` },
  ])
    expect([headers, await api.ask(headers), await api.ask(headers, '/v1/routes/x/stop', 'POST')]).toEqual([
      headers,
      403,
      403,
    ]);
  const answer = await answerTo(api.port, 'GET /v1/status HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n');
  expect(answer).toContain('TL-1045');
  const rule = { onlyLoopback: false, secure: true };
  expect(isOwnOrigin({ host: 'tidelock.example', origin: 'https://tidelock.example' }, rule)).toBe(true);
  expect(isOwnOrigin({ host: 'tidelock.example', origin: 'http://tidelock.example' }, rule)).toBe(false);
});

test('with a certificate it speaks TLS of today only', async () => {
  const folder = mkdtempSync(join(runDirectory(), 'tls-'));
  const tls = selfSigned(folder);
  rmSync(folder, { recursive: true });
  await using api = await served({ tls: () => tls, tokens: () => [admin(tokens.admin)] });
  const protocol = (maxVersion: 'TLSv1.1' | 'TLSv1.3'): Promise<string> =>
    new Promise((resolve) => {
      const options = { host: 'localhost', port: api.port, ca: tls.cert, maxVersion, minVersion: 'TLSv1' } as const;
      const socket = connect(options, () => {
        resolve(socket.getProtocol() ?? '');
        socket.destroy();
      });
      socket.on('error', () => resolve('refused'));
    });
  expect(await protocol('TLSv1.3')).toBe('TLSv1.3');
  expect(await protocol('TLSv1.1')).toBe('refused');
});
