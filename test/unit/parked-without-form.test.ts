import { beforeEach, describe, expect, test } from 'vitest';
import { mysqlTypes } from '../../connectors/mysql/types/mysql-types.ts';
import { postgresTypes } from '../../connectors/postgres/types/postgres-types.ts';
import type { Group } from '../../connectors/sql/apply/group.ts';
import type { Claim } from '../../connectors/sql/parking/claim-set.ts';
import { ParkedRequests } from '../../connectors/sql/parking/parked-requests.ts';
import { ParkedWork } from '../../connectors/sql/parking/parked-work.ts';
import type { ParkedWorkStore, StoredRequest } from '../../connectors/sql/parking/parked-work-store.ts';
import { Parking } from '../../connectors/sql/parking/parking.ts';
import type { ParkedWhole, ParkingStore, ParkWhy } from '../../connectors/sql/parking/parking-store.ts';
import type { GroupApplier, SetAside } from '../../connectors/sql/parking/set-aside.ts';
import { type KeyColumns, TableClaims } from '../../connectors/sql/parking/table-claims.ts';
import type { Row } from '../../src/core/cell.ts';
import { type Change, isRowChange } from '../../src/core/change.ts';
import type { Consumer } from '../../src/core/consumer.ts';
import { targetErrors } from '../../src/core/errors/catalogue/target.ts';
import { fail, type TidelockError } from '../../src/core/errors/tidelock-error.ts';
import { silentLogger } from '../../src/core/logger.ts';
import type { Position } from '../../src/core/position.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { ConsumerOptions, Target } from '../../src/core/target.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { Bridge } from '../../src/pipeline/bridge/bridge.ts';
import { bridgedTarget } from '../../src/pipeline/bridge/bridged-target.ts';

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
  const commit = { position: `p${++transactions}` as Position, atMs: 0, id: '' };
  return bridge.part({ id: `${transactions}`, origin: [], changes, rows: 1, bytes: 1, commit, urgency: 'ride' });
}

const insert = (...after: Row): Change => ({ kind: 'insert', table, after });
const update = (...after: Row): Change => ({ kind: 'update', table, before: null, after });
const remove = (...before: Row): Change => ({ kind: 'delete', table, before });

interface Shelved {
  readonly part: TransactionPart;
  readonly changes: Buffer[];
  claims: Claim[];
  whole?: ParkedWhole;
}

/** What is parked, in memory, and what was asked about it. */
class Shelf {
  readonly shelved = new Map<number, Shelved>();
  readonly told: string[] = [];
  readonly asked: StoredRequest[] = [];
  #last = 0;

