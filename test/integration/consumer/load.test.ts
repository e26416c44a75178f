import { expect, test } from 'vitest';
import type { LoadedChunk } from '../../../src/core/load.ts';
import { contents } from '../../support/compare.ts';
import { twoServers } from '../../support/two-servers.ts';
import { stage } from './harness.ts';

const servers = twoServers();
const signal = new AbortController().signal;

/** The last of a load's chunks, whose rows are all there. */
const lastChunk: LoadedChunk = {
  source: 'public.item',
  sets: [],
  progress: { after: ['2'], ended: true, readAgain: [], rows: 2, bytes: 20, done: true },
  reserved: 0,
};

test('what rides behind the last chunk of a load finds its rows, or tells that they are missing', async () => {
  const schema = 'CREATE TABLE item (id int PRIMARY KEY, v int); CREATE TABLE mark (n int PRIMARY KEY)';
  await using on = await stage(servers.here, servers.there, { schema });
  await on.target.query(
    `INSERT INTO tidelock.loads (route_id, source, targets, existing, key, expected_rows, expected_bytes)
     SELECT id, 'public.item', '["public.item"]', 'refuse', '["id"]', 2, 20 FROM tidelock.routes`,
  );
  const consumer = await on.consumer();
  await on.source.query('INSERT INTO item VALUES (1, 0), (2, 0)');
  await consumer.apply(await on.capture(), signal);
  // Somebody else's doing.
  await on.target.query('DELETE FROM item WHERE id = 2');
  // While rows may be missing, this is no collision.
  await on.source.query('UPDATE item SET v = 1');
  await consumer.apply(await on.capture(), signal);

  await on.source.query('INSERT INTO mark VALUES (1)');
  const [mark] = (await on.capture()).filter(({ rows }) => rows > 0);
  if (mark === undefined) throw new Error('no part to carry the chunk');
  await on.source.query('UPDATE item SET v = 2 WHERE id = 2');
  const behind = await on.capture();
  const parts = [{ ...mark, changes: [], rows: 0, chunk: lastChunk }, ...behind];
  await expect(consumer.apply(parts, signal)).rejects.toMatchObject({ code: 'TL-2201' });
  expect(await contents(on.target, ['item'])).toEqual({ item: ['(1,1)'] });
});
