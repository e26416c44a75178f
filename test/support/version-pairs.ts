import { versions } from './postgres-binaries.ts';

export interface VersionPair {
  readonly from: string;
  readonly to: string;
}

const first = { from: String(versions[0]), to: String(versions[1] ?? versions[0]) };

/** Of source and target: what the run is made with, or with TIDELOCK_TEST_PAIRS=all each of its versions to each. */
export const versionPairs: readonly VersionPair[] =
  process.env.TIDELOCK_TEST_PAIRS === 'all'
    ? versions.flatMap((from) => versions.map((to) => ({ from, to })))
    : [first];
