// The process that reads: what a route's worker runs between the socket and the target, with a target that takes everything at once.
import { PerformanceObserver } from 'node:perf_hooks';
import { lsnOrder } from '../../connectors/postgres/lsn.ts';
import { ByteBudget } from '../../src/core/byte-budget.ts';
import type { Consumer } from '../../src/core/consumer.ts';
import { LatestValue } from '../../src/core/latest-value.ts';
import type { Position } from '../../src/core/position.ts';
import type { RouteDefinition } from '../../src/core/route.ts';
import type { TransactionPart } from '../../src/core/transaction.ts';
import { LoadingTables } from '../../src/pipeline/loading-tables.ts';
import { MemoryChannel } from '../../src/pipeline/memory-channel.ts';
import { RouteMeter } from '../../src/pipeline/route-meter.ts';
import { streamSession } from '../../src/pipeline/stream-session.ts';
import { TableMapper } from '../../src/pipeline/table-mapper.ts';
import { TargetLooks } from '../../src/pipeline/target-looks.ts';
import { WatermarkWindows } from '../../src/pipeline/watermark-windows.ts';
import { routeOf, sourceOf } from '../../test/integration/collector/reading.ts';
import { nodeAt } from '../../test/support/postgres.ts';
import { peakBytes } from '../measure.ts';
import type { DecodeRound, DecodeTask } from './task.ts';

let collectedMs = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) collectedMs += duration;
}).observe({ entryTypes: ['gc'] });

class TakesEverything implements Consumer {
  readonly start;
  readonly #end: Position;
  readonly #reached: () => void;
  rows = 0;
  transactions = 0;

  constructor(start: Position, end: Position, reached: () => void) {
    this.start = { position: start, lastCommit: null };
    this.#end = end;
    this.#reached = reached;
  }

  async apply(parts: readonly TransactionPart[]): Promise<void> {
    for (const { rows, commit } of parts) {
      this.rows += rows;
      if (commit !== null && rows > 0) this.transactions++;
    }
    const { commit = null } = parts.at(-1) ?? {};
    if (commit !== null && lsnOrder.covers(commit.position, this.#end)) this.#reached();
  }

  async flushIdle(): Promise<void> {}
  /** Nothing is acknowledged, so that the next reading begins where this one did. */
  async *progress(): AsyncGenerator<never> {}
  counts() {
    return { transactions: this.transactions, rows: this.rows, groups: 0, replays: 0, collisions: 0 };
  }
  parked() {
    return { count: 0, since: null };
  }
  async carryOut(): Promise<void> {}
  async settled(): Promise<void> {}
  abort(): void {}
  async close(): Promise<void> {}
}

async function read(route: RouteDefinition, { stored, start, end }: DecodeTask): Promise<DecodeRound> {
  const source = sourceOf(route);
  const meter = new RouteMeter(3_600_000);
  const budget = new ByteBudget(route.apply.memoryBytes / 4);
  const stop = new AbortController();
  const cut = new AbortController();
  collectedMs = 0;
  const beganMs = performance.now();
  const used = process.cpuUsage();
  let ms = 0;
  let spent = used;
  const consumer = new TakesEverything(start, end, () => {
    ms = performance.now() - beganMs;
    spent = process.cpuUsage(used);
    stop.abort();
  });
  await streamSession({
    collector: source.collector(stored, {
      carried: null,
      budget,
      heartbeatMs: 3_600_000,
      onIdentity: async () => {},
      onRetained: () => {},
      meter: meter.work,
    }),
    consumer,
    channel: new MemoryChannel(),
    mapper: new TableMapper(route.name, route.tables),
    guard: {
      isTouched: false,
      expect() {},
      meet: async () => {},
      unannounced: async () => [],
      command: (change) => change,
    },
    budget,
    meter,
    groupRows: route.apply.groupRows,
    groupTimeMs: route.apply.groupTimeMs,
    targetNode: 'target',
    signal: stop.signal,
    cut: cut.signal,
    asked: new LatestValue<true>(),
    windows: new WatermarkWindows(),
    looks: new TargetLooks(),
    loading: new LoadingTables(),
    onApplied: () => {},
    onHeartbeat: () => {},
  });
  await source.close();
  const { rows, transactions } = consumer;
  const [userUs, systemUs] = [spent.user, spent.system];
  return { rows, transactions, ms, userUs, systemUs, collectedMs, peakBytes: peakBytes([process.pid]) };
}

process.once('message', async (task: DecodeTask) => {
  const route = routeOf({ node: nodeAt(task.port, task.database) }, { name: 'decode' });
  for (let round = 0; round < task.rounds; round++) process.send?.(await read(route, task));
  process.disconnect();
});
