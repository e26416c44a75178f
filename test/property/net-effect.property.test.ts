import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planTable, type TablePlan } from '../../connectors/postgres/target/table-plan.ts';
import type { TargetColumn, TargetIndex, TargetTable } from '../../connectors/postgres/target/target-table.ts';
import { NetEffect, type NetTable } from '../../connectors/sql/apply/net-effect.ts';
import { type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { RowChange } from '../../src/core/change.ts';
import { PackedInserts } from '../../src/core/packed-inserts.ts';
import { PackedInsert, PackedUpdate } from '../../src/core/packed-row.ts';
import type { TableVersion } from '../../src/core/table.ts';
import { packed } from '../support/packed.ts';

function column(name: string, type: string): TargetColumn {
  return {
    name,
    type,
    typeSql: type,
    modifier: -1,
    baseType: type,
    baseKind: 'b',
    unnestable: true,
    element: null,
    hasTextCast: false,
    collation: null,
    notNull: false,
    generated: false,
    identity: '',
    hasDefault: false,
    deterministic: true,
  };
}

const amountKey: TargetIndex = {
  name: 't_pkey',
  columns: ['amount'],
  equals: ['='],
  primary: true,
  deferrable: false,
  partial: false,
  predicate: null,
  hasExpressions: false,
  allNotNull: true,
  folded: false,
};

/** (amount numeric primary key, label text, big text); or without the key, of which all is logged. */
function plan(oid = 1, isKeyed = true, keyType = 'pg_catalog.numeric'): TablePlan {
  const columns = [column('amount', keyType), column('label', 'pg_catalog.text'), column('big', 'pg_catalog.text')];
  const source: TableVersion = {
    schema: 'public',
    name: 't',
    identity: isKeyed ? 'default' : 'full',
    columns: columns.map(({ name, type }) => ({ name, type, modifier: -1, key: isKeyed && name === 'amount' })),
  };
  const target: TargetTable = {
    oid,
    schema: 'public',
    name: 't',
    kind: 'r',
    columns,
    uniqueIndexes: isKeyed ? [amountKey] : [],
    hasDeferrableUnique: false,
    deferrableConstraints: [],
    references: [],
    referencesItself: false,
    cascades: [],
    ordinaryTriggers: [],
    replicaTriggers: [],
    rowSecurity: false,
    unkept: [],
  };
  return planTable(source, target, { name: 'r', collisions: { forTable: () => 'halt', checksOldValues: () => false } });
}

type Model = Map<number, Row>;

/** What a source would do: only changes that fit the state are generated. */
interface Step {
  readonly kind: 'insert' | 'update' | 'updateUnchanged' | 'delete' | 'move';
  readonly key: number;
  readonly to: number;
  readonly spelling: number;
  readonly label: string;
}

/** 1, 1.0 and 1.00 are one key to the server. */
const spell = (key: number, spelling: number): string => `${key}${['', '.0', '.00'][spelling]}`;

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom('insert', 'insert', 'update', 'updateUnchanged', 'delete', 'move'),
    key: fc.integer({ min: 0, max: 4 }),
    to: fc.integer({ min: 0, max: 4 }),
    spelling: fc.integer({ min: 0, max: 2 }),
    label: fc.string({ maxLength: 3 }),
  }),
  { maxLength: 40 },
);

