import type { Control } from '../control/control.ts';
import { pause } from '../core/pause.ts';
import type { Reason } from '../core/route-status.ts';
import type { CommandLine } from './command-line.ts';
import { wholeWords } from './whole-words.ts';

/** A wait that is not over by then may last: whoever waits for a route that does not run should know. */
const soonMs = 100;
const againMs = 2_000;

/** States in which nobody does what is waited for until a person, or a server, comes back. */
const rests: readonly string[] = ['stopped', 'paused', 'failed', 'fenced', 'retrying'];

interface Awaited<T> {
  readonly routes: readonly string[];
  readonly waiting: Promise<T>;
  /** States in which it is not done. */
  readonly states?: readonly string[];
}

/**
 * Waits for what an engine is to do, and tells which of the routes it is not done for as things are, and why: at once,
 * and again where that changes, and not when the time is over. Returns what was waited for, with the routes that were told of.
 */
export async function whileWaiting<T>(
  line: CommandLine,
  control: Control,
  { routes, waiting, states = rests }: Awaited<T>,
): Promise<{ readonly result: T; readonly told: ReadonlySet<string> }> {
  const over = new AbortController();
  const done = waiting.finally(() => over.abort());
  done.catch(() => {});
  const told = new Map<string, string>();
  for (let waitMs = soonMs; routes.length > 0; waitMs = againMs) {
    await pause(waitMs, over.signal);
    if (over.signal.aborted) break;
    // What can't be asked now is told by what is waited for, or with the next look.
    const views = (await control.status(routes).catch(() => null))?.routes ?? [];
    for (const { name, state, reason } of views) {
      const what = `${state} ${reason?.code}`;
      if (!states.includes(state) || told.get(name) === what || over.signal.aborted) continue;
      told.set(name, what);
      line.err.write(await wholeWords(line, `${name} is ${state}; waiting all the same${reasonText(reason)}\n`));
    }
  }
  return { result: await done, told: new Set(told.keys()) };
}

export function reasonText(reason: Reason | null): string {
  return reason === null ? '' : `\n  ${reason.code} ${reason.message}\n  ${reason.remedy ?? ''}`.trimEnd();
}
