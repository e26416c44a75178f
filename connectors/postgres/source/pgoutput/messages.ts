import type { ReplicaIdentity } from '../../../../src/core/table.ts';
import type { Lsn } from '../../lsn.ts';

/**
 * Messages of pgoutput's protocol, up to version 2, apart from rows (row-reader.ts). Each is read whole and copied: what holds it
 * is used again for what comes next. Begin and Commit lie in a larger buffer from `at` on; there is one of each transaction.
 */
export const messageTypes = {
  begin: 0x42,
  commit: 0x43,
  origin: 0x4f,
  relation: 0x52,
  type: 0x59,
  insert: 0x49,
  update: 0x55,
  delete: 0x44,
  truncate: 0x54,
  message: 0x4d,
  streamStart: 0x53,
  streamStop: 0x45,
  streamCommit: 0x63,
  streamAbort: 0x41,
} as const;

export interface Begin {
  /** Where the commit record starts, which is also where the transaction is ordered. */
  readonly commitLsn: Lsn;
  readonly xid: string;
}

export interface Commit {
  /** Where the commit record ends: the first byte that is not needed any more once the transaction is durable. */
  readonly endLsn: Lsn;
  readonly atMs: number;
  /** Microseconds since 2000, as the server has it: a number is exact up to the year 2285. */
  readonly time: number;
}

/** Of a transaction that was sent while it was decoded. */
export interface StreamCommit extends Commit {
  readonly xid: string;
  /** As Begin has it. */
  readonly commitLsn: Lsn;
}

/**
 * Within a stream each message that belongs to a transaction carries the id of its (sub)transaction behind its letter. With the letter moved to
 * the last byte of the id it is the message as it would be outside of one.
 */
const prefixed: ReadonlySet<number | undefined> = new Set([
  messageTypes.relation,
  messageTypes.type,
  messageTypes.insert,
  messageTypes.update,
  messageTypes.delete,
  messageTypes.truncate,
  messageTypes.message,
]);
const idBytes = 4;

export interface RelationColumn {
  readonly name: string;
  readonly key: boolean;
  readonly typeOid: number;
  readonly modifier: number;
}

export interface RelationMessage {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly identity: ReplicaIdentity;
  readonly columns: readonly RelationColumn[];
}

export interface LogicalMessage {
  readonly transactional: boolean;
  readonly prefix: string;
  readonly content: string;
}

const identities: Readonly<Record<string, ReplicaIdentity>> = {
  d: 'default',
  i: 'index',
  f: 'full',
  n: 'nothing',
};

/** As pg_class.relreplident has it. */
export function replicaIdentity(letter: string): ReplicaIdentity {
  const identity = identities[letter];
  if (identity === undefined) throw new RangeError(`unknown replica identity "${letter}"`);
  return identity;
}

export function readBegin(buffer: Buffer, at = 0): Begin {
  return {
    commitLsn: buffer.readBigUInt64BE(at + 1),
    xid: String(buffer.readUInt32BE(at + 17)),
  };
}

export function readCommit(buffer: Buffer, at = 0): Commit {
  const time = readTime(buffer, at + 18);
  return { endLsn: buffer.readBigUInt64BE(at + 10), atMs: toMilliseconds(time), time };
}

export function readStreamedXid(buffer: Buffer, at = 0): string {
  return String(buffer.readUInt32BE(at + 1));
}

export function readStreamCommit(buffer: Buffer, at = 0): StreamCommit {
  const time = readTime(buffer, at + 22);
  return {
    xid: readStreamedXid(buffer, at),
    commitLsn: buffer.readBigUInt64BE(at + 6),
    endLsn: buffer.readBigUInt64BE(at + 14),
    atMs: toMilliseconds(time),
    time,
  };
}

/** Where the message of a stream begins without its id; null of one that carries none. */
export function unprefixed(bytes: Buffer, at: number): number | null {
  if (!prefixed.has(bytes[at])) return null;
  bytes[at + idBytes] = bytes[at] as number;
  return at + idBytes;
}

/** Without a bigint, of which each would be garbage: each transaction has one. */
function readTime(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
}

/** Microseconds since 2000-01-01 to milliseconds since 1970. */
function toMilliseconds(time: number): number {
  return Math.floor(time / 1000) + 946_684_800_000;
}

export function readRelation(buffer: Buffer): RelationMessage {
  const cursor = new Cursor(buffer, 5);
  const schema = cursor.text();
  const name = cursor.text();
  const identity = replicaIdentity(String.fromCharCode(cursor.byte()));
  const columns: RelationColumn[] = [];
  for (let left = cursor.uint16(); left > 0; left--) {
    const key = (cursor.byte() & 1) === 1;
    columns.push({ key, name: cursor.text(), typeOid: cursor.uint32(), modifier: cursor.int32() });
  }
  // An empty schema stands for pg_catalog.
  return { oid: buffer.readUInt32BE(1), schema: schema || 'pg_catalog', name, identity, columns };
}

export function readType(buffer: Buffer): { readonly oid: number; readonly name: string } {
  const cursor = new Cursor(buffer, 5);
  const schema = cursor.text();
  return { oid: buffer.readUInt32BE(1), name: `${schema || 'pg_catalog'}.${cursor.text()}` };
}

export function readTruncate(buffer: Buffer): { readonly oids: readonly number[]; readonly restartIdentity: boolean } {
  const cursor = new Cursor(buffer, 1);
  const count = cursor.uint32();
  const options = cursor.byte();
  return { restartIdentity: (options & 2) === 2, oids: Array.from({ length: count }, () => cursor.uint32()) };
}

/** What the first bytes of a logical message tell of it. Ours all begin alike (markers.ts). */
export function readMessageHead(
  buffer: Buffer,
  at: number,
): { readonly transactional: boolean; readonly isOurs: boolean } {
  return {
    transactional: (buffer.readUInt8(at + 1) & 1) === 1,
    isOurs: buffer.toString('latin1', at + 10, at + 10 + ourPrefix.length) === ourPrefix,
  };
}

export function readLogicalMessage(buffer: Buffer): LogicalMessage {
  const cursor = new Cursor(buffer, 10);
  const prefix = cursor.text();
  const length = cursor.uint32();
  return {
    transactional: (buffer.readUInt8(1) & 1) === 1,
    prefix,
    content: buffer.toString('utf8', cursor.offset, cursor.offset + length),
  };
}

const ourPrefix = 'tidelock.';

class Cursor {
  readonly #buffer: Buffer;
  offset: number;

  constructor(buffer: Buffer, offset: number) {
    this.#buffer = buffer;
    this.offset = offset;
  }

  byte(): number {
    return this.#buffer.readUInt8(this.offset++);
  }

  uint16(): number {
    this.offset += 2;
    return this.#buffer.readUInt16BE(this.offset - 2);
  }

  uint32(): number {
    this.offset += 4;
    return this.#buffer.readUInt32BE(this.offset - 4);
  }

  int32(): number {
    this.offset += 4;
    return this.#buffer.readInt32BE(this.offset - 4);
  }

  /** Up to the next zero byte. */
  text(): string {
    const end = this.#buffer.indexOf(0, this.offset);
    if (end < 0) throw new RangeError('text without an end');
    const text = this.#buffer.toString('utf8', this.offset, end);
    this.offset = end + 1;
    return text;
  }
}
