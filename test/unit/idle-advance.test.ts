import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { formatLsn } from '../../connectors/postgres/lsn.ts';
import { IdleAdvancer } from '../../connectors/postgres/source/idle-advance.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Its checkpoint is at 100; a transaction is open, or COMMITs wait, as the test sets it. */
function advancer() {
  const given: unknown[] = [];
  const state = { inTransaction: false, isSynchronous: false };
  const note = (part: TransactionPart): void => {
    given.push([part.commit?.position, part.urgency]);
    idle.note(part);
  };
  const idle = new IdleAdvancer({
    checkpoint: 100n,
    isSynchronous: () => state.isSynchronous,
    inTransaction: () => state.inTransaction,
    emit: note,
  });
  /** As the assembler does with each: its rows come, and with them its end. */
  const transaction = (endLsn: bigint, meanwhile: () => void): void => {
    state.inTransaction = true;
    meanwhile();
    state.inTransaction = false;
    note({
      id: '7',
      origin: [],
      changes: [],
      rows: 1,
      bytes: 1,
      commit: { position: formatLsn(endLsn), atMs: 1, id: '7' },
      urgency: 'ride',
    });
  };
  return { idle, state, given, transaction };
}

const row = (lsn: bigint) => [formatLsn(lsn), 'ride'];
const now = (lsn: bigint) => [formatLsn(lsn), 'now'];

test.for([
  ['a keepalive', { isSynchronous: false, replyRequested: false }],
  ['one that asks for an answer', { isSynchronous: false, replyRequested: true }],
  ['one where COMMITs wait for the route', { isSynchronous: true, replyRequested: false }],
] as const)('inside a transaction nothing is given out: %s', ([, { isSynchronous, replyRequested }]) => {
  const { idle, state, given, transaction } = advancer();
  state.isSynchronous = isSynchronous;
  transaction(150n, () => {
    idle.keepalive(120n, 1, replyRequested);
    idle.keepalive(200n, 1, replyRequested);
    vi.advanceTimersByTime(5_000);
  });
  vi.advanceTimersByTime(5_000);
  expect(given).toEqual([row(150n)]);
  // Behind it they count again.
  idle.acknowledged(150n);
  idle.keepalive(200n, 1, replyRequested);
  expect(given).toEqual([row(150n), isSynchronous || replyRequested ? now(200n) : row(200n)]);
});

test('an answer that is due while a transaction is open is not given in its middle', () => {
  const { idle, given, transaction } = advancer();
  // Two within a second: the second one waits.
  idle.keepalive(110n, 1, true);
  idle.keepalive(120n, 1, true);
  expect(given).toEqual([now(110n)]);
  transaction(150n, () => vi.advanceTimersByTime(5_000));
  expect(given).toEqual([now(110n), row(150n)]);
  idle.acknowledged(150n);
  // The server asks again.
  idle.keepalive(160n, 1, true);
  expect(given).toEqual([now(110n), row(150n), now(160n)]);
});

test('an answer that is due while none is open is given, once, and none after the end', () => {
  const { idle, given } = advancer();
  idle.keepalive(110n, 1, true);
  idle.keepalive(120n, 1, true);
  idle.keepalive(130n, 1, true);
  vi.advanceTimersByTime(999);
  expect(given).toEqual([now(110n)]);
  vi.advanceTimersByTime(1);
  expect(given).toEqual([now(110n), now(130n)]);
  idle.keepalive(140n, 1, true);
  idle.close();
  vi.advanceTimersByTime(5_000);
  expect(given).toHaveLength(2);
});

test('without anybody who waits one advance is under way at a time', () => {
  const { idle, given } = advancer();
  idle.keepalive(110n, 1, false);
  idle.keepalive(120n, 1, false);
  expect(given).toEqual([row(110n)]);
  idle.acknowledged(110n);
  idle.keepalive(130n, 1, false);
  // Nothing new: what rides is stored at once for who waits, but not given out again otherwise.
  idle.acknowledged(130n);
  idle.keepalive(130n, 1, false);
  expect(given).toEqual([row(110n), row(130n)]);
});