/** Keeps what can happen from `state` on, as the queue would describe it, and brings the state along. */
function happen(table: TableVersion, state: Model, wanted: readonly Step[]): RowChange[] {
  const changes: RowChange[] = [];
  for (const { kind, key, to, spelling, label } of wanted) {
    const row = state.get(key);
    if (kind === 'insert') {
      if (row !== undefined) continue;
      const after: Row = [spell(key, spelling), label, `big ${label}`];
      state.set(key, after);
      changes.push({ kind, table, after: [...after] });
    } else if (row === undefined) {
    } else if (kind === 'delete') {
      state.delete(key);
      changes.push({ kind, table, before: [row[0] as string, null, null] });
    } else if (kind === 'move') {
      if (key !== to && state.has(to)) continue;
      const after: Row = [spell(to, spelling), label, row[2] as string];
      state.delete(key);
      state.set(to, after);
      changes.push({
        kind: 'update',
        table,
        before: [row[0] as string, null, null],
        after: [after[0] as string, label, UNCHANGED],
      });
    } else {
      const after: Row = [row[0] as string, label, kind === 'update' ? `big ${label}` : (row[2] as string)];
      state.set(key, after);
      changes.push({
        kind: 'update',
        table,
        before: null,
        after: kind === 'update' ? [...after] : [row[0] as string, label, UNCHANGED],
      });
    }
  }
  return changes;
}

/** As the source gives whole rows that nobody has looked into. */
function asItCame(change: RowChange): RowChange {
  if (change.kind === 'delete') return change;
  const { table, after } = change;
  if (change.kind === 'insert') return new PackedInsert(table, packed(after as string[]));
  if (change.before !== null || after.includes(UNCHANGED)) return change;
  return new PackedUpdate(table, packed(after as string[]));
}

const flags = fc.array(fc.boolean(), { minLength: 1 });

/** The new rows from there on that nobody has looked into, together; null of none. */
function newRowsAt(changes: readonly RowChange[], at: number): PackedInserts | null {
  const end = changes.findIndex((change, place) => place >= at && !(change instanceof PackedInsert));
  const found = changes.slice(at, end < 0 ? changes.length : end);
  if (found.length === 0) return null;
  const inserts = new PackedInserts(found[0]?.table as TableVersion);
  for (const insert of found) inserts.add(insert as PackedInsert);
  return inserts;
}

const allOf = ({ added, packed: inserts, changes }: NetTable<TablePlan>): RowChange[] => [
  ...added,
  ...inserts.flatMap((each) => each.changes()),
  ...changes.values(),
];

const told = (change: RowChange): string =>
  JSON.stringify(
    [change.kind, change.kind === 'insert' ? null : change.before, change.kind === 'delete' ? null : change.after],
    (_, value) => (value === UNCHANGED ? 'U' : value),
  );

/** The target: applies one change by itself. Throws where the row is not as the change says. */
function apply(state: Model, change: RowChange): void {
  const number = (row: Row): number => Number(row[0]);
  if (change.kind === 'insert') {
    if (state.has(number(change.after))) throw new Error('insert finds a row');
    state.set(number(change.after), change.after);
    return;
  }
  const old = number(change.before ?? (change as RowChange & { kind: 'update' }).after);
  const row = state.get(old);
  if (row === undefined) throw new Error(`${change.kind} finds no row`);
  state.delete(old);
  if (change.kind === 'delete') return;
  if (state.has(number(change.after))) throw new Error('update meets a row');
  state.set(
    number(change.after),
    change.after.map((cell, i) => (cell === UNCHANGED ? (row[i] ?? null) : cell)),
  );
}

test('the net effect of any changes ends as one by one, and leaves the changes as they were', () => {
  fc.assert(
    fc.property(steps, steps, flags, flags, (before, during, arePacked, areTogether) => {
      const table = plan();
      const state: Model = new Map();
      const target: Model = new Map();
      for (const change of happen(table.source, state, before)) apply(target, change);
      const happened = happen(table.source, state, during);
      const originals = happened.map(told);
      const changes = happened.map((change, at) => (arePacked[at % arePacked.length] ? asItCame(change) : change));
      const net = new NetEffect<TablePlan>();
      const flush = (): void => {
        const rows = net.drain().flatMap(allOf);
        // In any order between rows: deletes first frees what inserts take.
        for (const kind of ['delete', 'update', 'insert'])
          for (const change of rows) if (change.kind === kind) apply(target, change);
      };
      for (let at = 0; at < changes.length; at++) {
        const together = areTogether[at % areTogether.length] ? newRowsAt(changes, at) : null;
        if (together !== null && net.offerPacked(table, together)) {
          at += together.rows - 1;
          continue;
        }
        const change = changes[at] as RowChange;
        if (net.offer(table, change) === 'taken') continue;
        flush();
        apply(target, change);
      }
      flush();
      const text = (model: Model) => [...model].sort(([a], [b]) => a - b).map(([, row]) => row);
      expect(text(target)).toEqual(text(state));
      expect(changes.map(told)).toEqual(originals);
    }),
    { numRuns: 3_000 },
  );
});

