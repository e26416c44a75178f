import { expect, test } from 'vitest';
import { slotOf } from '../../connectors/postgres/source/slot.ts';
import { judgeRoom } from '../../src/core/queue-room.ts';

/** As pg_replication_slots has it, beside max_slot_wal_keep_size as pg_size_bytes() gives it. */
const room = (wal_status: string, safe_wal_size: number | null, keepSize: string) =>
  slotOf({
    slot: { slot_name: 's', active: false, confirmed_flush_lsn: '0/1', wal_status, safe_wal_size },
    keepSize,
    retained: '5',
  }).room;

test.for([
  // Without a limit the server keeps all.
  ['extended', null, '-1', null],
  ['reserved', 1_000, '1000', { leftBytes: 1_000, limitBytes: 1_000 }],
  ['extended', 200, '1000', { leftBytes: 200, limitBytes: 1_000 }],
  ['extended', -1, '1000', { leftBytes: 0, limitBytes: 1_000 }],
  ['unreserved', -16_000, '1000', { leftBytes: 0, limitBytes: 1_000 }],
  // The limit counts in whole files of WAL: some of it may seem to be left.
  ['unreserved', 300, '1000', { leftBytes: 0, limitBytes: 1_000 }],
  ['unreserved', null, '-1', { leftBytes: 0, limitBytes: null }],
  // It is told as lost.
  ['lost', null, '1000', null],
  ['lost', 5, '1000', null],
] as const)('wal_status %s with %s bytes left of %s', ([status, left, keepSize, expected]) => {
  expect(room(status, left, keepSize)).toEqual(expected);
});

test('the last fifth is worth a warning, and its end is critical', () => {
  const level = (leftBytes: number, limitBytes: number | null = 1_000) => judgeRoom({ leftBytes, limitBytes });
  expect([201, 200, 1, 0].map((left) => level(left))).toEqual([null, 'warning', 'warning', 'critical']);
  expect([level(1, null), level(0, null), judgeRoom(null)]).toEqual([null, 'critical', null]);
});
