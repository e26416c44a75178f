import type { ByteBudget } from '../core/byte-budget.ts';
import type { Change } from '../core/change.ts';
import type { Channel } from '../core/channel.ts';
import type { Collector } from '../core/collector.ts';
import { backlogRows, type Consumer, type PartFeed } from '../core/consumer.ts';
import type { LatestValue } from '../core/latest-value.ts';
import { packedInserts } from '../core/packed-part.ts';
import type { Position } from '../core/position.ts';
import type { TableVersion } from '../core/table.ts';
import type { TransactionPart } from '../core/transaction.ts';
import type { LoadingTables } from './loading-tables.ts';
import type { RouteMeter } from './route-meter.ts';
import type { SchemaGuard } from './schema-guard.ts';
import type { TableMapper } from './table-mapper.ts';
import type { TargetLooks } from './target-looks.ts';
import type { WatermarkWindows } from './watermark-windows.ts';

/** An advance without changes is stored this often at most, unless somebody waits for it. */
const idleStoreMs = 10_000;

export interface StreamSessionOptions {
  readonly collector: Collector;
  readonly consumer: Consumer;
  readonly channel: Channel;
  readonly mapper: TableMapper;
  readonly guard: Pick<SchemaGuard, 'isTouched' | 'unannounced' | 'expect' | 'meet' | 'command'>;
  readonly budget: ByteBudget;
  readonly meter: RouteMeter;
  readonly groupRows: number;
  readonly groupTimeMs: number;
  /** The target as origin hops name it: what was there already does not go there again. */
  readonly targetNode: string;
  /** Ends the session: the group in flight is finished, what waits behind it is not applied. */
  readonly signal: AbortSignal;
  /** Ends the session at once, with the group in flight. */
  readonly cut: AbortSignal;
  /** Yields when somebody has asked for something about parked transactions. Ends with the session. */
  readonly asked: LatestValue<true>;
  /** What is read of the source meanwhile, between watermarks. */
  readonly windows: WatermarkWindows;
  readonly looks: TargetLooks;
  /** Tables that lack rows. */
  readonly loading: LoadingTables;
  /** It is at the target. */
  onApplied(part: TransactionPart): void;
  onHeartbeat(): void;
}

/**
 * Streams until the signal aborts (returns) or something fails (throws the first error). Reading, applying and
 * reporting run side by side and meet only in the Channel.
 */
export async function streamSession(options: StreamSessionOptions): Promise<void> {
  const { channel, collector, consumer, meter } = options;
  const stop = new AbortController();
  const onAbort = (): void => stop.abort();
  options.signal.addEventListener('abort', onAbort, { once: true });
  if (options.signal.aborted) stop.abort();
  channel.onReport((progress) => {
    meter.progressed(progress);
    if (progress.durable !== null) collector.acknowledge(progress.durable);
  });
  meter.follow(consumer);
  const onCut = (): void => consumer.abort();
  options.cut.addEventListener('abort', onCut, { once: true });
  if (options.cut.aborted) onCut();
  const reporting = report(options);
  const reading = read(options, stop.signal);
  let refused: unknown = null;
  const serving = serve(options, stop.signal).catch((error: unknown) => {
    refused = error;
    stop.abort();
  });
  try {
    await write(options, stop.signal);
    // What is not stored and acknowledged is read once more by whoever goes on.
    await consumer.flushIdle();
    await consumer.settled();
  } finally {
    stop.abort();
    options.asked.close();
    await serving;
    options.signal.removeEventListener('abort', onAbort);
    options.cut.removeEventListener('abort', onCut);
    await reading;
    await consumer.close();
    await reporting;
    await collector.close();
    meter.unfollow();
  }
  if (refused !== null) throw refused;
}

/** What people ask about parked transactions is done between two groups, so that its order with the stream is exact. */
async function serve({ asked, consumer }: StreamSessionOptions, signal: AbortSignal): Promise<void> {
  for await (const _ of asked.values()) {
    if (signal.aborted) return;
    await consumer.carryOut(signal);
  }
}

