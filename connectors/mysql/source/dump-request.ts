import type { BinlogPosition, FilePlace } from './position/binlog-position.ts';

const registerReplica = 0x15;
const binlogDump = 0x12;
const binlogDumpGtid = 0x1e;

/** COM_REGISTER_SLAVE: the session is listed by SHOW REPLICAS under this id and host. */
export function registerRequest(serverId: number, host: string): Buffer {
  const name = Buffer.from(host).subarray(0, 60);
  const id = Buffer.alloc(4);
  id.writeUInt32LE(serverId);
  // No user and no password to be shown, no port, no rank, and no source of its own.
  return Buffer.concat([
    Buffer.from([registerReplica]),
    id,
    Buffer.from([name.length]),
    name,
    Buffer.alloc(1 + 1 + 2 + 4 + 4),
  ]);
}

/**
 * Where the server can be asked to begin: a place beyond 4 GB does not fit the request, so that such a file (of one transaction that is larger than
 * `max_binlog_size`) is read from its beginning, and what is before the place is passed over.
 */
export function dumpPlace({ file, offset }: FilePlace): FilePlace {
  return { file, offset: offset < 2 ** 32 ? offset : 4 };
}

/** COM_BINLOG_DUMP_GTID where MySQL has GTIDs, else COM_BINLOG_DUMP. On MariaDB a session variable says where to begin. */
export function dumpRequest(position: BinlogPosition, serverId: number): Buffer {
  if (position.kind === 'gtid') {
    const set = position.set.encode();
    const head = Buffer.alloc(1 + 2 + 4 + 4 + 8 + 4);
    head[0] = binlogDumpGtid;
    head.writeUInt32LE(serverId, 3);
    // No file: the server finds the one that has the first transaction that is not in the set.
    head.writeBigUInt64LE(4n, 11);
    head.writeUInt32LE(set.length, 19);
    return Buffer.concat([head, set]);
  }
  const { file, offset } = position.kind === 'file' ? dumpPlace(position.place) : { file: '', offset: 4 };
  const head = Buffer.alloc(1 + 4 + 2 + 4);
  head[0] = binlogDump;
  head.writeUInt32LE(offset, 1);
  head.writeUInt32LE(serverId, 7);
  return Buffer.concat([head, Buffer.from(file)]);
}
