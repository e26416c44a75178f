import { afterAll, beforeAll, expect, test } from 'vitest';
import { type MysqlServer, startMysql } from '../support/mysql.ts';
import { type PostgresServer, startPostgres } from '../support/postgres.ts';
import { type RouteEnd, RouteFile } from '../support/route.ts';
import { seeds } from '../support/seed.ts';
import { RingTables } from '../support/vendor-ring/ring-tables.ts';

type Vendor = 'postgres' | 'mysql' | 'mariadb';

let postgres: PostgresServer;
const servers = new Map<Vendor, MysqlServer>();
beforeAll(async () => {
  const [first, mysql, mariadb] = await Promise.all([
    startPostgres(),
    startMysql({ vendor: 'mysql' }),
    startMysql({ vendor: 'mariadb' }),
  ]);
  postgres = first;
  servers.set('mysql', mysql).set('mariadb', mariadb);
});
afterAll(async () => {
  for (const server of [postgres, ...servers.values()]) await server[Symbol.asyncDispose]();
});

/** Between MySQL and MariaDB there is no bridge: what only one of them has is refused. */
const rings: readonly (readonly [Vendor, Vendor, Vendor, without?: RegExp])[] = [
  ['postgres', 'mysql', 'mariadb'],
  ['mysql', 'postgres', 'mariadb'],
  ['mariadb', 'postgres', 'mysql'],
  ['postgres', 'mariadb', 'mysql', /uuid/],
  ['mysql', 'mariadb', 'postgres', /^vector/],
  ['mariadb', 'mysql', 'postgres', /^(?:uuid|inet)|COMPRESSED/],
];

const cases = rings.map(([a, b, c, without], at) => ({
  title: `${a} to ${b} to ${c} to ${a}`,
  deployment: `ring-${at}`,
  ends: [a, b, c] as const,
  without,
  seed: seeds()[at % seeds().length] ?? 1,
}));

test.each(cases)(
  'random tables go from $title, seed $seed, are changed meanwhile, and come back as they are',
  { timeout: 300_000 },
  async ({ ends: [a, b, c], deployment, without, seed }) => {
    const others = await Promise.all([a, b, c, a].map((vendor, at) => endOf(vendor, at)));
    const [first, second, third, last] = others as [RouteEnd, RouteEnd, RouteEnd, RouteEnd];
    await using _own = disposed(others);
    const ring = new RingTables(first, seed, without);
    await ring.make();
    const ways = [
      [first, second],
      [second, third],
      [third, last],
    ] as const;
    using whole = new RouteFile({ source: first, target: last });
    whole.write({ 'tidelock.yaml': configuration(deployment, [first, second, third, last]) });
    for (const [at] of ways.entries()) {
      const made = await whole.tidelock('schema', `way-${at}`, '--apply', 'all');
      expect(made, made.out + made.err).toMatchObject({ code: 0 });
    }
    await ring.fill([second, third, last]);
    // Of MySQL's times all may be beyond a day.
    expect((await ring.emptied()).filter((definition) => !/^time\b/.test(definition))).toEqual([]);
    await using route = whole.run();
    const caughtUp = async (): Promise<void> => {
      for (const [at] of ways.entries())
        expect(await whole.tidelock('wait', `way-${at}`, '--timeout', '60s')).toMatchObject({ code: 0 });
    };
    for (const [at] of ways.entries()) await route.state('running', 60_000, `way-${at}`);
    await caughtUp();
    expect(await ring.differences(last)).toEqual([]);
    for (let step = 0; step < 60; step++) await ring.change();
    await caughtUp();
    expect(await ring.differences(last)).toEqual([]);
    for (const [at] of ways.entries()) {
      const compared = await whole.tidelock('compare', `way-${at}`);
      expect(compared, compared.out + compared.err).toMatchObject({ code: 0 });
    }
  },
);

/** A server of its own for the last of a ring that begins at MySQL or MariaDB, where tables are a server's. */
async function endOf(vendor: Vendor, at: number): Promise<RouteEnd> {
  if (vendor === 'postgres') return await postgres.createDatabase();
  const shared = servers.get(vendor);
  if (at === 3 || shared === undefined) return await startMysql({ vendor });
  for (const database of ['ring', 'pool', 'tidelock']) await shared.query(`DROP DATABASE IF EXISTS ${database}`);
  return shared;
}

function disposed(ends: readonly RouteEnd[]): AsyncDisposable {
  const own = ends.slice(3).filter((end) => Symbol.asyncDispose in end);
  return {
    [Symbol.asyncDispose]: async () => {
      for (const end of own) await (end as MysqlServer)[Symbol.asyncDispose]();
    },
  };
}

function configuration(deployment: string, ends: readonly RouteEnd[]): string {
  const nodes = ends.map(
    (end, at) => `  node-${at}: { type: ${'vendor' in end ? end.vendor : 'postgres'}, url: "${end.url()}" }\n`,
  );
  const routes = ends
    .slice(1)
    .map((_, at) => `  way-${at}: { from: node-${at}, to: node-${at + 1}, tables: ["ring.*"], forward: all }\n`);
  return `version: 1\nname: ${deployment}\nnodes:\n${nodes.join('')}routes:\n${routes.join('')}`;
}
