import { zstdDecompressSync } from 'node:zlib';
import { ByteReader } from './byte-reader.ts';
import { type BinlogEvent, readEvent } from './event-framer.ts';

const fields = { end: 0, size: 1, compression: 2, uncompressedSize: 3 } as const;
const compressions = { zstd: 0, none: 255 } as const;

/** The events of a whole transaction as one compressed event (`binlog_transaction_compression=ON`); they carry no checksums of their own. */
export function* readTransactionPayload(event: BinlogEvent, maxBytes: number): Generator<BinlogEvent> {
  const events = unpack(event, maxBytes);
  for (let at = 0; at < events.length; ) {
    if (events.length - at < 13) throw new RangeError('a transaction payload ends early');
    const size = events.readUInt32LE(at + 9);
    if (size > events.length - at) throw new RangeError('a transaction payload ends early');
    yield readEvent(events, at, at + size, false);
    at += size;
  }
}

function unpack({ bytes, start, end }: BinlogEvent, maxBytes: number): Buffer {
  const reader = new ByteReader(bytes, start, end);
  let size = 0;
  let compression: number = compressions.none;
  let told: number | null = null;
  for (;;) {
    const field = reader.lengthEncoded();
    if (field === fields.end) break;
    const value = new ByteReader(reader.view(reader.lengthEncoded()));
    if (field === fields.size) size = value.lengthEncoded();
    else if (field === fields.compression) compression = value.lengthEncoded();
    else if (field === fields.uncompressedSize) told = value.lengthEncoded();
  }
  const packed = reader.view(size);
  if (compression === compressions.none) return packed;
  if (compression !== compressions.zstd) throw new RangeError(`a transaction compressed by algorithm ${compression}`);
  if (told === null || told > maxBytes) throw new RangeError(`a compressed transaction of ${told} bytes`);
  const events = decompress(packed, told);
  if (events.length !== told) throw new RangeError('a compressed transaction of another length than it tells');
  return events;
}

function decompress(packed: Buffer, length: number): Buffer {
  try {
    return zstdDecompressSync(packed, { maxOutputLength: Math.max(length, 1) });
  } catch {
    throw new RangeError('a compressed transaction that can not be unpacked');
  }
}
