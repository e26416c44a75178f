import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { LeaseHolder } from '../core/route-state-store.ts';

/** A command that takes a route's lease for a moment. */
export function freshHolder(): LeaseHolder {
  return { supervisor: `command-${randomUUID()}`, host: hostname(), pid: process.pid };
}
