import { expect, test } from 'vitest';
import type { Change } from '../../src/core/change.ts';
import type { Position } from '../../src/core/position.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { operations, otherTables, stages, tableLimit, WorkMeter } from '../../src/core/work-meter.ts';

const table = (name: string): TableVersion => ({ schema: 'public', name, columns: [], identity: 'default' });

function part(changes: Change[]): TransactionPart {
  const commit = { position: '0/1' as Position, atMs: 0, id: '1' };
  return { id: '1', origin: [], changes, rows: changes.length, bytes: 0, commit, urgency: 'ride' };
}

const insert = (into: TableVersion): Change => ({ kind: 'insert', table: into, after: [] });

test('rows are counted by table and operation, over versions of the table, and told once', () => {
  const meter = new WorkMeter();
  const [a, b] = [table('a'), table('b')];
  const changes: Change[] = [
    insert(a),
    insert(b),
    insert(table('a')),
    { kind: 'update', table: a, before: null, after: [] },
    { kind: 'delete', table: a, before: [] },
    { kind: 'truncate', tables: [a, b], restartIdentity: false },
  ];
  meter.applied([part(changes)], 5);
  meter.loaded(b, 7);
  const counts = (text: string): number[] =>
    operations.map((name) => Number(new RegExp(`${name}=(\\d+)`).exec(text)?.[1] ?? 0));
  expect(meter.take().tables).toEqual([
    ['public.a', ...counts('insert=2 update=1 delete=1 truncate=1')],
    ['public.b', ...counts('insert=1 truncate=1 load=7')],
  ]);
  expect(meter.take().tables).toEqual([]);
  meter.applied([part([insert(b)])], 1);
  expect(meter.take().tables).toEqual([['public.b', ...counts('insert=1')]]);
});

test('group sizes fall below the first bound that holds them', () => {
  const meter = new WorkMeter();
  for (const rows of [0, 1, 2, 10, 11, 5_000, 10_001, 40_001]) meter.applied([], rows);
  expect(meter.take().groupSizes).toEqual([2, 2, 1, 0, 0, 0, 1, 0, 1, 0, 1]);
});

test('decoding is taken off the time in which the source is waited for, also where the wait ends later', () => {
  const meter = new WorkMeter();
  const times = (): Record<string, number> => {
    const { stageMs } = meter.take();
    return Object.fromEntries(stages.map((stage, at) => [stage, stageMs[at] ?? 0]).filter(([, ms]) => ms !== 0));
  };
  meter.spent('decode', 30);
  expect(times()).toEqual({ decode: 30 });
  meter.spent('read', 100);
  meter.spent('decode', 10);
  expect(times()).toEqual({ decode: 10, read: 60 });
  // A clock that is set back takes nothing off a total.
  meter.spent('apply', -5);
  expect(times()).toEqual({});
});

test('tables beyond the limit are counted together', () => {
  const meter = new WorkMeter();
  for (let at = 0; at < tableLimit; at++) meter.loaded(table(`t${at}`), 1);
  meter.take();
  meter.loaded(table('one-more'), 2);
  meter.loaded(table('and-another'), 3);
  meter.loaded(table('t5'), 1);
  expect(meter.take().tables.map(([name, ...counts]) => [name, counts.at(-1)])).toEqual([
    ['public.t5', 1],
    [otherTables, 5],
  ]);
});