/** Source side. Its errors reach the writer through the Channel, behind the parts that came before them. */
async function read(
  { collector, consumer, channel, meter, ...options }: StreamSessionOptions,
  signal: AbortSignal,
): Promise<void> {
  /** Between two transactions: where the one before has ended. */
  let reached: Position | null = null;
  try {
    let waitingMs = performance.now();
    for await (const parts of collector.stream(consumer.start, signal)) {
      const mapped: TransactionPart[] = [];
      const beganMs = performance.now();
      meter.work.spent('read', beganMs - waitingMs);
      // Once for what has come together: the catalogue is not looked at more often than that either.
      let isLookedAt = !options.guard.isTouched;
      let isExpected = false;
      try {
        for (const [at, given] of parts.entries()) {
          const part = options.loading.pass(options.windows.pass(given));
          // An advance that is no transaction has no place for a change, and rows of a load are of the definition before it.
          if (!isLookedAt && reached !== null && part.id !== '' && !part.chunk && !part.begins) {
            isLookedAt = true;
            part.changes.unshift(...(await options.guard.unannounced(reached)));
          }
          const asks = asksGuard(part);
          if (asks && !isExpected) {
            isExpected = true;
            options.guard.expect(parts.slice(at));
          }
          mapped.push(asks ? await prepare(part, options) : options.mapper.map(part));
          reached = part.commit?.position ?? null;
        }
      } finally {
        // What came before an error is applied first.
        if (mapped.length > 0) channel.send(mapped);
        waitingMs = performance.now();
        meter.work.spent('map', waitingMs - beganMs);
      }
      meter.sourcePosition = parts.findLast((part) => part.commit !== null)?.commit?.position ?? meter.sourcePosition;
    }
    channel.end();
  } catch (error) {
    channel.end(error);
  }
}

/** Most parts are rows only and come from nowhere else: nothing is awaited for them. */
function asksGuard(part: TransactionPart): boolean {
  if (part.origin.length > 0) return true;
  if (packedInserts(part) !== null) return false;
  const { changes } = part;
  // Each row comes by here: an iterator's results would be garbage.
  for (let at = 0; at < changes.length; at++) {
    const kind = changes[at]?.kind;
    if (kind === 'schemaChange' || kind === 'ddl') return true;
  }
  return false;
}

/** The part as the target is to see it. What a transaction announces of tables counts even where it has been there. */
export async function prepare(
  part: TransactionPart,
  { guard, mapper, targetNode }: Pick<StreamSessionOptions, 'guard' | 'mapper' | 'targetNode'>,
): Promise<TransactionPart> {
  const left = new Set<Change>();
  // A command comes with the table as the catalogue has it, and leaves it as the guard has found it to be.
  const found = new Map<TableVersion, TableVersion>();
  for (const change of part.changes) {
    if (change.kind === 'schemaChange' && change.evolution === undefined) {
      const { to } = change;
      await guard.meet(change, part.id);
      if (change.to !== to) found.set(to, change.to);
    } else if (change.kind === 'truncate') change.tables = change.tables.map((table) => found.get(table) ?? table);
    else if (change.kind === 'ddl' && guard.command(change) === null) left.add(change);
  }
  const kept = left.size === 0 ? part : { ...part, changes: part.changes.filter((change) => !left.has(change)) };
  const commanded = withToldFirst(kept);
  return mapper.map(dropLoop(commanded, targetNode));
}

/**
 * A command that altered a table was committed before the transaction of its first row, which may be in the middle of it: the target, which may commit by
 * itself where it is altered, is altered before any of its rows.
 */
function withToldFirst(part: TransactionPart): TransactionPart {
  const isTold = (change: Change): boolean =>
    change.kind === 'schemaChange' && change.told !== undefined && (change.evolution?.steps.length ?? 0) > 0;
  if (!part.changes.slice(1).some(isTold)) return part;
  const told = part.changes.filter(isTold);
  return { ...part, changes: [...told, ...part.changes.filter((change) => !isTold(change))] };
}

/** A transaction that has been at the target becomes an advance without changes; what follows later rows need stays. */
function dropLoop(part: TransactionPart, targetNode: string): TransactionPart {
  if (!part.origin.some((hop) => hop.node === targetNode)) return part;
  const changes = part.changes.filter((change) =>
    change.kind === 'ddl' ? change.applied : change.kind === 'schemaChange' && change.evolution !== undefined,
  );
  return { ...part, changes, rows: 0 };
}

