import type { RetentionLimits } from '../../../src/core/route.ts';

export type RetentionLevel = 'ok' | 'warn' | 'critical';

/**
 * What the source keeps for a route grows while the route is away or slow, up to a full disk. Reports each change of
 * level; while the level is not ok, each measurement.
 */
export class RetentionGuard {
  readonly #limits: RetentionLimits;
  readonly #report: (level: RetentionLevel, retainedBytes: number) => void;
  #level: RetentionLevel = 'ok';

  constructor(limits: RetentionLimits, report: (level: RetentionLevel, retainedBytes: number) => void) {
    this.#limits = limits;
    this.#report = report;
  }

  measured(retainedBytes: number): void {
    const level = retentionLevel(this.#limits, retainedBytes);
    if (level === 'ok' && this.#level === 'ok') return;
    this.#level = level;
    this.#report(level, retainedBytes);
  }
}

export function retentionLevel(limits: RetentionLimits, retainedBytes: number): RetentionLevel {
  if (retainedBytes >= limits.criticalBytes) return 'critical';
  return retainedBytes >= limits.warnBytes ? 'warn' : 'ok';
}
