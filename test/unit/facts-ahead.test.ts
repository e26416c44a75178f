import { expect, test } from 'vitest';
import { FactsAhead, type SeenFacts } from '../../connectors/postgres/source/facts-ahead.ts';
import type { Position } from '../../src/core/position.ts';
import type { TableName } from '../../src/core/table.ts';
import type { TableFacts } from '../../src/core/table-facts.ts';

const a = { schema: 'public', name: 'a' };
const b = { schema: 'public', name: 'b' };

function factsOf(table: TableName): TableFacts {
  return {
    ...table,
    id: '1',
    position: '0/1' as unknown as Position,
    identity: 'default',
    columns: [],
    generated: [],
    lastColumn: 0,
    storage: {},
    attached: [],
    stamps: [],
  };
}

/** 700 and 705 are open, 710 has not begun. */
const seen = async (tables: readonly TableName[]): Promise<SeenFacts[]> =>
  tables.map((table) => ({ facts: factsOf(table), snapshot: '700:710:700,705' }));

test('what was read ahead is taken once, and only where it shows the transaction that brings the table', async () => {
  const ahead = new FactsAhead();
  let asked = 0;
  ahead.expect([a, b], (tables) => {
    asked++;
    return seen(tables);
  });
  expect(await ahead.take(a, '701')).toMatchObject(a);
  expect(await ahead.take(a, '701')).toBeNull();
  // Open then: what it has done to the table was not to be seen.
  expect(await ahead.take(b, '705')).toBeNull();
  expect(asked).toBe(1);
  ahead.expect([b], seen);
  expect(await ahead.take(b, '710')).toBeNull();
});

test('what was read ahead is forgotten, and what could not be read has to be asked for', async () => {
  const ahead = new FactsAhead();
  ahead.expect([a, b], seen);
  ahead.forget();
  expect(await ahead.take(a, '699')).toBeNull();
  ahead.expect([a], async () => []);
  expect(await ahead.take(a, '699')).toBeNull();
  ahead.expect([a], () => Promise.reject(new Error('lost')));
  expect(await ahead.take(a, '699')).toBeNull();
});
