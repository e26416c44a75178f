import { readdirSync, readFileSync } from 'node:fs';

/** Ids of a process's children, now. While one of them ends another one may be overlooked: whoever waits asks again. */
export function childrenOf(pid: number): number[] {
  const threads = `/proc/${pid}/task`;
  try {
    return readdirSync(threads).flatMap((thread) => {
      const ids = readFileSync(`${threads}/${thread}/children`, 'utf8').trim();
      return ids === '' ? [] : ids.split(' ').map(Number);
    });
  } catch {
    // It has ended, or the kernel was built without this list.
    return [...parents()].filter(([, parent]) => parent === pid).map(([child]) => child);
  }
}

/** Of a Supervisor: its children but the shell that guards them. */
export function workersOf(pid: number): number[] {
  return childrenOf(pid).filter((child) => nameOf(child) !== 'sh');
}

/** Of all processes of the machine, by their ids. */
function parents(): Map<number, number> {
  const found = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    const parent = /^\d+$/.test(name) ? statOf(Number(name))?.[1] : undefined;
    if (parent !== undefined) found.set(Number(name), Number(parent));
  }
  return found;
}

/** In ticks since the machine was started: with it an id means one process, however often ids are used again. */
export function startOf(pid: number): string | null {
  return statOf(pid)?.[19] ?? null;
}

/** In microseconds, user and system, of all threads: what a process has taken, and what its children had that it has reaped. */
export interface CpuTimes {
  ownUs: number;
  endedUs: number;
}

export function cpuTimesOf(pid: number): CpuTimes | null {
  const stat = statOf(pid);
  if (stat === null) return null;
  const us = (first: number) => (Number(stat[first]) + Number(stat[first + 1])) * 10_000;
  return { ownUs: us(11), endedUs: us(13) };
}

/** False also for one that has ended and waits to be reaped. */
export function isAlive(pid: number): boolean {
  const state = statOf(pid)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** What proc(5) tells, from the state on: the name before it, in brackets, may hold spaces and brackets. */
function statOf(pid: number): string[] | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return null;
  }
}

/**
 * SIGKILL for a process and all below it, at once: what a power cut is to a server. Returns their ids. All are stopped
 * before the first one ends, so that none starts another; children end first, since who loses its parent is woken.
 */
export function endTree(pid: number): readonly number[] {
  const tree = new Set([pid]);
  kill(pid, 'SIGSTOP');
  for (let before = 0; before < tree.size; ) {
    before = tree.size;
    for (const [child, parent] of parents()) {
      if (!tree.has(parent) || tree.has(child)) continue;
      kill(child, 'SIGSTOP');
      tree.add(child);
    }
  }
  const ids = [...tree].reverse();
  for (const id of ids) kill(id, 'SIGKILL');
  return ids;
}

/** For what a run has left: servers may give back their shared memory, which outlives a SIGKILL, all others go at once. */
export function endProcesses(pids: readonly number[]): void {
  const servers = pids.filter((pid) => nameOf(pid) === 'postgres');
  for (const pid of servers) kill(pid, 'SIGQUIT');
  const deadlineMs = performance.now() + 3_000;
  while (servers.some(isAlive) && performance.now() < deadlineMs) pauseSync(20);
  for (const pid of pids) if (isAlive(pid)) endTree(pid);
}

function nameOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return null;
  }
}

/** Without the event loop: the process is about to end. */
function pauseSync(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}
