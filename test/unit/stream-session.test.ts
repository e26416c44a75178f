import { expect, test } from 'vitest';
import { ByteBudget } from '../../src/core/byte-budget.ts';
import type { Change } from '../../src/core/change.ts';
import type { Collector } from '../../src/core/collector.ts';
import type { Consumer, PartFeed } from '../../src/core/consumer.ts';
import { LatestValue } from '../../src/core/latest-value.ts';
import type { Position } from '../../src/core/position.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { LoadingTables } from '../../src/pipeline/loading-tables.ts';
import { MemoryChannel } from '../../src/pipeline/memory-channel.ts';
import { RouteMeter } from '../../src/pipeline/route-meter.ts';
import type { SchemaGuard } from '../../src/pipeline/schema-guard.ts';
import { prepare, streamSession } from '../../src/pipeline/stream-session.ts';
import type { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { TargetLooks } from '../../src/pipeline/target-looks.ts';
import { WatermarkWindows } from '../../src/pipeline/watermark-windows.ts';

function transaction(at: number, rows = 1): TransactionPart {
  const commit = { position: String(at) as unknown as Position, atMs: 0, id: String(at) };
  return { id: String(at), origin: [], changes: [], rows, bytes: 0, commit, urgency: 'ride' };
}

const groupTimeMs = 3_600_000;

function collectorOf(parts: readonly TransactionPart[]): Collector {
  return {
    async *stream() {
      yield parts;
    },
    acknowledge() {},
    async close() {},
  };
}

function consumerOf(apply: Consumer['apply']): Consumer {
  return {
    start: { position: '0', lastCommit: null },
    apply,
    progress: async function* () {},
    counts: () => ({ transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 }),
    parked: () => ({ count: 0, since: null }),
    async flushIdle() {},
    async settled() {},
    async close() {},
  } as unknown as Consumer;
}

function common(stop: AbortController) {
  return {
    mapper: { map: (part: TransactionPart) => part } as TableMapper,
    guard: { isTouched: false } as SchemaGuard,
    budget: new ByteBudget(1),
    meter: new RouteMeter(1_000),
    groupRows: 5_000,
    groupTimeMs,
    targetNode: 'there',
    signal: stop.signal,
    cut: new AbortController().signal,
    asked: new LatestValue<true>(),
    windows: new WatermarkWindows(),
    looks: new TargetLooks(),
    loading: new LoadingTables(),
    onApplied: () => {},
    onHeartbeat() {},
  };
}

/** What is applied together, of transactions that come in while the first of them is applied. */
async function groupsOf(
  first: TransactionPart,
  meanwhile: readonly TransactionPart[],
  { looks = new TargetLooks(), groups = [] as (number | string)[], takes = false } = {},
): Promise<(number | string)[]> {
  const channel = new MemoryChannel();
  const stop = new AbortController();
  let applied = 0;
  const apply = async (parts: readonly TransactionPart[], _: AbortSignal, feed?: PartFeed): Promise<void> => {
    groups.push(parts.length);
    if (applied === 0) channel.send(meanwhile);
    applied += parts.length;
    // As the Consumer does: what has come rides along, and is applied when the call is over.
    for (let more = takes ? feed?.take() : []; more !== undefined && more.length > 0; more = feed?.take()) {
      groups.push(more.length);
      applied += more.length;
    }
    if (applied > meanwhile.length || !takes) if (applied > 1) stop.abort();
  };
  await streamSession({
    ...common(stop),
    collector: collectorOf([first]),
    consumer: consumerOf(apply),
    // The end of the stream is not what is looked at.
    channel: Object.assign(channel, { end() {} }),
    looks,
  });
  return groups;
}

test('a route that keeps up applies what has come, and does not wait for groupTime', async () => {
  expect(await groupsOf(transaction(1), [transaction(2), transaction(3)])).toEqual([1, 2]);
});

test('what is more than a group is not waited for either', async () => {
  expect(await groupsOf(transaction(1), [transaction(2, 5_000)])).toEqual([1, 1]);
});

test('nothing behind a look is given to the target before it is over', async () => {
  const looks = new TargetLooks();
  const groups: (number | string)[] = [];
  for (const id of ['one', 'two'])
    looks.ask(id, async () => {
      groups.push(`${id} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      groups.push(`${id} ends`);
    });
  const meanwhile = [
    transaction(2),
    { ...transaction(3), look: 'one' },
    { ...transaction(4), look: 'two' },
    transaction(5),
    transaction(6),
  ];
  expect(await groupsOf(transaction(1), meanwhile, { looks, groups, takes: true })).toEqual([
    1,
    2,
    'one begins',
    'one ends',
    1,
    'two begins',
    'two ends',
    2,
  ]);
});

test('what the catalogue shows goes before the next transaction, and not before rows of a load that were read before it', async () => {
  const chunk = { source: 'public.t', sets: [], reserved: { bytes: 0, ms: 0 } } as unknown as NonNullable<
    TransactionPart['chunk']
  >;
  const shown = { kind: 'schemaChange', evolution: { steps: [] } } as unknown as Change;
  const parts: TransactionPart[] = [transaction(1), { ...transaction(2, 0), chunk }, transaction(3)];
  const applied: TransactionPart[] = [];
  const stop = new AbortController();
  const untold = [shown];
  await streamSession({
    ...common(stop),
    collector: collectorOf(parts),
    consumer: consumerOf(async (given) => {
      applied.push(...given);
      if (applied.length === parts.length) stop.abort();
    }),
    channel: new MemoryChannel(),
    guard: { isTouched: true, expect() {}, unannounced: async () => untold.splice(0) } as unknown as SchemaGuard,
  });
  expect(applied.map(({ changes }) => changes)).toEqual([[], [], [shown]]);
});

test('a chunk whose rows can not be carried halts behind the transactions that came with its watermark', async () => {
  const stop = new AbortController();
  const options = common(stop);
  options.windows.open({
    low: 'low',
    high: 'high',
    tables: new Map(),
    close: () => {
      throw new RangeError('a value that the target can not hold');
    },
  });
  const watermark = (at: number, id: string): TransactionPart => ({
    ...transaction(at, 0),
    changes: [{ kind: 'watermark', id }],
  });
  const applied: string[] = [];
  const session = streamSession({
    ...options,
    collector: collectorOf([watermark(1, 'low'), transaction(2), transaction(3), watermark(4, 'high'), transaction(5)]),
    consumer: consumerOf(async (given) => void applied.push(...given.map(({ id }) => id))),
    channel: new MemoryChannel(),
  });
  await expect(session).rejects.toThrow('can not hold');
  expect(applied).toEqual(['1', '2', '3']);
});

test('what an end has left over was not applied, and no longer counts against the memory', async () => {
  const stop = new AbortController();
  const told: string[] = [];
  const budget = new ByteBudget(1_000);
  budget.take(30);
  const parts = [1, 2, 3].map((at) => ({ ...transaction(at), bytes: 10 }));
  await streamSession({
    ...common(stop),
    budget,
    onApplied: ({ id }) => told.push(id),
    collector: collectorOf(parts),
    consumer: consumerOf(async (_, __, feed) => {
      feed?.done(1);
      stop.abort();
    }),
    channel: Object.assign(new MemoryChannel(), { end() {} }),
  });
  expect(told).toEqual(['1']);
  expect(budget.usedBytes).toBe(0);
});

test('a TRUNCATE is of the table as the guard has found it to be, not as the catalogue has it by then', async () => {
  const [further, found] = ['further', 'found'].map((name) => ({ schema: 'd', name, identity: 'full', columns: [] }));
  const { mapper, targetNode } = common(new AbortController());
  const guard = {
    meet: async (change: { to: unknown }) => {
      change.to = found;
    },
  } as unknown as SchemaGuard;
  const changes = [
    { kind: 'schemaChange', to: further, told: [] },
    { kind: 'truncate', tables: [further] },
  ] as unknown as Change[];
  const part = await prepare({ ...transaction(1), changes }, { guard, mapper, targetNode });
  expect(part.changes[1]).toMatchObject({ kind: 'truncate', tables: [found] });
});

test('what has been at the target does not come there again, however many nodes it has been at, and what has been elsewhere does', async () => {
  const { mapper, targetNode } = common(new AbortController());
  const guard = {} as SchemaGuard;
  const origin = (...nodes: string[]) => nodes.map((node) => ({ node, position: '1', committedAtMs: 0 }));
  const table = { schema: 'd', name: 't', identity: 'full', columns: [] } as const;
  const changes: Change[] = [
    { kind: 'insert', table, after: [] },
    { kind: 'truncate', tables: [table], restartIdentity: false },
  ];
  const rowsOf = async (...nodes: string[]): Promise<readonly [number, boolean]> => {
    const given = { ...transaction(1), changes, origin: origin(...nodes) };
    const part = await prepare(given, { guard, mapper, targetNode });
    return [part.changes.length, part.commit !== null];
  };
  expect(await rowsOf('elsewhere', 'further')).toEqual([2, true]);
  for (const been of [['there'], ['there', 'elsewhere'], ['elsewhere', 'there'], ['a', 'there', 'b']])
    expect(await rowsOf(...been)).toEqual([0, true]);
});

test('the source is acknowledged what the target has on its disk, and nothing that is only visible there', async () => {
  const stop = new AbortController();
  const acknowledged: unknown[] = [];
  const at = (position: string) => position as unknown as Position;
  const consumer = consumerOf(async () => stop.abort());
  consumer.progress = async function* () {
    yield { applied: at('1'), durable: null };
    yield { applied: at('3'), durable: at('2') };
  };
  await streamSession({
    ...common(stop),
    collector: { ...collectorOf([transaction(1)]), acknowledge: (durable) => acknowledged.push(durable) },
    consumer,
    channel: new MemoryChannel(),
  });
  expect(acknowledged).toEqual(['2']);
});
