import { ByteReader } from './byte-reader.ts';
import type { BinlogEvent } from './event-framer.ts';

const flags = { standalone: 1, groupCommit: 2, preparedXa: 64, completedXa: 128 } as const;

/** What begins a transaction of MariaDB: there is no BEGIN after it. */
export interface MariadbGtidEvent {
  readonly domain: number;
  readonly server: number;
  readonly sequence: number;
  /** One statement without a commit behind it: DDL. */
  readonly standalone: boolean;
  /** The transaction ends prepared, or is the end of a prepared one. */
  readonly xa: 'prepared' | 'completed' | null;
}

export function readMariadbGtid({ bytes, start, end, serverId }: BinlogEvent): MariadbGtidEvent {
  const reader = new ByteReader(bytes, start, end);
  const sequence = reader.uint64();
  if (sequence > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError('a GTID beyond 2^53');
  const domain = reader.uint(4);
  const bits = reader.uint(1);
  const xa = (bits & flags.preparedXa) !== 0 ? 'prepared' : (bits & flags.completedXa) !== 0 ? 'completed' : null;
  return {
    domain,
    server: serverId,
    sequence: Number(sequence),
    standalone: (bits & flags.standalone) !== 0,
    xa,
  };
}
