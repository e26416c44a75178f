import { crc32 } from 'node:zlib';

/** A longer event is given to zlib; for a shorter one the call and the view that it wants cost more than the bytes do. */
const shortBytes = 256;

/** Of each byte, and of it with one, two and three bytes of zeros behind. */
const [table0, table1, table2, table3] = makeTables();

function makeTables(): readonly [Int32Array, Int32Array, Int32Array, Int32Array] {
  const zero = Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ 0xedb88320;
    return value;
  });
  const behind = (table: Int32Array): Int32Array =>
    table.map((value) => (zero[value & 0xff] as number) ^ (value >>> 8));
  const one = behind(zero);
  const two = behind(one);
  return [zero, one, two, behind(two)];
}

/** CRC-32 of the bytes from `start` to `end`, as zlib has it. */
export function checksumOf(bytes: Buffer, start: number, end: number): number {
  if (end - start > shortBytes) return crc32(bytes.subarray(start, end));
  let sum = -1;
  let at = start;
  for (; at < end - 3; at += 4) {
    sum ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    sum =
      (table3[sum & 0xff] as number) ^
      (table2[(sum >>> 8) & 0xff] as number) ^
      (table1[(sum >>> 16) & 0xff] as number) ^
      (table0[sum >>> 24] as number);
  }
  for (; at < end; at++) sum = (table0[(sum ^ (bytes[at] as number)) & 0xff] as number) ^ (sum >>> 8);
  return ~sum >>> 0;
}
