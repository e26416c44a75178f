import { beforeEach, expect, test } from 'vitest';
import { mysqlTypes } from '../../connectors/mysql/types/mysql-types.ts';
import { postgresTypes } from '../../connectors/postgres/types/postgres-types.ts';
import type { Claim } from '../../connectors/sql/parking/claim-set.ts';
import { Parking } from '../../connectors/sql/parking/parking.ts';
import type { ParkingStore, ParkWhy } from '../../connectors/sql/parking/parking-store.ts';
import { type KeyColumns, TableClaims } from '../../connectors/sql/parking/table-claims.ts';
import type { Row } from '../../src/core/cell.ts';
import type { Change } from '../../src/core/change.ts';
import type { Position } from '../../src/core/position.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { Bridge } from '../../src/pipeline/bridge/bridge.ts';

const text = 'varchar(20) collate utf8mb4_0900_bin';
const table: TableVersion = {
  schema: 'shop',
  name: 'item',
  identity: 'default',
  columns: [
    { name: 'id', type: 'int', modifier: -1, key: true },
    { name: 'code', type: text, modifier: -1, key: false },
    { name: 'parent', type: 'int', modifier: -1, key: false },
    { name: 'made', type: 'datetime', modifier: -1, key: false },
  ],
};
const there = [
  { name: 'id', type: 'pg_catalog.int4', modifier: -1 },
  { name: 'code', type: 'pg_catalog.text', modifier: -1 },
  { name: 'parent', type: 'pg_catalog.int4', modifier: -1 },
  { name: 'made', type: 'pg_catalog.timestamp', modifier: -1 },
];
const keys = {
  name: 'shop.item',
  unique: [{ columns: ['code'], nullsDistinct: true, hasExpressions: false }],
  foreign: [{ columns: ['parent'], parent: 'shop.item', parentColumns: ['id'], parentTypes: ['pg_catalog.int4'] }],
  referenced: [['id']],
  hasExclusion: false,
};
const columns: KeyColumns = {
  indexOf: (name) => there.findIndex((column) => column.name === name),
  normaliser: () => (value) => value,
  isComparable: () => true,
  unlogged: 'fetched',
};
const why: ParkWhy = { cause: 'error', code: 'TL-4602', message: '', remedy: '', reason: null, askedBy: null };

let bridge: Bridge;
beforeEach(async () => {
  bridge = new Bridge({
    ...{ route: 'r', from: mysqlTypes, to: postgresTypes, conversions: {} },
    columns: async () => there,
  });
  await bridge.look([table]);
});

let transactions = 0;
function part(...changes: Change[]): TransactionPart {
  const commit = { position: `p${++transactions}`, at: 0 } as unknown as TransactionPart['commit'];
  return bridge.part({ id: `${transactions}`, origin: [], changes, rows: 1, bytes: 1, commit, urgency: 'ride' });
}

const insert = (...after: Row): Change => ({ kind: 'insert', table, after });
const update = (...after: Row): Change => ({ kind: 'update', table, before: null, after });
const remove = (...before: Row): Change => ({ kind: 'delete', table, before });

/** Sets a transaction aside beside these rows of the target, and tells which of later ones are free. */
async function parkedBy(changes: readonly Change[], rows: Readonly<Record<string, Row>> = {}) {
  const claimed: Claim[] = [];
  const store = {
    ...{ begin: async () => '1', addPart: async () => {}, finish: async () => {} },
    addClaims: async (_: string, claims: readonly Claim[]) => void claimed.push(...claims),
  } as unknown as ParkingStore;
  const plan = (of: TableVersion) => ({ label: 'shop.item', source: of, keyIndexes: [0] });
  const plans = new Map<TableVersion, ReturnType<typeof plan>>();
  const plansOf = {
    get: (of: TableVersion) => {
      const known = plans.get(of) ?? plan(of);
      plans.set(of, known);
      return known;
    },
  };
  const parking = new Parking({
    ...{ store, route: 'r', order: { covers: () => true } as never },
    tables: {
      claims: async (all) => new Map(all.map((one) => [one, new TableClaims(one, keys, columns)])),
      oldRows: async () => (change) =>
        change.kind === 'insert'
          ? undefined
          : (rows[String((change.kind === 'delete' ? change.before : change.after)[0])] ?? null),
    },
  });
  const made = part(...changes);
  await parking.write([made], why, plansOf);
  parking.committed('p' as Position);
  return {
    unmapped: made.unmapped?.code ?? null,
    isFree: async (...later: Change[]) => (await parking.verdict([part(...later)], plansOf)) === null,
  };
}

test('a row with a value that has no form is set aside by its keys: other rows of its table go on', async () => {
  const parked = await parkedBy([insert('5', 'a', '1', '0000-00-00 00:00:00')]);
  expect(parked.unmapped).toBe('TL-4602');
  expect(await parked.isFree(insert('6', 'b', '2', null), update('7', 'c', null, null))).toBe(true);
  // The row itself, its unique value, the row that it points to and rows that point to it.
  expect(await parked.isFree(update('5', 'a', '1', null))).toBe(false);
  expect(await parked.isFree(insert('6', 'a', null, null))).toBe(false);
  expect(await parked.isFree(remove('1', 'x', null, null))).toBe(false);
  expect(await parked.isFree(insert('6', 'b', '5', null))).toBe(false);
  // Others without a form, by their keys, too.
  expect(await parked.isFree(insert('6', 'b', null, '0000-00-00 00:00:00'))).toBe(true);
  expect(await parked.isFree(update('5', 'b', null, '0000-00-00 00:00:00'))).toBe(false);
});

test.each([
  ['a unique value', insert('5', 'a\0', null, null)],
  ['beside others', insert('5', 'a\0', null, '0000-00-00 00:00:00')],
])('where it is in a key all rows of its table wait: %s', async (_, change) => {
  const parked = await parkedBy([change]);
  expect(await parked.isFree(insert('6', 'b', null, null))).toBe(false);
  expect(await parked.isFree(remove('9', 'z', null, null))).toBe(false);
  const other = await parkedBy([insert('1', 'b', null, null)]);
  expect(await other.isFree(change)).toBe(false);
});

test('its old values are read at the target; where the row is not there nobody can tell, and all rows wait', async () => {
  const change = update('5', 'new', null, '0000-00-00 00:00:00');
  const known = await parkedBy([change], { 5: ['5', 'old', '3', null] });
  expect(await known.isFree(insert('6', 'b', null, null))).toBe(true);
  expect(await known.isFree(insert('6', 'old', null, null))).toBe(false);
  expect(await known.isFree(remove('3', 'x', null, null))).toBe(false);
  const missing = await parkedBy([change]);
  expect(await missing.isFree(insert('6', 'b', null, null))).toBe(false);
});
