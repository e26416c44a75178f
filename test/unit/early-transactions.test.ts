import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatLsn, parseLsn } from '../../connectors/postgres/lsn.ts';
import { DeliveredTransactions } from '../../connectors/postgres/source/delivered-transactions.ts';
import { EarlyTransactions } from '../../connectors/postgres/source/early-transactions.ts';
import { HistoryCheck } from '../../connectors/postgres/source/history-check.ts';
import { RelationCache } from '../../connectors/postgres/source/pgoutput/relation-cache.ts';
import { TypeNames } from '../../connectors/postgres/source/pgoutput/type-names.ts';
import { TransactionAssembler } from '../../connectors/postgres/source/transaction-assembler.ts';
import { TidelockError } from '../../src/core/errors/tidelock-error.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { begin, commit, insert, int, join, relation, text } from '../support/pgoutput-bytes.ts';

const streamStart = (xid: number): Buffer => join('S', int(4, xid), int(1, 0));
const streamStop = Buffer.from('E');
const streamCommit = (xid: number, lsn: number): Buffer =>
  join('c', int(4, xid), int(1, 0), int(8, lsn), int(8, lsn + 1), int(8, 0));
const streamAbort = (xid: number, sub = xid): Buffer => join('A', int(4, xid), int(4, sub));

/** Table 7 is the route's, 8 is not. Transactions below 100 had ended when the session began, but 50. The checkpoint is at 0/64, 100. */
function assembled({ isWelcome = true, isSynchronous = false, copiedTo = null as bigint | null } = {}) {
  const parts: TransactionPart[] = [];
  const told: string[] = [];
  const start = { position: formatLsn(100n), lastCommit: null };
  const assembler = new TransactionAssembler({
    route: 'r',
    routeKey: 'test/r',
    forward: 'own',
    maxRowBytes: 1_000,
    checkpoint: parseLsn(start.position),
    history: new HistoryCheck('r', start, parseLsn(start.position)),
    relations: new RelationCache(
      ({ name }) => (name === 't7' ? { from: copiedTo } : null),
      new TypeNames([[23, 'pg_catalog.int4']]),
    ),
    types: new TypeNames([]),
    commands: null,
    delivered: new DeliveredTransactions(),
    early: new EarlyTransactions({
      route: 'r',
      snapshot: '50:100:50',
      end: parseLsn('0/1000'),
      isWelcome: () => isWelcome,
      onEarly: (end) => told.push(end),
    }),
    isWatched: () => false,
    idleUrgency: () => (isSynchronous ? 'now' : 'ride'),
    emit: (part) => parts.push(part),
  });
  return {
    parts,
    told,
    /** Among other bytes, as in a chunk of the socket. */
    read: (...messages: Buffer[]) => {
      for (const message of messages) assembler.message(join('xyz', message, 'xyz'), 3, 3 + message.length);
    },
    assembler,
  };
}

const values = (parts: readonly TransactionPart[]): unknown[] =>
  parts.flatMap(({ changes }) => changes.flatMap((change) => (change.kind === 'insert' ? change.after : [])));

function refusal(run: () => void): string {
  try {
    run();
  } catch (error) {
    if (error instanceof TidelockError && error.code === 'TL-3122') return error.message;
    throw error;
  }
  return 'nothing';
}

test('a transaction with rows waits for nothing where COMMITs wait for the route: of its rows the mapping may leave none', () => {
  for (const isSynchronous of [false, true]) {
    const { parts, read } = assembled({ isSynchronous });
    read(begin(70, 300), relation('', 7), insert('', 7, 'left out'), commit(300));
    expect(parts.map(({ rows, urgency }) => [rows, urgency])).toEqual([[1, isSynchronous ? 'now' : 'ride']]);
  }
});

