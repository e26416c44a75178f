import { flushCompileCache } from 'node:module';
import type { RouteState } from '../core/route-status.ts';

/**
 * Where Node is told to keep what it has compiled (NODE_COMPILE_CACHE), it does so when a process ends by itself. Kept once the route runs it is there for the
 * next worker also where this one is killed, and holds the functions that a start has needed, which V8 compiles as they are called. What
 * was read from there is not written again.
 */
export function keepCompiled(): (state: RouteState) => void {
  let isKept = false;
  return (state) => {
    if (isKept || state !== 'running') return;
    isKept = true;
    flushCompileCache();
  };
}
