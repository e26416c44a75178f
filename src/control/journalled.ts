import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Asked } from './control.ts';
import type { OpenedRoute } from './open-route.ts';

export interface JournalledRun<T> {
  readonly action: string;
  /** What was asked for. */
  readonly details: Readonly<Record<string, unknown>>;
  run(): Promise<T>;
  /** What came of it, for the journal. */
  outcome?(result: T): Readonly<Record<string, unknown>>;
}

/**
 * Does what an operator has asked for, and writes it into the journal at the route's target with what came of it. What
 * has been done is done, also where the journal could not be written: the error tells, and asking again does no harm.
 */
export async function journalled<T>(
  route: OpenedRoute,
  { by, via, reason }: Asked,
  { action, details, run, outcome }: JournalledRun<T>,
): Promise<T> {
  const asked = { action, by, via, reason };
  let result: T;
  try {
    result = await run();
  } catch (error) {
    const { code, message, recovery } = error instanceof TidelockError ? error : unknownError;
    const how = recovery === 'retry' || code === null ? 'failed' : 'refused';
    const entry = { ...asked, details, result: how, code, message } as const;
    // Where the target can't be reached, its journal can't either.
    await route.store().then(
      (store) => store.actions.write(entry).catch(() => false),
      () => false,
    );
    throw error;
  }
  const all = { ...details, ...outcome?.(result) };
  const store = await route.store();
  await store.actions.write({ ...asked, details: all, result: 'done', code: null, message: null });
  return result;
}

/** Of errors that are not ours nothing is kept: they may quote a value. */
const unknownError = { code: null, message: 'an internal error', recovery: 'halt' } as const;
