import type { ApplyCounts } from '../../../src/core/consumer.ts';
import type { WorkMeter } from '../../../src/core/work-meter.ts';
import { type Group, isIdle } from './group.ts';

/** What a Consumer has done since it was made. */
export class ApplyCounter {
  readonly #meter: WorkMeter;
  #counts = { transactions: 0, rows: 0, groups: 0, replays: 0, collisions: 0 };
  #commitMs = 0;

  constructor(meter: WorkMeter) {
    this.#meter = meter;
  }

  get counts(): ApplyCounts {
    return { ...this.#counts };
  }

  /** Null where nobody is told of single groups. */
  now(): number | null {
    return this.#meter.onDone === null ? null : Date.now();
  }

  replayed(): void {
    this.#counts.replays++;
  }

  committed(spentMs: number): void {
    this.#commitMs += spentMs;
    this.#meter.spent('commit', spentMs);
  }

  applied(group: Group, collisions: number): void {
    if (group.rows === 0 && group.parts.length === 0) return;
    this.#counts.groups++;
    this.#counts.rows += group.rows;
    this.#counts.collisions += collisions;
    this.#meter.applied(group.parts, group.rows);
    for (const part of group.parts) if (part.commit !== null && !isIdle(part)) this.#counts.transactions++;
  }

  trace({ parts, rows, commit }: Group, mode: string, beganMs: number | null): void {
    if (beganMs === null || this.#meter.onDone === null || parts.length === 0) return;
    const transactions = parts.filter((part) => part.commit !== null && !isIdle(part)).length;
    const position = commit?.position ?? null;
    this.#meter.onDone({ kind: 'group', beganMs, endedMs: Date.now(), rows, transactions, position, mode });
  }

  /** What is not the commit is the apply, however often it was tried. */
  async timed<T>(run: () => Promise<T>): Promise<T> {
    const beganMs = performance.now();
    const committedMs = this.#commitMs;
    try {
      return await run();
    } finally {
      this.#meter.spent('apply', performance.now() - beganMs - (this.#commitMs - committedMs));
    }
  }
}
