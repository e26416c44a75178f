import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Notification } from '../../src/config/configuration.ts';
import type { Logger } from '../../src/core/logger.ts';
import { runCommand } from '../../src/notify/command.ts';
import { Deliveries } from '../../src/notify/deliveries.ts';
import type { Notice } from '../../src/notify/notice.ts';
import { postWebhook } from '../../src/notify/webhook.ts';
import { selfSigned } from '../support/self-signed.ts';
import { until } from '../support/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidelock-notify-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const notice: Notice = {
  version: 1,
  id: '7d5d',
  event: 'problem',
  about: 'health',
  severity: 'critical',
  text: 'prod/sales: failed; "quoted" $(touch /tmp/never) `x`',
  deployment: 'prod',
  route: 'sales',
  routes: ['sales'],
  state: 'failed',
  health: 'critical',
  reason: { code: 'TL-2104', message: 'does not fit' },
  lagMs: null,
  retainedBytes: 5,
  parked: 0,
  since: '2026-11-21T10:00:00.000Z',
  at: '2026-11-21T10:00:01.000Z',
  host: 'h',
  pid: 1,
};

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** Answers with each of these, then with the last. `null`: never. */
async function receiver(...answers: readonly (number | null)[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (text) => {
      body += text;
    });
    request.on('end', () => {
      const answer = answers[Math.min(received.length, answers.length - 1)];
      received.push({ headers: request.headers, body: JSON.parse(body) });
      if (answer != null) response.writeHead(answer, { location: '/elsewhere' }).end('thank you');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}/hook/s3cret-token`, port, received, [Symbol.dispose]: close };
}

/** Everything that is logged, as text. */
function logging(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const log = (fields: object, message: string): void => void lines.push(JSON.stringify([message, fields]));
  const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
  return { logger, lines };
}

const never = new AbortController().signal;

test('a webhook gets the notice as JSON, until it takes it', async () => {
  using hook = await receiver(500, 429, 200);
  const { logger, lines } = logging();
  const results: string[] = [];
  const deliveries = new Deliveries({
    receivers: () => [{ kind: 'webhook', url: hook.url }],
    logger,
    onResult: (kind, result) => results.push(`${kind} ${result}`),
    retryDelaysMs: [1, 1, 1],
  });
  await deliveries.tell(notice);
  expect(hook.received.map(({ body }) => body)).toEqual([notice, notice, notice]);
  expect(hook.received[0]?.headers['content-type']).toBe('application/json');
  expect(results).toEqual(['webhook delivered']);
  // The address holds a token.
  expect(lines.join()).not.toMatch(/s3cret|127\.0\.0\.1/);
  expect(lines.join()).toContain('HTTP 500');
});

test('what a receiver refuses is not sent to it again, nor to another address', async () => {
  for (const status of [400, 401, 404, 302, 308]) {
    using hook = await receiver(status);
    expect(await postWebhook(hook.url, notice, never)).toEqual({ ok: false, again: false, why: `HTTP ${status}` });
    expect(hook.received).toHaveLength(1);
  }
});

test('a user and a password in the address go where they belong', async () => {
  using hook = await receiver(204);
  expect(await postWebhook(`http://us%40er:p%3Aw@127.0.0.1:${hook.port}/x`, notice, never)).toEqual({ ok: true });
  expect(hook.received[0]?.headers.authorization).toBe(`Basic ${Buffer.from('us@er:p:w').toString('base64')}`);
});

