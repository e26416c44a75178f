import { setTimeout as delay } from 'node:timers/promises';

const shortestMs = 10;
const longestMs = 100;

/**
 * Asks again and again until the answer is not null, undefined or false. Throws with `what` after `timeoutMs`. What has
 * taken long is asked for less often: an answer may be late by a twentieth of the wait, and most cost a connection.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T> | T,
  timeoutMs = 30_000,
): Promise<Exclude<T, null | undefined | false>> {
  const beganMs = performance.now();
  for (;;) {
    const answer = await ask();
    if (answer !== null && answer !== undefined && answer !== false) {
      return answer as Exclude<T, null | undefined | false>;
    }
    const waitedMs = performance.now() - beganMs;
    if (waitedMs > timeoutMs) throw new Error(`waited ${timeoutMs} ms for: ${what}`);
    await delay(Math.min(longestMs, Math.max(shortestMs, waitedMs / 20)));
  }
}
