import { readFileSync } from 'node:fs';
import { childrenOf } from '../test/support/process-tree.ts';

/** Where one process's time went while a clock ran. What is left of the clock's time it had nothing to do, or waited for somebody. */
export interface Busiest {
  readonly process: string;
  /** On a core. */
  readonly ranMs: number;
  /** Ready to run, while others had the cores. */
  readonly queuedMs: number;
}

type Times = ReadonlyMap<number, { readonly ranNs: number; readonly queuedNs: number }>;

/** The kernel's count for the first thread of each: of a server's processes it is the only one, a worker's does what can't be done beside. */
export function scheduled(pids: readonly number[]): Times {
  return new Map(
    pids.flatMap((pid) => {
      const [ranNs, queuedNs] = read(`/proc/${pid}/schedstat`)?.split(' ').map(Number) ?? [];
      return ranNs === undefined || queuedNs === undefined ? [] : [[pid, { ranNs, queuedNs }] as const];
    }),
  );
}

/** A server's first process and those that it has started. */
export function processesOf(server: number): number[] {
  return [server, ...childrenOf(server)];
}

/** The one that has run most since `before`; null where the system does not tell. */
export function busiest(before: Times, after: Times): Busiest | null {
  const spent = [...after].map(([pid, { ranNs, queuedNs }]) => {
    const began = before.get(pid) ?? { ranNs: 0, queuedNs: 0 };
    return { pid, ranMs: (ranNs - began.ranNs) / 1e6, queuedMs: (queuedNs - began.queuedNs) / 1e6 };
  });
  const [first] = spent.toSorted((a, b) => b.ranMs - a.ranMs);
  if (first === undefined) return null;
  return { process: titleOf(first.pid), ranMs: Math.round(first.ranMs), queuedMs: Math.round(first.queuedMs) };
}

/** As a server names its processes in the list of them. */
function titleOf(pid: number): string {
  return (read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim().slice(0, 60);
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
