import type { Row } from '../../core/cell.ts';
import type { Consumer, PartFeed } from '../../core/consumer.ts';
import type { LoadedChunk, RowSet } from '../../core/load.ts';
import { RowTextReader } from '../../core/row-text.ts';
import type { TransactionPart } from '../../core/transaction.ts';
import { type Bridge, tablesOf } from './bridge.ts';

/** A Consumer that is given rows of another vendor. */
export function bridgedConsumer(consumer: Consumer, bridge: Bridge): Consumer {
  const carried = (parts: readonly TransactionPart[]): TransactionPart[] =>
    parts.map((part) => carryPart(bridge, part));
  return {
    start: consumer.start,
    apply: async (parts, signal, feed) => {
      let waiting = parts;
      while (waiting.length > 0) {
        await bridge.know(waiting.flatMap(tablesOf));
        const held: TransactionPart[] = [];
        await consumer.apply(carried(waiting), signal, feed && bridgedFeed(feed, bridge, held));
        waiting = held;
      }
    },
    flushIdle: () => consumer.flushIdle(),
    progress: () => consumer.progress(),
    counts: () => consumer.counts(),
    parked: () => consumer.parked(),
    carryOut: (signal) => consumer.carryOut(signal),
    settled: () => consumer.settled(),
    abort: () => consumer.abort(),
    close: () => consumer.close(),
  };
}

/** What comes while others are applied: up to the first of a table that has to be asked for, which waits, and all behind it. */
function bridgedFeed(feed: PartFeed, bridge: Bridge, held: TransactionPart[]): PartFeed {
  const known = (parts: readonly TransactionPart[]): TransactionPart[] => {
    const first = held.length > 0 ? 0 : parts.findIndex((part) => !bridge.isKnown(part));
    if (first >= 0) held.push(...parts.slice(first));
    return parts.slice(0, first < 0 ? parts.length : first).map((part) => carryPart(bridge, part));
  };
  return {
    take: () => (held.length > 0 ? [] : known(feed.take())),
    gather: async (rows) => (held.length > 0 ? [] : known(await feed.gather(rows))),
    onMore: (listener) => feed.onMore(listener),
    done: (parts) => feed.done(parts),
  };
}

function carryPart(bridge: Bridge, part: TransactionPart): TransactionPart {
  const carried = bridge.part(part);
  const { chunk, begins } = carried;
  return {
    ...carried,
    ...(chunk !== undefined && { chunk: carryChunk(bridge, chunk) }),
    ...(begins !== undefined && {
      begins: { ...begins, tables: begins.tables.map((table) => bridge.table(table)) },
    }),
  };
}

/** What the Consumer tells of it is told of the chunk that it was made of: that one is asked. */
function carryChunk(bridge: Bridge, chunk: LoadedChunk): LoadedChunk {
  const { empties } = chunk;
  const carried: LoadedChunk = {
    ...chunk,
    sets: chunk.sets.map((set) => carrySet(bridge, set)),
    ...(empties !== undefined && {
      empties: { ...empties, tables: empties.tables.map((table) => bridge.table(table)) },
    }),
  };
  for (const name of ['emptied', 'appliedMs'] as const)
    Object.defineProperty(carried, name, {
      get: () => chunk[name],
      set: (value: never) => {
        chunk[name] = value;
      },
    });
  return carried;
}

function carrySet(bridge: Bridge, set: RowSet): RowSet {
  const table = bridge.table(set.table);
  return { ...set, table, rows: bridge.rows(set.table, rowsOf(set), 'a chunk of the load') };
}

function rowsOf({ table, rows }: RowSet): readonly Row[] {
  if (!('text' in rows)) return rows;
  const reader = new RowTextReader(table.columns.length);
  return rows.text.flatMap((text) => reader.read(text));
}
