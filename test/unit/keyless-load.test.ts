import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LoadApply, type LoadApplyOptions } from '../../connectors/postgres/target/load-apply.ts';
import { OwedRows } from '../../connectors/postgres/target/owed-rows.ts';
import type { TablePlan } from '../../connectors/postgres/target/table-plan.ts';
import { ABSENT, type Row, UNCHANGED } from '../../src/core/cell.ts';
import type { DdlChange } from '../../src/core/change.ts';
import type { PlaceRange, StoredPart } from '../../src/core/table-places.ts';
import { PlaceCursor } from '../../src/operations/load/place-cursor.ts';
import { seed } from '../support/seed.ts';

/** Whether the place of a row is in the range. */
function holds({ part, from, to }: PlaceRange, id: string, block: number, row: number): boolean {
  if (part.id !== id) return false;
  const isBehind = block > from.block || (block === from.block && row >= from.row);
  return isBehind && (to === null || block < to.block || (block === to.block && row < to.row));
}

test('each place of a table is in exactly one of the ranges that were taken, however they are cut', () => {
  const part = (blocks: number, at: number): StoredPart => ({
    schema: 'public',
    name: `p${at}`,
    id: `${at}`,
    storage: '1',
    blocks,
  });
  const places = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
  const answers = fc.array(fc.record({ blocks: fc.integer({ min: 1, max: 7 }), isTooLarge: fc.boolean() }), {
    minLength: 1,
    maxLength: 40,
  });
  fc.assert(
    fc.property(places, answers, (blocks, given) => {
      const parts = blocks.map(part);
      const cursor = new PlaceCursor(parts);
      const taken: PlaceRange[] = [];
      let share = 0;
      for (let n = 0; !cursor.ended; n++) {
        const answer = given[n % given.length];
        const range = cursor.next(answer?.blocks ?? 1);
        // Whoever always refuses would cut down to each row.
        if (answer?.isTooLarge && n < 200 && !cursor.isLeast(range)) {
          cursor.tooLarge(range);
          const next = cursor.next(answer.blocks);
          expect(next.from).toEqual(range.from);
          expect(next).not.toEqual(range);
          continue;
        }
        cursor.taken(range);
        taken.push(range);
        expect(cursor.share).toBeGreaterThanOrEqual(share);
        share = cursor.share;
      }
      expect(cursor.share).toBe(1);
      for (const { id, blocks: all } of parts)
        for (let block = 0; block < all; block++)
          for (const row of [0, 1, 2, 100, 291, 2047])
            expect(taken.filter((range) => holds(range, id, block, row))).toHaveLength(1);
    }),
    { seed, numRuns: 60 },
  );
});

const plan = { label: 'public.bare' } as TablePlan;
const rowOf = (n: number): Row => (n % 3 === 0 ? [null, 'n'] : [String(n), Buffer.from([n])]);
/** What the load reads of it. */
const readOf = (n: number): Row => (n % 3 === 0 ? [null, 'n'] : [String(n), `\\x0${n}`]);

test('rows that go before they are loaded are left out, whatever is rolled back: the target has what the source has of the loaded ones', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('insert' as const), image: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant('delete' as const), image: fc.integer({ min: 0, max: 5 }) }),
    fc.record({ kind: fc.constant('truncate' as const), image: fc.constant(0) }),
    fc.record({ kind: fc.constant('chunk' as const), image: fc.integer({ min: 1, max: 6 }) }),
  );
  const transactions = fc.array(
    fc.record({ steps: fc.array(step, { maxLength: 6 }), isTriedTwice: fc.boolean(), inParts: fc.boolean() }),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 30 }), transactions, (snapshot, given) => {
      const owed = new OwedRows('r', 32_000_000);
      const unread = [...snapshot];
      const source = [...snapshot];
      let isEmptied = false;
      let target: number[] = [];
      const gone = (rows: number[], image: number): number[] => {
        const at = rows.findIndex((one) => rowOf(one).join() === rowOf(image).join());
        return at < 0 ? rows : rows.toSpliced(at, 1);
      };
      const chunk = (rows: number): void => {
        const images = unread.splice(0, rows);
        owed.begin();
        const read = images.map(readOf);
        const left = owed.left(plan, read);
        target.push(...images.filter((_, at) => left.includes(read[at] as Row)));
        owed.committed();
      };
      for (const { steps, isTriedTwice, inParts } of given) {
        const changes = steps.filter(({ kind }) => kind !== 'chunk');
        const [half, rest] = inParts ? [changes.slice(0, 2), changes.slice(2)] : [[], changes];
        for (const [part, isLast] of [[half, false] as const, [rest, true] as const]) {
          for (let left = isTriedTwice ? 2 : 1; left > 0; left--) {
            owed.begin();
            let rows = target;
            for (const { kind, image } of part) {
              if (kind === 'insert') rows = [...rows, image];
              else if (kind === 'truncate') {
                owed.emptied(plan);
                rows = [];
              } else if (isOf(source, image)) {
                const found = gone(rows, image);
                owed.deleting(plan, rowOf(image))(rows.length - found.length);
                rows = found;
              }
              // Only the attempt that stays counts at the source.
              if (left > 1) continue;
              if (kind === 'insert') source.push(image);
              else if (kind === 'truncate') source.splice(0);
              else source.splice(0, source.length, ...gone(source, image));
            }
            if (left === 1) target = rows;
          }
          if (!isLast) owed.keep();
        }
        owed.committed();
        isEmptied ||= changes.some(({ kind }) => kind === 'truncate');
        // What the load would have read is gone, and it is over.
        if (isEmptied) unread.splice(0);
        for (const { kind, image } of steps) if (kind === 'chunk') chunk(image);
      }
      while (unread.length > 0) chunk(3);
      const texts = (rows: readonly number[]): string[] => rows.map((row) => rowOf(row).join()).sort();
      expect(texts(target)).toEqual(texts(source));
      expect(owed.owes(plan)).toBe(false);
      expect(owed.rest(['public.bare'])).toEqual([]);
    }),
    { seed, numRuns: 200 },
  );
});