test('a large transaction is given out before its commit, in parts that end with it', () => {
  const { parts, told, read, assembler } = assembled();
  const x = int(4, 60);
  read(streamStart(60), relation(x, 7));
  for (let i = 0; i < 6_000; i++) read(insert(x, 7, String(i)));
  read(streamStop);
  expect(parts).toHaveLength(1);
  expect(parts[0]).toMatchObject({ id: '60', commit: null, rows: 5_000 });
  expect(told).toEqual(['0/1000']);
  expect(assembler.inTransaction).toBe(true);
  // The second stream's rows are of a subtransaction, whose id they carry.
  read(streamStart(60), insert(int(4, 61), 7, 'last'), streamStop, streamCommit(60, 200));
  expect(assembler.inTransaction).toBe(false);
  expect(parts.map(({ id, commit }) => [id, commit])).toEqual([
    ['60', null],
    ['60', { position: '0/C9', atMs: 946_684_800_000, id: '60@0' }],
  ]);
  expect(values(parts)).toEqual([...Array.from({ length: 6_000 }, (_, i) => String(i)), 'last']);
  // And the next one as ever.
  read(begin(70, 300), relation('', 7), insert('', 7, 'next'), commit(300));
  expect(parts.at(-1)).toMatchObject({ id: '70', commit: { position: '0/12D' } });
});

test.for([
  ['another transaction', [begin(70, 150)], /another transaction comes between/],
  ['a stream of another', [streamStart(70)], /parts of another transaction/],
  ['its end as a rollback', [streamAbort(60)], /rolled back/],
  ['the rollback of a savepoint', [streamAbort(60, 61)], /rolled back/],
  ['the commit of another', [streamCommit(70, 150)], /another transaction comes between/],
  ['a commit before the checkpoint', [streamCommit(60, 90)], /before the checkpoint/],
] as const)('%s ends the session, with nothing more given out', ([, messages, why]) => {
  const { parts, told, read } = assembled();
  read(streamStart(60), relation(int(4, 60), 7), insert(int(4, 60), 7, '1'), streamStop);
  const before = parts.length;
  expect(refusal(() => read(...messages))).toMatch(why);
  expect(parts).toHaveLength(before);
  // Once more: all up to there may have been applied by then.
  expect(told).toEqual(['0/1000', '0/1000']);
});

test('one that was under way when the session began, or that nobody can take yet, waits for its commit', () => {
  const stream = (xid: number): Buffer[] => [streamStart(xid), relation(int(4, xid), 7), insert(int(4, xid), 7, '1')];
  for (const xid of [50, 100, 3_000_000]) {
    const { parts, told, read } = assembled();
    expect(refusal(() => read(...stream(xid)))).toMatch(/under way when the session began/);
    expect([parts, told]).toEqual([[], ['0/1000']]);
  }
  const unwelcome = assembled({ isWelcome: false });
  expect(refusal(() => unwelcome.read(...stream(60)))).toMatch(/by their ends/);
  expect(unwelcome.parts).toEqual([]);
  // Whether its rows are in the copy that was made of the table is for its commit to say.
  const copied = assembled({ copiedTo: 150n });
  expect(refusal(() => copied.read(...stream(60)))).toMatch(/in the copy/);
  const older = assembled({ copiedTo: 100n });
  older.read(...stream(60), streamStop, streamCommit(60, 200));
  expect(values(older.parts)).toEqual(['1']);
});

test('streams without anything for the route stop nobody, and move its position', () => {
  const { parts, told, read } = assembled();
  read(streamStart(3_000), streamStop, streamStart(60), streamStop, begin(70, 150), relation('', 7));
  read(insert('', 7, '1'), commit(150), streamAbort(60), streamStart(3_000), streamStop, streamCommit(3_000, 200));
  expect(told).toEqual([]);
  expect(parts.map(({ id, commit }) => [id, commit?.position])).toEqual([
    ['70', '0/97'],
    ['', '0/C9'],
  ]);
  // Sent whole it would not come: a checkpoint that names it could not be proven.
  expect(parts.at(-1)?.commit?.id).toBe('');
});

