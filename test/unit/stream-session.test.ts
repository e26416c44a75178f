import { expect, test } from 'vitest';
import { ByteBudget } from '../../src/core/byte-budget.ts';
import type { Collector } from '../../src/core/collector.ts';
import type { Consumer } from '../../src/core/consumer.ts';
import { LatestValue } from '../../src/core/latest-value.ts';
import type { Position } from '../../src/core/position.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { LoadingTables } from '../../src/pipeline/loading-tables.ts';
import { MemoryChannel } from '../../src/pipeline/memory-channel.ts';
import { RouteMeter } from '../../src/pipeline/route-meter.ts';
import type { SchemaGuard } from '../../src/pipeline/schema-guard.ts';
import { streamSession } from '../../src/pipeline/stream-session.ts';
import type { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { TargetLooks } from '../../src/pipeline/target-looks.ts';
import { WatermarkWindows } from '../../src/pipeline/watermark-windows.ts';

function transaction(at: number, rows = 1): TransactionPart {
  const commit = { position: String(at) as unknown as Position, atMs: 0, id: String(at) };
  return { id: String(at), origin: [], changes: [], rows, bytes: 0, commit, urgency: 'ride' };
}

const groupTimeMs = 3_600_000;

/** What is applied together, of transactions that come in while the first of them is applied. */
async function groupsOf(first: TransactionPart, meanwhile: readonly TransactionPart[]): Promise<number[]> {
  const channel = new MemoryChannel();
  const stop = new AbortController();
  const groups: number[] = [];
  const collector: Collector = {
    async *stream() {
      yield [first];
    },
    acknowledge() {},
    async close() {},
  };
  const apply = async (parts: readonly TransactionPart[]): Promise<void> => {
    groups.push(parts.length);
    if (groups.length === 1) channel.send(meanwhile);
    else stop.abort();
  };
  const consumer = {
    start: { position: '0', lastCommit: null },
    apply,
    progress: async function* () {},
    counts: () => ({ transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 }),
    parked: () => ({ count: 0, since: null }),
    async close() {},
  } as unknown as Consumer;
  await streamSession({
    collector,
    consumer,
    // The end of the stream is not what is looked at.
    channel: Object.assign(channel, { end() {} }),
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
  });
  return groups;
}

test('a route that keeps up applies what has come, and does not wait for groupTime', async () => {
  expect(await groupsOf(transaction(1), [transaction(2), transaction(3)])).toEqual([1, 2]);
});

test('what is more than a group is not waited for either', async () => {
  expect(await groupsOf(transaction(1), [transaction(2, 5_000)])).toEqual([1, 1]);
});
