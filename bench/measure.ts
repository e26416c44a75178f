import { readFileSync } from 'node:fs';
import { type CpuTimes, childrenOf, cpuTimesOf } from '../test/support/process-tree.ts';

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that this share of all values does not exceed. NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** CPU time that processes have taken with all their threads, in microseconds. One that has ended is an error. */
export function cpuUs(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + running(pid).ownUs, 0);
}

/**
 * CPU time of a server: of its first process, of those below it that run, and of those that have ended, which the system adds to
 * who has started them. Where one ends while the others are read, all are read again: it would be missed or counted twice.
 */
export function serverCpuUs(pid: number): number {
  for (;;) {
    const before = running(pid);
    const children = childrenOf(pid).reduce((sum, child) => sum + (cpuTimesOf(child)?.ownUs ?? 0), 0);
    const after = running(pid);
    if (after.endedUs === before.endedUs) {
      return after.ownUs + children + after.endedUs;
    }
  }
}

function running(pid: number): CpuTimes {
  const times = cpuTimesOf(pid);
  if (times === null) {
    throw new Error(`the process ${pid}, which is measured, has ended`);
  }
  return times;
}

/** The most memory that one of these processes has had since it was started, in bytes. */
export function peakBytes(pids: readonly number[]): number {
  return Math.max(
    ...pids.map((pid) => {
      const [, kb = '0'] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
      return Number(kb) * 1024;
    }),
  );
}
