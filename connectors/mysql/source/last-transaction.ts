import type { StartPoint } from '../../../src/core/collector.ts';
import type { BinlogPosition } from './position/binlog-position.ts';

/** The transaction that was applied last, as the checkpoint knows it. */
export interface LastTransaction {
  /** `3e11fa47-...:17`, with its tag where it has one. */
  readonly gtid: string;
  /** With the time at which it was committed. */
  readonly id: string;
}

/** Null where it is of none of MySQL's GTIDs: nothing else can be asked for once more. */
export function lastTransaction({ lastCommit }: Pick<StartPoint, 'lastCommit'>): LastTransaction | null {
  const gtid = /^(.*):\d+@\d+$/.test(lastCommit?.id ?? '') ? (lastCommit?.id.split('@')[0] ?? '') : '';
  return gtid === '' || lastCommit === null ? null : { gtid, id: lastCommit.id };
}

/** Where to begin so that it comes once more. */
export function beforeLast(position: BinlogPosition, last: LastTransaction | null): BinlogPosition {
  if (position.kind !== 'gtid' || last === null) return position;
  const at = last.gtid.lastIndexOf(':');
  const set = position.set.copy();
  set.remove(last.gtid.slice(0, at), Number(last.gtid.slice(at + 1)));
  return { kind: 'gtid', set };
}
