import { expect, test } from 'vitest';
import { RouteFile } from '../../support/route.ts';
import { twoServers } from '../../support/two-servers.ts';
import { until } from '../../support/until.ts';

const servers = twoServers();

interface Told {
  readonly health: string;
  readonly concerns: readonly { readonly code: string }[];
  readonly compared: { readonly job: string | null; readonly rows: number; readonly missing: number } | null;
}

test('compares begin again and again by themselves; what they find is an alarm until it is mended', async () => {
  const { source, target } = await servers.pair('CREATE TABLE item (id int PRIMARY KEY, s text)');
  await source.query(`INSERT INTO item SELECT i, 'text' FROM generate_series(1, 500) i`);
  using file = new RouteFile({
    source,
    target,
    route: 'tables: ["public.*"]\ncompare: { every: 1s, maxLoad: 100% }',
  });
  await using route = file.run();
  await route.state('running');
  const told = async (): Promise<Told> => (await file.status()) as unknown as Told;
  await until('a compare that nobody has asked for', async () => (await told()).compared?.rows === 500, 30_000);
  expect(await told()).toMatchObject({ compared: { job: null, missing: 0, tables: 1 } });
  const { jobs } = JSON.parse((await file.tidelock('jobs', '--json')).out) as {
    jobs: { kind: string; askedBy: string }[];
  };
  expect(new Set(jobs.map(({ kind, askedBy }) => `${kind} by ${askedBy}`))).toEqual(new Set(['compare by tidelock']));

  await target.query('DELETE FROM item WHERE id IN (3, 4)');
  await until('the alarm', async () => (await told()).concerns.some(({ code }) => code === 'TL-4308'), 30_000);
  expect(await told()).toMatchObject({
    health: 'warning',
    compared: { missing: 2, job: expect.stringMatching(/^here-to-there.\d+$/) },
  });
  // By hand, beside the one in the background; then nothing differs any more.
  const repaired = await file.tidelock('repair', 'here-to-there', '--yes', '--json');
  expect(JSON.parse(repaired.out)).toMatchObject({ equal: true, tables: [{ repaired: 2 }] });
  await until('the end of the alarm', async () => (await told()).health === 'ok', 30_000);
  expect(await told()).toMatchObject({ concerns: [], compared: { missing: 0, job: null } });

  // One that rests is not overtaken by another.
  const [running] = await target.query(`SELECT max(id)::int AS id FROM tidelock.jobs`);
  await until('another one', async () => {
    const [next] = await target.query(`SELECT max(id)::int AS id FROM tidelock.jobs`);
    return Number(next?.id) > Number(running?.id);
  });
});
