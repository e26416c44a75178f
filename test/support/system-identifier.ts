import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where the first page of a WAL segment holds it. */
const inSegment = 24;

/** Bytes of a control file that mean something, in no version more. */
const controlBytes = 512;

/**
 * Makes the files of a stopped server those of another one: a copy of a data directory has the identifier of the
 * original, by which Tidelock tells servers apart. It stands at the start of the control file, whose checksum comes
 * behind its last field, and in the first page of each WAL segment.
 */
export function renewSystemIdentifier(dataDir: string): void {
  // The upper half is the second in which initdb ran.
  const lowerHalf = randomBytes(4);
  const controlFile = join(dataDir, 'global/pg_control');
  const control = readFileSync(controlFile);
  const end = checksumAt(control);
  lowerHalf.copy(control, 0);
  control.writeUInt32LE(crc32c(control, end), end);
  writeFileSync(controlFile, control);
  for (const name of readdirSync(join(dataDir, 'pg_wal')).filter((file) => /^[0-9A-F]{24}$/.test(file))) {
    const segment = readFileSync(join(dataDir, 'pg_wal', name));
    lowerHalf.copy(segment, inSegment);
    writeFileSync(join(dataDir, 'pg_wal', name), segment);
  }
}

/** Which versions differ in: where the bytes so far have the checksum that stands behind them. */
function checksumAt(control: Buffer): number {
  for (let end = 64; end < controlBytes; end += 4) if (control.readUInt32LE(end) === crc32c(control, end)) return end;
  throw new Error('a control file without a checksum');
}

/** Castagnoli's, as PostgreSQL has it. */
function crc32c(data: Buffer, end: number): number {
  let crc = 0xffffffff;
  for (const byte of data.subarray(0, end)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f63b78 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
