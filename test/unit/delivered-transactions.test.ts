import { expect, test } from 'vitest';
import { DeliveredTransactions } from '../../connectors/postgres/source/delivered-transactions.ts';

test('of a backlog nothing is kept: what was over when the stream began, every later snapshot sees', () => {
  const delivered = new DeliveredTransactions();
  delivered.seen('900:1000:900,950');
  for (let xid = 500; xid < 1_100; xid++) delivered.committed(String(xid));
  const open = ['900', '950'];
  const later = Array.from({ length: 100 }, (_, at) => String(1_000 + at));
  expect(delivered.pending()).toEqual([...open, ...later]);
  // A heartbeat that somebody wrote before that.
  delivered.seen('600:700:');
  delivered.committed('980');
  expect(delivered.pending()).toEqual([...open, ...later]);
  delivered.seen('1050:1060:1050');
  expect(delivered.pending()).toEqual(['1050', ...later.slice(60)]);
  delivered.committed('1040');
  expect(delivered.pending()).toEqual(['1050', ...later.slice(60)]);
});

test('ids of 32 bits are told from snapshots of 64 over the turn', () => {
  const delivered = new DeliveredTransactions();
  const turn = 5n * 2n ** 32n;
  delivered.seen(`${turn - 5n}:${turn + 3n}:${turn - 5n}`);
  for (const xid of ['4294967290', '4294967291', '2', '3']) delivered.committed(xid);
  expect(delivered.pending()).toEqual(['4294967291', '3']);
});

test('what another process was brought, and sources with synchronous standbys show nobody yet, is waited for', () => {
  const first = new DeliveredTransactions(new DeliveredTransactions());
  first.begin('900:1000:900,950', { waitsForStandbys: true });
  expect(first.pending()).toEqual(['900', '950']);
  first.seen('950:1010:950');
  // The next stream of the same process knows better: what is open by now was not brought to anybody else.
  const next = new DeliveredTransactions(first);
  next.begin('950:1020:950,1015', { waitsForStandbys: true });
  expect(next.pending()).toEqual(['950']);
  const without = new DeliveredTransactions();
  without.begin('900:1000:900,950', { waitsForStandbys: false });
  expect(without.pending()).toEqual([]);
});
