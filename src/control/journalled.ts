import type { Action, MakeEntry } from '../core/action.ts';
import { TidelockError } from '../core/errors/tidelock-error.ts';
import type { Asked } from './control.ts';
import type { OpenedRoute } from './open-route.ts';

export interface JournalledRun<T> {
  readonly action: string;
  /** What was asked for. */
  readonly details: Readonly<Record<string, unknown>>;
  run(entry: JournalEntry): Promise<T>;
  /** The target need not be there yet: what can't be written is left out. */
  readonly isOptional?: true;
  /** What came of it, for the journal. */
  outcome?(result: T): Readonly<Record<string, unknown>>;
}

/** What `run` does about its entry: one of the two, before or with the first thing that it changes. */
export interface JournalEntry {
  /** For the store, which writes it in the transaction that does what was asked. */
  readonly done: MakeEntry;
  /** Where what is done is no one transaction at the target: written as begun, and what came of it afterwards. */
  begin(): Promise<void>;
}

/**
 * Does what an operator has asked for, and has it in the journal at the route's target with what came of it: nothing is
 * done without an entry. What was refused or has failed is written afterwards.
 */
export async function journalled<T>(
  route: Pick<OpenedRoute, 'store'>,
  { by, via, reason }: Asked,
  { action, details, isOptional, run, outcome }: JournalledRun<T>,
): Promise<T> {
  const asked = { action, by, via, reason };
  const done: MakeEntry = (more) => {
    isWritten = true;
    return { ...asked, details: { ...details, ...more }, result: 'done', code: null, message: null };
  };
  let isWritten = false;
  let begun: number | null = null;
  const begin = async (): Promise<void> => {
    const { actions } = await route.store();
    begun = await actions.write({ ...asked, details, result: 'begun', code: null, message: null });
  };
  const finish = async (entry: Action): Promise<void> => {
    const { actions } = await route.store();
    if (begun !== null) await actions.finish(begun, entry);
    else await actions.write(entry);
  };
  let result: T;
  try {
    result = await run({ done, begin });
  } catch (error) {
    const { code, message, recovery } = error instanceof TidelockError ? error : unknownError;
    const how = recovery === 'retry' || code === null ? 'failed' : 'refused';
    // Where the target can't be reached, its journal can't either.
    await finish({ ...asked, details, result: how, code, message }).catch(() => {});
    throw error;
  }
  if (begun !== null || !isWritten)
    await finish(done(outcome?.(result))).catch((error: unknown) => {
      if (!isOptional) throw error;
    });
  return result;
}

/** Of errors that are not ours nothing is kept: they may quote a value. */
const unknownError = { code: null, message: 'an internal error', recovery: 'halt' } as const;
