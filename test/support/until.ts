import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const shortestMs = 10;
const longestMs = 100;

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
 * What has taken long is asked for less often: an answer may be late by a twentieth of the wait, and most cost a
 * connection.
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
    const pauseMs = Math.min(longestMs, Math.max(shortestMs, countedMs / 20));
    await delay(pauseMs);
    countedMs += (performance.now() - askedMs) * shareOfMachine();
  }
}
