/**
 * `npm run test:full` (TIDELOCK_TEST_FULL, on the newest version) takes every kill in a route of its own, every vendor and
 * each form of a case. `npm test` has ten minutes for the same promises: there each place in the code is passed at least
 * once, several of them in one route where it goes, and what would only be shown again with another vendor, victim or
 * form is left out.
 */
export const isThorough = process.env.TIDELOCK_TEST_FULL !== undefined;

/** All of them, or in `npm test` those that stand for the others. */
export function sampled<T>(all: readonly T[], stands: (one: T, at: number) => boolean): readonly T[] {
  return isThorough ? all : all.filter(stands);
}
