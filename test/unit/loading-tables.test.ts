import { expect, test } from 'vitest';
import { ABSENT, type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { Change } from '../../src/core/change.ts';
import type { Position } from '../../src/core/position.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { LoadingTables, type Treatment } from '../../src/pipeline/loading-tables.ts';

const table = {
  schema: 'public',
  name: 'item',
  columns: ['id', 'v'].map((name, at) => ({ name, type: 'pg_catalog.text', modifier: -1, key: at === 0 })),
  identity: 'default',
} as TableVersion;

interface How extends Partial<Treatment> {
  readonly isEmptying?: boolean;
  readonly isWhole?: boolean;
}

function passed(change: Change, { isEmptying = true, isWhole = false, dropped = new Set(), kept = null }: How = {}) {
  const again: (readonly string[])[] = [];
  const loading = new LoadingTables();
  loading.set('public.item', {
    key: ['id'],
    treatment: () => ({ dropped, kept }),
    isEmptying: () => isEmptying,
    isWhole,
    isLoaded: (_: TableVersion, row: Row) => (row[0] === ABSENT ? null : Number(row[0]) < 100),
    onAgain: (key) => again.push(key),
  });
  const commit = { position: '0/1' as unknown as Position, atMs: 0, id: '1' };
  const part: TransactionPart = { id: '1', origin: [], changes: [change], rows: 1, bytes: 0, commit, urgency: 'ride' };
  const { changes, rows } = loading.pass(part);
  expect(rows).toBe(changes.length);
  return { changes: changes.map((one) => ({ ...one, table: undefined })), again };
}

const insert = (...after: Row): Change => ({ kind: 'insert', table, after: [...after] });
const update = (before: Row | null, after: Row): Change => ({ kind: 'update', table, before, after });
const gone = (id: string) => ({ kind: 'delete', table: undefined, before: [id, ABSENT], replaced: true });
const kept = { kept: {} };
const without = (...operations: ('insert' | 'update' | 'delete')[]): How => ({ dropped: new Set(operations) });
const come = (id: string, v: string) => ({ kind: 'insert', table: undefined, after: [id, v] });

test('while old rows go, what comes for the part that is loaded is left out, and the rest goes on', () => {
  const nothing = { changes: [], again: [] };
  expect(passed(insert('1', 'a'))).toEqual(nothing);
  const left: Change[] = [
    { kind: 'delete', table, before: ['1', ABSENT] },
    update(null, ['1', UNCHANGED]),
    update(['1', ABSENT], ['2', UNCHANGED]),
  ];
  for (const change of left) {
    // Its old row may have what another one outside of the part is given next.
    for (const how of [{}, kept, without('delete'), without('insert', 'update', 'delete')])
      expect(passed(change, how)).toEqual({ changes: [gone('1')], again: [] });
  }
  for (const change of [insert('100', 'a'), update(null, ['100', 'b'])]) {
    expect(passed(change).changes).toEqual([{ ...change, table: undefined }]);
    expect(passed(change, { isEmptying: false }).changes).toEqual([{ ...change, table: undefined }]);
  }
  expect(passed(insert('1', 'a'), { isEmptying: false }).changes).toEqual([come('1', 'a')]);
});

test('a row whose key enters or leaves the part while old rows go is where it belongs in the end', () => {
  // It is read with the part; the one that was there goes.
  expect(passed(update(['100', ABSENT], ['1', 'a']))).toEqual({ changes: [gone('100')], again: [] });
  expect(passed(update(['1', ABSENT], ['100', 'a']))).toEqual({ changes: [gone('1'), come('100', 'a')], again: [] });
  // What the target has of it is of an old row.
  expect(passed(update(['1', ABSENT], ['100', UNCHANGED]))).toEqual({ changes: [gone('1')], again: [['100']] });
});

test('it is where the route would have it that leaves operations out or keeps rows', () => {
  const enters = update(['100', ABSENT], ['1', 'a']);
  const leaves = update(['1', ABSENT], ['100', 'a']);
  // What is not of the part stays as the route has it: kept, marked, or not touched.
  expect(passed(enters, kept).changes).toEqual([{ kind: 'delete', table: undefined, before: ['100', ABSENT] }]);
  expect(passed(enters, without('update')).changes).toEqual([]);
  expect(passed(enters, without('delete')).changes).toEqual([gone('100')]);
  expect(passed(leaves, kept)).toEqual({ changes: [gone('1'), come('100', 'a')], again: [] });
  expect(passed(leaves, without('update'))).toEqual({ changes: [gone('1')], again: [] });
  // As an update it would have come.
  expect(passed(leaves, without('insert'))).toEqual({ changes: [gone('1')], again: [['100']] });
});

test('a key of bytes is one key in each image, and is read again by its bytes', () => {
  const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');
  const apart = { isEmptying: false };
  const kept = update([bytes('00ff'), 'a'], [bytes('00ff'), 'b']);
  expect(passed(kept, apart)).toEqual({ changes: [{ ...kept, table: undefined }], again: [] });
  const moved = update([bytes('00ff'), 'a'], [bytes('01fe'), 'b']);
  expect(passed(moved, { ...apart, ...without('insert') }).again).toEqual([['\\x01fe']]);
});

test('a TRUNCATE at the source marks no old row that is to go', () => {
  const other = { ...table, name: 'other' };
  const truncate = (...tables: TableVersion[]): Change => ({ kind: 'truncate', tables, restartIdentity: false });
  const marking = { ...kept, isWhole: true };
  expect(passed(truncate(table), marking).changes).toEqual([]);
  expect(passed(truncate(table, other), marking).changes).toEqual([{ ...truncate(other), table: undefined }]);
  // Of a part the others are to be marked; where nothing is kept, all go at once.
  for (const how of [{ ...kept }, { isWhole: true }, { ...marking, isEmptying: false }])
    expect(passed(truncate(table), how).changes).toEqual([{ ...truncate(table), table: undefined }]);
});

test('a row that only all of its values tell goes and comes with each update; where the log lacks some the target is to refuse it', () => {
  const loading = new LoadingTables();
  let truncated = 0;
  let isLeft = false;
  loading.set('public.item', {
    key: [],
    treatment: () => ({ dropped: new Set(), kept: null }),
    isEmptying: () => false,
    isWhole: true,
    isLoaded: () => true,
    onAgain: () => {},
    onTruncate: () => truncated++,
    isLeft: () => isLeft,
  });
  const pass = (change: Change, rows = 1) => {
    const commit = { position: '0/1' as unknown as Position, atMs: 0, id: '1' };
    const part: TransactionPart = { id: '1', origin: [], changes: [change], rows, bytes: 0, commit, urgency: 'ride' };
    return loading.pass(part).changes.map((one) => ({ ...one, table: undefined }));
  };
  expect(pass(update(['1', 'large'], ['2', UNCHANGED]))).toEqual([
    { kind: 'delete', before: ['1', 'large'] },
    { kind: 'insert', after: ['2', 'large'] },
  ]);
  const lacking = { kind: 'update', before: ['1', ABSENT], after: ['2', 'x'] };
  expect(pass(update(['1', ABSENT], ['2', 'x']))).toEqual([lacking]);
  expect(truncated).toBe(0);
  pass({ kind: 'truncate', tables: [table] } as Change, 0);
  expect(truncated).toBe(1);
  // What the target has of it goes before it is read anew.
  isLeft = true;
  const goes: Change = { kind: 'delete', table, before: ['1', 'x'] };
  for (const change of [insert('1', 'x'), update(['1', 'x'], ['2', 'x']), goes]) expect(pass(change)).toEqual([]);
});
