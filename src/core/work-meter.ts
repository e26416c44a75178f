import { type Change, isRowChange } from './change.ts';
import { packedInserts } from './packed-part.ts';
import { type TableName, type TableVersion, tableLabel } from './table.ts';
import type { TransactionPart } from './transaction.ts';

/**
 * Where a route's time goes. Both sides run side by side: read, decode and map are the source's, wait, apply and commit the
 * target's; each side's sum is the time that passes.
 */
export const stages = ['read', 'decode', 'map', 'apply', 'commit', 'flush', 'wait'] as const;
export type Stage = (typeof stages)[number];

/** What was done with rows; `truncate` counts commands. */
export const operations = ['insert', 'update', 'delete', 'truncate', 'load'] as const;
export type Operation = (typeof operations)[number];

/** Groups are counted by the first of these that their rows do not exceed; one more counts those beyond the last. */
export const groupRowBounds = [1, 10, 100, 500, 1_000, 2_500, 5_000, 10_000, 20_000, 40_000] as const;

/** Tables beyond these are counted together, under this name: no table's label is without a schema. */
export const tableLimit = 10_000;
export const otherTables = 'other';

/** What was done since the last look. Lists are in the order of the names above. */
export interface WorkDone {
  readonly stageMs: readonly number[];
  readonly groupSizes: readonly number[];
  /** Only tables with which something was done, as named at the target. */
  readonly tables: readonly (readonly [table: string, ...counts: number[]])[];
}

/** A piece of work that is done, for whoever traces it. Never a row value. */
export interface TracedWork {
  readonly kind: 'group' | 'load';
  /** Milliseconds since 1970. */
  readonly beganMs: number;
  readonly endedMs: number;
  readonly rows: number;
  /** Where the source is with it; null in the middle of a transaction. */
  readonly position: string | null;
  /** How a group was applied; how many tables were loaded. */
  readonly mode?: string;
  readonly tables?: number;
  readonly transactions?: number;
}

const stageAt = Object.fromEntries(stages.map((stage, at) => [stage, at])) as Readonly<Record<Stage, number>>;
const operationAt = Object.fromEntries(operations.map((name, at) => [name, at])) as Readonly<Record<Operation, number>>;

/**
 * Counts the work of one route's worker. It is on the way of every row, so a row costs one addition in a typed slot: no
 * object, no text, no look at the clock. The clock is looked at per group, per batch and per chunk of the socket.
 */
export class WorkMeter {
  readonly #stageMs = new Float64Array(stages.length);
  readonly #groups = new Float64Array(groupRowBounds.length + 1);
  readonly #tables = new Map<string, Float64Array>();
  /** Decoding that the next time of waiting for the source is to be less by. */
  #decodedMs = 0;
  /** Set where somebody traces: not a thing is made for it otherwise. */
  onDone: ((work: TracedWork) => void) | null = null;
  readonly #slots = new WeakMap<TableVersion, Float64Array>();

  /** `ms` of a stage have passed. */
  spent(stage: Stage, ms: number): void {
    const at = stageAt[stage];
    this.#stageMs[at] = (this.#stageMs[at] ?? 0) + Math.max(0, ms);
  }

  /** A group has been applied. */
  applied(parts: readonly TransactionPart[], rows: number): void {
    const found = groupRowBounds.findIndex((bound) => rows <= bound);
    const size = found < 0 ? groupRowBounds.length : found;
    this.#groups[size] = (this.#groups[size] ?? 0) + 1;
    let table: TableVersion | null = null;
    let slot: Float64Array | null = null;
    for (const part of parts) {
      const inserts = packedInserts(part);
      if (inserts !== null) {
        add(this.#slot(inserts.table), operationAt.insert, inserts.rows);
        continue;
      }
      const { changes } = part;
      for (let at = 0; at < changes.length; at++) {
        const change = changes[at] as Change;
        if (isRowChange(change)) {
          if (change.table !== table || slot === null) {
            table = change.table;
            slot = this.#slot(table);
          }
          add(slot, operationAt[change.kind], 1);
        } else if (change.kind === 'truncate') {
          for (const truncated of change.tables) add(this.#slot(truncated), operationAt.truncate, 1);
        }
      }
    }
  }

  /** Rows of a load. */
  loaded(table: TableVersion, rows: number): void {
    add(this.#slot(table), operationAt.load, rows);
  }

  /** What was done since the last call. */
  take(): WorkDone {
    const tables: [string, ...number[]][] = [];
    for (const [label, counts] of this.#tables) {
      if (counts.every((count) => count === 0)) continue;
      tables.push([label, ...counts]);
      counts.fill(0);
    }
    const done = { stageMs: this.#stageTimes(), groupSizes: [...this.#groups], tables };
    this.#stageMs.fill(0);
    this.#groups.fill(0);
    return done;
  }

  /** Decoding goes on while the reader waits: it is taken off, so that the two add up. */
  #stageTimes(): number[] {
    const times = [...this.#stageMs];
    const readMs = (times[stageAt.read] ?? 0) - (times[stageAt.decode] ?? 0) - this.#decodedMs;
    times[stageAt.read] = Math.max(0, readMs);
    this.#decodedMs = Math.max(0, -readMs);
    return times;
  }

  #slot(table: TableVersion): Float64Array {
    const known = this.#slots.get(table);
    if (known !== undefined) return known;
    const slot = this.#slotOf(table);
    this.#slots.set(table, slot);
    return slot;
  }

  #slotOf(table: TableName): Float64Array {
    const label = tableLabel(table);
    const name = this.#tables.has(label) || this.#tables.size < tableLimit ? label : otherTables;
    const known = this.#tables.get(name);
    if (known !== undefined) return known;
    const slot = new Float64Array(operations.length);
    this.#tables.set(name, slot);
    return slot;
  }
}

function add(slot: Float64Array, at: number, count: number): void {
  slot[at] = (slot[at] ?? 0) + count;
}
