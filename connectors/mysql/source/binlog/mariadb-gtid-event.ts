import { ByteReader } from './byte-reader.ts';
import type { BinlogEvent } from './event-framer.ts';

const flags = { standalone: 1, groupCommit: 2, preparedXa: 64, completedXa: 128 } as const;

/** Of the further flags, behind everything else: which engines took part, and which half of an ALTER TABLE it is (binlog_alter_two_phase). */
const furtherFlags = { engines: 1, startAlter: 2, commitAlter: 4, rollbackAlter: 8, thread: 16 } as const;
const knownFurther = Object.values(furtherFlags).reduce<number>((all, flag) => all | flag, 0);

/** What begins a transaction of MariaDB: there is no BEGIN after it. */
export interface MariadbGtidEvent {
  readonly domain: number;
  readonly server: number;
  readonly sequence: number;
  /** One statement without a commit behind it: DDL. */
  readonly standalone: boolean;
  /** The transaction ends prepared, or is the end of a prepared one. */
  readonly xa: 'prepared' | 'completed' | null;
  /** It tells of an ALTER TABLE that has begun, or has come to nothing: the statement behind it has changed nothing. */
  readonly isAlterWithoutEffect: boolean;
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
    isAlterWithoutEffect: readFurther(reader, bits, xa !== null),
  };
}

/** Older servers write none, and zeros up to the shortest length of the event. */
function readFurther(reader: ByteReader, bits: number, isXa: boolean): boolean {
  if ((bits & flags.groupCommit) !== 0) reader.skip(8);
  if (isXa) {
    reader.skip(4);
    const lengths = [reader.uint(1), reader.uint(1)];
    for (const length of lengths) reader.skip(length);
  }
  if (reader.left === 0) return false;
  const further = reader.uint(1);
  // What a flag that is not known says of the statement behind it can't be known either.
  if ((further & ~knownFurther) !== 0) throw new RangeError(`a GTID of MariaDB with further flags ${further}`);
  return (further & (furtherFlags.startAlter | furtherFlags.rollbackAlter)) !== 0;
}
