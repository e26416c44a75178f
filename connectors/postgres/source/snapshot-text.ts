/*
 * Snapshots as text: `xmin:xmax:xip,...`, of 64 bits each. Transaction ids elsewhere have 32 bits and go round, so only the lower
 * halves are compared. An id from before the last turn may count as a later one, which is the safe mistake.
 */

/** True where all these transactions and subtransactions were over. A snapshot lists no subtransactions: only what is older than all that ran counts. */
export function areSettled(xids: readonly string[], snapshot: string): boolean {
  const [xmin = ''] = snapshot.split(':');
  return xids.every((xid) => precedes(xid, xmin));
}

/** True where the transaction (no subtransaction) was over. */
export function isOver(xid: string, snapshot: string): boolean {
  return overIn(snapshot)(xid);
}

/** The same for many transactions. */
export function overIn(snapshot: string): (xid: string) => boolean {
  const [, xmax = '', running = ''] = snapshot.split(':');
  const open = new Set(running.split(',').flatMap((other) => (other === '' ? [] : [lower(other)])));
  const next = lower(xmax);
  return (xid) => {
    const id = lower(xid);
    return ((id - next) | 0) < 0 && !open.has(id);
  };
}

/** The transactions (no subtransactions) that were under way. */
export function openIn(snapshot: string): readonly string[] {
  const [, , running = ''] = snapshot.split(':');
  return running === '' ? [] : running.split(',');
}

/** True where transaction `a` got its id before `b`. */
export function precedes(a: string, b: string): boolean {
  return ((lower(a) - lower(b)) | 0) < 0;
}

/** A number is exact up to so many digits. */
const exactDigits = 15;

function lower(text: string): number {
  if (text.length <= exactDigits) return Number(text) % 0x1_0000_0000;
  return Number(BigInt(text) & 0xffffffffn);
}
