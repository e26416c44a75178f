import { versions } from './postgres-binaries.ts';

/** Of the source and of the target. */
export type VersionPair = readonly [from: string, to: string];

const first: VersionPair = [String(versions[0]), String(versions[1] ?? versions[0])];

/** What the run is made with, or with TIDELOCK_TEST_PAIRS=all each of its versions to each. */
export const versionPairs: readonly VersionPair[] =
  process.env.TIDELOCK_TEST_PAIRS === 'all'
    ? versions.flatMap((from) => versions.map((to) => [from, to] as const))
    : [first];
