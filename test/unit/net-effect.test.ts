import { expect, test } from 'vitest';
import { keyReader } from '../../connectors/mysql/target/key-form.ts';
import type { TargetColumn } from '../../connectors/mysql/target/target-table.ts';
import { NetEffect, type NetPlan } from '../../connectors/sql/apply/net-effect.ts';
import { type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { RowChange } from '../../src/core/change.ts';
import type { TableVersion } from '../../src/core/table.ts';

const table = { schema: 'public', name: 't', columns: [] } as unknown as TableVersion;

const ofKey = (base: string, collation: string | null): NetPlan => ({
  keyIndexes: [0],
  readKey: keyReader([{ index: 0, column: { type: { base, collation } } as TargetColumn }]),
  insertsMany: true,
  findsTwins: false,
  canReplace: true,
});
const caseless = ofKey('varchar', 'utf8mb4_0900_ai_ci');
const padded = ofKey('varchar', 'utf8mb4_bin');
const decimal = ofKey('decimal', null);

const insert = (key: string): RowChange => ({ kind: 'insert', table, after: [key, 'new'] });
const remove = (key: string): RowChange => ({ kind: 'delete', table, before: [key, null] });
const update = (key: string, from: string | null = null): RowChange => {
  const before: Row | null = from === null ? null : [from, null];
  return { kind: 'update', table, before, after: [key, 'newer'] };
};

function offer(plan: NetPlan, changes: readonly RowChange[]) {
  const net = new NetEffect<NetPlan>();
  const reductions = changes.map((change) => net.offer(plan, change));
  return { reductions, left: net.drain().flatMap((one) => [...one.changes.values()]) };
}

test.for([
  ['a new row and another that goes', caseless, [insert('Bob'), remove('bob')]],
  ['a new row and another that changes', caseless, [insert('Bob'), update('bob')]],
  ['a row that changes and another that goes', caseless, [update('Bob'), remove('bob')]],
  ['a row by its old name', caseless, [update('Bob', 'bob'), remove('bob')]],
  ['blanks at the end', padded, [insert('a '), remove('a')]],
] as const)('texts that only the target holds equal are of two rows: %s', ([, plan, changes]) => {
  expect(offer(plan, changes)).toEqual({ reductions: ['taken', 'barrier'], left: [changes[0]] });
});

test.for([
  ['as it was written', caseless, [insert('Bob'), update('Bob'), remove('Bob')]],
  ['under the name that it has got', caseless, [insert('bob'), update('Bob', 'bob'), remove('Bob')]],
  ['blanks that it has got', padded, [insert('a'), update('a ', 'a'), remove('a ')]],
  ['a number written otherwise', decimal, [insert('1.0'), update('1.00'), remove('1')]],
] as const)('a row that came and went leaves nothing: %s', ([, plan, changes]) => {
  expect(offer(plan, changes)).toEqual({ reductions: ['taken', 'taken', 'taken'], left: [] });
});

const whole = { ...table, identity: 'full' } as TableVersion;
const bytes = (text: string): Buffer => Buffer.from(text);
const arrives = (...after: Row): RowChange => ({ kind: 'insert', table: whole, after });
const leaves = (...before: Row): RowChange => ({ kind: 'delete', table: whole, before });
const becomes = (before: Row, ...after: Row): RowChange => ({ kind: 'update', table: whole, before, after });

test.for([
  ['a new row and another that goes', [arrives('1', 'new'), leaves('1', 'old')]],
  ['a new row and another that changes', [arrives('1', bytes('a')), becomes(['1', bytes('b')], '1', bytes('c'))]],
  ['a row that changes and another that goes', [becomes(['1', 'a', 'x'], '1', 'b', UNCHANGED), leaves('1', 'b', 'y')]],
] as const)('where whole rows are logged all of them tells rows of one key apart: %s', ([, changes]) => {
  expect(offer(decimal, changes)).toEqual({ reductions: ['taken', 'barrier'], left: [changes[0]] });
  const sameRow: RowChange[] = [
    becomes(['1', bytes('a'), 'x'], '1', bytes('b'), UNCHANGED),
    becomes(['1', bytes('b'), 'x'], '1', bytes('c'), UNCHANGED),
    leaves('1', bytes('c'), 'x'),
  ];
  expect(offer(decimal, sameRow).reductions).toEqual(['taken', 'taken', 'taken']);
});

test('a row that goes and comes again under another case is one update', () => {
  const { reductions, left } = offer(caseless, [remove('bob'), insert('Bob'), update('Bob')]);
  expect(reductions).toEqual(['taken', 'taken', 'taken']);
  expect(left).toMatchObject([{ kind: 'update', before: ['bob', null], after: ['Bob', 'newer'] }]);
});

const marking = { ...table, kept: { mark: { column: 1, value: 'gone' } } } as unknown as TableVersion;
const keeping = { ...table, kept: { mark: null } } as unknown as TableVersion;
const comes = (to: TableVersion, value: string): RowChange => ({ kind: 'insert', table: to, after: ['1', value] });
const marks: RowChange = { kind: 'update', table: marking, before: ['1', null], after: [UNCHANGED, 'gone'] };
const there: RowChange = { kind: 'update', table: marking, before: null, after: ['1', 'there'] };

test('where rows stay when they are deleted, a new row replaces the one that was marked, and meets any other', () => {
  const replaced = offer(decimal, [there, marks, comes(marking, 'there')]);
  expect(replaced.left).toMatchObject([{ kind: 'update', before: null, after: ['1', 'there'] }]);
  const both = offer(decimal, [comes(marking, 'there'), marks, comes(marking, 'again')]);
  expect(both.left).toMatchObject([{ kind: 'insert', after: ['1', 'again'] }]);
  for (const earlier of [there, comes(marking, 'there')])
    expect(offer(decimal, [earlier, comes(marking, 'again')])).toEqual({
      reductions: ['taken', 'barrier'],
      left: [earlier],
    });
  expect(offer({ ...decimal, canReplace: false }, [marks, comes(marking, 'there')]).reductions[1]).toBe('barrier');
  expect(offer(decimal, [comes(keeping, 'a'), comes(keeping, 'b')]).left).toMatchObject([{ after: ['1', 'b'] }]);
});
