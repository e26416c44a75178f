import { request } from 'node:http';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLogger } from '../../src/core/logger.ts';
import { routeStates } from '../../src/core/route-status.ts';
import { MetricsStore } from '../../src/metrics/metrics-store.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { ProbesServer } from '../../src/probes/probes-server.ts';
import { RouteConditions } from '../../src/supervisor/route-conditions.ts';
import { FakeSupervisor } from '../support/fake-supervisor.ts';

const supervisor = new FakeSupervisor('one', 'two');
const conditions = new RouteConditions(supervisor);
const metrics = new ServiceMetrics(new MetricsStore(supervisor, conditions), '1.2.3');
let draining = false;
const server = new ProbesServer({ conditions, metrics, logger: silentLogger, isDraining: () => draining });
let port = 0;

beforeAll(async () => {
  port = await server.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => server.close());

interface Got {
  readonly status: number;
  readonly body: string;
}

function get(path: string, method = 'GET'): Promise<Got> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, method }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

const json = async (path: string): Promise<Record<string, unknown>> => JSON.parse((await get(path)).body);

test.each(routeStates)('a route that is %s: 200 only where it runs or a person has paused it', async (state) => {
  supervisor.says('one', { state });
  supervisor.says('two', { state: 'running' });
  const { status } = await get('/health/routes/one');
  expect(status).toBe(state === 'running' || state === 'paused' ? 200 : 503);
  expect(await json('/health/routes/one')).toMatchObject({ route: 'one', state, ok: status === 200 });
  expect((await get('/health/routes')).status).toBe(status);
  expect((await get('/healthz')).status).toBe(200);
});

test('a service is ready as soon as it leads or stands by, and no longer when it drains', async () => {
  const ready = async (): Promise<number> => (await get('/readyz')).status;
  supervisor.says('one', { state: 'starting' });
  supervisor.says('two', { state: 'fenced' });
  expect(await ready()).toBe(503);
  supervisor.says('one', { state: 'standby' });
  expect(await ready()).toBe(200);
  expect(await json('/readyz')).toEqual({ ok: true, leads: 0, standsBy: 1, routes: 2 });
  // A route that has failed is led: its health is its own matter.
  supervisor.says('one', { state: 'failed' });
  expect(await ready()).toBe(200);
  draining = true;
  expect(await ready()).toBe(503);
  draining = false;
});

test('what a worker has said that is gone is not said any more', async () => {
  supervisor.says('one', { state: 'running' });
  expect((await get('/health/routes/one')).status).toBe(200);
  supervisor.dies('one');
  expect(await json('/health/routes/one')).toMatchObject({ state: 'starting', health: 'unknown' });
  supervisor.start('one');
  expect((await get('/health/routes/one')).status).toBe(503);
  supervisor.says('one', { state: 'running' });
  expect((await get('/health/routes/one')).status).toBe(200);
  // That it has failed stays true.
  supervisor.says('one', { state: 'failed', health: 'critical' });
  supervisor.dies('one');
  expect(await json('/health/routes/one')).toMatchObject({ state: 'failed', health: 'critical' });
  supervisor.start('one');
  // So does what the Supervisor says between two workers, until the next one says something.
  supervisor.says('one', { state: 'running' });
  supervisor.dies('one');
  supervisor.says('one', { state: 'retrying', health: 'warning', reason: { code: 'TL-4310', message: 'died' } });
  supervisor.start('one');
  expect(await json('/health/routes/one')).toMatchObject({ state: 'retrying', health: 'warning', code: 'TL-4310' });
  expect(conditions.between('one')).toMatchObject({ state: 'retrying', reason: { code: 'TL-4310' } });
  supervisor.says('one', { state: 'running' });
  expect(conditions.between('one')).toBeNull();
  expect((await get('/health/routes/one')).status).toBe(200);
});

test('nothing is told that needs a token: no texts of errors, and nothing else than the paths', async () => {
  const message = 'db.internal:5432 refused the value 4711';
  supervisor.says('one', { state: 'failed', health: 'critical', reason: { code: 'TL-5001', message } });
  supervisor.measures('one');
  for (const path of ['/health/routes/one', '/health/routes', '/metrics', '/readyz', '/healthz'])
    expect((await get(path)).body).not.toMatch(/internal|4711/);
  expect(await json('/health/routes/one')).toMatchObject({ code: 'TL-5001' });
  for (const path of [
    '/',
    '/v1/status',
    '/health/routes/none',
    '/health/routes/one/x',
    '/health/routes/%00',
    '/metrics/',
  ])
    expect((await get(path)).status, path).toBe(404);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) expect((await get('/healthz', method)).status).toBe(405);
  const head = await get('/healthz', 'HEAD');
  expect(head).toEqual({ status: 200, body: '' });
  expect((await get('/healthz?full=1')).status).toBe(200);
});

test('an address that is taken is told with the key that names it', async () => {
  const second = new ProbesServer({ conditions, metrics, logger: silentLogger, isDraining: () => false });
  await expect(second.listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
    code: 'TL-1030',
    message: expect.stringContaining('service.probes'),
  });
  await second.close();
});
