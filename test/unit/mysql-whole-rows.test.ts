import { describe, expect, test } from 'vitest';
import { literalKind, parseType } from '../../connectors/mysql/target/column-kind.ts';
import type { SetOptions } from '../../connectors/mysql/target/set-apply.ts';
import { planTable, type TablePlan } from '../../connectors/mysql/target/table-plan.ts';
import type { TargetTable } from '../../connectors/mysql/target/target-table.ts';
import { movedRows, wholeStatements } from '../../connectors/mysql/target/whole-rows.ts';
import { ABSENT, type Cell, type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { Change } from '../../src/core/change.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { randomNumbers } from '../support/seed.ts';

interface PlanOptions {
  readonly identity?: 'full' | 'default';
  readonly key?: string;
  readonly value?: string;
  readonly more?: Partial<TargetTable>;
}

/** `id` is the target's key, `u` has a unique index there, too. */
function planOf({ identity = 'full', key = 'int', value = 'varchar(9) collate utf8mb4_bin', more }: PlanOptions = {}): {
  readonly plan: TablePlan;
  readonly table: TableVersion;
} {
  const columns = [
    { name: 'id', type: key, modifier: -1, key: true },
    { name: 'u', type: 'int', modifier: -1, key: false },
    { name: 'v', type: value, modifier: -1, key: false },
  ];
  const table: TableVersion = { schema: 'shop', name: 'item', columns, identity };
  const there = columns.map(({ name, type: typeName }) => {
    const type = parseType(typeName);
    const common = { notNull: false, generated: false, hasDefault: false, insteadOfNull: null, altered: null };
    return { name, typeName, type, kind: literalKind(type), ...common };
  });
  const target = {
    ...{ schema: 'shop', name: 'item', engine: 'InnoDB', columns: there, cascades: [], references: [], triggers: [] },
    uniqueIndexes: [{ name: 'PRIMARY', primary: true, columns: ['id'], allNotNull: true, partial: false }],
    ...more,
  } as unknown as TargetTable;
  const options = { route: 'r', node: 'there', vendor: 'mysql', foreignKeysAct: false, namesKeys: false } as const;
  return { plan: planTable(table, target, options), table };
}

function optionsOf(plan: TablePlan, more: Partial<SetOptions> = {}): SetOptions {
  const plans = { get: () => plan, parentsFirst: (some: unknown[]) => some } as unknown as SetOptions['plans'];
  return { plans, isPartial: () => false, foreignKeysAct: false, maxBytes: 1_000, ...more };
}

const partOf = (changes: readonly Change[]): TransactionPart => ({ changes }) as unknown as TransactionPart;

/** What the target has behind the rows that go and come; throws where it has none to let go, or has one of the key or of `u`. */
function behind(rows: readonly Row[], plan: TablePlan, changes: readonly Change[]): Row[] {
  const moved = movedRows(optionsOf(plan), [partOf(changes)]).get(plan);
  if (moved === undefined) throw new Error('it is not told');
  const left = new Map(rows.map((row) => [row[0], row]));
  for (const row of moved.gone) if (!left.delete(row[0] as Cell)) throw new Error('a row that is not there');
  for (const row of moved.come) {
    if ([...left.values()].some((other) => other[0] === row[0] || (row[1] !== null && other[1] === row[1])))
      throw new Error('a row that meets another');
    left.set(row[0] as Cell, row);
  }
  return [...left.values()];
}

const sorted = (rows: readonly Row[]): string[] => rows.map((row) => JSON.stringify(row)).sort();
/** As it is logged where only the key is. */
const keyOf = (row: Row): Row => [row[0] ?? null, ABSENT, ABSENT];
const isSettled = (rows: readonly Row[]): boolean =>
  [0, 1].every((at) => new Set(rows.map((row) => row[at])).size === rows.length);

describe.each(['full', 'default'] as const)('with the identity %s', (identity) => {
  test('whatever a transaction does in between, the target ends as the source', () => {
    const { plan, table } = planOf({ identity });
    const random = randomNumbers(7);
    const below = (count: number): number => Math.floor(random() * count);
    let ended = 0;
    for (let round = 0; round < 6_000; round++) {
      const before: Row[] = Array.from({ length: 3 }, (_, at) => [String(at), String(at), 'a']);
      const rows = [...before];
      const changes: Change[] = [];
      // Of one that logs the key alone the key is checked with each row; `u` never is.
      const isTaken = (id: string, but: Row | null): boolean =>
        identity === 'default' && rows.some((row) => row !== but && row[0] === id);
      for (let n = 1 + below(6); n > 0; n--) {
        const at = below(rows.length + 1);
        const old = rows[at];
        const made: Row = [String(below(4)), String(below(4)), 'abc'[below(3)] ?? ''];
        if (old === undefined) {
          if (isTaken(made[0] as string, null)) continue;
          rows.push(made);
          changes.push({ kind: 'insert', table, after: made });
        } else if (below(3) === 0) {
          rows.splice(at, 1);
          changes.push({ kind: 'delete', table, before: identity === 'full' ? old : keyOf(old) });
        } else {
          const after: Row = [below(2) === 0 ? (old[0] as Cell) : (made[0] as Cell), made[1] as Cell, made[2] as Cell];
          if (isTaken(after[0] as string, old)) continue;
          rows[at] = after;
          const key = after[0] === old[0] ? null : keyOf(old);
          const image = identity === 'full' ? old : key;
          changes.push({ kind: 'update', table, before: image, after });
        }
      }
      if (changes.length === 0 || !isSettled(rows)) continue;
      ended++;
      expect(sorted(behind(before, plan, changes)), JSON.stringify(changes)).toEqual(sorted(rows));
    }
    expect(ended).toBeGreaterThan(1_000);
  });
});

test('rows go before any comes, and each has to be there', () => {
  const { plan, table } = planOf({ identity: 'default' });
  const update = (id: string, u: string): Change => ({ kind: 'update', table, before: null, after: [id, u, 'a'] });
  const statements = [...wholeStatements(optionsOf(plan), [partOf([update('1', '2'), update('2', '1')])])];
  expect(statements).toEqual([
    { text: expect.stringMatching(/^delete from t using .*row\(1\),row\(2\)/), rows: 2, label: 'shop.item' },
    { text: expect.stringMatching(/^insert into .*\(1,2,'a'\),\(2,1,'a'\)/), rows: 2, label: 'shop.item' },
  ]);
});

test.for([
  [
    'a row of which the change does not carry all',
    {},
    (t: TableVersion): Change[] => [
      { kind: 'update', table: t, before: ['1', '1', 'a'], after: ['1', '2', UNCHANGED] },
      { kind: 'update', table: t, before: ['3', ABSENT, ABSENT], after: ['3', '1', UNCHANGED] },
    ],
  ],
  [
    'keys that the target alone holds equal',
    { identity: 'default', key: 'varchar(9) collate utf8mb4_unicode_ci' },
    (t): Change[] => [
      { kind: 'insert', table: t, after: ['a', '1', 'x'] },
      { kind: 'delete', table: t, before: ['A', ABSENT, ABSENT] },
    ],
  ],
  [
    'keys of a collation that nobody knows',
    { key: 'varchar(9) collate utf8mb4_czech_ci' },
    (t): Change[] => [{ kind: 'insert', table: t, after: ['a', '1', 'x'] }],
  ],
  [
    'documents that may have been put together from parts',
    { value: 'json' },
    (t): Change[] => [
      { kind: 'insert', table: t, after: ['1', '1', '[1]'] },
      { kind: 'delete', table: t, before: ['1', '1', '[2]'] },
    ],
  ],
  [
    'two rows of one key that both go',
    {},
    (t): Change[] => [
      { kind: 'delete', table: t, before: ['1', '1', 'a'] },
      { kind: 'delete', table: t, before: ['1', '2', 'b'] },
    ],
  ],
  [
    'triggers that would be told',
    { more: { triggers: ['g'] } },
    (t): Change[] => [{ kind: 'insert', table: t, after: ['1', '1', 'a'] }],
  ],
  [
    'a TRUNCATE among the rows',
    {},
    (t): Change[] => [
      { kind: 'insert', table: t, after: ['1', '1', 'a'] },
      { kind: 'truncate', tables: [t], restartIdentity: true },
      { kind: 'insert', table: t, after: ['1', '1', 'b'] },
    ],
  ],
] as const satisfies readonly (readonly [string, PlanOptions, (table: TableVersion) => Change[]])[])(
  'what is not told as whole rows goes change by change: %s',
  ([, options, changesOf]) => {
    const { plan, table } = planOf(options);
    const changes = changesOf(table);
    expect(movedRows(optionsOf(plan), [partOf(changes)]).size).toBe(0);
  },
);

test('what the target alone has of a row, what is not loaded yet and what foreign keys act on stays in its order', () => {
  const { plan, table } = planOf();
  const parts = [partOf([{ kind: 'insert', table, after: ['1', '1', 'a'] }])];
  expect(movedRows(optionsOf(plan), parts).size).toBe(1);
  expect(movedRows(optionsOf(plan, { isPartial: () => true }), parts).size).toBe(0);
  const own = { ...plan.target.columns[0], name: 'own' } as TargetTable['columns'][number];
  const planWith = (more: Partial<TargetTable>): TablePlan => ({ ...plan, target: { ...plan.target, ...more } });
  expect(movedRows(optionsOf(planWith({ columns: [...plan.target.columns, own] })), parts).size).toBe(0);
  const made = { ...own, generated: true };
  expect(movedRows(optionsOf(planWith({ columns: [...plan.target.columns, made] })), parts).size).toBe(1);
  for (const more of [{ references: ['shop.other'] }, { cascades: ['child'] }]) {
    expect(movedRows(optionsOf(planWith(more), { foreignKeysAct: true }), parts).size).toBe(0);
    expect(movedRows(optionsOf(planWith(more)), parts).size).toBe(1);
  }
});
