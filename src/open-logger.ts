import { pino } from 'pino';
import { TidelockError } from './core/errors/tidelock-error.ts';
import type { Logger } from './core/logger.ts';
import { stackFrames } from './core/stack-frames.ts';

/**
 * JSON lines on standard error, written at once: what a process has logged before it was killed is there.
 * TIDELOCK_LOG sets the level (debug, info, warn, error, silent).
 */
export function openLogger(level = process.env.TIDELOCK_LOG ?? 'info'): Logger {
  return pino(
    {
      level: level in pino.levels.values || level === 'silent' ? level : 'info',
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: loggedError },
    },
    pino.destination({ fd: 2, sync: true }),
  );
}

/** Messages and details of errors that are not ours may quote row values: of those only the kind and place are kept. */
export function loggedError(error: unknown): object {
  if (error instanceof TidelockError) return error.toJSON();
  if (!(error instanceof Error)) return { type: typeof error };
  return { type: error.name, ...('code' in error && { code: error.code }), stack: stackFrames(error).join('\n') };
}
