import { inflateSync } from 'node:zlib';

/**
 * What MariaDB compresses of an event (`log_bin_compress`): a byte with the algorithm and the number of bytes of the length, the
 * length, big-endian, and zlib's stream.
 */
export function inflateMariadb(bytes: Buffer, start: number, end: number, maxBytes: number): Buffer {
  const header = bytes.readUInt8(start);
  const lengthBytes = header & 7;
  const algorithm = (header & 0x70) >> 4;
  if ((header & 0x80) === 0 || algorithm !== 0 || lengthBytes < 1 || lengthBytes > 4 || start + 1 + lengthBytes > end)
    throw new RangeError('an event compressed in an unknown way');
  const length = bytes.readUIntBE(start + 1, lengthBytes);
  if (length > maxBytes) throw new RangeError(`a compressed event of ${length} bytes`);
  const value = inflate(bytes.subarray(start + 1 + lengthBytes, end), length);
  if (value.length !== length) throw new RangeError('a compressed event of another length than it tells');
  return value;
}

function inflate(packed: Buffer, length: number): Buffer {
  try {
    return inflateSync(packed, { maxOutputLength: Math.max(length, 1) });
  } catch {
    throw new RangeError('a compressed event that can not be unpacked');
  }
}
