import { expect, test } from 'vitest';
import { LaneUse } from '../../connectors/postgres/target/lanes/lane-use.ts';
import { TableTouch } from '../../connectors/postgres/target/lanes/table-touch.ts';
import { TouchedKeys } from '../../connectors/postgres/target/lanes/touched-keys.ts';
import type { TablePlan } from '../../connectors/postgres/target/table-plan.ts';
import { readerOfParts } from '../../connectors/sql/apply/row-key.ts';
import type { TableKeys } from '../../connectors/sql/parking/table-keys.ts';
import { type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { RowChange } from '../../src/core/change.ts';
import { PackedInsert, PackedUpdate } from '../../src/core/packed-row.ts';
import type { TableVersion } from '../../src/core/table.ts';
import { packed } from '../support/packed.ts';

/** id, a unique name, and what it points to. */
const names = ['id', 'name', 'above'];
const table = {
  schema: 'public',
  name: 't',
  identity: 'default',
  columns: names.map((name) => ({ name, key: name === 'id' })),
} as unknown as TableVersion;

const column = (name: string) => ({
  name,
  baseType: name === 'name' ? 'pg_catalog.text' : 'pg_catalog.int4',
  baseKind: 'b',
  deterministic: true,
});

const target = {
  ordinaryTriggers: [],
  replicaTriggers: [],
  cascades: [],
  hasDeferrableUnique: false,
};

const readId = readerOfParts([{ index: 0, normalise: (text) => text }], true);

const plan = {
  source: table,
  target,
  columns: names.map((name, index) => ({ index, column: column(name) })),
  keyIndexes: [0],
  isKeyDeferrable: false,
  readKey: readId,
} as unknown as TablePlan;

const keys: TableKeys = {
  name: 'public.t',
  unique: [
    { columns: ['id'], nullsDistinct: true, hasExpressions: false },
    { columns: ['name'], nullsDistinct: true, hasExpressions: false },
  ],
  foreign: [{ columns: ['above'], parent: 'public.t', parentColumns: ['id'], parentTypes: ['pg_catalog.int4'] }],
  referenced: [['id']],
  hasExclusion: false,
};

function touchOf(replicaRole: boolean, changed: object = {}, known: Partial<TableKeys> = {}): TableTouch | null {
  return TableTouch.of({ plan: { ...plan, ...changed }, keys: { ...keys, ...known }, replicaRole });
}

const insert = (after: Row): RowChange => ({ kind: 'insert', table, after });
const update = (before: Row | null, after: Row): RowChange => ({ kind: 'update', table, before, after });
const remove = (before: Row): RowChange => ({ kind: 'delete', table, before });

/** What a group of these changes touches; null where that can't be told. */
function touched(changes: readonly RowChange[], replicaRole = true): TouchedKeys | null {
  const touch = touchOf(replicaRole);
  const all = new TouchedKeys();
  expect(touch?.begin(all)).toBe(true);
  return changes.every((change) => touch?.touch(change, all)) ? all : null;
}

function meet(earlier: readonly RowChange[], later: readonly RowChange[], replicaRole = true): boolean {
  const [first, second] = [touched(earlier, replicaRole), touched(later, replicaRole)];
  if (first === null || second === null) throw new Error('a change could not be read');
  return second.meets(first);
}

test('changes of one row meet, old key and new, also where nobody has looked into the row', () => {
  const packedOne = new PackedInsert(table, packed(['1', 'a', null]));
  const packedTwo = new PackedUpdate(table, packed(['2', 'b', null]));
  expect(meet([packedOne], [packedTwo])).toBe(false);
  expect(meet([packedOne], [remove(['1', 'x', null])])).toBe(true);
  expect(meet([insert(['1', 'a', null])], [packedOne])).toBe(true);
  expect(meet([update(['1', null, null], ['5', 'a', null])], [insert(['1', 'b', null])])).toBe(true);
  expect(meet([update(['1', null, null], ['5', 'a', null])], [packedTwo, insert(['5', 'c', null])])).toBe(true);
  // They stay as they came.
  expect([packedOne.isPacked, packedTwo.isPacked]).toEqual([true, true]);
});

test('changes of one unique value meet', () => {
  expect(meet([insert(['1', 'a', null])], [update(null, ['2', 'a', null])])).toBe(true);
  expect(meet([remove(['1', 'a', null])], [insert(['2', 'a', null])])).toBe(true);
  expect(meet([insert(['1', null, null])], [insert(['2', null, null])])).toBe(false);
});

test('a row that is pointed to meets those that point to it where it comes or goes, under the ordinary role only', () => {
  const parent = insert(['1', 'a', null]);
  const children = [insert(['7', 'b', '1']), insert(['8', 'c', '1'])];
  for (const replicaRole of [true, false]) {
    expect(meet([parent], [children[0] as RowChange], replicaRole)).toBe(!replicaRole);
    expect(meet(children, [remove(['1', 'a', null])], replicaRole)).toBe(!replicaRole);
    expect(meet([children[0] as RowChange], [children[1] as RowChange], replicaRole)).toBe(false);
    // Its other columns are nobody's reference.
    expect(meet([update(null, ['1', 'z', null])], children, replicaRole)).toBe(false);
  }
});

test('a change whose row is not told can be compared with nothing', () => {
  expect(touched([update(null, [UNCHANGED, 'a', null])])).toBeNull();
  const keyless = touchOf(true, { readKey: null, keyIndexes: [] });
  expect(keyless?.touch(insert(['1', 'a', null]), new TouchedKeys())).toBe(true);
  expect(keyless?.touch(remove(['1', 'a', null]), new TouchedKeys())).toBe(false);
});

test('rows that are named in two ways can not be compared', () => {
  const byName = touchOf(true, { keyIndexes: [1] });
  const [first, second] = [touched([insert(['1', 'a', null])]), new TouchedKeys()];
  expect(byName?.begin(second)).toBe(true);
  expect(first && second.meets(first)).toBe(true);
  expect(first && byName?.begin(first)).toBe(false);
});

test('tables of which the server may tell too late, or not at all, are barriers', () => {
  expect(touchOf(true)).not.toBeNull();
  expect(touchOf(true, { readKey: null })).toBeNull();
  expect(touchOf(true, { isKeyDeferrable: true })).toBeNull();
  expect(touchOf(true, { source: { ...table, kept: {} } })).toBeNull();
  expect(touchOf(true, {}, { hasExclusion: true })).toBeNull();
  expect(touchOf(true, { target: { ...target, hasDeferrableUnique: true } })).toBeNull();
  expect(touchOf(true, { target: { ...target, replicaTriggers: ['trigger x'] } })).toBeNull();
  expect(touchOf(true, { target: { ...target, ordinaryTriggers: ['trigger x'], cascades: ['x'] } })).not.toBeNull();
  expect(touchOf(false, { target: { ...target, ordinaryTriggers: ['trigger x'] } })).toBeNull();
  expect(touchOf(false, { target: { ...target, cascades: ['x'] } })).toBeNull();
});

test('lanes rest where groups meet again and again, and each time for longer where one was disturbed', () => {
  const use = new LaneUse();
  const rests = (): number => {
    let count = 0;
    while (!use.isWorthwhile()) count++;
    return count;
  };
  expect(rests()).toBe(0);
  for (let i = 0; i < 8; i++) use.met();
  expect(rests()).toBe(4);
  use.disturbed();
  expect(rests()).toBe(8);
  for (let i = 0; i < 7; i++) use.met();
  use.beside();
  use.met();
  expect(rests()).toBe(0);
  for (let i = 0; i < 31; i++) use.beside();
  use.disturbed();
  expect(rests()).toBe(4);
});
