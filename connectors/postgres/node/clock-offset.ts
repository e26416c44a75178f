import type pg from 'pg';
import type { ClockOffset } from '../../../src/core/node-inspector.ts';

const tries = 3;

/** Of a few questions the quickest: the server's clock is taken for what this host's was half-way. */
export async function clockOffset(client: pg.Client): Promise<ClockOffset> {
  let best: ClockOffset | null = null;
  for (let at = 0; at < tries; at++) {
    const askedMs = Date.now();
    const { rows } = await client.query<{ ms: string }>('select extract(epoch from clock_timestamp()) * 1000 as ms');
    const answeredMs = Date.now();
    const errorMs = (answeredMs - askedMs) / 2;
    const offsetMs = Number(rows[0]?.ms) - (askedMs + errorMs);
    if (best === null || errorMs < best.errorMs) best = { offsetMs, errorMs };
  }
  return best ?? { offsetMs: 0, errorMs: 0 };
}
