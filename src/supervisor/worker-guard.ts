import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import type { Logger } from '../core/logger.ts';

/**
 * Reads `+ ID:START` for a worker that has begun, `= ID:START...` for all there are. The end of that means that the
 * Supervisor is gone: whoever of them lives `$1` seconds later is killed. An id alone may be another process's by then; with when it was started (in ticks,
 * the 22nd field of /proc/ID/stat, the 20th behind the name) it means one process. A terminal's signals reach it, too, and are the Supervisor's.
 */
export const guardScript = `
trap '' HUP INT QUIT TERM
set -f
patience=$1 workers=
while read -r what who; do
  case $what in
    +) workers="$workers $who" ;;
    =) workers=$who ;;
  esac
done
look() {
  left=
  for one in $workers; do
    { read -r stat < "/proc/\${one%:*}/stat"; } 2>/dev/null || continue
    set -- \${stat##*) }
    if [ "$1" != Z ] && [ "\${20}" = "\${one#*:}" ]; then left="$left \${one%:*}"; fi
  done
}
look
while [ -n "$left" ] && [ "$patience" -gt 0 ]; do
  sleep 1
  patience=$((patience - 1))
  look
done
[ -z "$left" ] || kill -9 $left
`;

/** A worker that hears that its Supervisor is gone drains for up to three seconds. */
const patienceSeconds = 5;

const againMs = 5_000;

/** So many that have ended may be in what the guard knows. */
const mostEnded = 100;

/**
 * Ends workers that outlive a Supervisor that was killed. They end by themselves when the channel to it breaks off, but not one whose event loop is blocked for
 * good (a user exit in an endless loop): for it there is a process of its own beside the Supervisor, a shell that waits at a pipe. It takes 2 MB for
 * all workers; a thread in each worker that looks after its parent took 8 MB and 60 ms each.
 *
 * Linux only: elsewhere nothing tells what an id means.
 */
export class WorkerGuard {
  readonly #logger: Logger;
  readonly #workers = new Map<number, string>();
  #process: ChildProcess | null = null;
  #ended = 0;
  #closed = false;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** A child of this process that has just been started: nobody has reaped it yet, so that its id is its own. */
  started(pid: number): void {
    const start = startOf(pid);
    if (start === null || this.#closed) return;
    this.#workers.set(pid, start);
    if (this.#process === null) this.#start();
    else if (this.#ended > mostEnded + this.#workers.size) this.#tellAll();
    else this.#tell(`+ ${pid}:${start}`);
  }

  ended(pid: number): void {
    if (this.#workers.delete(pid)) this.#ended++;
  }

  /** There is nothing more to guard: the workers have ended, or are killed. */
  close(): void {
    this.#closed = true;
    this.#process?.kill('SIGKILL');
  }

  #start(): void {
    const guard = spawn('/bin/sh', ['-c', guardScript, 'tidelock-guard', String(patienceSeconds)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      cwd: '/',
      // Nothing of this process's: it may hold secrets.
      env: { PATH: process.env.PATH },
    });
    this.#process = guard;
    guard.stdin?.on('error', () => {});
    guard.once('error', (error) => this.#logger.warn({ err: error }, 'blocked workers are not guarded'));
    guard.once('exit', () => this.#again());
    // It must not keep this process from its end.
    guard.unref();
    (guard.stdin as (ChildProcess['stdin'] & { unref?(): void }) | null)?.unref?.();
    this.#tellAll();
  }

  /** Somebody has ended it. */
  #again(): void {
    if (this.#closed) return;
    setTimeout(() => {
      if (!this.#closed) this.#start();
    }, againMs).unref();
  }

  #tellAll(): void {
    this.#ended = 0;
    this.#tell(`= ${[...this.#workers].map(([pid, start]) => `${pid}:${start}`).join(' ')}`);
  }

  #tell(line: string): void {
    this.#process?.stdin?.write(`${line}\n`);
  }
}

/** In ticks since the machine was started. Null where there is no such process, or no such file on this system. */
function startOf(pid: number): string | null {
  try {
    // The name of the program, in brackets, may hold spaces and brackets.
    const [, rest = ''] = /^.*\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return rest.split(' ')[19] ?? null;
  } catch {
    return null;
  }
}