  /** Both stores of a connector. */
  get store(): ParkingStore & ParkedWorkStore {
    const { shelved, told, asked } = this;
    const at = (id: number | string): Shelved => shelved.get(Number(id)) as Shelved;
    const claims = (): Claim[] => [...shelved.values()].flatMap((one) => one.claims);
    const ids = (is: (one: Shelved) => boolean): number[] => [...shelved].flatMap(([id, one]) => (is(one) ? [id] : []));
    return {
      ...{ decision: async () => null, decide: async () => {}, voidDecision: async () => {} },
      ...{ useDecision: async () => {}, earlier: async () => [] },
      dropClaims: async (id, { resource, exclusive }) => {
        at(id).claims = at(id).claims.filter((one) => one.resource !== resource || one.exclusive !== exclusive);
      },
      count: async () => ({ count: shelved.size, since: null }),
      resources: async () => claims().map(({ resource, exclusive }) => ({ resource, exclusive, digests: 1 })),
      digests: async (resource, exclusive) =>
        claims().flatMap((one) => (one.resource === resource && one.exclusive === exclusive ? [one.digest] : [])),
      begin: async (part) => {
        shelved.set(++this.#last, { part, changes: [], claims: [] });
        return String(this.#last);
      },
      addPart: async (id, { changes }) => void at(id).changes.push(changes),
      addClaims: async (id, more) => void at(id).claims.push(...more),
      finish: async (id, whole) => {
        at(id).whole = whole;
      },
      requests: async () => [...asked],
      upTo: async (last) => ids(() => true).filter((id) => last === null || id <= last),
      claims: async (id) => at(id).claims,
      head: async (id) => {
        const { part, whole } = shelved.get(id) ?? {};
        if (part === undefined || whole === undefined) return null;
        return { id, transaction: part.id, commit: whole.commit, origin: [] };
      },
      parts: async (id) => at(id).changes.length,
      part: async (id, number) => at(id).changes[number] ?? null,
      incomplete: async () => ids(({ whole }) => whole?.incomplete === true),
      failed: async ({ id }, _, { code }) => void told.push(`${id} ${code}`),
      remove: async (id) => void shelved.delete(id),
      done: async () => void asked.shift(),
    };
  }
}

/** As a Consumer between vendors maps what was parked. */
async function mapOf(): Promise<ConsumerOptions['map']> {
  let map: ConsumerOptions['map'] | undefined;
  const target = {
    columns: async () => there,
    consumer: async (options: ConsumerOptions) => {
      map = options.map;
      return {} as Consumer;
    },
  } as unknown as Target;
  const options = { route: 'r', node: 'there', from: mysqlTypes, to: postgresTypes, conversions: {} };
  const bridged = bridgedTarget(target, options as unknown as Parameters<typeof bridgedTarget>[1]);
  await bridged.consumer({ map: async (changes: Change[]) => changes } as unknown as ConsumerOptions);
  if (map === undefined) throw new Error('no Consumer was opened');
  return map;
}

interface Asides {
  /** Of the target, by key. */
  readonly rows: Record<string, Row>;
  readonly told: readonly string[];
  /** What the worker does besides: to be thrown from. */
  prepare(parts: readonly TransactionPart[]): void;
  applied(): void;
  isRefused(change: Change): boolean;
  park(...changes: Change[]): Promise<TransactionPart>;
  isFree(...later: Change[]): Promise<boolean>;
  /** Without ids of all. */
  ask(action: 'retry' | 'discard', ...ids: number[]): Promise<void>;
  /** What was asked and is not done. */
  goOn(): Promise<void>;
  /** As the next engine does before it applies anything, and then `open`. */
  load(): Promise<void>;
  open(): Promise<void>;
}

/** Transactions that are set aside beside these rows of the target. */
async function asides(rows: Record<string, Row> = {}): Promise<Asides> {
  const shelf = new Shelf();
  const { store } = shelf;
  const plan = (of: TableVersion) => ({ label: 'shop.item', source: of, keyIndexes: [0] });
  const known = new Map<TableVersion, ReturnType<typeof plan>>();
  const plans = {
    get: (of: TableVersion) => {
      const made = known.get(of) ?? plan(of);
      known.set(of, made);
      return made;
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
  const parkedWork = new ParkedWork({ store, route: 'r', map: await mapOf() });
  const apply = async ({ parts, parked }: Group): Promise<void> => {
    for (const { changes } of parts)
      if (changes.some((change) => the.isRefused(change)))
        throw fail(targetErrors.columnMissing, { route: 'r', table: 'shop.item', column: 'code' });
    for (const { changes } of parts)
      for (const change of changes) if (change.kind === 'insert') rows[String(change.after[0])] = change.after;
    if (parked !== undefined) await parkedWork.unpark(parked);
    the.applied();
  };
  const requests = new ParkedRequests({
    ...{ logger: silentLogger, plans, parking, parkedWork },
    target: {
      ...{ open: false, applied: 'p' as Position, stayOpen: () => {} },
      ...{ run: (work) => work(), classify: (error) => error as TidelockError },
    },
    applier: { apply } as GroupApplier,
    aside: { rollBackAll: async () => {} } as SetAside<ReturnType<typeof plan>>,
    prepare: async (parts) => the.prepare(parts),
  });
  const the: Asides = {
    ...{ rows, told: shelf.told, prepare: () => {}, applied: () => {}, isRefused: () => false },
    park: async (...changes) => {
      const made = part(...changes);
      await parking.write([made], why, plans);
      parking.committed('p' as Position);
      return made;
    },
    isFree: async (...later) => (await parking.verdict([part(...later)], plans)) === null,
    ask: (action, ...ids) => {
      shelf.asked.push({ id: 1, action, ids: ids.length === 0 ? null : ids, withEarlier: false });
      return the.goOn();
    },
    load: () => parking.load('p' as Position),
    open: () => requests.takeUp(),
    goOn: () => requests.carryOut(new AbortController().signal),
  };
  return the;
}

/** One that is set aside, and which of later ones are free. */
async function parkedBy(changes: readonly Change[], rows: Record<string, Row> = {}) {
  const the = await asides(rows);
  const made = await the.park(...changes);
  return { unmapped: made.unmapped?.code ?? null, isFree: the.isFree };
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

const noForm = '0000-00-00 00:00:00';

describe('with the retry of the one before, rows come that a parked one changes', () => {
  /** The second has found no row to change, and has another that has no form. */
  async function two(): Promise<Asides> {
    const the = await asides();
    await the.park(insert('5', 'old', '3', null));
    await the.park(update('5', 'new', null, null), insert('6', 'six', null, noForm));
    return the;
  }

  test('it holds what they were, whatever else of it still has no form', async () => {
    const the = await two();
    await the.ask('retry', 1);
    expect(the.rows[5]?.slice(0, 2)).toEqual(['5', 'old']);
    expect(await the.isFree(insert('7', 'old', null, null))).toBe(false);
    expect(await the.isFree(remove('3', 'x', null, null))).toBe(false);
    expect(await the.isFree(insert('7', 'six', null, null))).toBe(false);
    expect(await the.isFree(insert('7', 'b', null, null))).toBe(true);
    expect(the.told).toEqual([]);
  });

  test('killed between the two, the old values are read when what was asked is taken up again', async () => {
    const the = await two();
    the.applied = () => {
      throw new Error('killed');
    };
    await expect(the.ask('retry', 1)).rejects.toThrow('killed');
    await the.goOn();
    expect(await the.isFree(insert('7', 'old', null, null))).toBe(false);
    expect(await the.isFree(insert('7', 'b', null, null))).toBe(true);
  });

  test('killed between the two, they are read before the next engine applies anything', async () => {
    const the = await two();
    the.applied = () => {
      throw new Error('killed');
    };
    await expect(the.ask('retry', 1)).rejects.toThrow('killed');
    await the.load();
    expect(await the.isFree(insert('7', 'old', null, null))).toBe(true);
    await the.open();
    expect(await the.isFree(insert('7', 'old', null, null))).toBe(false);
    expect(await the.isFree(insert('7', 'b', null, null))).toBe(true);
  });

  test.each([
    ['it is refused', []],
    ['nobody asked for it', [1, 3]],
  ])('those behind it are held against what it holds then, where %s', async (_, ids) => {
    const the = await two();
    await the.park(insert('7', 'old', null, null));
    await the.park(insert('8', 'eight', null, null));
    the.isRefused = (change) => change.kind === 'update';
    await the.ask('retry', ...ids, ...(ids.length > 0 ? [4] : []));
    expect(Object.keys(the.rows)).toEqual(['5', '8']);
  });

  test('of a table that is there no more nothing is held, and of the others all', async () => {
    const other: TableVersion = { ...table, name: 'other' };
    await bridge.look([table, other]);
    const the = await asides();
    await the.park(insert('5', 'old', null, null));
    await the.park(
      { kind: 'update', table: other, before: null, after: ['9', 'nine', null, null] },
      update('5', 'new', null, null),
    );
    the.prepare = (parts) => {
      if (parts.some(({ changes }) => changes.some((change) => isRowChange(change) && change.table.name === 'other')))
        throw fail(targetErrors.tableMissing, { route: 'r', table: 'shop.other' });
    };
    await the.ask('retry', 1);
    expect(await the.isFree(insert('7', 'old', null, null))).toBe(false);
    expect(await the.isFree(insert('7', 'b', null, null))).toBe(true);
    expect(the.told).toEqual([]);
  });

  test('where they can not be read that is told, and whatever comes waits until it is gone', async () => {
    const the = await two();
    the.prepare = (parts) => {
      // What is applied is the first one.
      if (parts.some(({ changes }) => changes.some(({ kind }) => kind === 'update')))
        throw fail(targetErrors.columnMissing, { route: 'r', table: 'shop.item', column: 'code' });
    };
    await the.ask('retry', 1);
    expect(the.told).toEqual(['2 TL-2405']);
    expect(await the.isFree(insert('7', 'b', null, null))).toBe(false);
    await the.park(insert('7', 'b', null, null));
    await the.ask('retry', 3);
    expect(the.rows[7]).toBe(undefined);
    await the.ask('discard', 2);
    expect(await the.isFree(insert('7', 'x', null, null))).toBe(false);
    expect(await the.isFree(insert('8', 'c', null, null))).toBe(true);
  });

  test('where they could not be read and can be now, only those wait that touch them', async () => {
    const the = await two();
    the.prepare = (parts) => {
      if (parts.some(({ changes }) => changes.some(({ kind }) => kind === 'update')))
        throw fail(targetErrors.columnMissing, { route: 'r', table: 'shop.item', column: 'code' });
    };
    await the.ask('retry', 1);
    await the.park(insert('7', 'b', null, null));
    await the.park(insert('8', 'old', null, null));
    the.prepare = () => {};
    await the.ask('retry', 3, 4);
    expect(Object.keys(the.rows)).toEqual(['5', '7']);
    expect(await the.isFree(insert('9', 'c', null, null))).toBe(true);
    expect(await the.isFree(insert('9', 'old', null, null))).toBe(false);
  });
});
