/** Less than this is nothing beside a route's budget. */
export const largeBytes = 8_000_000;

/**
 * What a large value came in, or has left in, is nobody's any more: several times its size, which V8 takes its time with, since it is not on its heap. Without this it is
 * still there while the next copy is made. Takes some 50 ms, as such a value takes several times anyway. Nothing where the process was started without
 * --expose-gc; workers have it.
 *
 * As a last resort: V8 then collects twice, and frees before it returns. Otherwise a marking that is under way is ended, which keeps all that was made since
 * it began, and buffers are freed by another thread, some time later: of 144 MB all were still there after every second collection.
 */
export function collectBehind(bytes: number): void {
  if (bytes < largeBytes) return;
  const collect = (globalThis as { gc?: (options: object) => void }).gc;
  collect?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
