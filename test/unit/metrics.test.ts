import { expect, test } from 'vitest';
import { groupRowBounds, stages } from '../../src/core/work-meter.ts';
import { allMetrics } from '../../src/metrics/catalogue.ts';
import { MetricsStore } from '../../src/metrics/metrics-store.ts';
import { tableSeries } from '../../src/metrics/route-totals.ts';
import { SampleRing } from '../../src/metrics/sample-ring.ts';
import { ServiceMetrics } from '../../src/metrics/service-metrics.ts';
import { countsOf, FakeSupervisor } from '../support/fake-supervisor.ts';

function begin(...routes: string[]) {
  const supervisor = new FakeSupervisor(...routes);
  const store = new MetricsStore(supervisor);
  const metrics = new ServiceMetrics(store, '1.2.3');
  /** Value by series, as Prometheus writes it. */
  const series = async (): Promise<Map<string, number>> => {
    const lines = (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  };
  return { supervisor, store, metrics, series };
}

test('every metric of the catalogue is served with its labels, and no other', async () => {
  const { supervisor, metrics, series } = begin('r');
  const counts = { rows: 9, missing: 1, extra: 0, different: 2, undecided: 0, unverified: 0 };
  const at = '2026-11-01T00:00:00.000Z';
  supervisor.says('r', { state: 'running', compared: { at, oldest: at, job: 'r/1', tables: 1, ...counts } });
  supervisor.measures('r', { rows: 1, tables: [['public.t', ...countsOf({ insert: 1 })]] });
  metrics.notified('webhook', 'delivered');
  metrics.apiRequest('/v1/status', 'GET', 200);
  const served = new Map<string, Set<string>>();
  for (const line of (await series()).keys()) {
    const [, name = '', labels = ''] = /^([a-z_]+)(?:\{(.*)\})?$/.exec(line) ?? [];
    const known = served.get(name.replace(/_(bucket|sum|count)$/, '')) ?? new Set();
    for (const [, label = ''] of labels.matchAll(/([a-z]+)="/g)) if (label !== 'le') known.add(label);
    served.set(name.replace(/_(bucket|sum|count)$/, ''), known);
  }
  const promised = new Map(allMetrics().map(({ name, labels }) => [name, new Set(labels)]));
  expect(served).toEqual(promised);
});

test('what an alert takes the increase of is there at zero: its first event would go unseen', async () => {
  const { supervisor, metrics, series } = begin('r');
  supervisor.says('r', { state: 'running' });
  const counters = [
    'tidelock_notifications_total{kind="webhook",result="failed"}',
    'tidelock_notifications_total{kind="command",result="dropped"}',
    'tidelock_collisions_total{route="r"}',
    'tidelock_worker_restarts_total{route="r"}',
    'tidelock_replays_total{route="r"}',
  ];
  const before = await series();
  expect(counters.map((name) => before.get(name))).toEqual(counters.map(() => 0));
  metrics.notified('webhook', 'failed');
  expect((await series()).get(counters[0] ?? '')).toBe(1);
});

test('totals go on over workers that come and go, and never fall', async () => {
  const { supervisor, series } = begin('r');
  supervisor.says('r', { state: 'running' });
  const insert = (count: number) => ({
    rows: count,
    transactions: 1,
    tables: [['public.t', ...countsOf({ insert: count })]] as const,
    stageMs: stages.map(() => 500),
    groupSizes: [1, ...groupRowBounds.map(() => 0)],
  });
  supervisor.measures('r', insert(5));
  supervisor.dies('r');
  supervisor.start('r');
  supervisor.says('r', { state: 'running' });
  const between = await series();
  supervisor.measures('r', insert(2));
  const after = await series();
  expect(between.get('tidelock_rows_total{route="r",table="public.t",operation="insert"}')).toBe(5);
  expect(after.get('tidelock_rows_total{route="r",table="public.t",operation="insert"}')).toBe(7);
  expect(after.get('tidelock_transactions_total{route="r"}')).toBe(2);
  expect(after.get('tidelock_stage_seconds_total{route="r",stage="apply"}')).toBe(1);
  expect(after.get('tidelock_worker_restarts_total{route="r"}')).toBe(1);
  expect(after.get('tidelock_group_rows_bucket{le="1",route="r"}')).toBe(2);
  expect(after.get('tidelock_group_rows_bucket{le="+Inf",route="r"}')).toBe(2);
  expect(after.get('tidelock_group_rows_sum{route="r"}')).toBe(7);
});

test('what only a worker knows is missing while there is none, and lag where another engine has the route', async () => {
  const { supervisor, series } = begin('r');
  const lag = 'tidelock_lag_seconds{route="r"}';
  const memory = 'tidelock_worker_memory_bytes{route="r",kind="rss"}';
  supervisor.says('r', { state: 'running' });
  supervisor.measures('r');
  expect((await series()).get(lag)).toBe(0.25);
  expect((await series()).get('tidelock_position_gap_bytes{route="r"}')).toBe(100);
  supervisor.says('r', { state: 'standby' });
  expect((await series()).has(lag)).toBe(false);
  expect((await series()).get(memory)).toBe(100);
  expect((await series()).get('tidelock_route_state{route="r",state="standby"}')).toBe(1);
  supervisor.dies('r');
  supervisor.start('r');
  expect((await series()).has(memory)).toBe(false);
  expect((await series()).get('tidelock_route_health{route="r",health="unknown"}')).toBe(1);
  supervisor.remove('r');
  expect([...(await series()).keys()].filter((line) => line.includes('route="r"'))).toEqual([]);
});

test('5,000 tables: as many series as are promised, the rest together, and all of them for the API', async () => {
  const { supervisor, store, series } = begin('r');
  supervisor.says('r', { state: 'running' });
  const all = Array.from(
    { length: 5_000 },
    (_, at) => [`public.t${at}`, ...countsOf({ insert: 1, delete: 2 })] as const,
  );
  supervisor.measures('r', { rows: 15_000, tables: all });
  const rows = async () => [...(await series())].filter(([line]) => line.startsWith('tidelock_rows_total'));
  expect(await rows()).toHaveLength((tableSeries + 1) * 2);
  expect((await rows()).reduce((sum, [, count]) => sum + count, 0)).toBe(15_000);
  const other = 'tidelock_rows_total{route="r",table="other",operation="delete"}';
  expect((await series()).get(other)).toBe((5_000 - tableSeries) * 2);
  // A table stays where it is counted.
  supervisor.measures('r', { rows: 1, tables: [['public.t4999', ...countsOf({ delete: 1 })]] });
  expect((await series()).get(other)).toBe((5_000 - tableSeries) * 2 + 1);
  expect(store.document('r')?.perTable).toHaveLength(5_000);
  expect(store.document('r')?.perTable.at(-1)).toMatchObject({
    table: 'public.t4999',
    inserts: 1,
    deletes: 3,
    rows: 4,
  });
});

test('names of tables can hold what they like', async () => {
  const { supervisor, metrics } = begin('r');
  supervisor.measures('r', { tables: [['public."a\\b\n"', ...countsOf({ insert: 1 })]] });
  expect(await metrics.text()).toContain('table="public.\\"a\\\\b\\n\\"",operation="insert"} 1');
});

test('an hour of samples is kept, one every five seconds, oldest first', () => {
  const ring = new SampleRing();
  const add = (at: number): void => ring.add({ at, lagMs: null, rows: at, transactions: 1, retainedBytes: 2 });
  for (let at = 0; at < 4_000_000; at += 2_000) add(at);
  const samples = ring.samples();
  expect(samples).toHaveLength(720);
  expect(samples.at(-1)).toEqual({ at: 3_996_000, lagMs: null, rows: 3_996_000, transactions: 1, retainedBytes: 2 });
  expect(samples[0]?.at).toBe(400_000);
  expect(samples.map(({ at }) => Math.floor(at / 5_000))).toEqual(samples.map((_, index) => 80 + index));
  // A clock that is set back goes on.
  add(10);
  expect(ring.samples().at(-1)?.at).toBe(10);
});
