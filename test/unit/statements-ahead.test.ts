import { expect, test } from 'vitest';
import type { StatementSink } from '../../connectors/postgres/target/batch.ts';
import type { TextBytes } from '../../connectors/postgres/target/message-writer.ts';
import type { PreparedGroup } from '../../connectors/postgres/target/prepared-group.ts';
import { StatementsAhead } from '../../connectors/postgres/target/statements-ahead.ts';
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
  hasRules: false,
  label: 'public.t',
  target: { oid: 1, hasDeferrableUnique: false },
  insert: { name: 'insert', text: 'insert', parameters: [{ image: 'new', index: 0, form: 'plain' }] },
} as unknown as TablePlan;

interface State {
  generation: number;
  areMade: boolean;
  hasRules?: boolean;
}

const ruled = { ...plan, hasRules: true };

function plansOf(state: State): TablePlans {
  return {
    get: () => (state.hasRules ? ruled : plan),
    get generation() {
      return state.generation;
    },
    areMade: () => state.areMade,
  } as unknown as TablePlans;
}

function part(id: number, changes: Change[], isEnd = true): TransactionPart {
  const commit = isEnd ? { position: `0/${id}` as Position, atMs: id, id: String(id) } : null;
  return { id: String(id), origin: [], changes, rows: changes.length, bytes: 10, commit, urgency: 'ride' };
}

const insert = (value: string): Change => ({ kind: 'insert', table, after: [value] });

function aheadOf(state: State): StatementsAhead {
  return new StatementsAhead({
    plans: plansOf(state),
    replicaRole: true,
    isPartial: () => false,
    isOwing: () => false,
    mostBytes: 100,
  });
}

/** How the values would be sent. */
function sent(statements: PreparedGroup | null): unknown[] | null {
  const calls: unknown[] = [];
  const note = (how: string) => (query: { values?: (TextBytes | string)[] }) =>
    calls.push([how, ...(query.values ?? []).map((value) => (typeof value === 'string' ? value : `${value.bytes}`))]);
  const sink = { sendCounted: note('counted'), sendGuarded: note('guarded') } as unknown as StatementSink;
  statements?.sendTo(sink);
  return statements === null ? null : calls;
}

test('statements that are sent before others are answered are guarded', () => {
  const ahead = aheadOf({ generation: 1, areMade: true });
  const group = groupOf([part(2, [insert('1'), insert('2')]), part(3, [insert('3')])]);
  expect(sent(ahead.statements(group))).toEqual([['guarded', '{1,2,3}', '3']]);
});

test('nothing is made ready for which something has to be read, decided or waited for', () => {
  const state: State = { generation: 1, areMade: true };
  const ahead = aheadOf(state);
  const made = (...parts: TransactionPart[]): boolean =>
    ahead.isPlain(groupOf(parts), false) && ahead.statements(groupOf(parts)) !== null;
  const rows = part(1, [insert('1')]);
  expect(made(rows)).toBe(true);
  expect(made(part(1, []))).toBe(false);
  expect(made({ ...rows, bytes: 101 })).toBe(false);
  expect(made(rows, part(2, [{ kind: 'truncate', tables: [table], restartIdentity: false }]))).toBe(false);
  expect(made({ ...rows, unmapped: { code: '', message: '', remedy: '', place: {} } })).toBe(false);
  expect(made({ ...rows, again: [] })).toBe(false);
  // A cell that can't be bound halts in its own turn.
  expect(made(part(1, [{ kind: 'insert', table, after: [] }]))).toBe(false);
  state.hasRules = true;
  expect(made(rows)).toBe(false);
  state.hasRules = false;
  state.areMade = false;
  expect(made(rows)).toBe(false);
});
