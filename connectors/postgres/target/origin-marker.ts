import type { Origin } from '../../../src/core/transaction.ts';

/**
 * Content of the message `tidelock.origin` that is the first record of every transaction of ours: a Collector that
 * meets it knows the rest is replicated, and where it has been. At least one hop.
 */
export function originMarker(hops: Origin): string {
  return JSON.stringify({ v: 1, hops });
}
