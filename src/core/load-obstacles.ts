import { TidelockError } from './errors/tidelock-error.ts';

/**
 * What `check` throws of each: one error of one at most. All are asked for at once first, since mostly there is nothing. Whatever is about the way to
 * a server, or a defect, is thrown.
 */
export async function loadObstacles<L>(
  loads: readonly L[],
  check: (loads: readonly L[]) => Promise<void>,
): Promise<readonly TidelockError[]> {
  if (loads.length === 0) return [];
  const error = await obstacleOf(() => check(loads));
  if (error === null || loads.length === 1) return error === null ? [] : [error];
  const errors: TidelockError[] = [];
  for (const load of loads) {
    const own = await obstacleOf(() => check([load]));
    if (own !== null) errors.push(own);
  }
  // One that is of no single load, or has gone meanwhile.
  return errors.length === 0 ? [error] : errors;
}

async function obstacleOf(check: () => Promise<void>): Promise<TidelockError | null> {
  try {
    await check();
    return null;
  } catch (error) {
    if (!(error instanceof TidelockError) || error.recovery === 'retry') throw error;
    return error;
  }
}