function isOf(rows: readonly number[], image: number): boolean {
  return rows.some((row) => rowOf(row).join() === rowOf(image).join());
}

test('what does not tell all of a row, or is more than is kept, halts', () => {
  const owed = new OwedRows('r', 32_000_000);
  expect(() => owed.deleting(plan, ['1', ABSENT])).toThrow(/TL-2201|does not tell/);
  expect(() => owed.deleting(plan, ['1', UNCHANGED])).toThrow(/does not tell/);
  const large: Row = ['1', 'x'.repeat(6_000_000)];
  owed.begin();
  owed.deleting(plan, large)(0);
  expect(() => owed.deleting(plan, large)(0)).toThrow(
    expect.objectContaining({ code: 'TL-2312', recovery: 'halt' }) as Error,
  );
  owed.rolledBack();
  owed.begin();
  owed.deleting(plan, large)(1);
  owed.deleting(plan, large)(0);
  owed.committed();
  expect(owed.rest(['public.bare'])).toHaveLength(1);
  owed.forget(['public.bare']);
  expect(owed.owes(plan)).toBe(false);
});

test('what commands make of tables that lack rows is as before where their transaction is rolled back', async () => {
  const rows = ['bare', 'item'].map((name) => ({
    ...{
      source: `public.${name}`,
      targets: [`public.${name}`],
      existing: 'refuse',
      key: name === 'bare' ? [] : ['id'],
    },
    ...{ done: false, emptying: false, rows: '0', bytes: '0', expectedRows: '0', expectedBytes: '0', job: null },
  }));
  const loads = new LoadApply({
    client: { query: async () => ({ rows }) },
    ...{ route: { name: 'r', apply: { memoryBytes: 1_000_000 } }, routeId: 1, plans: null, replicaRole: true },
  } as unknown as LoadApplyOptions);
  await loads.open();
  const of = (name: string): unknown => {
    const one = { label: `public.${name}` } as TablePlan;
    return [loads.ofTable(one), loads.owing(one) !== null];
  };
  const dropped = { tables: { kind: 'dropped', names: [{ schema: 'public', name: 'item' }] } } as unknown as DdlChange;
  const from = { schema: 'public', name: 'bare' };
  const stored = { source: 'public.moved', target: 'public.moved' };
  const renamed = { tables: { kind: 'renamed', from }, stored } as unknown as DdlChange;
  const before = [
    ['refuse', true],
    [null, false],
    ['refuse', false],
  ];
  const after = [
    [null, false],
    ['refuse', true],
    [null, false],
  ];
  const now = (): unknown => [of('bare'), of('moved'), of('item')];
  expect(now()).toEqual(before);
  for (const change of [dropped, renamed]) loads.carried(change);
  // Another table of the name, in the same transaction, lacks nothing.
  expect(now()).toEqual(after);
  loads.rolledBack();
  expect(now()).toEqual(before);
  for (const change of [dropped, renamed]) loads.carried(change);
  loads.committed();
  loads.rolledBack();
  expect(now()).toEqual(after);
});
