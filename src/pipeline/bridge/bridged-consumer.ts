import type { Consumer, PartFeed } from '../../core/consumer.ts';
import type { LoadedChunk, RowSet } from '../../core/load.ts';
import { piecesOf, rowsOf } from '../../core/row-set.ts';
import type { TransactionPart } from '../../core/transaction.ts';
import { type Bridge, tablesOf } from './bridge.ts';

/** A Consumer that is given rows of another vendor. `aheadBytes`: of rows that are carried and not applied yet, as they are accounted for, unless it is one part. */
export function bridgedConsumer(consumer: Consumer, bridge: Bridge, aheadBytes: number): Consumer {
  return {
    start: consumer.start,
    apply: async (parts, signal, feed) => {
      const ahead = new CarriedAhead(bridge, aheadBytes, feed ?? null);
      ahead.add(parts);
      while (ahead.waiting && !signal.aborted) await consumer.apply(await ahead.begin(), signal, feed && ahead);
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

/**
 * What comes while others are applied, carried when the Consumer has use for it: a row that waits takes less as the source has it, which may be bytes.
 * Given out are parts up to the first of a table that has to be asked for, which waits with all behind it until the Consumer is done with the others.
 */
class CarriedAhead implements PartFeed {
  readonly #bridge: Bridge;
  readonly #limitBytes: number;
  readonly #feed: PartFeed | null;
  #waiting: TransactionPart[] = [];
  /** Of those that were given out and are not applied. */
  #given: number[] = [];
  #givenBytes = 0;
  #isUnknown = false;
  /** What the first of those that wait can't be carried for. It is told when the Consumer is done with those before, and not where more comes by itself. */
  #failed: { readonly error: unknown } | null = null;

  constructor(bridge: Bridge, limitBytes: number, feed: PartFeed | null) {
    this.#bridge = bridge;
    this.#limitBytes = limitBytes;
    this.#feed = feed;
  }

  get waiting(): boolean {
    return this.#waiting.length > 0;
  }

  add(parts: readonly TransactionPart[]): void {
    for (const part of parts) this.#waiting.push(part);
  }

  /** The Consumer is done with all that it was given. What it begins with; asks for the tables of what waits. */
  async begin(): Promise<readonly TransactionPart[]> {
    this.#given = [];
    this.#givenBytes = 0;
    this.#isUnknown = false;
    if (this.#failed !== null) throw this.#failed.error;
    await this.#bridge.know(this.#waiting.flatMap(tablesOf));
    const parts = this.#next();
    if (parts.length === 0 && this.#failed !== null) throw (this.#failed as { readonly error: unknown }).error;
    return parts;
  }

  take(): readonly TransactionPart[] {
    if (this.#feed !== null) this.add(this.#feed.take());
    return this.#next();
  }

  async gather(rows: number): Promise<readonly TransactionPart[]> {
    if (!this.waiting && this.#feed !== null) this.add(await this.#feed.gather(rows));
    return this.#next();
  }

  onMore(listener: (() => void) | null): void {
    this.#feed?.onMore(listener);
  }

  done(parts: number): void {
    for (const bytes of this.#given.splice(0, parts)) this.#givenBytes -= bytes;
    this.#feed?.done(parts);
  }

  #next(): readonly TransactionPart[] {
    const carried: TransactionPart[] = [];
    let at = 0;
    for (; at < this.#waiting.length && !this.#isUnknown && this.#failed === null; at++) {
      const part = this.#waiting[at] as TransactionPart;
      if (this.#given.length > 0 && this.#givenBytes + part.bytes > this.#limitBytes) break;
      this.#isUnknown = !this.#bridge.isKnown(part);
      if (this.#isUnknown) break;
      try {
        carried.push(carryPart(this.#bridge, part));
      } catch (error) {
        this.#failed = { error };
        break;
      }
      this.#given.push(part.bytes);
      this.#givenBytes += part.bytes;
    }
    if (at > 0) this.#waiting.splice(0, at);
    return carried;
  }
}

function carryPart(bridge: Bridge, part: TransactionPart): TransactionPart {
  const carried = bridge.part(part);
  const { chunk, begins } = carried;
  if (chunk === undefined && begins === undefined) return carried;
  // The target's columns may have other types by now than they had where the load was asked for.
  if (begins?.where != null) bridge.demandPart(begins.tables, begins.where);
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
  if (empties?.where != null) bridge.demandPart(empties.tables, empties.where);
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
  return { ...set, table, rows: carriedRows(bridge, set) };
}

const place = 'a chunk of the load';

/** Where they are made of text they are made here, and nobody else has them: they are changed, some at a time, when the Consumer writes them. */
function carriedRows(bridge: Bridge, set: RowSet): RowSet['rows'] {
  if (!('text' in set.rows)) return bridge.rows(set.table, rowsOf(set), place);
  // As the target's columns are now, for which the Consumer is given the table.
  const carryOwn = bridge.ownRows(set.table, place);
  return {
    count: set.rows.count,
    *pieces() {
      for (const rows of piecesOf(set)) yield carryOwn(rows);
    },
  };
}
