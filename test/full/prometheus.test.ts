import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../../src/demo/free-port.ts';
import { allMetrics } from '../../src/metrics/catalogue.ts';
import { startPostgres } from '../support/postgres.ts';
import { findPrometheus } from '../support/promtool.ts';
import { RouteFile } from '../support/route.ts';
import { forgetPid, notePid, runDirectory } from '../support/run-directory.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
const dashboard = JSON.parse(readFileSync(join(root, 'deploy/grafana/dashboard.json'), 'utf8')) as {
  panels: { title: string; targets?: { expr: string }[] }[];
};
const rules = (
  parse(readFileSync(join(root, 'deploy/prometheus/alerts.yaml'), 'utf8')) as {
    groups: { rules: { alert: string }[] }[];
  }
).groups.flatMap((group) => group.rules.map(({ alert }) => alert));
/** Of what is asked over a while: a service that is two seconds old has told a worker's counts once. */
const interval = '10s';
const command = findPrometheus();

test.skipIf(command === null && !process.env.CI)(
  'a real Prometheus scrapes a running service: each metric, the alerts, and data for each panel of the dashboard',
  { timeout: 240_000 },
  async () => {
    await using source = await startPostgres();
    await using target = await startPostgres();
    const [here, there] = [await source.createDatabase(), await target.createDatabase()];
    for (const database of [here, there]) await database.query('CREATE TABLE item (id int PRIMARY KEY, v text)');
    using file = new RouteFile({ source: here, target: there });
    const [api, probes] = [await freePort(), await freePort()];
    file.append(`service:
  api: { listen: "127.0.0.1:${api}" }
  probes: { listen: "127.0.0.1:${probes}" }
notify: [{ command: ["/bin/true"] }]
`);
    await using route = file.run();
    await route.state('running');
    await using prometheus = await startPrometheus(probes);
    const value = async (expr: string): Promise<number | null> => (await prometheus.query(expr))[0] ?? null;

    // Something of all kinds, for a while: a rate needs two looks that differ.
    let id = 0;
    const shows = async (expr: string): Promise<boolean> => {
      await here.query('INSERT INTO item SELECT g, $2 FROM generate_series($1::int + 1, $1::int + 20) g', [id, 'x']);
      id += 20;
      await fetch(`http://127.0.0.1:${api}/v1/status`);
      return (await prometheus.query(expr)).some((each) => each > 0);
    };
    await until('rows by the minute', () => shows(`sum(rate(tidelock_rows_total[${interval}]))`));
    await until('requests by the minute', () => shows(`sum(rate(tidelock_api_requests_total[${interval}]))`));
    expect((await file.tidelock('compare', 'here-to-there')).code).toBe(0);
    await until('the compare', () => shows('tidelock_compared_rows{result="equal"}'));

    const known = await prometheus.ask<Record<string, { type: string; help: string }[]>>('metadata');
    for (const { name, type } of allMetrics()) expect([name, known[name]?.[0]?.type]).toEqual([name, type]);
    expect(Object.keys(known).filter((name) => name.startsWith('tidelock_')).length).toBe(allMetrics().length);
    for (const { name, type } of allMetrics()) {
      const series = type === 'histogram' ? `${name}_bucket` : name;
      expect([name, (await prometheus.query(series)).length > 0]).toEqual([name, true]);
    }

    const empty: string[] = [];
    for (const { title, targets = [] } of dashboard.panels)
      for (const { expr } of targets) {
        const asked = expr.replaceAll('$__rate_interval', interval).replaceAll('$route', '.*');
        if ((await prometheus.query(asked)).length === 0) empty.push(`${title}: ${asked}`);
      }
    expect(empty).toEqual([]);

    const loaded = async () => {
      const { groups } = await prometheus.ask<{
        groups: { rules: { name: string; health: string; state: string }[] }[];
      }>('rules');
      return groups.flatMap((group) => group.rules);
    };
    await until('all alerts to be computed', async () => (await loaded()).every(({ health }) => health !== 'unknown'));
    expect((await loaded()).map(({ name, health }) => [name, health])).toEqual(rules.map((name) => [name, 'ok']));
    expect((await loaded()).filter(({ state }) => state === 'firing')).toEqual([]);

    // One that comes, with the service's own notice of it, and goes.
    await there.query(`INSERT INTO item VALUES (-1, 'mine')`);
    await here.query(`INSERT INTO item VALUES (-1, 'yours')`);
    await route.state('failed');
    await until('the alert', async () => (await value('ALERTS{alertname="TidelockRouteFailed"}')) === 1);
    await until('the notice', () => shows('tidelock_notifications_total{kind="command",result="delivered"}'));
    await there.query('DELETE FROM item WHERE id = -1');
    expect((await file.tidelock('start', 'here-to-there')).code).toBe(0);
    await route.state('running');
    await until('its end', async () => (await value('ALERTS{alertname="TidelockRouteFailed"}')) === null);
    expect(await route.stop()).toBe(0);
  },
);

/** Scrapes a service every half second, and computes the alerts of deploy/ as often. */
async function startPrometheus(probes: number) {
  const folder = mkdtempSync(join(runDirectory(), 'prometheus-'));
  const port = await freePort();
  writeFileSync(
    join(folder, 'prometheus.yml'),
    JSON.stringify({
      global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '500ms' },
      rule_files: [join(root, 'deploy/prometheus/alerts.yaml')],
      scrape_configs: [{ job_name: 'tidelock', static_configs: [{ targets: [`127.0.0.1:${probes}`] }] }],
    }),
  );
  const [program = 'prometheus', ...before] = command ?? [];
  const child = spawn(
    program,
    [
      ...before,
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  notePid(child.pid ?? 0);
  const ask = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}`);
    const { status, data, error } = (await response.json()) as { status: string; data: T; error?: string };
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  };
  const query = async (expr: string): Promise<number[]> => {
    const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${encodeURIComponent(expr)}`);
    return result.map(({ value: [, text] }) => Number(text));
  };
  await until('a scrape', async () => (await query('up').catch(() => []))[0] === 1);
  return {
    ask,
    query,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      forgetPid(child.pid ?? 0);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
