/** The seed of this run: TIDELOCK_TEST_SEED, else 1. Everything random in the tests comes from it. */
export const seed = Number(process.env.TIDELOCK_TEST_SEED ?? 1);

/** `npm test` runs one seed, `npm run test:full` as many as TIDELOCK_TEST_SEEDS says. */
export function seeds(): number[] {
  return Array.from({ length: Number(process.env.TIDELOCK_TEST_SEEDS ?? 1) }, (_, i) => seed + i);
}

/** Numbers from 0 up to and not including 1, the same for the same seed. */
export function randomNumbers(start: number): () => number {
  let state = Math.imul(start, 0x9e3779b1) | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
