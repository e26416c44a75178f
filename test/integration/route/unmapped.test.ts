import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { TestDatabase } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

const secret = 'a-value-nobody-may-read';

/** A route that computes 100 / n, which has no value for 0. */
async function dividing(onError: string) {
  const { source, target } = await servers.pair();
  await source.query('CREATE TABLE t (id int PRIMARY KEY, n int, note text); CREATE TABLE u (id int PRIMARY KEY)');
  await target.query(
    'CREATE TABLE t (id int PRIMARY KEY, n int, note text, share int); CREATE TABLE u (id int PRIMARY KEY)',
  );
  await source.query(`INSERT INTO t VALUES (1, 4, 'a')`);
  const entry = `{ name: public.t, transforms: [{ set: { share: "100 / n" } }] }`;
  const file = new RouteFile({ source, target, route: `tables: [public.u, ${entry}]\napply: { onError: ${onError} }` });
  return { source, target, file };
}

/** The condition is made to cover the case. */
function mend(file: RouteFile): void {
  const path = join(file.folder, 'tidelock.yaml');
  writeFileSync(path, readFileSync(path, 'utf8').replace('100 / n"', '100 / nullif(n, 0)"'));
}

async function expectWhole(source: TestDatabase, target: TestDatabase): Promise<void> {
  const rows = await source.query('SELECT id, n, note, 100 / nullif(n, 0) AS share FROM t ORDER BY id');
  expect(await target.query('SELECT id, n, note, share FROM t ORDER BY id')).toEqual(rows);
  expect(await target.query('SELECT id FROM u ORDER BY id')).toEqual(
    await source.query('SELECT id FROM u ORDER BY id'),
  );
}

test('a row without a value halts alone, is skipped, parks what comes after it on its table, and is mapped anew when it is tried again', async () => {
  const { source, target, file } = await dividing('halt');
  await using _file = file;
  {
    await using route = file.run();
    await route.state('running');
    await source.query('INSERT INTO u VALUES (1)');
    await source.query(`INSERT INTO t VALUES (2, 0, '${secret}')`);
    const { reason } = await route.state('failed');
    expect(reason).toMatchObject({ code: 'TL-4501', message: expect.stringContaining('division by zero') });
    // What came before it is servers.there.
    expect(await target.query('SELECT id FROM u')).toEqual([{ id: 1 }]);
    const [, transaction = ''] = /transaction (\d+)/.exec(reason?.message ?? '') ?? [];
    // A halt is told before it is stored, and by what is stored a command goes.
    await until('the stored halt', async () => (await file.status()).state === 'failed');
    const skipped = await file.tidelock('skip', 'here-to-there', '--transaction', transaction, '--reason', 'test');
    expect([skipped.code, skipped.err]).toEqual([0, '']);
    await file.tidelock('start', 'here-to-there');
    await route.state('running');
    await source.query(`UPDATE t SET note = 'later' WHERE id = 1`);
    await source.query('INSERT INTO u VALUES (2)');
    await route.caughtUp();
    expect(await target.query('SELECT note FROM t')).toEqual([{ note: 'a' }]);
    expect(await target.query('SELECT id FROM u ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }]);
    const again = await file.tidelock('parked', 'retry', 'here-to-there', '--all', '--json');
    expect(JSON.parse(again.out)).toMatchObject({
      applied: [],
      failed: [{ code: 'TL-4501' }],
      waiting: [expect.any(Number)],
    });
    const list = await file.tidelock('parked', 'list', 'here-to-there', '--json');
    const { parked } = JSON.parse(list.out) as { parked: { id: number }[] };
    const shown = await file.tidelock('parked', 'show', 'here-to-there', String(parked[0]?.id));
    expect(shown.out).toContain('unmapped insert');
    expect(route.log + shown.out + again.out + list.out).not.toContain(secret);
    await route.stop();
  }
  mend(file);
  await using route = file.run();
  // What it does to rows was changed: somebody has to have seen the plan, also where nothing is to be loaded again.
  expect((await route.state('failed')).reason?.code).toBe('TL-4130');
  expect(await file.tidelock('apply', 'here-to-there', '--yes')).toMatchObject({
    code: expect.not.toSatisfy((code: number) => code === 0),
    err: expect.stringContaining('TL-4132'),
  });
  const applied = await file.tidelock('apply', 'here-to-there', '--keep-rows', 'public.t', '--yes');
  expect([applied.code, applied.err]).toEqual([0, expect.any(String)]);
  await route.state('running');
  const done = await file.tidelock('parked', 'retry', 'here-to-there', '--all', '--json');
  expect([done.code, done.err]).toEqual([0, '']);
  await route.caughtUp();
  await expectWhole(source, target);
});

test('onError park sets it aside, and a retry under a stopped route maps it anew', async () => {
  const { source, target, file } = await dividing('park');
  await using _file = file;
  {
    await using route = file.run();
    await route.state('running');
    await source.query(`INSERT INTO t SELECT i, i % 3, 'x' FROM generate_series(2, 20) i`);
    await source.query('INSERT INTO u VALUES (1)');
    await route.caughtUp();
    expect(await file.status()).toMatchObject({ state: 'running', parked: 1, health: 'warning' });
    expect(await target.query('SELECT id FROM u')).toEqual([{ id: 1 }]);
    await route.stop();
  }
  mend(file);
  const done = await file.tidelock('parked', 'retry', 'here-to-there', '--all', '--json');
  expect([done.code, done.err]).toEqual([0, '']);
  await expectWhole(source, target);
});
