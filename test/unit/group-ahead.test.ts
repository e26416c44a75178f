import { expect, test } from 'vitest';
import type { StatementSink } from '../../connectors/postgres/target/batch.ts';
import { GroupAhead } from '../../connectors/postgres/target/group-ahead.ts';
import type { TextBytes } from '../../connectors/postgres/target/message-writer.ts';
import type { TablePlan } from '../../connectors/postgres/target/table-plan.ts';
import type { TablePlans } from '../../connectors/postgres/target/table-plans.ts';
import { groupOf } from '../../connectors/sql/apply/group.ts';
import type { Change } from '../../src/core/change.ts';
import type { Position } from '../../src/core/position.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';

const table: TableVersion = { schema: 'public', name: 't', identity: 'full', columns: [] };
const plan = {
  readKey: null,
  insertsMany: true,
  copy: null,
  label: 'public.t',
  target: { oid: 1, hasDeferrableUnique: false },
  insert: { name: 'insert', text: 'insert', parameters: [{ image: 'new', index: 0, form: 'plain' }] },
} as unknown as TablePlan;

function part(id: number, changes: Change[]): TransactionPart {
  const commit = { position: `0/${id}` as Position, atMs: id, id: String(id) };
  return { id: String(id), origin: [], changes, rows: changes.length, bytes: 10, commit, urgency: 'ride' };
}

const insert = (value: string): Change => ({ kind: 'insert', table, after: [value] });

const before = groupOf([part(1, [insert('0')])]);
const beforeInParts = groupOf([{ ...part(1, [insert('0')]), commit: null }]);

function ahead(state: { generation: number; areMade: boolean }): GroupAhead {
  const plans = {
    get: () => plan,
    get generation() {
      return state.generation;
    },
    areMade: () => state.areMade,
  } as unknown as TablePlans;
  return new GroupAhead({ plans, replicaRole: true, isPartial: () => false, mostBytes: 100 });
}

/** The values that would be sent. */
function sent(one: GroupAhead, group: ReturnType<typeof groupOf>): unknown[] | null {
  const values: unknown[] = [];
  const sink = {
    sendCounted: (query: { values?: TextBytes[] }) =>
      values.push(...(query.values ?? []).map(({ bytes }) => `${bytes}`)),
  } as unknown as StatementSink;
  const statements = one.take(group);
  statements?.sendTo(sink);
  return statements === null ? null : values;
}

test('what was made ready is sent for that very group, once, and not when a plan has changed since', () => {
  const state = { generation: 1, areMade: true };
  const one = ahead(state);
  const group = groupOf([part(2, [insert('1'), insert('2')]), part(3, [insert('3')])]);
  const make = (): void => {
    one.make(before, group);
  };
  make();
  expect(one.of(group.parts[0], false)).toBe(group);
  expect(sent(one, groupOf(group.parts))).toBeNull();
  expect(sent(one, group)).toEqual(['{1,2,3}']);
  expect(sent(one, group)).toBeNull();
  make();
  state.generation++;
  expect(sent(one, group)).toBeNull();
  make();
  expect(one.of(group.parts[1], false)).toBeNull();
  make();
  expect(one.of(group.parts[0], true)).toBeNull();
});

test('it comes behind a COMMIT of the group that it follows, and of no other', () => {
  const one = ahead({ generation: 1, areMade: true });
  const group = groupOf([part(2, [insert('1')])]);
  one.make(before, group);
  expect(one.after(groupOf(before.parts))).toBeNull();
  expect(one.after(before)).toBe(group);
  one.make(beforeInParts, group);
  expect(one.after(beforeInParts)).toBeNull();
  expect(one.of(group.parts[0], true)).toBe(group);
});

test('nothing is made ready for which something has to be read, decided or waited for', () => {
  const state = { generation: 1, areMade: true };
  const one = ahead(state);
  const made = (parts: TransactionPart[]): boolean => {
    const group = groupOf(parts);
    one.make(before, group);
    return one.of(parts[0], false) !== null;
  };
  const rows = part(1, [insert('1')]);
  expect(made([rows])).toBe(true);
  expect(made([part(1, [])])).toBe(false);
  expect(made([{ ...rows, bytes: 101 }])).toBe(false);
  expect(made([rows, part(2, [{ kind: 'truncate', tables: [table], restartIdentity: false }])])).toBe(false);
  expect(made([{ ...rows, unmapped: { code: '', message: '', remedy: '', place: {} } }])).toBe(false);
  // A cell that can't be bound halts in its own turn.
  expect(made([part(1, [{ kind: 'insert', table, after: [] }])])).toBe(false);
  state.areMade = false;
  expect(made([rows])).toBe(false);
});
