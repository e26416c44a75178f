import type { Hop, Origin } from '../../../src/core/transaction.ts';

/**
 * Tidelock's own records in a PostgreSQL change queue are transactional logical messages: no table to bloat, and no
 * publication can filter them. A Consumer begins each of its target transactions with an `origin`.
 */
export const markerPrefixes = {
  origin: 'tidelock.origin',
  heartbeat: 'tidelock.heartbeat',
  mark: 'tidelock.mark',
  watermark: 'tidelock.watermark',
  ddl: 'tidelock.ddl',
} as const;

export interface Heartbeat {
  readonly id: string;
  readonly sentAtMs: number;
  /** pg_current_snapshot(): what it sees was committed before the heartbeat. Older engines leave it out. */
  readonly snapshot?: string;
}

/** Throws RangeError for what is no origin of a version known here: passing it on as an application's change would loop. */
export function readOrigin(content: string): Origin {
  const { hops } = readVersion1(content, 'origin marker');
  if (!Array.isArray(hops) || hops.length === 0) throw new RangeError('origin marker without hops');
  return hops.map((hop: Partial<Hop>) => {
    const { node, position, committedAtMs } = hop;
    if (typeof node !== 'string' || typeof position !== 'string' || typeof committedAtMs !== 'number')
      throw new RangeError('origin marker with an incomplete hop');
    return { node, position, committedAtMs };
  });
}

export function readHeartbeat(content: string): Heartbeat {
  const { id, sentAtMs, snapshot } = readVersion1(content, 'heartbeat');
  if (typeof id !== 'string' || typeof sentAtMs !== 'number') throw new RangeError('incomplete heartbeat');
  return { id, sentAtMs, ...(typeof snapshot === 'string' && { snapshot }) };
}

export interface Watermark {
  /** Who wrote it: deployment/route. */
  readonly route: string;
  readonly id: string;
}

export function readWatermark(content: string): Watermark {
  const { route, id } = readVersion1(content, 'watermark');
  if (typeof route !== 'string' || typeof id !== 'string') throw new RangeError('incomplete watermark');
  return { route, id };
}

function readVersion1(content: string, what: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    throw new RangeError(`${what} that is no JSON`);
  }
  if (typeof value !== 'object' || value === null || !('v' in value) || value.v !== 1)
    throw new RangeError(`${what} of an unknown version`);
  return value as Record<string, unknown>;
}