test('many changes of one row become one', () => {
  const table = plan();
  const net = new NetEffect<TablePlan>();
  net.offer(table, { kind: 'insert', table: table.source, after: ['1', 'a', 'b'] });
  for (const key of ['1.0', '1.00', '1'])
    expect(net.offer(table, { kind: 'update', table: table.source, before: null, after: [key, key, UNCHANGED] })).toBe(
      'taken',
    );
  const drained = net.drain();
  expect(drained).toHaveLength(1);
  expect([...(drained[0]?.changes.values() ?? [])]).toEqual([
    { kind: 'insert', table: table.source, after: ['1', '1', 'b'] },
  ]);
});

test('rows without a key are added together, whatever becomes of other tables; all else on them waits for nobody else', () => {
  const [keyed, loose] = [plan(1), plan(2, false)];
  const net = new NetEffect<TablePlan>();
  const row = (amount: string): Row => [amount, 'a', 'b'];
  for (const amount of ['1', '1', '2']) {
    net.offer(keyed, { kind: 'update', table: keyed.source, before: null, after: row(amount) });
    expect(net.offer(loose, { kind: 'insert', table: loose.source, after: row(amount) })).toBe('taken');
  }
  expect(net.offer(loose, { kind: 'delete', table: loose.source, before: row('1') })).toBe('barrier');
  expect(
    net.drain(({ target }) => target.oid === loose.target.oid).map(({ added }) => added.map(({ after }) => after)),
  ).toEqual([[row('1'), row('1'), row('2')]]);
  expect(net.drain().map(({ changes }) => changes.size)).toEqual([2]);
});

test('new rows alone are left to the server, also two of one key; with anything else they are told apart', () => {
  const table = plan();
  const net = new NetEffect<TablePlan>();
  const insert = (amount: string): RowChange =>
    asItCame({ kind: 'insert', table: table.source, after: [amount, 'a', 'b'] });
  const offer = (...amounts: string[]) => amounts.map((amount) => net.offer(table, insert(amount)));
  expect(offer('1', '2', '1.0')).toEqual(['taken', 'taken', 'taken']);
  const update: RowChange = { kind: 'update', table: table.source, before: null, after: ['2', 'c', UNCHANGED] };
  expect(net.offer(table, update)).toBe('barrier');
  expect(net.drain().map(({ added, changes }) => [added.length, changes.size])).toEqual([[3, 0]]);
  expect(offer('1', '2')).toEqual(['taken', 'taken']);
  expect(net.offer(table, update)).toBe('taken');
  expect(offer('1.0', '3')).toEqual(['barrier', 'taken']);
  expect(net.drain().map(({ added, changes }) => [added.length, changes.size])).toEqual([[0, 3]]);
});

test('of rows that came whole the last stands for all, and none is looked into', () => {
  const table = plan(1, true, 'pg_catalog.int4');
  const net = new NetEffect<TablePlan>();
  const whole = (label: string) =>
    asItCame({ kind: 'update', table: table.source, before: null, after: ['7', label, ''] });
  const updates = ['a', 'b', 'c'].map(whole);
  for (const update of updates) expect(net.offer(table, update)).toBe('taken');
  expect([...(net.drain()[0]?.changes.entries() ?? [])]).toEqual([[7, updates[2]]]);
  expect(updates.map((update) => (update as PackedUpdate).isPacked)).toEqual([true, true, true]);
});
