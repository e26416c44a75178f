import { expect, test } from 'vitest';
import { groupOf } from '../../connectors/sql/apply/group.ts';
import { ParkedWork } from '../../connectors/sql/parking/parked-work.ts';
import type { ParkedHead, ParkedWorkStore } from '../../connectors/sql/parking/parked-work-store.ts';
import { Parking } from '../../connectors/sql/parking/parking.ts';
import type { Decision, ParkingStore } from '../../connectors/sql/parking/parking-store.ts';
import { SetAside, type SetAsideOptions } from '../../connectors/sql/parking/set-aside.ts';
import type { Position } from '../../src/core/position.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';

const why = { cause: 'skip' as const, code: 'TL-2203', message: '', remedy: '', reason: null, askedBy: 'me' };

test('a skip whose transaction turns out to be another one is void: nothing of that is set aside, and it is applied', async () => {
  let decision: Decision | null = { transaction: '7', position: '0/5' as Position, why };
  const finished: string[] = [];
  const store: Partial<ParkingStore> = {
    count: async () => ({ count: 0, since: null }),
    decision: async () => decision,
    begin: async () => '1',
    addPart: async () => {},
    finish: async (id) => void finished.push(id),
    voidDecision: async ({ transaction }) => {
      if (decision?.transaction === transaction) decision = null;
    },
  };
  const parking = new Parking({
    ...{ store: store as ParkingStore, route: 'r', order: { covers: () => false } as never },
    tables: { claims: async () => new Map(), oldRows: async () => () => undefined },
  });
  await parking.load('0/1' as Position);
  const did: string[] = [];
  let open = false;
  const end = (what: string) => async (): Promise<void> => {
    did.push(what);
    open = what === 'begun';
  };
  const aside = new SetAside({
    route: { name: 'r', apply: { onError: 'halt' } },
    logger: { warn() {}, debug() {} },
    plans: { get: () => ({}) },
    loads: { active: false },
    target: {
      get open() {
        return open;
      },
      stayOpen: () => {},
      classify: (error: unknown) => error,
      run: async (work: () => Promise<void>) => {
        did.push('under the epoch');
        await work();
        did.push('done');
      },
    },
    parking,
    applier: {
      holdsRows: false,
      begin: end('begun'),
      apply: end('applied'),
      commit: end('committed'),
      rollBackAll: end('rolled back'),
    },
  } as unknown as SetAsideOptions<never>);
  // Its end, by which it is another one, comes with the last part.
  const part = (position: string | null): TransactionPart => {
    const commit = position === null ? null : { position: position as Position, atMs: 0, id: '7' };
    return { id: '7', origin: [], changes: [], rows: 1, bytes: 1, commit, urgency: 'ride' };
  };
  await aside.sort(groupOf([part(null)]));
  await expect(aside.sort(groupOf([part('0/9')]))).rejects.toMatchObject({ code: 'TL-2403', recovery: 'retry' });
  expect([did, decision, finished]).toEqual([['begun', 'rolled back', 'under the epoch', 'done'], null, []]);
  // It comes once more, as the route goes on.
  await aside.sort(groupOf([part(null), part('0/9')]));
  expect([did.at(-1), finished]).toEqual(['applied', []]);
});

test('a skip whose transaction was passed is void, and never one that was asked for since', async () => {
  const passed: Decision = { transaction: '7', position: '0/5' as Position, why };
  const voided: Decision[] = [];
  const store: Partial<ParkingStore> = {
    count: async () => ({ count: 0, since: null }),
    decision: async () => passed,
    voidDecision: async (decision) => void voided.push(decision),
  };
  const parking = new Parking({
    ...{ store: store as ParkingStore, route: 'r', order: { covers: () => true } as never },
    tables: { claims: async () => new Map(), oldRows: async () => () => undefined },
  });
  await parking.load('0/9' as Position);
  expect([parking.active, voided]).toEqual([false, []]);
  await parking.settle(async () => {});
  // Only in a target transaction, which a later engine's epoch refuses.
  expect(voided).toEqual([]);
  await parking.load('0/9' as Position);
  await parking.settle((work) => work());
  await parking.settle((work) => work());
  expect(voided).toEqual([passed]);
});

test.for([
  ['a piece of it is gone', null, 'part 0 is missing'],
  ['it is none of this version', Buffer.from('nonsense'), expect.stringMatching(/./)],
] as const)('a parked transaction that can not be read halts its retry, where %s', async ([, stored, what]) => {
  const head: ParkedHead = {
    ...{ id: 3, transaction: '7', origin: [] },
    commit: { position: '0/5' as Position, atMs: 0, id: '7' },
  };
  const gone: number[] = [];
  const store: Partial<ParkedWorkStore> = {
    ...{ upTo: async () => [3], incomplete: async () => [] },
    head: async () => head,
    parts: async () => 1,
    part: async () => stored,
    remove: async (id) => void gone.push(id),
  };
  const work = new ParkedWork({ store: store as ParkedWorkStore, route: 'r', map: async (changes) => changes });
  const worker = {
    apply: async (groups: AsyncIterable<unknown>) => {
      for await (const _ of groups);
    },
    isOfTheRows: () => false,
    claimAgain: async () => null,
    transaction: (run: () => Promise<void>) => run(),
  };
  const request = { id: 1, action: 'retry' as const, ids: null, withEarlier: false };
  await expect(work.carryOut(request, worker, new AbortController().signal)).rejects.toMatchObject({
    code: 'TL-2404',
    place: { route: 'r', id: 3, why: what },
  });
  expect(gone).toEqual([]);
});
