import type { Row } from '../../src/core/cell.ts';
import type { Hop, Origin } from '../../src/core/transaction.ts';

/**
 * Tidelock's own table at a node: a row of it that is written in a transaction marks the transaction in the binlog. There is one row for each
 * kind and route, written over again and again, so that it never grows; and one that names the node.
 *
 *   kind       id                  content (JSON; v is 1)
 *   origin     deployment/route    hops: where the transaction has been; written first in each transaction that a route applies
 *   heartbeat  deployment/route    sentAtMs
 *   mark       deployment/route    sentAtMs: somebody waits for the position of this transaction
 *   watermark  deployment/route    watermark: the id that its reader waits for
 *   node       node                node: what the node is called in hops
 */
export const signalTable = { schema: 'tidelock', name: 'signals' } as const;

export type Signal =
  | { readonly kind: 'origin'; readonly origin: Origin }
  | { readonly kind: 'heartbeat' | 'mark'; readonly id: string; readonly sentAtMs: number }
  | { readonly kind: 'watermark'; readonly id: string; readonly watermark: string }
  | { readonly kind: 'node' };

/** The new image of its row: kind, id, content. Throws RangeError for what is of no version known here: passing it over would loop. */
export function readSignal([kind, id, content]: Row): Signal {
  if (typeof kind !== 'string' || typeof id !== 'string' || typeof content !== 'string')
    throw new RangeError('a signal that is no text');
  const { v, hops, sentAtMs, watermark } = parsed(content);
  if (v !== 1) throw new RangeError('a signal of an unknown version');
  if (kind === 'origin') return { kind, origin: readHops(hops) };
  if (kind === 'node') return { kind };
  if (kind === 'watermark' && typeof watermark === 'string') return { kind, id, watermark };
  if ((kind === 'heartbeat' || kind === 'mark') && typeof sentAtMs === 'number') return { kind, id, sentAtMs };
  throw new RangeError(`a signal of an unknown kind`);
}

function parsed(content: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(content);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    throw new RangeError('a signal that is no JSON');
  }
}

function readHops(hops: unknown): Origin {
  if (!Array.isArray(hops) || hops.length === 0) throw new RangeError('an origin without hops');
  return hops.map((hop: Partial<Hop>) => {
    const { node, position, committedAtMs } = hop;
    if (typeof node !== 'string' || typeof position !== 'string' || typeof committedAtMs !== 'number')
      throw new RangeError('an origin with an incomplete hop');
    return { node, position, committedAtMs };
  });
}
