import type { PackedRow } from '../../src/core/packed-row.ts';

/** The row as a source would pack it, with something else around it. */
export function packed(row: readonly (string | null)[]): PackedRow {
  const before = Buffer.from('tn\n\\');
  const cells = row.map((cell) => {
    if (cell === null) return Buffer.from('n');
    const head = Buffer.from('t\0\0\0\0');
    head.writeUInt32BE(Buffer.byteLength(cell), 1);
    return Buffer.concat([head, Buffer.from(cell)]);
  });
  const whole = Buffer.concat([Buffer.from([row.length >> 8, row.length & 255]), ...cells]);
  const isAscii = row.every((cell) => cell === null || Buffer.byteLength(cell) === cell.length);
  const bytes = Buffer.concat([before, whole, Buffer.from('t\0\0\0\x09')]);
  return { bytes, at: before.length, end: before.length + whole.length, isAscii };
}