/** Target side: applies all that waits, as one or more groups. */
async function write(options: StreamSessionOptions, signal: AbortSignal): Promise<void> {
  const { channel, consumer, meter, looks } = options;
  let storedAtMs = Date.now();
  const isDue = (): boolean => Date.now() - storedAtMs >= idleStoreMs;
  let given: TransactionPart[] = [];
  const give = (parts: readonly TransactionPart[]): readonly TransactionPart[] => {
    // Not spread into arguments, of which there may only be so many: small transactions come by the hundred thousand.
    for (const part of parts) given.push(part);
    return parts;
  };
  // Nothing is under way while somebody looks: what is behind waits here.
  let look: string | null = null;
  let behind: readonly TransactionPart[] = [];
  const upToLook = (parts: readonly TransactionPart[]): readonly TransactionPart[] => {
    const at = parts.findIndex((part) => part.look !== undefined);
    if (at < 0) return parts;
    look = parts[at]?.look ?? null;
    behind = parts.slice(at + 1);
    return parts.slice(0, at + 1);
  };
  const isOver = (): boolean => look !== null || isDue();
  const feed: PartFeed = {
    // Where only idle parts come, without an end, their position is to be stored all the same.
    take: () => (isOver() ? [] : give(upToLook(channel.take()))),
    gather: async (rows) =>
      isOver() ? [] : give(upToLook(await waited(meter, () => gather(options, [], signal, rows)))),
    onMore: (listener) => channel.onSend(listener),
    done: (parts) => {
      for (const part of given.splice(0, parts)) applied(part, options);
      meter.stepped();
    },
  };
  const receive = async (): Promise<readonly TransactionPart[] | null> => {
    const kept = behind;
    behind = [];
    if (kept.length > 0) return kept;
    return await waited(meter, async () => {
      const first = await channel.receive(signal, idleStoreMs);
      return first === null ? null : await gather(options, first, signal);
    });
  };
  for (;;) {
    const received = await receive();
    if (received === null) return;
    const parts = upToLook(received);
    if (parts.length > 0) {
      given = [...parts];
      await consumer.apply(parts, signal, feed);
      // What an end has left was not applied.
      if (signal.aborted) for (const part of given.splice(0)) options.budget.release(part.bytes);
      else feed.done(given.length);
    }
    if (look !== null) {
      const reached = look;
      look = null;
      if (!signal.aborted) await looks.reached(reached);
    }
    if (!isDue()) continue;
    storedAtMs = Date.now();
    await consumer.flushIdle();
  }
}

async function waited<T>(meter: RouteMeter, wait: () => Promise<T>): Promise<T> {
  const beganMs = performance.now();
  const result = await wait();
  meter.work.spent('wait', performance.now() - beganMs);
  return result;
}

function applied(part: TransactionPart, { budget, meter, onHeartbeat, onApplied }: StreamSessionOptions): void {
  meter.measured(part);
  budget.release(part.bytes);
  onApplied(part);
  if (part.rows > 0) return;
  for (const change of part.changes) {
    if (change.kind !== 'heartbeat') continue;
    meter.passed(change);
    onHeartbeat();
  }
}

/**
 * In a backlog, which is when many rows came while the group before was applied, a little more is waited for: fewer
 * commits for as many transactions. Otherwise groups grow by themselves with what came meanwhile: at a steady 1,000
 * transactions a second there are always a few, and waiting for more of them made each late by half of `groupTime`.
 * Nobody who waits for a position waits for others. `held` rows wait elsewhere already.
 */
async function gather(
  { channel, groupRows, groupTimeMs }: StreamSessionOptions,
  first: readonly TransactionPart[],
  signal: AbortSignal,
  held = 0,
): Promise<readonly TransactionPart[]> {
  if (first.reduce((sum, part) => sum + part.rows, held) < backlogRows(groupRows)) return first;
  const deadlineMs = performance.now() + groupTimeMs;
  const parts = [...first];
  let rows = held;
  for (let at = 0; ; ) {
    for (; at < parts.length; at++) {
      const part = parts[at] as TransactionPart;
      rows += part.rows;
      if (part.urgency === 'now') return parts;
    }
    const leftMs = deadlineMs - performance.now();
    if (rows >= groupRows || leftMs <= 0) return parts;
    // What the channel ended with comes again with the next call.
    const more = await channel.receive(signal, leftMs).catch(() => null);
    if (more === null) return parts;
    for (const part of more) parts.push(part);
  }
}

async function report({ channel, consumer }: StreamSessionOptions): Promise<void> {
  for await (const progress of consumer.progress()) channel.report(progress);
}
