import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startPostgres } from '../../support/postgres.ts';
import { RouteFile } from '../../support/route.ts';

test('what no route names is dropped, what is in use and what is of others stays; a node that is gone is forgotten', async () => {
  await using here = await startPostgres();
  await using there = await startPostgres();
  const [source, target] = await Promise.all([here.createDatabase(), there.createDatabase()]);
  await Promise.all([source, target].map((database) => database.query('CREATE TABLE t (id int PRIMARY KEY)')));
  using file = new RouteFile({ source, target, route: 'tables: [public.t]\nddl: replicate' });
  await using running = file.run();
  await running.state('running');
  await source.query(`SELECT pg_create_logical_replication_slot('other__here_to_there', 'pgoutput')`);
  // The file names another route: what runs is in use, and nothing of it goes.
  file.configure('tables: [public.t]', 'elsewhere');
  const used = await file.tidelock('drop', '--orphans', '--yes', '--json');
  const { leftovers } = JSON.parse(used.out) as { leftovers: { name: string; dropped: boolean }[] };
  expect(leftovers.map(({ name, dropped }) => [name, dropped])).toEqual([
    ['here-to-there', false],
    ['here-to-there', false],
  ]);
  await running.stop();
  await target.query(`UPDATE tidelock.leases SET expires_at = 'epoch'`);
  const asked = await file.tidelock('drop', '--orphans');
  expect(asked).toMatchObject({
    code: 2,
    err: expect.stringMatching(/here-to-there at here \(127\.0\.0\.1:\d+, database .+\): slot, publication, capture/),
  });
  // Another deployment's route, so that the journal is there afterwards.
  await target.query(`INSERT INTO tidelock.routes (key) VALUES ('other/stays')`);
  const dropOrphans = () => file.tidelock('drop', '--orphans', '--yes', '--reason', 'tidied');
  // A node that does not answer keeps nothing from being dropped but queues whose state may be there.
  const plain = readFileSync(join(file.folder, 'tidelock.yaml'), 'utf8');
  const gone = '  gone: { type: postgres, url: "postgres://me@127.0.0.1:1/gone" }';
  file.write({ 'tidelock.yaml': plain.replace('\nroutes:', `\n${gone}\nroutes:`) });
  await source.query(`SELECT pg_create_logical_replication_slot('test__lost', 'pgoutput')`);
  const partly = await dropOrphans();
  expect(partly).toMatchObject({ code: 2, err: expect.stringMatching(/^TL-5001 .*gone/m) });
  expect(partly.err).toMatch(/lost at here .*: slot.*; its state may be at gone, stays until that answers/);
  expect(partly.out.split('\n').filter((line) => /^\S/.test(line))).toEqual([
    'here-to-there at here: dropped',
    'here-to-there at there: dropped',
    'lost at here: left',
  ]);
  file.write({ 'tidelock.yaml': plain });
  expect((await dropOrphans()).code).toBe(0);
  expect(await source.query('SELECT slot_name AS name FROM pg_replication_slots')).toEqual([
    { name: 'other__here_to_there' },
  ]);
  expect(await source.query('SELECT FROM pg_publication')).toEqual([]);
  expect(await source.query('SELECT FROM pg_event_trigger')).toEqual([]);
  expect(await target.query('SELECT key FROM tidelock.routes')).toEqual([{ key: 'other/stays' }]);
  const journal = await file.tidelock('journal', '--json');
  expect((JSON.parse(journal.out) as { journal: object[] }).journal).toMatchObject([
    { action: 'drop orphan', route: 'lost', result: 'done' },
    { action: 'drop orphan', route: 'here-to-there', result: 'done', reason: 'tidied', via: 'cli', code: null },
  ]);
  expect(await file.tidelock('drop', '--orphans')).toMatchObject({ code: 0, err: 'nothing is left behind\n' });

  await target.query('TRUNCATE t');
  await using again = file.run();
  await again.state('running', 30_000, 'elsewhere');
  await again.stop();
  expect(await file.tidelock('drop', '--unreachable', 'there', '--yes')).toMatchObject({
    code: 2,
    err: expect.stringContaining('TL-4137'),
  });
  await there.stop('immediate');
  // Another one is down, too: the other side of one of its routes, and the only other target that there is.
  const more =
    '  before: { from: gone, to: there, tables: [public.a] }\n  to-gone: { from: here, to: gone, tables: [public.a] }';
  file.write({ 'tidelock.yaml': plain.replace('\nroutes:', `\n${gone}\nroutes:\n${more}`) });
  const forgotten = await file.tidelock('drop', '--unreachable', 'there', '--yes');
  expect(forgotten).toMatchObject({ code: 2, out: expect.stringContaining('elsewhere at here: dropped') });
  expect(forgotten.err.match(/^TL-5001 .*gone/gm)).toHaveLength(1);
  expect(forgotten.out).not.toMatch(/before|to-gone/);
  expect(forgotten.out).toContain(`DELETE FROM tidelock.routes WHERE key = 'test/elsewhere'`);
  expect(forgotten.out).toContain('The journal went with the node');
  expect(await source.query(`SELECT FROM pg_replication_slots WHERE slot_name LIKE 'test%'`)).toEqual([]);
  expect(await source.query('SELECT FROM pg_publication')).toEqual([]);
});
