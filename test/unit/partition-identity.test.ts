import { expect, test } from 'vitest';
import { formatLsn, parseLsn } from '../../connectors/postgres/lsn.ts';
import { DeliveredTransactions } from '../../connectors/postgres/source/delivered-transactions.ts';
import { HistoryCheck } from '../../connectors/postgres/source/history-check.ts';
import { RelationCache } from '../../connectors/postgres/source/pgoutput/relation-cache.ts';
import { TypeNames } from '../../connectors/postgres/source/pgoutput/type-names.ts';
import { TransactionAssembler } from '../../connectors/postgres/source/transaction-assembler.ts';
import { originMarker } from '../../connectors/postgres/target/origin-marker.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { begin, commit, insert, message, relation } from '../support/pgoutput-bytes.ts';

/** Of table 7; its partitions are not the route's by their own names. The checkpoint is at 0/64, 100, and a copy of the table at 0/C8, 200. */
function assembled() {
  const parts: TransactionPart[] = [];
  const start = { position: formatLsn(100n), lastCommit: null };
  const assembler = new TransactionAssembler({
    route: 'r',
    routeKey: 'test/r',
    forward: 'own',
    maxRowBytes: 1_000,
    checkpoint: parseLsn(start.position),
    history: new HistoryCheck('r', start, parseLsn(start.position)),
    relations: new RelationCache(
      ({ name }) => (name === 't7' ? { from: 200n } : null),
      new TypeNames([[23, 'pg_catalog.int4']]),
    ),
    types: new TypeNames([]),
    commands: null,
    delivered: new DeliveredTransactions(),
    early: null,
    isWatched: () => false,
    idleUrgency: () => 'ride',
    emit: (part) => parts.push(part),
  });
  return {
    parts,
    read: (...messages: Buffer[]) => {
      for (const bytes of messages) assembler.message(bytes);
    },
    large: (bytes: Buffer) => assembler.largeMessage(bytes, 0),
  };
}

/** Rows of the whole, in the partition that was described right before them. */
const whole = relation('', 7, 'f');
const partition = (oid: number, identity: 'd' | 'f') => [whole, relation('', oid, identity)];
const replicated = message('tidelock.origin', originMarker([{ node: 'there', position: '0/1', committedAtMs: 0 }]));
const row = insert('', 7, '1');
const differs = expect.objectContaining({ code: 'TL-3206' });

test('a partition that logs less of its old rows than its table promises halts with its first row', () => {
  const { read, parts } = assembled();
  read(begin(1, 300), ...partition(8, 'f'), row, commit(300));
  expect(parts.map(({ rows }) => rows)).toEqual([1]);
  expect(() => read(begin(2, 310), ...partition(9, 'd'), row)).toThrow(differs);
});

test.each([
  ['somebody else has brought', [begin(1, 300), replicated, ...partition(9, 'd'), row, commit(300)]],
  ['is at the target already', [begin(1, 50), ...partition(9, 'd'), row, commit(50)]],
  ['is in the copy of the table', [begin(1, 150), ...partition(9, 'd'), row, commit(150)]],
])('a partition whose first row %s halts with the first row that counts: it is not described again', (_, before) => {
  const { read } = assembled();
  read(...before);
  expect(() => read(begin(2, 310), row)).toThrow(differs);
});

test('the same of a first row that is too large to be looked at', () => {
  const { read, large } = assembled();
  read(begin(1, 300), replicated, ...partition(9, 'd'));
  expect(large(row)).toBe(false);
  read(commit(300));
  expect(() => read(begin(2, 310), row)).toThrow(differs);
});

test('a partition that was mended since is described again, and its rows go on', () => {
  const { read, parts } = assembled();
  read(begin(1, 300), replicated, ...partition(9, 'd'), row, commit(300));
  read(begin(2, 310), ...partition(9, 'f'), row, commit(310));
  expect(parts.map(({ rows }) => rows)).toEqual([0, 1]);
});
