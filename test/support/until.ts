import { setTimeout as delay } from 'node:timers/promises';

const shortestMs = 10;
const longestMs = 100;

/** What an answer takes on a machine that has nothing else to do. */
const answerMs = 100;

/**
 * Asks again and again until the answer is not null, undefined or false. Throws with `what` after `timeoutMs`.
 *
 * What has taken long is asked for less often: an answer may be late by a twentieth of the wait, and most cost a
 * connection. The limit is counted in looks: one that comes late since the machine has other work counts as if it had
 * come in time, as what is waited for is late, too.
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
    countedMs += Math.min(performance.now() - askedMs, pauseMs + answerMs);
  }
}
