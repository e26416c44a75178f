import { crc32 } from 'node:zlib';

/** A longer event is given to zlib; for a shorter one the call and the view that it wants cost more than the bytes do. */
const shortBytes = 256;

/** Of each byte, and of it with one to seven bytes of zeros behind. */
const [table0, table1, table2, table3, table4, table5, table6, table7] = makeTables();

type Table = Int32Array;

function makeTables(): readonly [Table, Table, Table, Table, Table, Table, Table, Table] {
  const zero = Int32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ 0xedb88320;
    return value;
  });
  const behind = (table: Int32Array): Int32Array =>
    table.map((value) => (zero[value & 0xff] as number) ^ (value >>> 8));
  const one = behind(zero);
  const two = behind(one);
  const three = behind(two);
  const four = behind(three);
  const five = behind(four);
  const six = behind(five);
  return [zero, one, two, three, four, five, six, behind(six)];
}

/** CRC-32 of the bytes from `start` to `end`, as zlib has it. */
export function checksumOf(bytes: Buffer, start: number, end: number): number {
  if (end - start > shortBytes) return crc32(bytes.subarray(start, end));
  let sum = -1;
  let at = start;
  for (; at < end - 7; at += 8) {
    sum ^=
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24);
    sum =
      (table7[sum & 0xff] as number) ^
      (table6[(sum >>> 8) & 0xff] as number) ^
      (table5[(sum >>> 16) & 0xff] as number) ^
      (table4[sum >>> 24] as number) ^
      (table3[bytes[at + 4] as number] as number) ^
      (table2[bytes[at + 5] as number] as number) ^
      (table1[bytes[at + 6] as number] as number) ^
      (table0[bytes[at + 7] as number] as number);
  }
  for (; at < end; at++) sum = (table0[(sum ^ (bytes[at] as number)) & 0xff] as number) ^ (sum >>> 8);
  return ~sum >>> 0;
}
