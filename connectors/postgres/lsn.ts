import { sourceErrors } from '../../src/core/errors/catalogue/source.ts';
import { fail } from '../../src/core/errors/tidelock-error.ts';
import type { Position, PositionOrder } from '../../src/core/position.ts';

/** A PostgreSQL WAL address: a byte offset of 64 bits, written as two hexadecimal halves. */
export type Lsn = bigint;

export function formatLsn(lsn: Lsn): Position {
  if (lsn > exactNumber) return `${hex(Number(lsn >> 32n))}/${hex(Number(BigInt.asUintN(32, lsn)))}` as Position;
  // Each transaction has one, and what is computed of bigints are objects.
  const bytes = Number(lsn);
  return `${hex(Math.floor(bytes / half))}/${hex(bytes % half)}` as Position;
}

const half = 0x1_0000_0000;
const exactNumber = BigInt(Number.MAX_SAFE_INTEGER);

/** Each transaction has one: of a number it takes a fraction of what it takes of a bigint. */
function hex(value: number): string {
  return value.toString(16).toUpperCase();
}

export function parseLsn(text: string): Lsn {
  const match = /^([0-9a-f]{1,8})\/([0-9a-f]{1,8})$/i.exec(text);
  if (!match) throw fail(sourceErrors.invalidPosition, { text });
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`);
}

export const lsnOrder: PositionOrder = {
  covers: (a, b) => parseLsn(a) >= parseLsn(b),
  parse: (text) => formatLsn(parseLsn(text)),
  bytes: (position) => Number(parseLsn(position)),
};
