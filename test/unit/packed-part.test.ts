import { expect, test } from 'vitest';
import { PartBuilder } from '../../connectors/sql/part-builder.ts';
import type { Change } from '../../src/core/change.ts';
import { packedInserts } from '../../src/core/packed-part.ts';
import type { Position } from '../../src/core/position.ts';
import type { TableVersion } from '../../src/core/table.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { packed } from '../support/packed.ts';

const table: TableVersion = { schema: 'public', name: 't', identity: 'default', columns: [] };
const other: TableVersion = { ...table, name: 'u' };
const commit = { position: '0/1' as Position, atMs: 0, id: '1' };
/** A part that is full is given out with the next change. */
const aPart = 1_000_000;

type Step = readonly [table: TableVersion, key: string, bytes?: number] | Change;

function parts(...steps: readonly Step[]): TransactionPart[] {
  const given: TransactionPart[] = [];
  const builder = new PartBuilder('1', (part) => given.push(part));
  for (const step of steps) {
    if (!('kind' in step)) builder.addInsert(step[0], packed([step[1], null]), step[2] ?? 10);
    else if (step.kind === 'delete') builder.addRow(step, 10);
    else builder.add(step);
  }
  builder.finish(commit, 'ride');
  return given;
}

const keys = ({ changes }: TransactionPart): unknown[] =>
  changes.map((change) => [
    change.kind,
    change.kind === 'insert' ? `${change.table.name} ${String(change.after[0])}` : null,
  ]);

test('new rows of a large transaction stay together, and are what they are one by one', () => {
  const [first, second, third] = parts([table, '1', aPart], [table, '2'], [table, '3', aPart], [table, '4']);
  // The first part may be all there is of it.
  expect([first, second, third].map((part) => part && packedInserts(part)?.rows)).toEqual([undefined, 2, 1]);
  expect(first?.changes.map((change) => change.kind)).toEqual(['insert']);
  expect([second?.rows, second?.commit, third?.rows, third?.commit]).toEqual([2, null, 1, commit]);
  expect(second?.changes).toMatchObject([
    { kind: 'insert', table, after: ['2', null] },
    { kind: 'insert', table, after: ['3', null] },
  ]);
  expect(third && keys(third)).toEqual([['insert', 't 4']]);
});

test('rows that somebody has asked for are never taken as they came any more', () => {
  const [, part] = parts([table, '1', aPart], [table, '2'], [table, '3']);
  if (part === undefined) throw new Error('no part');
  expect(packedInserts(part)?.rows).toBe(2);
  const { changes } = part;
  expect(packedInserts(part)).toBeNull();
  changes.shift();
  expect(part.changes).toBe(changes);
  expect(keys(part)).toEqual([['insert', 't 3']]);
});

test('a copy of a part has its changes, and nothing of how they came', () => {
  const [, part] = parts([table, '1', aPart], [table, '2']);
  if (part === undefined) throw new Error('no part');
  const copy = { ...part, rows: 0 };
  expect(packedInserts(copy)).toBeNull();
  expect(keys(copy)).toEqual([['insert', 't 2']]);
  const { changes, ...rest } = part;
  expect({ ...rest, changes }).toEqual({ ...copy, rows: 1 });
});

test('parts that hold rows in bytes share the getter of their changes, so that all are of one shape', () => {
  const [, ...packedParts] = parts([table, '1', aPart], [table, '2', aPart], [table, '3']);
  const getters = packedParts.map((part) => Object.getOwnPropertyDescriptor(part, 'changes')?.get);
  expect(getters).toEqual([expect.any(Function), getters[0]]);
  expect(getters[1]).toBe(getters[0]);
  expect(packedParts.map(keys)).toEqual([[['insert', 't 2']], [['insert', 't 3']]]);
});

test('what comes between new rows stays in its place', () => {
  const gone: Change = { kind: 'delete', table, before: ['2', null] };
  const beat: Change = { kind: 'watermark', id: 'w' };
  const of = (...steps: readonly Step[]) =>
    parts([table, '1', aPart], ...steps)
      .slice(1)
      .map(keys);
  expect(of([table, '2'], gone, [table, '3'])).toEqual([
    [
      ['insert', 't 2'],
      ['delete', null],
      ['insert', 't 3'],
    ],
  ]);
  expect(of([table, '2'], [other, '3'], [table, '4'])).toEqual([
    [
      ['insert', 't 2'],
      ['insert', 'u 3'],
      ['insert', 't 4'],
    ],
  ]);
  expect(of(beat, [table, '2'])).toEqual([
    [
      ['watermark', null],
      ['insert', 't 2'],
    ],
  ]);
  expect(of([table, '2', aPart], [other, '3'])).toEqual([[['insert', 't 2']], [['insert', 'u 3']]]);
});

test('a transaction that goes back to where it stood has what came before', () => {
  const given: TransactionPart[] = [];
  const builder = new PartBuilder('1', (part) => given.push(part));
  builder.addInsert(table, packed(['1']), aPart);
  builder.addInsert(table, packed(['2']), 10);
  const { mark } = builder;
  builder.addInsert(table, packed(['3']), 10);
  expect(builder.rewind(mark)).toMatchObject([{ after: ['3'] }]);
  builder.finish(commit, 'ride');
  expect(given.map(keys)).toEqual([[['insert', 't 1']], [['insert', 't 2']]]);
});
