import { expect, test } from 'vitest';
import { IncomingParts } from '../../connectors/sql/apply/incoming-parts.ts';
import type { Change } from '../../src/core/change.ts';
import type { Position } from '../../src/core/position.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';

const row = { kind: 'insert' } as unknown as Change;
const definition = { kind: 'schemaChange', evolution: {} } as unknown as Change;

function part(id: number, changes: Change[]): TransactionPart {
  const commit = { position: `0/${id}` as Position, atMs: id, id: String(id) };
  const rows = changes.filter(({ kind }) => kind === 'insert').length;
  return { id: String(id), origin: [], changes, rows, bytes: 30, commit, urgency: 'ride' };
}

test('a part with a definition in it is cut, and has ended with the last of its pieces', () => {
  const incoming = new IncomingParts([part(1, [row])]);
  incoming.add([part(2, [row, definition, row, row]), part(3, [row])]);
  expect(incoming.parts.map(({ changes }) => changes.length)).toEqual([1, 1, 1, 2, 1]);
  expect(incoming.rows).toBe(5);
  expect([incoming.drop(2), incoming.drop(1), incoming.drop(2)]).toEqual([1, 0, 2]);
  expect([incoming.rows, incoming.bytes, incoming.parts.length]).toEqual([0, 0, 0]);
});
