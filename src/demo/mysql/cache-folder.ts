import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where servers are kept that were fetched: for the demo and for tests. */
export function cacheFolder(): string {
  return process.env.TIDELOCK_CACHE ?? join(homedir(), '.cache', 'tidelock');
}