test('a receiver whose certificate nobody vouches for gets nothing', async () => {
  const bodies: string[] = [];
  const server = createTlsServer(selfSigned(folder), (request, response) => {
    request.on('data', (text) => bodies.push(String(text)));
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const delivery = await postWebhook(`https://localhost:${port}/`, notice, never);
  server.closeAllConnections();
  server.close();
  expect(delivery).toMatchObject({ ok: false, why: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(bodies).toEqual([]);
});

test('one that is out of reach, or never answers, is given up, holds up nobody else, and is told by its code alone', async () => {
  using silent = await receiver(null);
  using fine = await receiver(200);
  const { logger, lines } = logging();
  const results: string[] = [];
  const receivers: Notification[] = [
    { kind: 'webhook', url: 'http://127.0.0.1:1/s3cret-token' },
    { kind: 'webhook', url: silent.url },
    { kind: 'webhook', url: fine.url },
  ];
  const deliveries = new Deliveries({
    receivers: () => receivers,
    logger,
    onResult: (_, result) => results.push(result),
    retryDelaysMs: [1],
  });
  const told = deliveries.tell(notice);
  await until('the one that works', () => results.includes('delivered'));
  await until('the one that is not there', () => results.includes('failed'));
  expect(lines.join()).not.toMatch(/s3cret/);
  // The service ends: nobody waits for the silent one.
  await deliveries.close();
  expect(await Promise.race([told.then(() => 'told'), 'not told'])).toBe('not told');
}, 20_000);

test('a receiver that does not keep up misses the oldest, and memory stays as it is', async () => {
  using silent = await receiver(null);
  const { logger } = logging();
  const results: string[] = [];
  const deliveries = new Deliveries({
    receivers: () => [{ kind: 'webhook', url: silent.url }],
    logger,
    onResult: (_, result) => results.push(result),
  });
  const done: number[] = [];
  for (let at = 0; at < 150; at++) void deliveries.tell({ ...notice, id: String(at) }).then(() => done.push(at));
  await until('the dropped', () => done.length === 50);
  // The first is on its way; those behind it go.
  expect(done).toEqual(Array.from({ length: 50 }, (_, at) => at + 1));
  expect(results).toEqual(done.map(() => 'dropped'));
  await deliveries.close();
}, 20_000);

function script(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  chmodSync(file, 0o755);
  return file;
}

test('a command gets its arguments as they are, the facts and the notice, and nothing of the service', async () => {
  process.env.SALES_URL = 'postgres://u:s3cret@h/db';
  const out = join(folder, 'out');
  const page = script('page', `#!/bin/sh\n{ printf '%s\\n' "$@"; env; cat; } > ${out}\n`);
  const delivery = await runCommand([page, 'dba', '$(id)', 'a b; c'], notice, never);
  delete process.env.SALES_URL;
  expect(delivery).toEqual({ ok: true });
  const text = readFileSync(out, 'utf8');
  const lines = text.trim().split('\n');
  expect(lines.slice(0, 3)).toEqual(['dba', '$(id)', 'a b; c']);
  expect(lines).toContain('TIDELOCK_ROUTE=sales');
  expect(lines).toContain('TIDELOCK_CODE=TL-2104');
  expect(lines).toContain(`TIDELOCK_TEXT=${notice.text}`);
  expect(JSON.parse(lines.at(-1) ?? '')).toEqual(notice);
  expect(text).not.toContain('s3cret');
});

test('a command that fails is tried again, one that is not there is not, and one that hangs is ended with all it has started', async () => {
  expect(await runCommand([script('bad', '#!/bin/sh\nexit 3\n')], notice, never)).toEqual({
    ok: false,
    again: true,
    why: 'exit code 3',
  });
  expect(await runCommand([join(folder, 'missing')], notice, never)).toEqual({
    ok: false,
    again: false,
    why: 'ENOENT',
  });
  const pids = join(folder, 'pids');
  const hangs = script('hangs', `#!/bin/sh\nsleep 600 & echo $! > ${pids}\nwait\n`);
  const over = new AbortController();
  const running = runCommand([hangs], notice, over.signal);
  const child = await until('its child', () => {
    try {
      return Number(readFileSync(pids, 'utf8'));
    } catch {
      return null;
    }
  });
  over.abort();
  expect(await running).toMatchObject({ ok: false });
  await until('the end of its child', () => {
    try {
      return /^State:\s+Z/m.test(readFileSync(`/proc/${child}/status`, 'utf8'));
    } catch {
      return true;
    }
  });
});
