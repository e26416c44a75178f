import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const shortestMs = 10;
const longestMs = 100;

/** A question that takes long itself, such as a command, is asked in a fifth of the time at most. */
const restsForEach = 4;
const longestRestMs = 200;

/** Of a machine that is never so busy that a limit means nothing. */
const smallestShare = 1 / 4;

/** How much of the machine a process gets that wants all of one processor. */
function shareOfMachine(): number {
  const [runnable = 0] = loadavg();
  return Math.max(smallestShare, Math.min(1, availableParallelism() / Math.max(runnable, 1)));
}

/**
 * Asks again and again until the answer is not null, undefined or false. Throws with `what` after `timeoutMs`, which
 * last longer on a machine that has other work: what is waited for is late there, too.
 *
 * What has taken long is asked for less often: an answer may be late by a twentieth of the wait, and by four times what
 * the question takes, since most cost a connection or a command.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  timeoutMs = 30_000,
): Promise<Exclude<T, null | undefined | false>> {
  const beganMs = performance.now();
  for (let countedMs = 0; ; ) {
    const askedMs = performance.now();
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) {
      return answer as Exclude<T, null | undefined | false>;
    }
    if (countedMs > timeoutMs) {
      const waitedMs = Math.round(performance.now() - beganMs);
      throw new Error(`waited ${waitedMs} ms, limit ${timeoutMs} ms, for: ${what}`);
    }
    const waitedMs = Math.min(longestMs, Math.max(shortestMs, countedMs / 20));
    const restMs = Math.min(longestRestMs, restsForEach * (performance.now() - askedMs));
    await delay(Math.max(waitedMs, restMs));
    countedMs += (performance.now() - askedMs) * shareOfMachine();
  }
}