test('a large row of another table is passed over in a stream, too', () => {
  const { read, assembler, parts } = assembled();
  const x = int(4, 60);
  read(streamStart(60), relation(x, 7), relation(x, 8), insert(x, 7, '1'));
  const wanted = (message: Buffer): boolean => assembler.largeMessage(join('xyz', message), 3);
  expect(wanted(insert(x, 8, 'large'))).toBe(false);
  expect(wanted(insert(x, 7, 'large'))).toBe(true);
  expect(wanted(join('M', x, int(1, 1), int(8, 0), text('theirs'), int(4, 9)))).toBe(false);
  expect(wanted(join('M', x, int(1, 1), int(8, 0), text('tidelock.mark'), int(4, 9)))).toBe(true);
  // One that was looked at comes whole, and is read as it is.
  const message = join('xyz', insert(x, 7, 'large'));
  assembler.largeMessage(message, 3);
  assembler.message(message, 3);
  read(streamStop, streamCommit(60, 200));
  expect(values(parts)).toEqual(['1', 'large']);
});

test('whatever order transactions come in, their parts follow each other and nothing of one is left without its end', () => {
  type Event = readonly ['stream' | 'commit' | 'abort' | 'whole', number];
  const event = fc.tuple(
    fc.constantFrom('stream', 'stream', 'stream', 'commit', 'abort', 'whole'),
    fc.integer({ min: 60, max: 62 }),
  );
  fc.assert(
    fc.property(fc.array(event as fc.Arbitrary<Event>, { maxLength: 12 }), (events) => {
      const { parts, read } = assembled();
      /** What the source has, in the order of its commits; what is open. */
      const source: string[][] = [];
      const open = new Map<number, string[]>();
      let lsn = 200;
      let refused = '';
      for (const [at, [kind, xid]] of events.entries()) {
        const rows = [`${at}`, `${at}b`];
        const x = int(4, xid);
        const streamed = [streamStart(xid), relation(x, 7), ...rows.map((row) => insert(x, 7, row)), streamStop];
        const whole = [begin(99, lsn), relation('', 7), ...rows.map((row) => insert('', 7, row)), commit(lsn)];
        const messages = { stream: streamed, commit: [streamCommit(xid, lsn)], abort: [streamAbort(xid)], whole }[kind];
        if ((kind === 'commit' || kind === 'abort') && !open.has(xid)) continue;
        refused = refusal(() => read(...messages));
        if (refused !== 'nothing') break;
        if (kind === 'stream') open.set(xid, [...(open.get(xid) ?? []), ...rows]);
        if (kind === 'commit') source.push(open.get(xid) ?? []);
        if (kind === 'whole') source.push(rows);
        if (kind === 'commit' || kind === 'abort') open.delete(xid);
        lsn += 10;
        // What a target would have: each commit is the source at some commit of its own.
        expect(open.size).toBeLessThan(2);
      }
      const applied: string[][] = [];
      let under: string[] = [];
      for (const part of parts) {
        under.push(...(values([part]) as string[]));
        if (part.commit === null) continue;
        if (under.length > 0) applied.push(under);
        under = [];
      }
      expect(applied).toEqual(source.slice(0, applied.length));
      if (refused === 'nothing') expect(applied).toHaveLength(source.length);
    }),
  );
});

test('a message that is none, or stands where it can not, halts with the position', () => {
  const outside = assembled();
  expect(() => outside.read(Buffer.from('~'))).toThrow(expect.objectContaining({ code: 'TL-3203', recovery: 'halt' }));
  const inside = assembled();
  inside.read(begin(300, 600));
  const place = expect.objectContaining({ route: 'r', position: '0/258' });
  expect(() => inside.read(begin(301, 700))).toThrow(expect.objectContaining({ code: 'TL-3203', place }));
});
