import { readFileSync } from 'node:fs';
import { childrenOf } from '../test/support/process-tree.ts';

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The value that this share of all values does not exceed. NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** CPU time that processes have taken with all their threads, in microseconds: user and system, in ticks of 10 ms. */
export function cpuUs(pids: readonly number[]): number {
  let sum = 0;
  for (const pid of pids) {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    sum += (Number(fields[11]) + Number(fields[12])) * 10_000;
  }
  return sum;
}

/**
 * CPU time of a server: of its first process, of those below it that run, and of those that have ended, which the system adds to
 * who has started them.
 */
export function serverCpuUs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return cpuUs([pid, ...childrenOf(pid)]) + (Number(fields[13]) + Number(fields[14])) * 10_000;
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
